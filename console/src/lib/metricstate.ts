import { formatDuration, parseDuration } from "./duration";
import { type Unit, units } from "./units";
import type { Codec } from "./urlstate";

export const graphViews = ["graph", "table", "heatmap"] as const;
export type GraphView = (typeof graphViews)[number];

export const graphKinds = ["lines", "area", "stacked", "bars"] as const;
export type GraphKind = (typeof graphKinds)[number];

/** How many points a line gets for the width it has; finer costs more. */
export const resolutions = ["fine", "medium", "coarse"] as const;
export type Resolution = (typeof resolutions)[number];

export interface MetricQuery {
  /** PromQL; "" is a row that nothing has been typed into. */
  readonly expr: string;
  /** Kept, but not asked. */
  readonly hidden: boolean;
}

/** What the page of metrics shows. */
export interface MetricsState {
  /** At least one; A, B, C in this order. */
  readonly queries: readonly MetricQuery[];
  readonly view: GraphView;
  readonly kind: GraphKind;
  /** Seconds between two points; 0 follows the resolution. */
  readonly stepSeconds: number;
  readonly resolution: Resolution;
  /** Asks for the end of the range alone. */
  readonly instant: boolean;
  /** undefined follows the names of metrics. */
  readonly unit: Unit | undefined;
  /** Shows single requests over the graph, where their senders tell of them. */
  readonly exemplars: boolean;
}

// More than a person compares, and each is a query to the server.
export const maxQueries = 8;

/** letterOf names the query at a place: A, B, C. */
export function letterOf(place: number): string {
  return String.fromCharCode(65 + place);
}

/** metricsCodec keeps the page of metrics in the URL: `q` for each query, and the letters of those that are hidden in `hide`. */
export const metricsCodec: Codec<MetricsState> = {
  read(params) {
    const hidden = params.get("hide") ?? "";
    const written = params.getAll("q").slice(0, maxQueries);
    const queries = (written.length > 0 ? written : [""]).map((expr, place) => ({
      expr,
      hidden: hidden.includes(letterOf(place)),
    }));
    const unit = params.get("unit");
    return {
      queries,
      view: oneOf(graphViews, params.get("view")),
      kind: oneOf(graphKinds, params.get("draw")),
      stepSeconds: parseDuration(params.get("step") ?? "") ?? 0,
      resolution: oneOf(resolutions, params.get("res")),
      instant: params.get("at") === "end",
      unit: unit === null ? undefined : units.find((one) => (one || "none") === unit),
      exemplars: params.get("exemplars") !== "off",
    };
  },
  write(params, value) {
    params.delete("q");
    const isEmpty = value.queries.length === 1 && value.queries[0]?.expr === "";
    for (const { expr } of isEmpty ? [] : value.queries) params.append("q", expr);
    const hidden = value.queries.map(({ hidden }, place) => (hidden ? letterOf(place) : "")).join("");
    put(params, "hide", hidden);
    put(params, "view", value.view === "graph" ? "" : value.view);
    put(params, "draw", value.kind === "lines" ? "" : value.kind);
    put(params, "step", value.stepSeconds > 0 ? formatDuration(value.stepSeconds) : "");
    put(params, "res", value.resolution === "fine" ? "" : value.resolution);
    put(params, "at", value.instant ? "end" : "");
    put(params, "unit", value.unit === undefined ? "" : value.unit || "none");
    put(params, "exemplars", value.exemplars ? "" : "off");
  },
};

function oneOf<T extends string>(words: readonly [T, ...T[]], word: string | null): T {
  return words.find((one) => one === word) ?? words[0];
}

function put(params: URLSearchParams, name: string, value: string): void {
  if (value) params.set(name, value);
  else params.delete(name);
}
