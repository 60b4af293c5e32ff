import type { Extension } from "@codemirror/state";
import { type PrometheusClient, PromQLExtension } from "@prometheus-io/codemirror-promql";
import { EqlRegex, Neq, NeqRegex } from "@prometheus-io/lezer-promql";

/** Where completion of PromQL gets names; answers may come from a cache, late, or not at all. */
export interface PromqlHints {
  metricNames(): Promise<readonly string[]>;
  /** Labels of a metric's series, or of all. */
  labelNames(metric: string | undefined): Promise<readonly string[]>;
  /** Values of a label among the series that a selector takes; undefined takes all. */
  labelValues(label: string, selector: string | undefined): Promise<readonly string[]>;
  metadata(): Promise<Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>>;
}

// More metadata than this is not read for the sake of a tooltip.
const maxMetricsMetadata = 10_000;

/** promql is Prometheus' own mode: highlighting, completion with documentation, and the parser's faults while typing. */
export function promql(hints?: PromqlHints): Extension {
  const mode = new PromQLExtension();
  if (hints) mode.setComplete({ remote: clientOf(hints), maxMetricsMetadata });
  return mode.activateLinter(true).asExtension();
}

/** clientOf answers as Prometheus' HTTP client would. A hint that fails is no hint: typing goes on. */
function clientOf(hints: PromqlHints): PrometheusClient {
  const or = async <T>(answer: Promise<T>, nothing: T): Promise<T> => answer.catch(() => nothing);
  return {
    metricNames: async () => [...(await or(hints.metricNames(), []))],
    labelNames: async (metric) => [...(await or(hints.labelNames(metric || undefined), []))],
    labelValues: async (label, metric, matchers) => {
      if (label === "__name__") return [...(await or(hints.metricNames(), []))];
      const written = (matchers ?? [])
        .filter(({ name, value }) => name !== label && value !== "")
        .map(({ name, type, value }) => `${name}${operatorOf(type)}${JSON.stringify(value)}`);
      const selector = metric || written.length > 0 ? `${metric ?? ""}{${written.join(",")}}` : undefined;
      return [...(await or(hints.labelValues(label, selector), []))];
    },
    metricMetadata: async () => {
      const metadata = await or(hints.metadata(), {});
      return Object.fromEntries(Object.entries(metadata).map(([name, list]) => [name, [...list]]));
    },
    series: async () => [],
    flags: async () => ({}),
  };
}

function operatorOf(matcher: number): string {
  return matcher === EqlRegex ? "=~" : matcher === NeqRegex ? "!~" : matcher === Neq ? "!=" : "=";
}
