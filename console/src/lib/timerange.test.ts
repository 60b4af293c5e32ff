import { describe, expect, it } from "vitest";
import { fixed, moved, widened } from "./timerange";

const now = 100_000;

describe("moved", () => {
  it.each([
    ["earlier", -1, { fromMs: 40_000, toMs: 60_000 }, fixed(30_000, 50_000)],
    ["later", 1, { fromMs: 40_000, toMs: 60_000 }, fixed(50_000, 70_000)],
    ["later, up to now", 1, { fromMs: 75_000, toMs: 95_000 }, fixed(80_000, 100_000)],
    ["not at all when it ends now", 1, { fromMs: 80_000, toMs: 100_000 }, fixed(80_000, 100_000)],
    ["not back when it ends after now", 1, { fromMs: 100_000, toMs: 120_000 }, fixed(100_000, 120_000)],
  ] as const)("goes %s", (_, direction, interval, want) => {
    expect(moved(interval, direction, now)).toEqual(want);
  });
});

describe("widened", () => {
  it.each([
    ["a relative one", { kind: "last", seconds: 60 } as const, { kind: "last", seconds: 120 }],
    ["both ends", fixed(40_000, 60_000), fixed(30_000, 70_000)],
    ["the beginning alone at the end of time", fixed(70_000, 95_000), fixed(50_000, 100_000)],
    ["what ends after now to the past", fixed(90_000, 110_000), fixed(70_000, 110_000)],
  ])("doubles %s", (_, range, want) => {
    expect(widened(range, now)).toEqual(want);
  });
});
