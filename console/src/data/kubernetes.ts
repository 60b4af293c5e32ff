import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { joinRows, type KubeRow, type Measure, type Vector } from "../lib/kubernetes";
import { gridOf, type Matrix, type RawSeries, toMatrix } from "../lib/matrix";
import type { Interval } from "../lib/timerange";

const base = "/prometheus/api/v1";
const purpose = { class: "dashboard", part: "kubernetes" } as const;

interface Envelope<T> {
  readonly data: { readonly result: readonly T[] };
}

async function ask(query: string, time: number, signal: AbortSignal): Promise<readonly Vector[]> {
  const answer = await request<Envelope<Vector>>(`${base}/query`, {
    query: { query, time },
    purpose,
    signal,
  });
  return answer.data.result;
}

/** useKubeRows evaluates measures at the end of the range and joins what belongs to the same object. */
export function useKubeRows(
  keys: readonly string[],
  measures: Readonly<Record<string, Measure>>,
  interval: Interval,
) {
  const time = Math.floor(interval.toMs / 15_000) * 15;
  return useQuery({
    queryKey: ["kubernetes", keys, measures, time],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<KubeRow[]> => {
      const names = Object.keys(measures);
      const answers = await Promise.all(names.map((name) => ask(measures[name]?.query ?? "", time, signal)));
      return joinRows(keys, names, answers);
    },
  });
}

/** useKubeSeries evaluates one query over the range. */
export function useKubeSeries(query: string, interval: Interval, stepSeconds: number) {
  const grid = gridOf(interval.fromMs, interval.toMs, stepSeconds);
  return useQuery({
    queryKey: ["kubernetes-series", query, grid],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Matrix> => {
      const answer = await request<Envelope<RawSeries>>(`${base}/query_range`, {
        query: { query, start: grid.startSeconds, end: grid.endSeconds, step: grid.stepSeconds },
        purpose,
        signal,
      });
      // What is told apart by the label "what" alone needs no braces around its name.
      const named = answer.data.result.map(({ metric: { what, ...rest }, values }) => ({
        metric: what ? { ...rest, __name__: what } : rest,
        values,
      }));
      return toMatrix(named, grid);
    },
  });
}
