import { expect, it } from "vitest";
import { familyOf, starterQuery } from "./metricquery";

it.each([
  ["up", "gauge", "up"],
  ["up", undefined, "up"],
  ["requests_total", undefined, "sum(rate(requests_total[5m]))"],
  ["requests", "counter", "sum(rate(requests[5m]))"],
  [
    "wait_seconds_bucket",
    "histogram",
    "histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[5m])))",
  ],
])("%s (%s) starts as %s", (name, type, want) => {
  expect(starterQuery(name, type)).toBe(want);
});

it("finds the family of a histogram's part", () => {
  const metadata = { wait_seconds: [{ help: "h" }], up: [{ help: "u" }] };
  expect(familyOf("wait_seconds_bucket", metadata)?.help).toBe("h");
  expect(familyOf("up", metadata)?.help).toBe("u");
  expect(familyOf("other", metadata)).toBeUndefined();
});
