import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { niceStep } from "../lib/duration";
import { type Level, levels, parseLevel } from "../lib/level";
import { joinPages, type LogPage, type RawStream, toPage } from "../lib/loglines";
import { countByLevel } from "../lib/logql";
import { gridOf, parseSample, type RawSeries, toMatrix } from "../lib/matrix";
import type { Interval } from "../lib/timerange";

interface Envelope {
  readonly data:
    | { readonly resultType: "streams"; readonly result: readonly RawStream[] }
    | { readonly resultType: "matrix"; readonly result: readonly RawSeries[] };
}

const path = "/loki/api/v1/query_range";

const pageLines = 500;

// Asks for structured metadata and parsed fields apart from the stream's labels; older servers merge them.
const headers = { "X-Loki-Response-Encoding-Flags": "categorize-labels" };

const toNs = (ms: number) => `${Math.floor(ms)}000000`;
const secondsToNs = (seconds: number) => toNs(seconds * 1000);

/** useLogLines loads the lines of a range, newest first, page after page. */
export function useLogLines(query: string, interval: Interval, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["logs", query, interval],
    enabled,
    initialPageParam: toNs(interval.toMs),
    queryFn: async ({ pageParam, signal }): Promise<LogPage> => {
      const answer = await request<Envelope>(path, {
        query: {
          query,
          start: toNs(interval.fromMs),
          end: pageParam,
          limit: pageLines,
          direction: "backward",
        },
        headers,
        signal,
      });
      return toPage(answer.data.resultType === "streams" ? answer.data.result : [], pageLines);
    },
    getNextPageParam: (page) => page.nextEndNs,
    select: (data) => joinPages(data.pages),
    placeholderData: keepPreviousData,
  });
}

/** Counts of lines: one bar per step, one number per level. */
export interface LogCounts {
  readonly stepSeconds: number;
  /** Where each bar begins, in Unix seconds. */
  readonly starts: readonly number[];
  readonly counts: Readonly<Record<Level, readonly number[]>>;
  readonly totals: Readonly<Record<Level, number>>;
  readonly total: number;
}

/** useLogCounts counts the lines of a range by level, in at most the given number of bars. */
export function useLogCounts(query: string, interval: Interval, bars: number, enabled: boolean) {
  const stepSeconds = niceStep((interval.toMs - interval.fromMs) / 1000, bars);
  const first = Math.floor(interval.fromMs / 1000 / stepSeconds) * stepSeconds;
  const count = Math.max(1, Math.ceil((interval.toMs / 1000 - first) / stepSeconds));
  return useQuery({
    queryKey: ["log-counts", query, first, count, stepSeconds],
    enabled,
    queryFn: async ({ signal }) => {
      // A range selector looks back, so the bar from t to t+step is the value at t+step.
      const answer = await request<Envelope>(path, {
        query: {
          query: countByLevel(query, stepSeconds),
          start: secondsToNs(first + stepSeconds),
          end: secondsToNs(first + count * stepSeconds),
          step: stepSeconds,
        },
        signal,
      });
      const series = answer.data.resultType === "matrix" ? answer.data.result : [];
      return toCounts(series, first, count, stepSeconds);
    },
    placeholderData: keepPreviousData,
  });
}

export function toCounts(
  series: readonly RawSeries[],
  first: number,
  count: number,
  stepSeconds: number,
): LogCounts {
  const zeros = () => new Array<number>(count).fill(0);
  const counts = Object.fromEntries(levels.map((level) => [level, zeros()])) as Record<Level, number[]>;
  const totals = Object.fromEntries(levels.map((level) => [level, 0])) as Record<Level, number>;
  let total = 0;
  for (const { metric, values } of series) {
    const level = parseLevel(metric.detected_level);
    for (const [time, text] of values) {
      const at = Math.round((time - first) / stepSeconds) - 1;
      const value = parseSample(text);
      if (at < 0 || at >= count || !Number.isFinite(value)) continue;
      counts[level][at] = (counts[level][at] ?? 0) + value;
      totals[level] += value;
      total += value;
    }
  }
  return { stepSeconds, starts: zeros().map((_, i) => first + i * stepSeconds), counts, totals, total };
}

/** useLogMetric evaluates a LogQL query that computes numbers. */
export function useLogMetric(query: string, interval: Interval, stepSeconds: number, enabled: boolean) {
  const grid = gridOf(interval.fromMs, interval.toMs, stepSeconds);
  return useQuery({
    queryKey: ["log-metric", query, grid],
    enabled,
    queryFn: async ({ signal }) => {
      const answer = await request<Envelope>(path, {
        query: {
          query,
          start: secondsToNs(grid.startSeconds),
          end: secondsToNs(grid.endSeconds),
          step: grid.stepSeconds,
        },
        signal,
      });
      return toMatrix(answer.data.resultType === "matrix" ? answer.data.result : [], grid);
    },
    placeholderData: keepPreviousData,
  });
}
