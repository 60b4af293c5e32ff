import {
  keepPreviousData,
  type QueryClient,
  useQueries,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback } from "react";
import { type RequestOptions, request, respond } from "../lib/api";
import { type Buckets, nativeBucketsOf, type RawHistogramSeries } from "../lib/buckets";
import { distinct, type Exemplar, thinned } from "../lib/exemplar";
import {
  type Grid,
  type Labels,
  type Matrix,
  parseSample,
  type RawSeries,
  timesOf,
  toMatrix,
} from "../lib/matrix";
import { type QueryCost, readCost } from "../lib/metriccost";
import type { Interval } from "../lib/timerange";
import { type BackgroundRequest, resultPathOf } from "./queryjobs";

const base = "/prometheus/api/v1";

interface Stats {
  readonly timings?: { readonly execTotalTime?: number };
  readonly samples?: { readonly samplesRead?: number; readonly totalQueryableSamples?: number };
}

type RawVector = RawHistogramSeries & { readonly value?: readonly [number, string] };

interface Envelope {
  readonly data: {
    readonly resultType: "matrix" | "vector" | "scalar" | "string";
    readonly result: unknown;
    readonly stats?: Stats;
  };
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** A series at one instant. */
export interface InstantRow {
  readonly labels: Labels;
  /** The sample as text, or the count and sum of a native histogram. */
  readonly value: string;
  readonly seconds: number;
}

/** The answer to one query, over a range or at an instant. */
export interface MetricAnswer {
  readonly matrix: Matrix;
  /** The distribution, where the series are native histograms. */
  readonly buckets: Buckets | undefined;
  readonly rows: readonly InstantRow[];
  readonly notes: readonly string[];
  readonly cost: QueryCost;
  /** Seconds on the server. */
  readonly seconds: number;
  /** Samples that the evaluation read; undefined when not told. */
  readonly samples: number | undefined;
}

/** What to evaluate: an expression over a grid, or at its end alone. */
export interface MetricAsk {
  readonly expr: string;
  readonly grid: Grid;
  readonly instant: boolean;
}

const askedKey = ["metrics", "asked"] as const;

export function askKey({ expr, grid, instant }: MetricAsk) {
  return [...askedKey, expr, instant ? grid.endSeconds : grid] as const;
}

/** requestOf is how an expression is asked, now or in the background. */
export function requestOf({ expr, grid, instant }: MetricAsk): BackgroundRequest {
  const { startSeconds: start, endSeconds: end, stepSeconds: step } = grid;
  const time: RequestOptions["query"] = instant ? { time: end } : { start, end, step };
  return {
    path: `${base}/${instant ? "query" : "query_range"}`,
    query: { query: expr, ...time, stats: "true" },
    purpose: { class: "adhoc", part: "metrics/query" },
  };
}

async function fetchAnswer(
  ask: MetricAsk,
  from: BackgroundRequest,
  signal?: AbortSignal,
): Promise<MetricAnswer> {
  const { path, ...options } = from;
  const response = await respond(path, signal ? { ...options, signal } : options);
  const cost = readCost(response.headers);
  return toAnswer((await response.json()) as Envelope, ask.grid, cost);
}

/** toAnswer reads an answer of any type; a number alone becomes a series without labels. */
export function toAnswer(envelope: Envelope, grid: Grid, cost: QueryCost): MetricAnswer {
  const { resultType, result, stats } = envelope.data;
  let raw: readonly (RawHistogramSeries & Partial<RawSeries>)[] = [];
  let rows: InstantRow[] = [];
  if (resultType === "matrix") raw = result as typeof raw;
  else if (resultType === "vector") rows = (result as RawVector[]).map(toRow);
  else {
    const [seconds, value] = result as [number, string];
    rows = [{ labels: {}, value, seconds }];
  }
  const plain = raw.filter((one): one is RawSeries => (one.values?.length ?? 0) > 0);
  return {
    matrix: toMatrix(plain, grid),
    buckets: nativeBucketsOf(raw, timesOf(grid)),
    rows,
    notes: [...(envelope.warnings ?? []), ...(envelope.infos ?? [])],
    cost,
    seconds: stats?.timings?.execTotalTime ?? 0,
    samples: stats?.samples?.samplesRead ?? stats?.samples?.totalQueryableSamples,
  };
}

function toRow(
  raw: RawVector & { histogram?: readonly [number, { count: string; sum: string }] },
): InstantRow {
  const { metric: labels, value, histogram } = raw;
  if (value) return { labels, value: value[1], seconds: value[0] };
  const [seconds, { count, sum }] = histogram ?? [0, { count: "0", sum: "0" }];
  return { labels, value: `${count} values, sum ${sum}`, seconds };
}

/** useMetricAnswers evaluates several expressions at once. An empty expression asks nothing. */
export function useMetricAnswers(asks: readonly MetricAsk[]) {
  return useQueries({
    queries: asks.map((ask) => ({
      queryKey: askKey(ask),
      enabled: ask.expr !== "",
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchAnswer(ask, requestOf(ask), signal),
      placeholderData: keepPreviousData<MetricAnswer>,
    })),
  });
}

/** useCancelMetricAnswers stops what is being asked; the server ends a query whose reader has gone. */
export function useCancelMetricAnswers(): () => void {
  const client = useQueryClient();
  return useCallback(() => void client.cancelQueries({ queryKey: askedKey }), [client]);
}

/** showJobAnswer takes the answer of a background job for that of the same question. */
export async function showJobAnswer(client: QueryClient, ask: MetricAsk, jobId: string): Promise<void> {
  client.setQueryData(askKey(ask), await fetchAnswer(ask, { path: resultPathOf(jobId) }));
}

/** A node of an expression's tree, as Prometheus' API writes it. */
export interface PromNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface Parsed {
  readonly data: PromNode;
}

/** useParsedQuery shows an expression's tree. */
export function useParsedQuery(expr: string, enabled: boolean) {
  return useQuery({
    queryKey: ["metrics", "parsed", expr],
    enabled: enabled && expr !== "",
    staleTime: Infinity,
    retry: false,
    queryFn: async ({ signal }) =>
      (await request<Parsed>(`${base}/parse_query`, { query: { query: expr }, signal })).data,
  });
}

/** formatQuery returns an expression as Prometheus lays it out. */
export async function formatQuery(expr: string): Promise<string> {
  return (await request<{ data: string }>(`${base}/format_query`, { query: { query: expr } })).data;
}

interface RawExemplars {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly { labels: Labels; value: string; timestamp: number }[];
}

// More points than this hide the lines.
const maxExemplars = 200;

/** The exemplars behind a graph. */
export interface Exemplars {
  /** At most as many as can be told apart, the latest first. */
  readonly shown: readonly Exemplar[];
  readonly found: number;
  readonly error: Error | null;
}

/** useExemplars finds the exemplars of the series in several expressions. */
export function useExemplars(exprs: readonly string[], interval: Interval, enabled: boolean): Exemplars {
  return useQueries({
    queries: [...new Set(exprs)].filter(Boolean).map((expr) => ({
      queryKey: ["metrics", "exemplars", expr, interval],
      enabled,
      retry: false,
      placeholderData: keepPreviousData<Exemplar[]>,
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchExemplars(expr, interval, signal),
    })),
    combine: combineExemplars,
  });
}

async function fetchExemplars(expr: string, interval: Interval, signal: AbortSignal): Promise<Exemplar[]> {
  // An expression without series has no answer at all.
  const answer = await request<{ data: readonly RawExemplars[] } | undefined>(`${base}/query_exemplars`, {
    query: { query: expr, start: interval.fromMs / 1000, end: interval.toMs / 1000 },
    purpose: { class: "adhoc", part: "metrics/exemplars" },
    signal,
  });
  return (answer?.data ?? []).flatMap(({ seriesLabels: series, exemplars }) =>
    exemplars.map(({ labels, value, timestamp }) => ({
      seconds: timestamp,
      value: parseSample(value),
      series,
      labels,
    })),
  );
}

function combineExemplars(
  answers: readonly { data?: Exemplar[] | undefined; error: Error | null }[],
): Exemplars {
  const all = distinct(answers.flatMap(({ data = [] }) => data));
  return {
    shown: thinned(all, maxExemplars),
    found: all.length,
    error: answers.find(({ error }) => error)?.error ?? null,
  };
}
