import { expect, it } from "vitest";
import { distinct, type Exemplar, otherLabels, thinned, traceOf, unitOfOne } from "./exemplar";

const one = (seconds: number, value: number, labels = {}): Exemplar => ({
  seconds,
  value,
  series: { __name__: "latency" },
  labels,
});

it.each([
  [{ trace_id: "a" }, "a"],
  [{ traceID: "b" }, "b"],
  [{ traceId: "c" }, "c"],
  [{ trace_id: "", traceID: "d" }, "d"],
  [{ span_id: "s" }, ""],
])("finds the trace in %j", (labels, want) => {
  expect(traceOf(one(1, 1, labels))).toBe(want);
});

it("tells the labels beside the trace", () => {
  expect(otherLabels(one(1, 1, { trace_id: "a", span_id: "s" }))).toEqual([["span_id", "s"]]);
});

it("has one of each, the latest first", () => {
  const found = [one(1, 5, { trace_id: "a" }), one(3, 5), one(1, 5, { trace_id: "a" })];
  expect(distinct(found).map(({ seconds }) => seconds)).toEqual([3, 1]);
});

it("keeps the largest of each stretch of time", () => {
  const all = Array.from({ length: 1000 }, (_, i) => one(i, i % 10));
  const kept = thinned(all, 100);
  expect(kept).toHaveLength(100);
  expect(kept.every(({ value }) => value === 9)).toBe(true);
  expect(kept.at(-1)?.seconds).toBeGreaterThan(900);
});

it("fills up where some stretches have none", () => {
  const all = [one(0, 1), ...Array.from({ length: 50 }, (_, i) => one(1000, i))];
  const kept = thinned(all, 10);
  expect(kept).toHaveLength(10);
  expect(kept[0]?.seconds).toBe(0);
  expect(thinned(all, 51)).toBe(all);
});

it.each([
  ["bytes/s", "bytes"],
  ["/s", ""],
  ["seconds", "seconds"],
] as const)("a single value of a graph in %s is in %j", (unit, want) => {
  expect(unitOfOne(unit)).toBe(want);
});
