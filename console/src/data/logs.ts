import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { request, respond } from "../lib/api";
import { niceStep } from "../lib/duration";
import { type Level, levels, parseLevel } from "../lib/level";
import { type Direction, joinPages, type LogPage } from "../lib/loglines";
import { LogParser } from "../lib/logparser";
import { countByLevel } from "../lib/logql";
import { gridOf, parseSample, type RawSeries, toMatrix } from "../lib/matrix";
import { addCost, noCost, type QueryCost, readCost } from "../lib/querycost";
import type { Interval } from "../lib/timerange";

interface MatrixEnvelope {
  readonly data: { readonly resultType: string; readonly result: readonly RawSeries[] };
}

const path = "/loki/api/v1/query_range";

// The first page is small, to be there at once; who scrolls on gets as many as the server gives (--query.max-entries).
const firstLines = 500;
const pageLines = 5000;

/** More lines than this are not kept in the page: nobody reads them, and a narrower query finds what was looked for. */
export const mostLines = 100_000;

/** Asks for structured metadata and parsed fields apart from the stream's labels; older servers merge them. */
export const logHeaders = { "X-Loki-Response-Encoding-Flags": "categorize-labels" };

const toNs = (ms: number) => `${Math.floor(ms)}000000`;
const secondsToNs = (seconds: number) => toNs(seconds * 1000);

const parser = new LogParser();

/** A query for lines: what, when, and in which order. */
export interface LineQuery {
  readonly query: string;
  readonly interval: Interval;
  readonly direction: Direction;
}

/** A page of lines with what it took to get it. */
export interface CostedPage extends LogPage {
  readonly cost: QueryCost;
  /** From asking to having all lines. */
  readonly seconds: number;
}

export const logLinesKey = ({ query, interval, direction }: LineQuery) =>
  ["logs", query, interval, direction] as const;

/** lineParams are the parameters of query_range for one page. */
export function lineParams(asked: LineQuery, at: string, limit: number) {
  const backward = asked.direction === "backward";
  return {
    query: asked.query,
    start: backward ? toNs(asked.interval.fromMs) : at,
    end: backward ? at : toNs(asked.interval.toMs),
    limit,
    direction: asked.direction,
  };
}

/** readLines decodes an answer of query_range in the worker. */
export async function readLines(
  response: Response,
  shape: { limit: number; direction: Direction },
  startedMs: number,
): Promise<CostedPage> {
  const cost = readCost(response.headers.get("Seamark-Query-Cost"));
  const page = await parser.parse(await response.arrayBuffer(), shape);
  return { ...page, cost, seconds: (performance.now() - startedMs) / 1000 };
}

/** useLogLines loads the lines of a range page after page, up to mostLines. */
export function useLogLines(asked: LineQuery, enabled: boolean) {
  const client = useQueryClient();
  const { direction, interval } = asked;
  const queryKey = logLinesKey(asked);
  const select = useCallback(({ pages }: InfiniteData<CostedPage, string>) => {
    const lines = joinPages(pages);
    const { bytes, rows } = pages.reduce((sum, { cost }) => addCost(sum, cost), noCost);
    const last = pages.at(-1);
    return { lines, bytes, rows, seconds: last?.seconds ?? 0, more: last?.nextNs !== undefined };
  }, []);
  const query = useInfiniteQuery({
    queryKey,
    enabled,
    initialPageParam: toNs(direction === "backward" ? interval.toMs : interval.fromMs),
    queryFn: async ({ pageParam, signal }) => {
      const first = pageParam === toNs(direction === "backward" ? interval.toMs : interval.fromMs);
      const limit = first ? firstLines : pageLines;
      const startedMs = performance.now();
      const response = await respond(path, {
        query: lineParams(asked, pageParam, limit),
        headers: logHeaders,
        purpose: { class: "adhoc", part: "logs/lines" },
        signal,
      });
      return readLines(response, { limit, direction }, startedMs);
    },
    getNextPageParam: (page, pages) =>
      pages.reduce((sum, { lines }) => sum + lines.length, 0) < mostLines ? page.nextNs : undefined,
    select,
    placeholderData: keepPreviousData,
    // Comparing a hundred thousand lines with those before takes longer than drawing them.
    structuralSharing: false,
  });
  const cancel = useCallback(() => void client.cancelQueries({ queryKey: ["logs"] }), [client]);
  return useMemo(() => ({ ...query, cancel }), [query, cancel]);
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
      const answer = await request<MatrixEnvelope>(path, {
        query: {
          query: countByLevel(query, stepSeconds),
          start: secondsToNs(first + stepSeconds),
          end: secondsToNs(first + count * stepSeconds),
          step: stepSeconds,
        },
        purpose: { class: "dashboard", part: "logs/counts" },
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
      const answer = await request<MatrixEnvelope>(path, {
        query: {
          query,
          start: secondsToNs(grid.startSeconds),
          end: secondsToNs(grid.endSeconds),
          step: grid.stepSeconds,
        },
        purpose: { class: "adhoc", part: "logs/metric" },
        signal,
      });
      return toMatrix(answer.data.resultType === "matrix" ? answer.data.result : [], grid);
    },
    placeholderData: keepPreviousData,
  });
}
