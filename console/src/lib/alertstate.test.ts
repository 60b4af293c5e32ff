import { describe, expect, it } from "vitest";
import { type Alert, alertOf, joinAlerts } from "../data/alerts";
import { eventFiltersOf, podPathOf, shortKey, troubleQueryOf, withoutThreshold } from "./alertlabels";
import { formOf, ruleOf, withRule } from "./alertrule";
import { matcherFault, matches, readMatcher, writeMatcher } from "./alertsilence";
import { alertsCodec, groupAlerts, matchesFilter } from "./alertstate";

const alert = (labels: Record<string, string>, more: Partial<Alert> = {}): Alert => ({
  id: shortKey(labels),
  fingerprint: undefined,
  name: labels.alertname ?? "",
  labels,
  annotations: {},
  state: "firing",
  sinceMs: 0,
  value: 1,
  rule: undefined,
  silencedBy: [],
  receivers: [],
  ...more,
});

describe("the state of the page", () => {
  it.each([
    ["", { q: "", group: "alertname", states: [], open: "" }],
    [
      "q=cart&group=none&state=firing%2Csilenced&alert=ab",
      { q: "cart", group: "", states: ["firing", "silenced"], open: "ab" },
    ],
  ])("goes through the URL: %s", (search, state) => {
    const read = alertsCodec.read(new URLSearchParams(search));
    expect(read).toEqual(state);
    const params = new URLSearchParams();
    alertsCodec.write(params, read);
    expect(params.toString()).toBe(search);
  });

  it("reads a broken link as the default", () => {
    expect(alertsCodec.read(new URLSearchParams("group=x&state=y")).group).toBe("alertname");
  });
});

describe("alerts", () => {
  it("are joined with what the Alertmanager says, and those of detectors added", () => {
    const labels = { alertname: "A", pod: "p" };
    const raw = {
      labels,
      annotations: {},
      state: "firing",
      activeAt: "2026-01-01T00:00:00Z",
      value: "2e+00",
    } as const;
    const rule = {
      name: "A",
      query: "x > 1",
      type: "alerting",
      health: "ok",
      lastEvaluation: "",
      evaluationTime: 0,
      alerts: [raw],
    } as const;
    const group = {
      name: "g",
      file: "n",
      interval: 60,
      lastEvaluation: "",
      evaluationTime: 0,
      rules: [rule],
    };
    const sent = (of: Record<string, string>, silencedBy: string[]) => ({
      labels: of,
      annotations: {},
      startsAt: "2026-01-01T00:00:00Z",
      fingerprint: "f",
      receivers: [{ name: "ops" }],
      status: { state: "active", silencedBy, inhibitedBy: [] } as const,
    });
    const joined = joinAlerts(
      [group],
      [sent({ pod: "p", alertname: "A" }, ["s"]), sent({ alertname: "D" }, [])],
    );
    expect(joined.map(({ name, state, value, receivers }) => [name, state, value, receivers])).toEqual([
      ["A", "silenced", 2, ["ops"]],
      ["D", "firing", undefined, ["ops"]],
    ]);
  });

  it("are found by the id of the list, and by that of notifications", () => {
    const one = alert({ alertname: "A" }, { fingerprint: "f1" });
    const other = alert({ alertname: "B" });
    expect(alertOf([other, one], one.id)).toBe(one);
    expect(alertOf([other, one], "f1")).toBe(one);
    expect(alertOf([other, one], "f2")).toBeUndefined();
    expect(alertOf([other], "")).toBeUndefined();
  });

  it("are grouped with the worst first", () => {
    const groups = groupAlerts(
      [
        alert({ alertname: "A", severity: "info" }),
        alert({ alertname: "B", severity: "critical" }),
        alert({ alertname: "C", severity: "critical" }, { state: "silenced" }),
      ],
      "alertname",
    );
    expect(groups.map(({ key }) => key)).toEqual(["B", "A", "C"]);
  });

  it("pass filters of words and labels", () => {
    const one = alert({ namespace: "shop" }, { annotations: { summary: "The Cart fails" } });
    expect(matchesFilter(one, "namespace=shop cart")).toBe(true);
    expect(matchesFilter(one, "namespace=sho")).toBe(true);
    expect(matchesFilter(one, "payments")).toBe(false);
  });
});

describe("labels", () => {
  it("lead to lines, events and the pod", () => {
    expect(troubleQueryOf({ cluster: "c", namespace: "n", deployment: "a.b" })).toBe(
      '{cluster="c", namespace="n", pod=~"a\\\\.b-.*"} | detected_level=~"warn|error|fatal|critical"',
    );
    expect(troubleQueryOf({ cluster: "c" })).toBeUndefined();
    expect(eventFiltersOf({ cluster: "c", node: "n1" })?.object).toBe("n1");
    expect(eventFiltersOf({ cluster: "c" })).toBeUndefined();
    expect(podPathOf({ cluster: "c", namespace: "n", pod: "p/1" })).toBe("/kubernetes/pods/c/n/p%2F1");
  });
});

describe("withoutThreshold", () => {
  it.each([
    ["sum(x) > 0.9", { expr: "sum(x)", op: ">", threshold: 0.9 }],
    ['rate(a{b="> 1"}[5m]) <= bool 1e3', { expr: 'rate(a{b="> 1"}[5m])', op: "<=", threshold: 1000 }],
  ])("takes the number off %s", (expr, want) => expect(withoutThreshold(expr)).toEqual(want));

  it.each(["up", "a > b", "a and b > 1", "a > 1 or b", "(a > 1", "a == 1 > 0"])("leaves %s alone", (expr) =>
    expect(withoutThreshold(expr)).toBeUndefined(),
  );
});

describe("matchers", () => {
  it.each(['a="b"', 'a!="b\\"c"', 'a=~"x.*"', 'a!~"y"'])("round-trip: %s", (text) => {
    const read = readMatcher(text);
    expect(read && writeMatcher(read)).toBe(text);
  });

  it("hold of labels as in Alertmanager", () => {
    const of = (text: string) => [readMatcher(text)].filter((one) => one !== undefined);
    expect(matches(of('a=~"x"'), { a: "xy" })).toBe(false);
    expect(matches(of('a!="x"'), {})).toBe(true);
    expect(matches(of('a=""'), {})).toBe(true);
    expect(matcherFault({ name: "a", value: "(", isRegex: true, isEqual: true })).toBeDefined();
  });
});

describe("a rule in the form", () => {
  const rule = {
    alert: "A",
    expr: "up == 0",
    for: "5m",
    labels: { severity: "page", team: "x" },
    annotations: { summary: "s", note: "n" },
  };
  it("comes back as it was", () => {
    expect(ruleOf(formOf(rule, "n", "g", "promql"))).toEqual(rule);
    expect(ruleOf(formOf({ record: "a:b", expr: "1" }, "n", "g", "promql"))).toEqual({
      record: "a:b",
      expr: "1",
    });
  });

  it("takes its place in the group", () => {
    const group = { name: "g", interval: "1m", rules: [rule] };
    expect(withRule(group, { ...rule, alert: "B" }, 0).rules.map(({ alert: name }) => name)).toEqual(["B"]);
    expect(withRule(group, { ...rule, alert: "B" }, undefined).rules).toHaveLength(2);
  });
});
