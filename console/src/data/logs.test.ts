import { expect, it } from "vitest";
import { toCounts } from "./logs";

it("puts values at the bar that ends then, and unnamed levels under unknown", () => {
  const got = toCounts(
    [
      {
        metric: { detected_level: "error" },
        values: [
          [110, "2"],
          [130, "3"],
          [140, "99"],
        ],
      },
      { metric: {}, values: [[120, "5"]] },
      { metric: { detected_level: "odd" }, values: [[120, "1"]] },
    ],
    100,
    3,
    10,
  );
  expect(got.starts).toEqual([100, 110, 120]);
  expect(got.counts.error).toEqual([2, 0, 3]);
  expect(got.counts.unknown).toEqual([0, 6, 0]);
  expect(got.totals.error).toBe(5);
  expect(got.total).toBe(11);
});
