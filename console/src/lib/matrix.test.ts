import { expect, it } from "vitest";
import { gridOf, maxSeries, nameWithout, seriesName, sharedLabels, timesOf, toMatrix } from "./matrix";

it("aligns the grid to the step, inside the range", () => {
  const grid = gridOf(61_500, 200_000, 30);
  expect(grid).toEqual({ startSeconds: 90, endSeconds: 180, stepSeconds: 30 });
  expect(timesOf(grid)).toEqual([90, 120, 150, 180]);
});

it("has at least one point", () => {
  expect(timesOf(gridOf(61_000, 62_000, 60))).toEqual([120]);
});

it("puts samples on the grid and sums them up", () => {
  const grid = { startSeconds: 0, endSeconds: 40, stepSeconds: 10 };
  const { times, series } = toMatrix(
    [
      {
        metric: { __name__: "up", job: "a" },
        values: [
          [0, "3"],
          [20, "NaN"],
          [30, "-1.5"],
          [50, "9"],
        ],
      },
      { metric: {}, values: [[10, "+Inf"]] },
    ],
    grid,
  );
  expect(times).toEqual([0, 10, 20, 30, 40]);
  expect(series[0]).toMatchObject({
    name: 'up{job="a"}',
    values: [3, null, null, -1.5, null],
    last: -1.5,
    min: -1.5,
    max: 3,
  });
  expect(series[1]).toMatchObject({ name: "{}", last: Infinity, min: null, max: null });
});

it("keeps the largest series and says how many there were", () => {
  const raw = Array.from({ length: maxSeries + 20 }, (_, i) => ({
    metric: { i: String(i) },
    values: [[0, String(i)]] as [number, string][],
  }));
  const { series, total } = toMatrix(raw, { startSeconds: 0, endSeconds: 0, stepSeconds: 1 });
  expect(total).toBe(maxSeries + 20);
  expect(series).toHaveLength(maxSeries);
  expect(series[0]?.labels).toEqual({ i: "20" });
});

it.each([
  [{ __name__: "up" }, "up"],
  [{ __name__: "up", b: "2", a: 'q"' }, 'up{a="q\\"", b="2"}'],
  [{ a: "1" }, '{a="1"}'],
])("names %j", (labels, want) => {
  expect(seriesName(labels)).toBe(want);
});

it("names series by what tells them apart", () => {
  const labels = [
    { __name__: "up", job: "a", pod: "1" },
    { __name__: "up", job: "a", pod: "2", zone: "z" },
  ];
  const { series } = toMatrix(
    labels.map((metric) => ({ metric, values: [] })),
    gridOf(0, 0, 1),
  );
  const shared = sharedLabels(series);
  expect(shared).toEqual({ job: "a" });
  expect(labels.map((one) => nameWithout(one, shared))).toEqual(['up{pod="1"}', 'up{pod="2", zone="z"}']);
  expect(nameWithout({ job: "a" }, shared)).toBe('{job="a"}');
  expect(sharedLabels(series.slice(0, 1))).toEqual({});
});
