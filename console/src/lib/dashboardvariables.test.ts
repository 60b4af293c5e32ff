import { describe, expect, it } from "vitest";
import { packed, shownPanels, withPlace } from "./dashboardmodel";
import { formatPanel } from "./dashboardunits";
import {
  asksInOrder,
  choicesCodec,
  interpolate,
  legendOf,
  matching,
  namesIn,
  parseVariableQuery,
  valuesOf,
} from "./dashboardvariables";

const times = { stepSeconds: 30, rangeSeconds: 3600 };

describe("variables of dashboards", () => {
  it("survive the URL", () => {
    const choices = { namespace: ["shop", "pay & go"], node: ["$__all"] };
    const params = new URLSearchParams("last=6h&var-old=x");
    choicesCodec.write(params, choices);
    expect(params.get("last")).toBe("6h");
    expect(choicesCodec.read(new URLSearchParams(params.toString()))).toEqual(choices);
  });

  it("stand for what was chosen, the default, all or the first", () => {
    const base = { name: "a", type: "custom" as const, values: ["x", "y"] };
    expect(valuesOf(base, {})).toEqual(["x"]);
    expect(valuesOf({ ...base, include_all: true }, {})).toEqual(["$__all"]);
    expect(valuesOf({ ...base, default: ["y"] }, {})).toEqual(["y"]);
    expect(valuesOf(base, { a: ["z"] })).toEqual(["z"]);
    expect(valuesOf({ ...base, type: "constant", default: ["c"] }, { a: ["z"] })).toEqual(["c"]);
  });

  it("go into queries as regular expressions, and into titles as words", () => {
    const values = { ns: ["a.b", "c"], one: ["x.y"], all: ["$__all"] };
    expect(interpolate('up{ns=~"$ns",o="${one}",z=~"[[all]]"}', values, times, true)).toBe(
      'up{ns=~"(a\\\\.b|c)",o="x.y",z=~".*"}',
    );
    expect(interpolate("Pods of $ns in $all, $unknown", values, times, false)).toBe(
      "Pods of a.b, c in All, $unknown",
    );
  });

  it("know the macros of time", () => {
    expect(
      interpolate("rate(x[$__rate_interval]) $__interval ${__range_s} $__interval_ms", {}, times, true),
    ).toBe("rate(x[1m]) 30s 3600 30000");
    expect(interpolate("$__rate_interval", {}, { ...times, stepSeconds: 300 }, true)).toBe("5m15s");
  });

  it("wait for those that they name", () => {
    const cluster = { name: "cluster", type: "query" as const, query: "label_values(cluster)" };
    const pod = { name: "pod", type: "query" as const, query: 'label_values(up{c="$cluster"}, pod)' };
    const asks = (options: readonly string[] | undefined, choices = {}) =>
      asksInOrder([cluster, pod], choices, times, ({ name }) => (name === "cluster" ? options : undefined));
    expect(asks(undefined)[1]?.waits).toBe(true);
    expect(asks(["a", "b"])).toEqual([
      { query: "label_values(cluster)", waits: false },
      { query: 'label_values(up{c="a"}, pod)', waits: false },
    ]);
    expect(asks(undefined, { cluster: ["b"] })[1]).toEqual({
      query: 'label_values(up{c="b"}, pod)',
      waits: false,
    });
    expect(asks([])[1]?.waits).toBe(false);
  });

  it("ask for labels or for PromQL", () => {
    expect(parseVariableQuery("label_values(node)")).toEqual({ kind: "labels", selector: "", label: "node" });
    expect(parseVariableQuery('label_values(kube_pod_info{a="b", c="d"}, pod)')).toEqual({
      kind: "labels",
      selector: 'kube_pod_info{a="b", c="d"}',
      label: "pod",
    });
    expect(parseVariableQuery("query_result(topk(3, up))")).toEqual({ kind: "promql", query: "topk(3, up)" });
    expect(matching(["a-1", "a-2", "b"], "a-(.*)")).toEqual(["1", "2"]);
    expect(
      namesIn("$ns2 ${ns}", [
        { name: "ns", type: "text" },
        { name: "n", type: "text" },
      ]),
    ).toEqual(["ns"]);
  });

  it("fill legends", () => expect(legendOf("{{ pod }} of {{none}}", { pod: "p" })).toBe("p of"));
});

describe("the grid", () => {
  const panel = (id: number, x: number, y: number, w = 12, h = 4) => ({
    id,
    x,
    y,
    w,
    h,
    type: "stat" as const,
    title: "",
  });
  const places = (list: readonly { id: number; x: number; y: number; w: number; h: number }[]) =>
    Object.fromEntries(list.map(({ id, x, y, w, h }) => [id, [x, y, w, h]]));

  it("makes room for what is moved and leaves no holes", () => {
    const panels = [panel(1, 0, 0), panel(2, 12, 0), panel(3, 0, 4)];
    expect(places(withPlace(panels, 2, { x: 0 }))).toEqual({
      1: [0, 4, 12, 4],
      2: [0, 0, 12, 4],
      3: [0, 8, 12, 4],
    });
    expect(places(withPlace(panels, 1, { h: 6 }))).toEqual({
      1: [0, 0, 12, 6],
      2: [12, 0, 12, 4],
      3: [0, 6, 12, 4],
    });
    expect(places(packed([panel(1, 0, 9)]))).toEqual({ 1: [0, 0, 12, 4] });
  });

  it("keeps panels within its columns", () => {
    expect(places(withPlace([panel(1, 12, 0)], 1, { x: 20, w: 40, y: -2 }))).toEqual({ 1: [0, 0, 24, 4] });
  });

  it("hides what stands below a folded row", () => {
    const panels = [
      { ...panel(1, 0, 0, 24, 1), type: "row" as const },
      panel(2, 0, 1),
      { ...panel(3, 0, 5, 24, 1), type: "row" as const },
      panel(4, 0, 6),
    ];
    expect(shownPanels(panels, new Set([1])).map(({ id }) => id)).toEqual([1, 3, 4]);
  });
});

describe("units of panels", () => {
  it("know Grafana's names", () => {
    expect(formatPanel(1536, "bytes")).toBe("1.5 KiB");
    expect(formatPanel(250, "ms")).toBe("250 ms");
    expect(formatPanel(0.1234, "percentunit", 1)).toBe("12.3 %");
    expect(formatPanel(3, "parrots")).toBe("3 parrots");
    expect(formatPanel(null, "s")).toBe("–");
  });
});
