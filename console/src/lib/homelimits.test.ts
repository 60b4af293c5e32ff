import { expect, it } from "vitest";
import { limitsOf } from "./homelimits";

it("puts the limit with the least room first, and leaves out what has none", () => {
  const use = {
    bytes_per_second: 5,
    rows_per_second: 5,
    asked_bytes_per_second: 10,
    asked_rows_per_second: 90,
    bytes_today: 1,
    active_series: 500,
    active_streams: 2,
  };
  const found = limitsOf({
    limits: { bytes_per_second: 100, rows_per_second: 100, daily_bytes: 0, active_series: 1000 },
    use,
  });
  expect(found.map(({ label, used }) => [label, used])).toEqual([
    ["Rows a second", 90],
    ["Active series", 500],
    ["Bytes a second", 10],
  ]);
});
