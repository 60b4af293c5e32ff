import { expect, it } from "vitest";
import { canChart, chartOf } from "./sqlchart";

const columns = [
  { name: "t", type: "DateTime('UTC')" },
  { name: "level", type: "LowCardinality(String)" },
  { name: "n", type: "UInt64" },
];

it("makes a series of each set of texts, on the times of all, in order", () => {
  const chart = chartOf(columns, [
    ["2026-01-01T00:02:00Z", "info", 3],
    ["2026-01-01T00:01:00Z", "info", "1"],
    ["2026-01-01T00:01:00Z", "warn", 5],
    ["broken", "warn", 5],
    ["2026-01-01T00:02:00Z", "warn", null],
  ]);
  const start = Date.UTC(2026, 0, 1) / 1000;
  expect(chart?.times).toEqual([start + 60, start + 120]);
  expect(chart?.series.map(({ name, values, last, max }) => ({ name, values, last, max }))).toEqual([
    { name: 'n{level="info"}', values: [1, 3], last: 3, max: 3 },
    { name: 'n{level="warn"}', values: [5, null], last: 5, max: 5 },
  ]);
});

it("needs times and numbers", () => {
  expect(canChart(columns)).toBe(true);
  expect(canChart(columns.slice(1))).toBe(false);
  expect(chartOf(columns.slice(0, 2), [])).toBeUndefined();
});
