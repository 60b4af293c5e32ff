import { useQueries, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { niceStep } from "../lib/duration";
import { allStreams, withLevels } from "../lib/logql";
import { parseSample, type RawSeries } from "../lib/matrix";
import type { Interval } from "../lib/timerange";

interface Vector {
  readonly data: { readonly result: readonly { metric: { cluster?: string }; value: [number, string] }[] };
}

/** What is asked of the metrics of kube-state-metrics, one figure a cluster. */
const figures = {
  nodes: "count by (cluster) (kube_node_info)",
  ready: 'sum by (cluster) (kube_node_status_condition{condition="Ready",status="true"})',
  pods: 'sum by (cluster) (kube_pod_status_phase{phase="Running"})',
  notRunning: 'sum by (cluster) (kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})',
} as const;

export type FleetFigure = keyof typeof figures;

/** Figures by cluster; a cluster that sends no such metric has none. */
export type Fleet = Readonly<Record<FleetFigure, ReadonlyMap<string, number>>>;

const everyMs = 30_000;
const purpose = (part: string) => ({ class: "dashboard", part: `home/${part}` }) as const;

/** useFleet asks how the nodes and pods of all clusters are; undefined until all answers are there. */
export function useFleet(): Fleet | undefined {
  const names = Object.keys(figures) as FleetFigure[];
  return useQueries({
    queries: names.map((name) => ({
      queryKey: ["home", "fleet", name],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const answer = await request<Vector>("/prometheus/api/v1/query", {
          query: { query: figures[name] },
          purpose: purpose("fleet"),
          signal,
        });
        return new Map(
          answer.data.result.map(({ metric, value }) => [metric.cluster ?? "", parseSample(value[1])]),
        );
      },
      refetchInterval: everyMs,
    })),
    combine: (answers) =>
      answers.some(({ data }) => data === undefined)
        ? undefined
        : (Object.fromEntries(names.map((name, place) => [name, answers[place]?.data])) as unknown as Fleet),
  });
}

const points = 60;

/** useLogErrors counts lines of level error and critical over a range. */
export function useLogErrors(interval: Interval) {
  const step = niceStep((interval.toMs - interval.fromMs) / 1000, points);
  const end = Math.floor(interval.toMs / 1000 / step) * step;
  const start = Math.ceil(interval.fromMs / 1000 / step) * step;
  const selected = withLevels(allStreams, ["error", "critical"]);
  return useQuery({
    queryKey: ["home", "errors", start, end, step],
    queryFn: async ({ signal }) => {
      const answer = await request<{ data: { result: readonly RawSeries[] } }>("/loki/api/v1/query_range", {
        query: { query: `sum(count_over_time(${selected}[${step}s]))`, start, end, step },
        purpose: purpose("errors"),
        signal,
      });
      const found = new Map(answer.data.result[0]?.values.map(([at, value]) => [at, parseSample(value)]));
      const values: number[] = [];
      for (let at = start; at <= end; at += step) values.push(found.get(at) ?? 0);
      return { values, step, total: values.reduce((sum, one) => sum + one, 0) };
    },
    placeholderData: (before) => before,
  });
}

/** useRunningRules counts the rules that run. */
export function useRunningRules() {
  return useQuery({
    queryKey: ["home", "rules"],
    queryFn: async ({ signal }) => {
      const answer = await request<{ data: { groups: readonly { rules: readonly unknown[] }[] | null } }>(
        "/prometheus/api/v1/rules",
        { signal },
      );
      return (answer.data.groups ?? []).reduce((sum, { rules }) => sum + rules.length, 0);
    },
    staleTime: 60_000,
  });
}
