import type { EventSeries } from "../data/events";
import type { Matrix } from "./matrix";

/** matrixOf lays counts on a grid as charts draw them. */
export function matrixOf({ start, step, items }: EventSeries, field: string): Matrix {
  const first = Date.parse(start) / 1000;
  const length = items[0]?.counts.length ?? 0;
  return {
    times: Array.from({ length }, (_, i) => first + i * step),
    series: items.map(({ value, counts }) => ({
      labels: { [field]: value },
      name: value || "none",
      values: counts,
      last: counts.at(-1) ?? null,
      min: Math.min(...counts),
      max: Math.max(...counts),
    })),
    total: items.length,
  };
}
