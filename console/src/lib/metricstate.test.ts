import { describe, expect, it } from "vitest";
import { type MetricsState, metricsCodec } from "./metricstate";

const plain: MetricsState = {
  queries: [{ expr: "", hidden: false }],
  view: "graph",
  kind: "lines",
  stepSeconds: 0,
  resolution: "fine",
  instant: false,
  unit: undefined,
  exemplars: true,
};

function roundTrip(value: MetricsState): MetricsState {
  const params = new URLSearchParams("last=6h");
  metricsCodec.write(params, value);
  expect(params.get("last")).toBe("6h");
  return metricsCodec.read(new URLSearchParams(params.toString()));
}

describe("metricsCodec", () => {
  it.each<[string, MetricsState]>([
    ["nothing", plain],
    ["one query", { ...plain, queries: [{ expr: 'sum(up{a="&=?+ #"}) > 1', hidden: false }] }],
    [
      "several, one empty, one hidden",
      {
        ...plain,
        queries: [
          { expr: "up", hidden: true },
          { expr: "", hidden: false },
          { expr: "up", hidden: false },
        ],
      },
    ],
    ["a table of the end", { ...plain, view: "table", instant: true, unit: "bytes" }],
    ["bars in wide steps without a unit", { ...plain, kind: "bars", stepSeconds: 3600, unit: "" }],
    ["a graph without exemplars", { ...plain, exemplars: false }],
    ["a coarse heatmap", { ...plain, view: "heatmap", resolution: "coarse" }],
  ])("keeps %s", (_, value) => {
    expect(roundTrip(value)).toEqual(value);
  });

  it("writes nothing for the page as it is opened", () => {
    const params = new URLSearchParams();
    metricsCodec.write(params, plain);
    expect(params.toString()).toBe("");
  });

  it("shows the plain page for a broken link", () => {
    expect(metricsCodec.read(new URLSearchParams("view=x&draw=y&step=z&unit=w&res=1"))).toEqual(plain);
  });
});
