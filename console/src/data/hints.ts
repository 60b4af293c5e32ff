import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import type { EditorHints } from "../components/editor/CodeEditor";
import { request } from "../lib/api";
import { useTime } from "../lib/time";
import type { Interval } from "../lib/timerange";

/** What the editors complete from: names of metrics, labels and values in the range of time, kept for a minute. */

interface Names {
  readonly data?: readonly string[];
}

interface Fields {
  readonly fields?: readonly { readonly label: string }[] | null;
}

const fieldNames = ({ fields }: Fields) => (fields ?? []).map(({ label }) => label);

// Names change slowly; whole five minutes keep them in the cache while the range moves on.
const coarseMs = 300_000;
const staleTime = 60_000;

function rangeOf({ fromMs, toMs }: Interval) {
  return { start: Math.floor(fromMs / coarseMs) * 300, end: Math.ceil(toMs / coarseMs) * 300 };
}

function fetcher(client: QueryClient, part: string) {
  return <T>(path: string, query: Record<string, string | number | undefined>): Promise<T> =>
    client.fetchQuery({
      queryKey: ["hints", path, query],
      staleTime,
      retry: false,
      queryFn: ({ signal }) => request<T>(path, { query, purpose: { class: "dashboard", part }, signal }),
    });
}

/** usePromqlHints are the hints of PromQL editors. */
export function usePromqlHints(): EditorHints {
  const client = useQueryClient();
  const { start, end } = rangeOf(useTime().interval);
  return useMemo(() => {
    const get = fetcher(client, "metrics/completion");
    const base = "/prometheus/api/v1";
    const names = async (path: string, more: Record<string, string | undefined>) =>
      (await get<Names>(`${base}${path}`, { start, end, ...more })).data ?? [];
    return {
      promql: {
        metricNames: () => names("/label/__name__/values", {}),
        labelNames: (metric) => names("/labels", { "match[]": metric }),
        labelValues: (label, selector) =>
          names(`/label/${encodeURIComponent(label)}/values`, { "match[]": selector }),
        metadata: async () => {
          type Metadata = Record<string, readonly { type: string; help: string }[]>;
          return (await get<{ data?: Metadata }>(`${base}/metadata`, {})).data ?? {};
        },
      },
    };
  }, [client, start, end]);
}

/** useLogqlHints are the hints of LogQL editors. */
export function useLogqlHints(): EditorHints {
  const client = useQueryClient();
  const { start, end } = rangeOf(useTime().interval);
  return useMemo(() => {
    const get = fetcher(client, "logs/completion");
    const base = "/loki/api/v1";
    const range = { start: `${start}000000000`, end: `${end}000000000` };
    const quiet = <T>(answer: Promise<readonly T[]>) => answer.catch(() => []);
    const names = async (path: string, query: string) =>
      (await get<Names>(`${base}${path}`, { ...range, query })).data ?? [];
    return {
      logql: {
        labels: (selector) => quiet(names("/labels", selector)),
        values: (label, selector) => quiet(names(`/label/${encodeURIComponent(label)}/values`, selector)),
        fields: async (selector) => {
          if (selector === "") return [];
          const query = { ...range, query: selector, limit: 200 };
          return quiet(get<Fields>(`${base}/detected_fields`, query).then(fieldNames));
        },
      },
    };
  }, [client, start, end]);
}
