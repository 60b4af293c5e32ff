import { expect, it } from "vitest";
import { besidePoint, tipRows } from "./plottip";

it("tells the largest value first, and leaves out what has none", () => {
  const { rows, more } = tipRows([1, null, 3, undefined, 2], [1, null, 3, undefined, 2], 1.9, 12);
  expect(rows.map(({ place }) => place)).toEqual([2, 4, 0]);
  expect(rows.map(({ near }) => near)).toEqual([false, true, false]);
  expect(more).toBe(0);
});

it("keeps the series at the pointer among those that it tells", () => {
  const values = [9, 8, 7, 6, 1];
  const { rows, more } = tipRows(values, values, 0.5, 3);
  expect(rows.map(({ place }) => place)).toEqual([0, 1, 4]);
  expect(more).toBe(2);
});

it("finds what is near by where it is drawn, not by its size", () => {
  const { rows } = tipRows([5, 1], [5, 6], 5.9, 12);
  expect(rows.find(({ near }) => near)?.place).toBe(1);
});

const window = { width: 1000, height: 600 };
const box = { width: 200, height: 100 };

it.each([
  ["to the right", { x: 100, y: 300 }, { left: 114, top: 250 }],
  ["to the left where the right has no room", { x: 900, y: 300 }, { left: 686, top: 250 }],
  ["within the window's top", { x: 100, y: 10 }, { left: 114, top: 6 }],
  ["within the window's foot", { x: 100, y: 590 }, { left: 114, top: 494 }],
])("stands %s", (_, point, want) => {
  expect(besidePoint(point, box, window)).toEqual(want);
});

it("stays in a window that is narrower than both sides need", () => {
  expect(besidePoint({ x: 150, y: 300 }, box, { width: 300, height: 600 })).toEqual({ left: 6, top: 250 });
});
