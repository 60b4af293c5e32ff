import type {
  DashboardPanel,
  DashboardQuery,
  DashboardSpec,
  DashboardVariable,
  PanelThreshold,
} from "../lib/dashboardmodel";

/** Short words for what every built-in dashboard is made of. Places come from the order: panels fill rows from left to right. */

/** A dashboard that comes with the console. */
export interface BuiltIn {
  /** Stands in the URL. */
  readonly id: string;
  readonly spec: DashboardSpec;
}

type PanelDraft = Omit<DashboardPanel, "id" | "x" | "y">;

interface PanelSettings {
  readonly w?: number;
  readonly h?: number;
  readonly unit?: string;
  readonly legend?: string;
  readonly style?: "area" | "stacked" | "bars";
  readonly description?: string;
  readonly max?: number;
  readonly decimals?: number;
  readonly thresholds?: readonly PanelThreshold[];
}

/** A query, or several with their legends. */
type Queries = string | readonly (readonly [query: string, legend: string])[];

export const heading = (title: string): PanelDraft => ({ type: "row", title, w: 24, h: 1 });

export const series = (title: string, queries: Queries, settings: PanelSettings = {}): PanelDraft =>
  panel("timeseries", title, queries, { w: 12, h: 8, ...settings });

export const figure = (title: string, query: string, settings: PanelSettings = {}): PanelDraft =>
  panel("stat", title, query, { w: 4, h: 4, ...settings });

export const bars = (title: string, query: string, settings: PanelSettings = {}): PanelDraft =>
  panel("bars", title, query, { w: 12, h: 8, ...settings }, true);

export const table = (title: string, query: string, settings: PanelSettings = {}): PanelDraft =>
  panel("table", title, query, { w: 12, h: 8, ...settings }, true);

export const heatmap = (title: string, query: string, settings: PanelSettings = {}): PanelDraft =>
  panel("heatmap", title, query, { w: 12, h: 8, ...settings });

export const lines = (title: string, query: string): PanelDraft => ({
  type: "logs",
  title,
  w: 24,
  h: 10,
  queries: [{ language: "logql", query }],
});

function panel(
  type: DashboardPanel["type"],
  title: string,
  queries: Queries,
  settings: PanelSettings,
  instant = false,
): PanelDraft {
  const { w = 12, h = 8, unit, legend, style, description, max, decimals, thresholds } = settings;
  const pairs: readonly (readonly [string, string])[] =
    typeof queries === "string" ? [[queries, legend ?? ""]] : queries;
  return {
    type,
    title,
    w,
    h,
    queries: pairs.map(
      ([query, of]): DashboardQuery => ({
        language: "promql",
        query,
        ...(of && { legend: of }),
        ...(instant && { instant }),
      }),
    ),
    ...(unit && { unit }),
    ...(description && { description }),
    ...(max !== undefined && { max, min: 0 }),
    ...(decimals !== undefined && { decimals }),
    ...(thresholds && { thresholds: [...thresholds] }),
    ...(style && { options: { style } }),
  };
}

/** From green over amber to red at the two values. */
export const tones = (warn: number, bad: number): readonly PanelThreshold[] => [
  { from: 0, tone: "good" },
  { from: warn, tone: "warn" },
  { from: bad, tone: "bad" },
];

export const anyOf = (name: string, query: string, label?: string): DashboardVariable => ({
  name,
  type: "query",
  query,
  multi: true,
  include_all: true,
  ...(label && { label }),
});

export const choice = (name: string, values: readonly string[], label?: string): DashboardVariable => ({
  name,
  type: "custom",
  values: [...values],
  ...(label && { label }),
});

export const cluster = anyOf("cluster", "label_values(up, cluster)");
export const namespace = anyOf("namespace", 'label_values(kube_pod_info{cluster=~"$cluster"}, namespace)');
export const node = anyOf("node", 'label_values(kube_node_info{cluster=~"$cluster"}, node)');
export const pod = anyOf(
  "pod",
  'label_values(kube_pod_info{cluster=~"$cluster",namespace=~"$namespace"}, pod)',
);
export const quantile = choice("quantile", ["0.99", "0.95", "0.9", "0.5"]);
export const interval: DashboardVariable = {
  name: "interval",
  type: "interval",
  values: ["$__rate_interval", "1m", "5m", "15m", "1h"],
};

/** dashboard lays panels out and numbers them. */
export function dashboard(
  id: string,
  title: string,
  description: string,
  tags: readonly string[],
  variables: readonly DashboardVariable[],
  drafts: readonly PanelDraft[],
): BuiltIn {
  let [x, y, rowHeight] = [0, 0, 0];
  const panels = drafts.map((draft, place): DashboardPanel => {
    if (x + draft.w > 24) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const placed = { ...draft, id: place + 1, x, y };
    x += draft.w;
    rowHeight = Math.max(rowHeight, draft.h);
    return placed;
  });
  return { id, spec: { version: 1, title, description, tags: [...tags], variables: [...variables], panels } };
}
