import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { listAll, request } from "../lib/api";
import type { DashboardQuery, DashboardSpec, DashboardVariable } from "../lib/dashboardmodel";
import {
  asksInOrder,
  type Choices,
  legendOf,
  type MacroTimes,
  matching,
  parseVariableQuery,
  valuesOf,
} from "../lib/dashboardvariables";
import { gridOf, type Labels, type Matrix, parseSample, type RawSeries, toMatrix } from "../lib/matrix";
import type { components } from "../lib/schema";
import { findTagged, ifMatch, type Tagged } from "../lib/tagged";
import type { Interval } from "../lib/timerange";

export type Dashboard = components["schemas"]["Dashboard"];
export type DashboardSummary = components["schemas"]["DashboardSummary"];

const path = "/api/v1/dashboards";
const listKey = ["dashboards"];
const pathOf = (id: string) => `${path}/${encodeURIComponent(id)}`;

export function useDashboards(enabled: boolean) {
  return useQuery({
    queryKey: listKey,
    enabled,
    queryFn: ({ signal }) => listAll<DashboardSummary>(path, { signal }),
  });
}

/** useDashboard reads one dashboard with its version, for changes that overwrite nobody else's. */
export function useDashboard(id: string, enabled: boolean) {
  return useQuery({
    queryKey: [...listKey, id],
    enabled,
    queryFn: ({ signal }) => findTagged<Dashboard>(pathOf(id), { signal }),
  });
}

export function useCreateDashboard() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (spec: DashboardSpec) =>
      request<Dashboard>(path, {
        method: "POST",
        json: spec,
        headers: { "Idempotency-Key": crypto.randomUUID() },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: listKey }),
  });
}

export function useUpdateDashboard(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ value, etag }: Tagged<DashboardSpec>) =>
      request<Dashboard>(pathOf(id), { method: "PUT", json: value, headers: ifMatch(etag) }),
    onSuccess: () => client.invalidateQueries({ queryKey: listKey }),
  });
}

export function useDeleteDashboard() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(pathOf(id), { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: listKey }),
  });
}

interface Envelope<T> {
  readonly data: T;
}

interface Vector {
  readonly resultType: string;
  readonly result: readonly { readonly metric: Labels; readonly value: readonly [number, string] }[];
}

const prometheus = "/prometheus/api/v1";
const loki = "/loki/api/v1";

/** The options and the values of each variable. */
export interface Variables {
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly loading: boolean;
  /** Why the values of a variable could not be had, by its name. */
  readonly faults: Readonly<Record<string, string>>;
}

/**
 * useVariables asks for the values that variables can have, in their order. One whose query names another waits until that one has a
 * value, and asks again when it changes.
 */
export function useVariables(
  variables: readonly DashboardVariable[],
  choices: Choices,
  interval: Interval,
  times: MacroTimes,
): Variables {
  const client = useQueryClient();
  // What was listed last: a range that moves on does not take the values away while it is asked again.
  const last = useRef<Readonly<Record<string, readonly string[]>>>({});
  // Names change slowly: whole minutes keep lists in the cache while the range moves on.
  const within = {
    start: Math.floor(interval.fromMs / 60_000) * 60,
    end: Math.ceil(interval.toMs / 60_000) * 60,
  };
  const keyOf = (query: string) => ["variable", query, within];
  const asks = asksInOrder(variables, choices, times, ({ name, pattern }, query) => {
    const state = client.getQueryState<string[]>(keyOf(query));
    const found = state?.data && matching(state.data, pattern);
    return found ?? last.current[name] ?? (state?.error ? [] : undefined);
  });
  const asked = [...new Set(asks.flatMap(({ query, waits }) => (query && !waits ? [query] : [])))];
  const answers = useQueries({
    queries: asked.map((query) => ({
      queryKey: keyOf(query),
      placeholderData: keepPreviousData,
      staleTime: 60_000,
      queryFn: ({ signal }: { signal: AbortSignal }) => variableValues(query, within, signal),
    })),
  });
  const options: Record<string, readonly string[]> = {};
  const values: Record<string, readonly string[]> = {};
  const faults: Record<string, string> = {};
  variables.forEach((variable, place) => {
    const { name, type, pattern } = variable;
    const query = asks[place]?.query ?? "";
    const answer = answers[asked.indexOf(query)];
    const found = type === "query" ? answer?.data : (variable.values ?? []);
    options[name] = found ? matching(found, pattern) : (query && last.current[name]) || [];
    values[name] = valuesOf(variable, choices, options[name]);
    if (answer?.error) faults[name] = answer.error.message;
  });
  const loading = answers.some(({ isLoading }) => isLoading) || asks.some(({ waits }) => waits);
  useEffect(() => {
    if (!loading) last.current = options;
  });
  return { options, values, faults, loading };
}

async function variableValues(
  text: string,
  within: { start: number; end: number },
  signal: AbortSignal,
): Promise<string[]> {
  const purpose = { class: "dashboard", part: "dashboards/variable" } as const;
  const asked = parseVariableQuery(text);
  if (asked.kind === "labels") {
    const query = { ...within, "match[]": asked.selector };
    const answer = await request<Envelope<string[]>>(`${prometheus}/label/${asked.label}/values`, {
      query,
      purpose,
      signal,
    });
    return answer.data.filter(Boolean);
  }
  const query = { query: asked.query, time: within.end };
  const answer = await request<Envelope<Vector>>(`${prometheus}/query`, { query, purpose, signal });
  return answer.data.result.map(({ metric }) => Object.values(metric)[0] ?? "").filter(Boolean);
}

/** What a panel asks: its queries with the variables' values in them. */
export interface PanelAsk {
  readonly queries: readonly DashboardQuery[];
  readonly interval: Interval;
  readonly stepSeconds: number;
}

/** usePanelData evaluates a panel's queries and puts the series of all into one matrix, named by their legends. */
export function usePanelData({ queries, interval, stepSeconds }: PanelAsk, enabled: boolean) {
  const grid = gridOf(interval.fromMs, interval.toMs, stepSeconds);
  return useQuery({
    queryKey: ["panel", queries, grid],
    enabled: enabled && queries.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Matrix> => {
      const parts = await Promise.all(
        queries.map((one, place) => {
          const query = { ...one, place };
          return one.instant ? instant(query, grid.endSeconds, signal) : range(query, grid, signal);
        }),
      );
      const raw = parts.flat();
      const only = queries.every((query) => query.instant);
      const matrix = toMatrix(raw, only ? { ...grid, startSeconds: grid.endSeconds } : grid);
      return {
        ...matrix,
        series: matrix.series.map((series) => ({ ...series, ...named(series.labels, queries) })),
      };
    },
  });
}

/** The label that carries a query's place to its series; no metric has such a one. */
const placeLabel = "__query__";

function named(labels: Labels, queries: readonly DashboardQuery[]) {
  const { [placeLabel]: place = "0", ...rest } = labels;
  const legend = queries[Number(place)]?.legend;
  const name = legend ? legendOf(legend, rest) : "";
  return name ? { labels: rest, name } : { labels: rest };
}

interface PlacedQuery extends DashboardQuery {
  readonly place: number;
}

async function range(
  query: PlacedQuery,
  grid: { startSeconds: number; endSeconds: number; stepSeconds: number },
  signal: AbortSignal,
): Promise<RawSeries[]> {
  const base = query.language === "logql" ? loki : prometheus;
  const unix = (seconds: number) => (query.language === "logql" ? `${seconds}000000000` : seconds);
  const answer = await request<Envelope<{ result: readonly RawSeries[] }>>(`${base}/query_range`, {
    query: {
      query: query.query,
      start: unix(grid.startSeconds),
      end: unix(grid.endSeconds),
      step: grid.stepSeconds,
    },
    purpose: { class: "dashboard", part: "dashboards/panel" },
    signal,
  });
  return placed(answer.data.result, query);
}

async function instant(query: PlacedQuery, endSeconds: number, signal: AbortSignal): Promise<RawSeries[]> {
  const logs = query.language === "logql";
  const answer = await request<Envelope<Vector>>(`${logs ? loki : prometheus}/query`, {
    query: { query: query.query, time: logs ? `${endSeconds}000000000` : endSeconds },
    purpose: { class: "dashboard", part: "dashboards/panel" },
    signal,
  });
  const series = answer.data.result.map(({ metric, value }) => ({
    metric,
    values: [[endSeconds, value[1]] as const],
  }));
  return placed(series, query);
}

function placed(series: readonly RawSeries[], query: PlacedQuery): RawSeries[] {
  return series.map((one) => ({ ...one, metric: { ...one.metric, [placeLabel]: String(query.place) } }));
}

/** One line of a panel of logs. */
export interface PanelLine {
  readonly ms: number;
  readonly line: string;
  readonly labels: Labels;
}

/** usePanelLines reads the newest lines that a panel's LogQL selects. */
export function usePanelLines(query: string, interval: Interval, enabled: boolean) {
  return useQuery({
    queryKey: ["panel-lines", query, interval],
    enabled: enabled && query !== "",
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<PanelLine[]> => {
      const answer = await request<
        Envelope<{ result: readonly { stream: Labels; values: readonly (readonly [string, string])[] }[] }>
      >(`${loki}/query_range`, {
        query: {
          query,
          start: `${Math.floor(interval.fromMs)}000000`,
          end: `${Math.floor(interval.toMs)}000000`,
          limit: 100,
          direction: "backward",
        },
        purpose: { class: "dashboard", part: "dashboards/lines" },
        signal,
      });
      const lines = answer.data.result.flatMap(({ stream, values }) =>
        values.map(([nanos, line]) => ({ ms: parseSample(nanos) / 1e6, line, labels: stream })),
      );
      return lines.sort((a, b) => b.ms - a.ms);
    },
  });
}
