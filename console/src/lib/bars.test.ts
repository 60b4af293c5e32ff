import { expect, it } from "vitest";
import { pathOf, peakOf, stack } from "./bars";

it("stacks layers from the bottom up to the highest bar", () => {
  const [first, second] = stack(
    [
      [1, 0],
      [3, 2],
    ],
    4,
    100,
  );
  expect(first).toEqual([{ x: 0, width: 2, y: 75, height: 25 }]);
  expect(second).toEqual([
    { x: 0, width: 2, y: 0, height: 75 },
    { x: 2, width: 2, y: 50, height: 50 },
  ]);
});

it("shows one among a million", () => {
  const [, rare] = stack([[1_000_000], [1]], 10, 50);
  expect(rare?.[0]?.height).toBe(1);
  expect(rare?.[0]?.y).toBe(0);
});

it("draws nothing from nothing", () => {
  expect(peakOf([])).toBe(1);
  expect(stack([[], []], 10, 10)).toEqual([[], []]);
  expect(pathOf([])).toBe("");
});

it("writes a path per layer", () => {
  expect(pathOf([{ x: 0, y: 1.005, width: 2, height: 3 }])).toBe("M0 1h2v3h-2z");
});
