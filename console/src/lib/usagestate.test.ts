import { expect, test } from "vitest";
import type { UsageItem } from "../data/usage";
import { withValue } from "./urlstate";
import {
  bucketOf,
  columnOf,
  figureOf,
  resolveSpan,
  spanOf,
  totalsOf,
  usageCodec,
  usageMatrix,
} from "./usagestate";

const none = {
  requests: 0,
  rows: 0,
  bytes: 0,
  wire_bytes: 0,
  set_aside_rows: 0,
  stored_rows: 0,
  stored_bytes: 0,
  active_series: 0,
  active_streams: 0,
  queries: 0,
  read_rows: 0,
  read_bytes: 0,
  cpu_seconds: 0,
};

const item = (day: string, signal: string, bytes: number): UsageItem => ({ ...none, day, signal, bytes });

test("the state of the chart goes through the URL and back", () => {
  const state = { span: "7d", by: "cluster", figure: "stored_bytes", queries: "rule" };
  const params = withValue(new URLSearchParams("tab=time&last=7d"), usageCodec, state);
  expect(usageCodec.read(params)).toEqual(state);
  expect(params.get("last")).toBe("7d");
});

test("what nobody knows is the first choice", () => {
  expect(columnOf("nothing").value).toBe("signal");
  expect(figureOf("nothing").value).toBe("bytes");
});

test("long ranges are by day", () => {
  expect(bucketOf({ fromMs: 0, toMs: 86_400_000 })).toBe("hour");
  expect(bucketOf({ fromMs: 0, toMs: 7 * 86_400_000 })).toBe("day");
});

test("sums are by name, the largest first, without those of nothing", () => {
  const items = [
    item("2026-11-01", "logs", 1),
    item("2026-11-02", "metrics", 5),
    item("2026-11-02", "logs", 2),
    item("2026-11-02", "", 0),
  ];
  expect(totalsOf(items, "signal", "bytes")).toEqual([
    { name: "metrics", sum: 5 },
    { name: "logs", sum: 3 },
  ]);
});

const aWeek = {
  column: "signal",
  figure: "bytes",
  fromMs: Date.parse("2026-11-01T05:00:00Z"),
  toMs: Date.parse("2026-11-08T05:00:00Z"),
} as const;

test("a day without data stands as zero, the first and the last are whole", () => {
  const matrix = usageMatrix(
    [item("2026-11-01", "logs", 4), item("2026-11-03", "logs", 6), item("2026-11-08", "events", 1)],
    aWeek,
  );
  expect(matrix.times).toHaveLength(8);
  expect(matrix.times[0]).toBe(Date.parse("2026-11-01") / 1000);
  expect(matrix.series.map(({ name, values }) => [name, values])).toEqual([
    ["logs", [4, 0, 6, 0, 0, 0, 0, 0]],
    ["events", [0, 0, 0, 0, 0, 0, 0, 1]],
  ]);
});

test("no usage makes no series", () => {
  expect(usageMatrix([], aWeek).series).toEqual([]);
});

test("the month is that of UTC", () => {
  const nowMs = Date.parse("2026-11-21T23:30:00Z");
  expect(resolveSpan("month", nowMs)).toEqual({ fromMs: Date.parse("2026-11-01T00:00:00Z"), toMs: nowMs });
  expect(resolveSpan(spanOf("nothing"), nowMs).fromMs).toBe(Date.parse("2026-11-20T23:30:00Z"));
});
