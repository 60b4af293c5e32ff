import { useQuery } from "@tanstack/react-query";
import { eventFiltersOf, troubleQueryOf } from "../lib/alertlabels";
import { request } from "../lib/api";
import { gridOf, type Labels, type Matrix, type RawSeries, toMatrix } from "../lib/matrix";
import type { components } from "../lib/schema";

/** What stands beside an alert: its value over time, lines and events of its workload. The same that notifications carry. */

export interface EvidenceLine {
  readonly ns: string;
  readonly text: string;
  readonly labels: Labels;
}

// The newest few tell; the links beside them lead to all.
const most = 8;
const beforeMs = 15 * 60_000;

/** useAlertLines returns the newest lines of the alert's workload that speak of trouble, from a quarter of an hour before it. */
export function useAlertLines(labels: Labels, sinceMs: number) {
  const query = troubleQueryOf(labels);
  return useQuery({
    queryKey: ["alert-lines", query, sinceMs],
    enabled: query !== undefined,
    queryFn: async ({ signal }): Promise<readonly EvidenceLine[]> => {
      type Stream = { stream: Labels; values: readonly (readonly [string, string])[] };
      const answer = await request<{ data: { result: readonly Stream[] | null } }>(
        "/loki/api/v1/query_range",
        {
          query: {
            query,
            start: `${Math.floor(sinceMs - beforeMs)}000000`,
            end: `${Date.now()}000000`,
            limit: most,
            direction: "backward",
          },
          purpose: { class: "adhoc", part: "alerts/lines" },
          signal,
        },
      );
      const lines = (answer.data.result ?? []).flatMap(({ stream, values }) =>
        values.map(([ns, text]) => ({ ns, text, labels: stream })),
      );
      return lines.sort((a, b) => (a.ns < b.ns ? 1 : -1)).slice(0, most);
    },
  });
}

/** useAlertEvents returns the newest Warning events of the alert's workload. */
export function useAlertEvents(labels: Labels, sinceMs: number) {
  const filters = eventFiltersOf(labels);
  return useQuery({
    queryKey: ["alert-events", filters, sinceMs],
    enabled: filters !== undefined,
    queryFn: async ({ signal }) =>
      (
        await request<components["schemas"]["EventList"]>("/api/v1/events", {
          query: {
            ...filters,
            start: new Date(sinceMs - beforeMs).toISOString(),
            end: new Date().toISOString(),
            limit: most,
          },
          purpose: { class: "adhoc", part: "alerts/events" },
          signal,
        })
      ).items,
  });
}

interface GraphQuery {
  readonly expr: string;
  readonly overLogs: boolean;
  readonly fromMs: number;
  readonly toMs: number;
}

const points = 120;

/** useAlertGraph evaluates the expression of an alert's rule over time, and keeps the series that are the alert's. */
export function useAlertGraph(graph: GraphQuery | undefined, labels: Labels) {
  return useQuery({
    queryKey: ["alert-graph", graph, labels],
    enabled: graph !== undefined,
    queryFn: async ({ signal }): Promise<Matrix> => {
      const { expr = "", overLogs = false, fromMs = 0, toMs = 0 } = graph ?? {};
      const step = Math.max(15, Math.ceil((toMs - fromMs) / 1000 / points / 15) * 15);
      const grid = gridOf(fromMs, toMs, step);
      const scale = overLogs ? "000000000" : "";
      const answer = await request<{ data: { resultType: string; result: readonly RawSeries[] } }>(
        `${overLogs ? "/loki" : "/prometheus"}/api/v1/query_range`,
        {
          query: {
            query: expr,
            start: `${grid.startSeconds}${scale}`,
            end: `${grid.endSeconds}${scale}`,
            step: grid.stepSeconds,
          },
          purpose: { class: "adhoc", part: "alerts/graph" },
          signal,
        },
      );
      const series = answer.data.resultType === "matrix" ? answer.data.result : [];
      return toMatrix(
        series.filter(({ metric }) => isPartOf(metric, labels)),
        grid,
      );
    },
  });
}

/** isPartOf says whether an alert with the labels can come from the series: rules add labels, and drop the name. */
export function isPartOf(series: Labels, labels: Labels): boolean {
  return Object.entries(series).every(([name, value]) => name === "__name__" || labels[name] === value);
}
