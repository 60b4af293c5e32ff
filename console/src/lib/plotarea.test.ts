import { expect, it } from "vitest";
import { pointIn, sameArea } from "./plotarea";

const area = { width: 200, height: 100, fromSeconds: 1000, toSeconds: 1100, low: 0, high: 10 };

it.each([
  [1000, 0, { left: 0, top: 100 }],
  [1050, 5, { left: 100, top: 50 }],
  [1100, 10, { left: 200, top: 0 }],
  [1050, 99, { left: 100, top: 0 }],
  [1050, -99, { left: 100, top: 100 }],
  [1050, Number.POSITIVE_INFINITY, { left: 100, top: 0 }],
  [1050, Number.NaN, undefined],
  [999, 5, undefined],
  [1101, 5, undefined],
])("places %d s, %d", (seconds, value, want) => {
  expect(pointIn(area, seconds, value)).toEqual(want);
});

it("places nothing where a plot has no width in time", () => {
  expect(pointIn({ ...area, toSeconds: 1000 }, 1000, 1)).toBeUndefined();
});

it("tells areas apart", () => {
  expect(sameArea(undefined, area)).toBe(false);
  expect(sameArea(area, { ...area })).toBe(true);
  expect(sameArea(area, { ...area, high: 11 })).toBe(false);
});
