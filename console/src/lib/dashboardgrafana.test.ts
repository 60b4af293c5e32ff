import { describe, expect, it } from "vitest";
import { importGrafana } from "./dashboardgrafana";

/** A dashboard in Grafana's form, written for this test. */
const sample = {
  title: "Web shop",
  tags: ["shop"],
  time: { from: "now-6h", to: "now" },
  refresh: "30s",
  links: [{ title: "Wiki" }],
  annotations: { list: [{ builtIn: 1 }, { name: "Deploys" }] },
  templating: {
    list: [
      { type: "datasource", name: "ds", query: "prometheus" },
      {
        type: "query",
        name: "namespace",
        query: { query: "label_values(kube_pod_info, namespace)" },
        multi: true,
        includeAll: true,
        regex: "/^shop/",
      },
      { type: "custom", name: "quantile", query: "p50 : 0.5, 0.99", current: { value: "0.99" } },
      { type: "interval", name: "window", query: "1m,5m,soon" },
      { type: "constant", name: "env", query: "prod", hide: 2 },
      { type: "textbox", name: "words", query: "error" },
      { type: "adhoc", name: "filters" },
    ],
  },
  panels: [
    {
      type: "row",
      title: "Traffic",
      gridPos: { x: 0, y: 0, w: 24, h: 1 },
      collapsed: true,
      panels: [
        {
          type: "timeseries",
          title: "Requests",
          gridPos: { x: 0, y: 1, w: 12, h: 9 },
          targets: [
            {
              refId: "A",
              expr: "sum(rate(http_requests_total[$__rate_interval]))",
              legendFormat: "{{code}}",
              datasource: { type: "prometheus", uid: "x" },
            },
            { refId: "B", expr: "up", hide: true },
          ],
          fieldConfig: {
            defaults: {
              unit: "reqps",
              decimals: 1,
              custom: { stacking: { mode: "normal" } },
              thresholds: {
                mode: "absolute",
                steps: [
                  { color: "green", value: null },
                  { color: "red", value: 80 },
                ],
              },
            },
            overrides: [{}],
          },
        },
      ],
    },
    {
      type: "stat",
      title: "Errors",
      gridPos: { x: 20, y: 1, w: 12, h: 4 },
      options: { reduceOptions: { calcs: ["max"] } },
      targets: [{ refId: "A", expr: "1", instant: true }],
    },
    {
      type: "logs",
      title: "Lines",
      gridPos: { x: 0, y: 10, w: 24, h: 8 },
      datasource: { type: "loki" },
      targets: [{ refId: "A", expr: '{app="shop"}' }],
    },
    { type: "geomap", title: "Where" },
    {
      type: "table",
      title: "From SQL",
      targets: [{ refId: "A", rawSql: "SELECT 1" }],
      transformations: [{}, {}],
    },
    { type: "text", title: "", options: { content: "Hello" } },
    {
      type: "bargauge",
      title: "Parrots",
      fieldConfig: { defaults: { unit: "parrots" } },
      targets: [{ refId: "A", expr: "up" }],
    },
  ],
};

describe("importGrafana", () => {
  const { spec, notes } = importGrafana(JSON.stringify({ dashboard: sample }));
  const panel = (title: string) => spec.panels.find((one) => one.title === title);

  it("takes title, tags and time", () => {
    expect(spec).toMatchObject({
      version: 1,
      title: "Web shop",
      tags: ["shop"],
      time: { range_seconds: 21_600, refresh_seconds: 30 },
    });
  });

  it("takes the common panels with queries, units and thresholds", () => {
    expect(spec.panels.map(({ type }) => type)).toEqual([
      "row",
      "timeseries",
      "stat",
      "logs",
      "table",
      "text",
      "bars",
    ]);
    expect(panel("Requests")).toMatchObject({
      y: 1,
      w: 12,
      h: 9,
      unit: "reqps",
      decimals: 1,
      options: { style: "stacked" },
      queries: [
        { language: "promql", query: "sum(rate(http_requests_total[$__rate_interval]))", legend: "{{code}}" },
      ],
      thresholds: [{ tone: "good" }, { from: 80, tone: "bad" }],
    });
    expect(panel("Errors")).toMatchObject({
      x: 20,
      w: 4,
      options: { reduce: "max" },
      queries: [{ instant: true }],
    });
    expect(panel("Lines")?.queries).toEqual([{ language: "logql", query: '{app="shop"}' }]);
    expect(new Set(spec.panels.map(({ id }) => id)).size).toBe(spec.panels.length);
  });

  it("takes variables", () => {
    expect(spec.variables).toEqual([
      { name: "ds", type: "constant", default: ["Seamark"], hidden: true },
      {
        name: "namespace",
        type: "query",
        query: "label_values(kube_pod_info, namespace)",
        pattern: "^shop",
        multi: true,
        include_all: true,
      },
      { name: "quantile", type: "custom", values: ["0.5", "0.99"], default: ["0.99"] },
      { name: "window", type: "interval", values: ["1m", "5m"] },
      { name: "env", type: "constant", default: ["prod"], hidden: true },
      { name: "words", type: "text", default: ["error"] },
    ]);
  });

  it("lists all that it leaves out", () => {
    const text = notes.join("\n");
    for (const part of [
      "annotations (1)",
      "links (1)",
      "filters",
      "query B is hidden",
      "overrides of fields",
      "geomap",
      "From SQL”: query A",
      "transformations (2)",
      "unit parrots",
    ]) {
      expect(text).toContain(part);
    }
    expect(notes).toHaveLength(9);
  });

  it("reads the rows of old files", () => {
    const old = importGrafana(
      JSON.stringify({
        title: "Old",
        rows: [
          {
            title: "One",
            panels: [
              { type: "graph", title: "A", span: 6, stack: true, targets: [{ expr: "up" }] },
              { type: "singlestat", title: "B", span: 6, targets: [{ expr: "up" }] },
            ],
          },
        ],
      }),
    );
    expect(old.spec.panels).toMatchObject([
      { type: "row" },
      { type: "timeseries", x: 0, y: 1, w: 12, options: { style: "stacked" } },
      { type: "stat", x: 12, y: 1 },
    ]);
  });

  it("refuses what is no dashboard", () => {
    expect(() => importGrafana("{}")).toThrow("no panels");
    expect(() => importGrafana("{")).toThrow(SyntaxError);
  });
});
