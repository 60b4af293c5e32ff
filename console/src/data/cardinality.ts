import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Cardinality = components["schemas"]["Cardinality"];
export type CardinalityItem = components["schemas"]["CardinalityItem"];
export type CardinalityOrder = "series" | "growth" | "churn" | "values" | "bytes";

const path = "/api/v1/cardinality";

export interface CardinalityAsk {
  /** Only series that this selector takes; "" is all. */
  readonly match: string;
  readonly by: "metric" | "label" | "pair" | "value";
  /** Whose values are counted with by "value". */
  readonly label?: string;
  readonly order: CardinalityOrder;
  readonly period: string;
  readonly limit: number;
}

function fetchCounts({ match, by, label, order, period, limit }: CardinalityAsk, signal: AbortSignal) {
  return request<Cardinality>(path, {
    // Counting samples takes most of the time, and nobody looks at them here.
    query: { "match[]": match || undefined, by, label, order, period, limit, samples: "false" },
    purpose: { class: "dashboard", part: "metrics/cardinality" },
    signal,
  });
}

// Counts are of whole days.
const staleTime = 60_000;

/** useCardinality counts the tenant's series by metric, label or value. */
export function useCardinality(ask: CardinalityAsk, enabled = true) {
  return useQuery({
    queryKey: ["cardinality", ask],
    enabled,
    staleTime,
    queryFn: ({ signal }) => fetchCounts(ask, signal),
    placeholderData: keepPreviousData,
  });
}

/** useSeriesCounts counts the series of the last day that each selector takes: what a query has to read at most. */
export function useSeriesCounts(selectors: readonly string[]) {
  return useQueries({
    queries: selectors.map((match) => {
      const ask: CardinalityAsk = { match, by: "metric", order: "series", period: "1d", limit: 1 };
      return {
        queryKey: ["cardinality", ask],
        staleTime,
        retry: false,
        queryFn: async ({ signal }: { signal: AbortSignal }) => await fetchCounts(ask, signal),
      };
    }),
  });
}

interface NameCount {
  readonly name: string;
  readonly value: number;
}

export interface TsdbStatus {
  readonly headStats: { readonly numSeries: number; readonly numLabelPairs: number };
  readonly seriesCountByMetricName: readonly NameCount[];
  readonly labelValueCountByLabelName: readonly NameCount[];
  readonly memoryInBytesByLabelName: readonly NameCount[];
  readonly seriesCountByLabelValuePair: readonly NameCount[];
}

/** useTsdbStatus summarises the series of the last day, as Prometheus does. */
export function useTsdbStatus() {
  return useQuery({
    queryKey: ["cardinality", "tsdb"],
    staleTime,
    queryFn: async ({ signal }) =>
      (
        await request<{ data: TsdbStatus }>("/prometheus/api/v1/status/tsdb", {
          query: { limit: 10 },
          signal,
        })
      ).data,
  });
}
