import { expect, it } from "vitest";
import { stackDown, stackUp } from "./stacked";

it("sums upwards, and counts a gap of one series as nothing", () => {
  expect(
    stackUp([
      [1, null, 2, null],
      [10, 5, null, null],
    ]),
  ).toEqual([
    [1, 0, 2, null],
    [11, 5, 2, null],
  ]);
});

it("sums downwards, so that the first stands on top", () => {
  expect(
    stackDown([
      [1, null, 2, null],
      [10, 5, null, null],
    ]),
  ).toEqual([
    [11, 5, 2, null],
    [10, 5, 0, null],
  ]);
});

it("takes no series", () => {
  expect(stackUp([])).toEqual([]);
});
