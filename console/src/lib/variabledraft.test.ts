import { describe, expect, it } from "vitest";
import { ApiError } from "./api";
import type { DashboardVariable } from "./dashboardmodel";
import { parseVariableQuery } from "./dashboardvariables";
import { faultsOf, newVariable, refusedVariables, textOf, tidy, usesOf, withType } from "./variabledraft";

const query: DashboardVariable = { name: "ns", type: "query", query: "label_values(namespace)" };

describe("a draft of a variable", () => {
  it("takes a name that is free", () => {
    expect(newVariable([]).name).toBe("variable1");
    expect(newVariable([{ name: "variable2", type: "text" }]).name).toBe("variable3");
  });

  it("keeps what another type has a use for", () => {
    const rich: DashboardVariable = {
      ...query,
      label: "Namespace",
      multi: true,
      pattern: "a.*",
      default: ["x"],
    };
    expect(withType(rich, "custom")).toEqual({
      name: "ns",
      label: "Namespace",
      type: "custom",
      values: [],
      multi: true,
    });
    expect(withType(rich, "text")).toEqual({ name: "ns", label: "Namespace", type: "text" });
    expect(withType(withType(rich, "interval"), "interval").values).toContain("5m");
  });

  it("is written without what is empty", () => {
    const empty = { label: " ", pattern: "", values: ["", " a "], default: [], multi: false, hidden: false };
    expect(tidy({ ...query, ...empty })).toEqual({ ...query, values: ["a"] });
  });

  it.each<[string, Partial<DashboardVariable>, string, RegExp]>([
    ["no name", { name: "" }, "name", /Give it a name/],
    ["a digit first", { name: "1a" }, "name", /no digit/],
    ["a blank", { name: "a b" }, "name", /Letters/],
    ["the console's own", { name: "__rate" }, "name", /underscores/],
    ["a long name", { name: "a".repeat(61) }, "name", /61 characters; at most 60/],
    ["no query", { query: " " }, "query", /where the values/],
    ["a broken pattern", { pattern: "(" }, "pattern", /regular/],
    ["no values", { type: "custom", values: [" "] }, "values", /one value/],
    ["too many", { type: "custom", values: Array.from({ length: 101 }, String) }, "values", /101 values/],
    ["no span", { type: "interval", values: ["5m", "soon"] }, "values", /soon is no span/],
    ["a default from elsewhere", { type: "custom", values: ["a"], default: ["b"] }, "default", /not among/],
    ["a constant of nothing", { type: "constant" }, "default", /needs its value/],
  ])("has a fault: %s", (_, change, field, text) => {
    const one = { ...query, ...change };
    const faults = faultsOf(one, [one]);
    expect(Object.keys(faults)).toEqual([field]);
    expect(Object.values(faults)[0]).toMatch(text);
  });

  it("must have a name of its own", () => {
    expect(faultsOf(query, [query, { ...query }]).name).toMatch(/Another/);
    expect(faultsOf(query, [query, { ...query, name: "b" }])).toEqual({});
  });

  it("takes macros and all as values", () => {
    const span: DashboardVariable = { name: "i", type: "interval", values: ["$__rate_interval", "1h"] };
    expect(faultsOf(span, [span])).toEqual({});
    const list: DashboardVariable = {
      name: "l",
      type: "custom",
      values: ["a"],
      default: ["$__all"],
      include_all: true,
    };
    expect(faultsOf(list, [list])).toEqual({});
  });

  it.each(["label_values(node)", 'label_values(up{a="b"}, pod)', "count by (pod) (up)"])(
    "writes %s as it was read",
    (text) => {
      expect(textOf(parseVariableQuery(text))).toBe(text);
    },
  );

  it("counts who names it", () => {
    const panel = { type: "timeseries" as const, x: 0, y: 0, w: 1, h: 1 };
    const spec = {
      version: 1 as const,
      title: "",
      variables: [query, { name: "pod", type: "query" as const, query: 'label_values(up{ns="$ns"}, pod)' }],
      panels: [
        { ...panel, id: 1, title: "Of $ns" },
        { ...panel, id: 2, title: "", queries: [{ language: "promql" as const, query: 'up{ns="[[ns]]"}' }] },
        { ...panel, id: 3, title: "Of $nsx" },
      ],
    };
    expect(usesOf(spec, "ns")).toBe(3);
    expect(usesOf(spec, "pod")).toBe(0);
  });

  it("has the server's words beside its fields", () => {
    const error = new ApiError(400, "Two faults.", {
      faults: [
        { pointer: "/variables/1/name", detail: "The name is taken." },
        { pointer: "/variables/1/values/3", detail: "Too long." },
        { pointer: "/panels/1/title", detail: "Too long." },
      ],
    });
    expect(refusedVariables(error, 2)).toEqual([{}, { name: "The name is taken.", values: "Too long." }]);
    expect(refusedVariables(null, 1)).toEqual([{}]);
  });
});
