import { describe, expect, it } from "vitest";
import { bucketsOf, nativeBucketsOf } from "./buckets";
import type { Matrix } from "./matrix";

function matrixOf(rows: Record<string, (number | null)[]>): Matrix {
  const series = Object.entries(rows).map(([le, values]) => ({
    labels: { le },
    name: le,
    values,
    last: null,
    min: null,
    max: null,
  }));
  return { times: [60, 120], series, total: series.length };
}

describe("bucketsOf", () => {
  it("subtracts neighbours in the order of their bounds, whatever that of the series", () => {
    expect(bucketsOf(matrixOf({ "+Inf": [6, null], "10": [5, 7], "2": [1, 7.1] }))).toEqual({
      times: [60, 120],
      bounds: [2, 10, Infinity],
      values: [
        [1, 7.1],
        [4, 0],
        [1, null],
      ],
    });
  });

  it("is none of series without bounds", () => {
    expect(bucketsOf(matrixOf({ "": [1, 2], x: [1, 2] }))).toBeUndefined();
  });
});

describe("nativeBucketsOf", () => {
  it("adds up series whose buckets differ", () => {
    const one = (time: number, upper: string, count: string) => ({
      metric: {},
      histograms: [
        [time, { count, sum: "1", buckets: [[0, "0", upper, count] as const] }] as [number, never],
      ],
    });
    expect(nativeBucketsOf([one(60, "2", "3"), one(120, "2", "1"), one(60, "1", "4")], [60, 120])).toEqual({
      times: [60, 120],
      bounds: [1, 2],
      values: [
        [4, null],
        [3, 1],
      ],
    });
  });

  it("keeps the total where it adds up rows", () => {
    const buckets = Array.from({ length: 151 }, (_, i) => [0, String(i), String(i + 1), "1"] as const);
    const found = nativeBucketsOf(
      [{ metric: {}, histograms: [[60, { count: "151", sum: "1", buckets }]] }],
      [60],
    );
    expect(found?.bounds.length).toBeLessThanOrEqual(60);
    expect(found?.bounds.at(-1)).toBe(151);
    expect(found?.values.flat().reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(151);
  });

  it("is none of series without histograms", () => {
    expect(nativeBucketsOf([{ metric: {} }], [60])).toBeUndefined();
  });
});
