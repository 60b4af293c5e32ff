import type { UsageItem } from "../data/usage";
import type { Matrix, Series } from "./matrix";
import type { Interval } from "./timerange";
import type { Unit } from "./units";
import { textCodec } from "./urlstate";

/** What the page of usage shows: which span, by which column, and which figure; "" is the first of each. */
export const usageCodec = textCodec(["span", "by", "figure", "queries"]);

export const usageColumns = [
  { value: "signal", label: "By signal" },
  { value: "cluster", label: "By cluster" },
  { value: "source", label: "By protocol or table" },
] as const;
export type UsageColumn = (typeof usageColumns)[number]["value"] | "tenant";

export const usageFigures = [
  { value: "bytes", label: "Bytes sent", unit: "bytes" },
  { value: "rows", label: "Rows sent", unit: "" },
  { value: "wire_bytes", label: "Bytes on the wire", unit: "bytes" },
  { value: "stored_bytes", label: "Bytes stored", unit: "bytes" },
  { value: "stored_rows", label: "Rows stored", unit: "" },
  { value: "active_series", label: "Active series", unit: "" },
  { value: "active_streams", label: "Active streams", unit: "" },
  { value: "queries", label: "Queries", unit: "" },
  { value: "read_bytes", label: "Bytes read by queries", unit: "bytes" },
  { value: "cpu_seconds", label: "CPU of queries", unit: "seconds" },
] as const satisfies readonly { value: keyof UsageItem; label: string; unit: Unit }[];
export type UsageFigure = (typeof usageFigures)[number]["value"];

const dayMs = 86_400_000;

export const spans = [
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
  { value: "month", label: "This month" },
] as const;
export type Span = (typeof spans)[number]["value"];

/** spanOf reads the choice; what is unknown is the first one. */
export function spanOf(text: string): Span {
  return spans.find(({ value }) => value === text)?.value ?? "24h";
}

/** resolveSpan is the time that a span means now; the month is that of UTC, as the meter counts it. */
export function resolveSpan(span: Span, nowMs: number): Interval {
  const now = new Date(nowMs);
  const days = { "24h": 1, "7d": 7, "30d": 30 };
  const fromMs =
    span === "month" ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1) : nowMs - days[span] * dayMs;
  return { fromMs, toMs: nowMs };
}

/** columnOf and figureOf read the choice; what is unknown is the first one. */
export function columnOf(text: string): (typeof usageColumns)[number] {
  return usageColumns.find(({ value }) => value === text) ?? usageColumns[0];
}

export function figureOf(text: string): (typeof usageFigures)[number] {
  return usageFigures.find(({ value }) => value === text) ?? usageFigures[0];
}

/** bucketOf is the column of time that gives a chart some bars and no more than can be told apart. */
export function bucketOf({ fromMs, toMs }: Interval): "hour" | "day" {
  return toMs - fromMs > 3 * dayMs ? "day" : "hour";
}

/** totalsOf sums a figure by the names of a column, the largest first; nothing stands for no name. */
export function totalsOf(
  items: readonly UsageItem[],
  column: UsageColumn,
  figure: UsageFigure,
): readonly { name: string; sum: number }[] {
  const sums = new Map<string, number>();
  for (const item of items) {
    const name = item[column] || "none";
    sums.set(name, (sums.get(name) ?? 0) + item[figure]);
  }
  return [...sums]
    .map(([name, sum]) => ({ name, sum }))
    .filter(({ sum }) => sum > 0)
    .sort((a, b) => b.sum - a.sum);
}

interface MatrixAsk extends Interval {
  readonly column: UsageColumn;
  readonly figure: UsageFigure;
}

/** usageMatrix lays a figure on the grid of the hours or days of its time, one series for each name of the column. */
export function usageMatrix(items: readonly UsageItem[], ask: MatrixAsk): Matrix {
  const { column, figure, fromMs, toMs } = ask;
  const bucket = bucketOf(ask);
  const stepMs = bucket === "day" ? dayMs : 3_600_000;
  const first = Math.floor(fromMs / stepMs);
  const count = Math.max(1, Math.ceil(toMs / stepMs) - first);
  const times = Array.from({ length: count }, (_, place) => ((first + place) * stepMs) / 1000);
  const series = totalsOf(items, column, figure).map(({ name }): Series => {
    const values = times.map(() => 0);
    for (const item of items) {
      const place = Math.floor(Date.parse(item[bucket] ?? "") / stepMs) - first;
      if ((item[column] || "none") === name && place >= 0 && place < count)
        values[place] = (values[place] ?? 0) + item[figure];
    }
    return {
      labels: { [column]: name },
      name,
      values,
      last: values.at(-1) ?? null,
      min: Math.min(...values),
      max: Math.max(...values),
    };
  });
  return { times, series, total: series.length };
}
