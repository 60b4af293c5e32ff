import type {
  DashboardPanel,
  DashboardQuery,
  DashboardSpec,
  DashboardVariable,
  PanelThreshold,
  PanelType,
} from "./dashboardmodel";
import { isKnownUnit } from "./dashboardunits";
import { parseDuration } from "./duration";

/** A dashboard made from Grafana's JSON, and everything of it that could not be carried over. */
export interface Imported {
  readonly spec: DashboardSpec;
  readonly notes: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

const types: Readonly<Record<string, PanelType>> = {
  timeseries: "timeseries",
  graph: "timeseries",
  barchart: "timeseries",
  trend: "timeseries",
  "state-timeline": "timeseries",
  stat: "stat",
  singlestat: "stat",
  gauge: "gauge",
  bargauge: "bars",
  table: "table",
  "table-old": "table",
  logs: "logs",
  text: "text",
  heatmap: "heatmap",
  piechart: "pie",
  "grafana-piechart-panel": "pie",
  row: "row",
};

/** Types that become another one, which deserves a word. */
const nearest = new Set(["barchart", "trend", "state-timeline"]);
const reducers: Readonly<Record<string, "last" | "max" | "min" | "mean" | "sum">> = {
  last: "last",
  lastNotNull: "last",
  current: "last",
  max: "max",
  min: "min",
  mean: "mean",
  avg: "mean",
  sum: "sum",
  total: "sum",
};

/** importGrafana reads the JSON of a Grafana dashboard, bare or as its API wraps it. It throws when the text is none. */
export function importGrafana(text: string): Imported {
  const outer = objectOf(JSON.parse(text));
  const doc = isObject(outer.dashboard) ? outer.dashboard : outer;
  if (!Array.isArray(doc.panels) && !Array.isArray(doc.rows)) {
    throw new Error("This is no dashboard of Grafana: it has no panels.");
  }
  const reader = new Reader();
  return { spec: reader.dashboard(doc), notes: reader.notes };
}

class Reader {
  readonly notes: string[] = [];
  private lastId = 0;

  dashboard(doc: Json): DashboardSpec {
    for (const [name, what] of [
      ["annotations", "annotations"],
      ["links", "links"],
    ] as const) {
      const list =
        name === "annotations"
          ? listOf(objectOf(doc.annotations).list).filter((one) => one.builtIn !== 1)
          : listOf(doc.links);
      if (list.length > 0) this.notes.push(`The dashboard's ${what} (${list.length}) are left out.`);
    }
    const variables = listOf(objectOf(doc.templating).list).flatMap((one) => this.variable(one));
    const panels = [...this.rows(listOf(doc.rows)), ...this.panels(listOf(doc.panels))];
    const tags = textsOf(doc.tags)
      .slice(0, 20)
      .map((tag) => tag.slice(0, 40));
    const range = /^now-(.+)$/.exec(textOf(objectOf(doc.time).from))?.[1];
    const seconds = parseDuration(range ?? "");
    const refresh = parseDuration(textOf(doc.refresh));
    const description = textOf(doc.description);
    return {
      version: 1,
      title: (textOf(doc.title) || "Imported dashboard").slice(0, 120),
      ...(description && { description: description.slice(0, 4000) }),
      ...(tags.length > 0 && { tags }),
      ...((seconds || refresh) && {
        time: { ...(seconds && { range_seconds: seconds }), ...(refresh && { refresh_seconds: refresh }) },
      }),
      ...(variables.length > 0 && { variables }),
      panels,
    };
  }

  /** Dashboards from before Grafana 5 have rows of panels that are so many twelfths wide. */
  private rows(rows: readonly Json[]): DashboardPanel[] {
    const out: DashboardPanel[] = [];
    let y = 0;
    for (const row of rows) {
      if (textOf(row.title)) {
        out.push({
          id: this.newId(),
          type: "row",
          title: textOf(row.title).slice(0, 120),
          x: 0,
          y,
          w: 24,
          h: 1,
        });
        y += 1;
      }
      let x = 0;
      for (const one of listOf(row.panels)) {
        const w = Math.min(24, Math.max(1, numberOf(one.span, 12) * 2));
        if (x + w > 24) [x, y] = [0, y + 8];
        out.push(...this.panel({ ...one, gridPos: { x, y, w, h: 8 } }));
        x += w;
      }
      y += 8;
    }
    return out;
  }

  private panels(list: readonly Json[]): DashboardPanel[] {
    // Panels of a folded row stand within it; their places are those that they have when it is open.
    return list.flatMap((one) => [
      ...this.panel(one),
      ...(one.type === "row" ? this.panels(listOf(one.panels)) : []),
    ]);
  }

  private newId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  private panel(one: Json): DashboardPanel[] {
    const title = textOf(one.title);
    const name = title ? `Panel “${title}”` : `Panel ${numberOf(one.id, this.lastId + 1)}`;
    const kind = textOf(one.type);
    const type = types[kind];
    if (!type) {
      this.notes.push(`${name}: panels of type ${kind || "?"} are not known; it is left out.`);
      return [];
    }
    if (nearest.has(kind)) this.notes.push(`${name}: ${kind} becomes a time series.`);
    if (one.libraryPanel)
      this.notes.push(`${name}: its library panel is not part of the file; what the file has is taken.`);
    const place = objectOf(one.gridPos);
    const x = Math.min(23, Math.max(0, numberOf(place.x, 0)));
    const field = objectOf(objectOf(one.fieldConfig).defaults);
    const options = objectOf(one.options);
    const queries = type === "row" || type === "text" ? [] : this.queries(name, one);
    const unit = this.unit(name, textOf(field.unit) || this.oldUnit(one));
    const thresholds = this.thresholds(name, objectOf(field.thresholds));
    this.leftOut(name, one, field);
    const style = styleOf(one, objectOf(field.custom));
    const reduce = reducers[textsOf(objectOf(options.reduceOptions).calcs)[0] ?? textOf(one.valueName)];
    const text = type === "text" ? textOf(options.content) || textOf(one.content) : "";
    const settings = {
      ...(type === "timeseries" && style !== "lines" && { style }),
      ...(reduce && reduce !== "last" && { reduce }),
      ...(text && { text: text.slice(0, 4000) }),
      ...(one.type === "row" && one.collapsed === true && { collapsed: true }),
    };
    return [
      {
        id: this.newId(),
        type,
        title: title.slice(0, 120),
        ...(textOf(one.description) && { description: textOf(one.description).slice(0, 4000) }),
        x,
        y: Math.max(0, numberOf(place.y, 0)),
        w: Math.min(24 - x, Math.max(1, numberOf(place.w, 12))),
        h: Math.min(60, Math.max(1, numberOf(place.h, type === "row" ? 1 : 8))),
        ...(queries.length > 0 && { queries }),
        ...(unit && { unit }),
        ...(typeof field.decimals === "number" && { decimals: Math.min(10, Math.max(0, field.decimals)) }),
        ...(typeof field.min === "number" && { min: field.min }),
        ...(typeof field.max === "number" && { max: field.max }),
        ...(thresholds.length > 0 && { thresholds }),
        ...(Object.keys(settings).length > 0 && { options: settings }),
      },
    ];
  }

  private queries(name: string, one: Json): DashboardQuery[] {
    const out: DashboardQuery[] = [];
    for (const target of listOf(one.targets)) {
      const source = sourceOf(target.datasource) || sourceOf(one.datasource);
      const query = textOf(target.expr);
      const ref = textOf(target.refId);
      if (!query.trim()) {
        this.notes.push(`${name}: query ${ref} is not one to Prometheus or Loki; it is left out.`);
        continue;
      }
      if (source && !/prom|mimir|loki|\$|mixed|victoria|default|grafana/i.test(source)) {
        this.notes.push(`${name}: query ${ref} asks ${source}; it is left out.`);
        continue;
      }
      if (target.hide === true) {
        this.notes.push(`${name}: query ${ref} is hidden; it is left out.`);
        continue;
      }
      const legend = textOf(target.legendFormat);
      const isLog = /loki/i.test(source) || textOf(one.type) === "logs";
      out.push({
        language: isLog ? "logql" : "promql",
        query: query.slice(0, 8192),
        ...(legend && legend !== "__auto" && { legend: legend.slice(0, 120) }),
        ...((target.instant === true || target.format === "table") && { instant: true }),
      });
    }
    if (out.length > 10)
      this.notes.push(`${name}: only the first 10 of its ${out.length} queries are taken.`);
    return out.slice(0, 10);
  }

  private unit(name: string, unit: string): string {
    if (unit && !isKnownUnit(unit))
      this.notes.push(`${name}: the unit ${unit} stands behind numbers as it is.`);
    return unit.slice(0, 40);
  }

  private oldUnit(one: Json): string {
    return textOf(one.format) || textOf(listOf(one.yaxes)[0]?.format);
  }

  private thresholds(name: string, from: Json): PanelThreshold[] {
    const steps = listOf(from.steps);
    if (steps.length < 2) return [];
    if (from.mode === "percentage") {
      this.notes.push(`${name}: thresholds in percent of the range are left out.`);
      return [];
    }
    return steps
      .slice(0, 10)
      .map((step) => ({ from: numberOf(step.value, -1e308), tone: toneOf(textOf(step.color)) }));
  }

  private leftOut(name: string, one: Json, field: Json): void {
    const overrides = listOf(objectOf(one.fieldConfig).overrides);
    for (const [what, count] of [
      ["transformations", listOf(one.transformations).length],
      ["overrides of fields", overrides.length],
      ["links", listOf(one.links).length + listOf(field.links).length],
      ["value mappings", listOf(field.mappings).length],
      ["alert", isObject(one.alert) ? 1 : 0],
      ["repetition by a variable", textOf(one.repeat) ? 1 : 0],
    ] as const) {
      if (count > 0) this.notes.push(`${name}: its ${what} ${count > 1 ? `(${count}) are` : "is"} left out.`);
    }
  }

  private variable(one: Json): DashboardVariable[] {
    const name = textOf(one.name);
    const label = textOf(one.label);
    const current = objectOf(one.current).value;
    const chosen = (Array.isArray(current) ? textsOf(current) : [textOf(current)]).filter(
      (value) => value && !value.startsWith("$__"),
    );
    const shared = {
      name,
      ...(label && { label }),
      ...(one.multi === true && { multi: true }),
      ...(one.includeAll === true && { include_all: true }),
      ...(numberOf(one.hide, 0) === 2 && { hidden: true }),
      ...(chosen.length > 0 && { default: chosen.slice(0, 100) }),
    };
    const values = textOf(one.query)
      .split(",")
      .map((value) => (value.includes(" : ") ? (value.split(" : ")[1] ?? "") : value).trim())
      .filter(Boolean);
    if (textOf(one.allValue))
      this.notes.push(`Variable ${name}: its own value for “All” is left out; all is .*.`);
    switch (textOf(one.type)) {
      case "query": {
        const query = textOf(one.query) || textOf(objectOf(one.query).query) || textOf(one.definition);
        const pattern = textOf(one.regex).replace(/^\/([\s\S]*)\/\w*$/, "$1");
        if (!query) break;
        return [{ ...shared, type: "query", query, ...(pattern && { pattern }) }];
      }
      case "custom":
        return [{ ...shared, type: "custom", values: values.slice(0, 100) }];
      case "interval":
        return [
          {
            ...shared,
            type: "interval",
            values: values.filter((value) => parseDuration(value)).slice(0, 100),
          },
        ];
      case "constant":
        return [{ ...shared, type: "constant", default: [textOf(one.query)] }];
      case "textbox":
        return [{ ...shared, type: "text", default: [textOf(one.query)].filter(Boolean) }];
      case "datasource":
        // There is one source of metrics and one of logs; the name is kept for what names it in a title.
        return [{ name, type: "constant", default: ["Seamark"], hidden: true }];
    }
    this.notes.push(
      `Variable ${name}: the type ${textOf(one.type) || "?"} cannot be carried over; queries that name it must be changed.`,
    );
    return [];
  }
}

function styleOf(one: Json, custom: Json): "lines" | "area" | "stacked" | "bars" {
  const mode = textOf(objectOf(custom.stacking).mode);
  if ((mode && mode !== "none") || one.stack === true) return "stacked";
  if (custom.drawStyle === "bars" || one.bars === true || one.type === "barchart") return "bars";
  return numberOf(custom.fillOpacity, 0) >= 20 ? "area" : "lines";
}

function toneOf(color: string): "good" | "warn" | "bad" {
  if (/red|#f2495c|#d44a3a|#e02f44|#c4162a/i.test(color)) return "bad";
  return /orange|yellow|#ff9830|#fade2a|#eab839|#ed8128/i.test(color) ? "warn" : "good";
}

function sourceOf(source: unknown): string {
  return isObject(source) ? textOf(source.type) || textOf(source.uid) : textOf(source);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
