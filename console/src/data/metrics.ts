import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { niceStep } from "../lib/duration";
import { gridOf, type RawSeries, toMatrix } from "../lib/matrix";
import type { Interval } from "../lib/timerange";

interface Envelope<T> {
  readonly data: T;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

interface RangeResult {
  readonly resultType: string;
  readonly result: readonly RawSeries[];
}

const base = "/prometheus/api/v1";

// One point per so many pixels: finer steps cost the server and cannot be seen.
const pixelsPerPoint = 3;

export function stepFor(interval: Interval, widthPx: number): number {
  return niceStep((interval.toMs - interval.fromMs) / 1000, Math.max(50, widthPx / pixelsPerPoint));
}

/** useMetricRange evaluates PromQL over a range with the given step; an empty query asks nothing. */
export function useMetricRange(query: string, interval: Interval, stepSeconds: number) {
  const grid = gridOf(interval.fromMs, interval.toMs, stepSeconds);
  return useQuery({
    queryKey: ["metrics", query, grid],
    enabled: query !== "",
    queryFn: async ({ signal }) => {
      const answer = await request<Envelope<RangeResult>>(`${base}/query_range`, {
        query: { query, start: grid.startSeconds, end: grid.endSeconds, step: grid.stepSeconds },
        purpose: { class: "adhoc", part: "metrics/query" },
        signal,
      });
      return {
        matrix: toMatrix(answer.data.result, grid),
        notes: [...(answer.warnings ?? []), ...(answer.infos ?? [])],
      };
    },
    placeholderData: keepPreviousData,
  });
}

/** useMetricNames lists the names of metrics with samples in the range. */
export function useMetricNames(interval: Interval, enabled: boolean) {
  // Names change slowly: whole minutes keep the list in the cache while the range moves on.
  const query = {
    start: Math.floor(interval.fromMs / 60_000) * 60,
    end: Math.ceil(interval.toMs / 60_000) * 60,
  };
  return useQuery({
    queryKey: ["metric-names", query],
    enabled,
    queryFn: async ({ signal }) =>
      (
        await request<Envelope<readonly string[]>>(`${base}/label/__name__/values`, {
          query,
          purpose: { class: "dashboard", part: "metrics/names" },
          signal,
        })
      ).data,
    placeholderData: keepPreviousData,
  });
}

export interface MetricMetadata {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** useMetricMetadata returns type and help by metric family. */
export function useMetricMetadata(enabled: boolean) {
  return useQuery({
    queryKey: ["metric-metadata"],
    enabled,
    staleTime: 300_000,
    queryFn: async ({ signal }) =>
      (
        await request<Envelope<Readonly<Record<string, readonly MetricMetadata[]>>>>(`${base}/metadata`, {
          purpose: { class: "dashboard", part: "metrics/metadata" },
          signal,
        })
      ).data,
  });
}
