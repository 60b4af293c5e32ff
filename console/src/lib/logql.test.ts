import { describe, expect, it } from "vitest";
import {
  addLabelFilter,
  addLineFilter,
  addMatcher,
  addParsedFilter,
  alertExpr,
  allStreams,
  countByLevel,
  formOf,
  selectorText,
  toLogQL,
  topValues,
  withLevels,
} from "./logql";

it.each([
  ["", "words"],
  ["connection refused", "words"],
  ["GET /healthz (200)", "words"],
  ["failed(code) now", "words"],
  ['{app="x"}', "lines"],
  ['  {app="x"} |= "a(b"', "lines"],
  ['rate({app="x"}[5m])', "metric"],
  ['sum by (level) (rate({app="x"}[5m]))', "metric"],
  ['2 * count_over_time({app="x"}[1m])', "metric"],
])("%j is %s", (input, form) => {
  expect(formOf(input)).toBe(form);
});

it("searches all streams for words, taken literally", () => {
  expect(toLogQL("")).toBe(allStreams);
  expect(toLogQL(' a.b "c" ')).toBe(`${allStreams} |~ "(?i)a\\\\.b \\"c\\""`);
  expect(toLogQL('{app="x"}')).toBe('{app="x"}');
});

it("narrows to levels", () => {
  expect(withLevels("{}", [])).toBe("{}");
  expect(withLevels("{}", ["error", "warn"])).toBe('{} | detected_level=~"error|warn"');
  expect(withLevels("{}", ["unknown"])).toBe('{} | detected_level=~"unknown|"');
});

it("counts by level", () => {
  expect(countByLevel('{a="b"} |= "x"', 30)).toBe(
    'sum by (detected_level) (count_over_time({a="b"} |= "x" | drop __error__, __error_details__ [30s]))',
  );
});

describe("addMatcher", () => {
  it.each([
    [allStreams, "app", "=", "web", '{cluster=~".+", app="web"}'],
    [allStreams, "cluster", "=", "prod", '{cluster="prod"}'],
    [allStreams, "cluster", "!=", "prod", '{cluster!="prod"}'],
    ['{app="a,}b", x="y"} |= "}"', "x", "=", "z", '{app="a,}b", x="z"} |= "}"'],
    ['{app="a"}', "app", "!=", "b", '{app="a", app!="b"}'],
    ["{app=`a\\`}", "ns", "=", 'q"', '{app=`a\\`, ns="q\\""}'],
    ["{}", "ns", "=", "n", '{ns="n"}'],
    ["rate(x)", "ns", "=", "n", "rate(x)"],
  ] as const)("%s with %s%s%s", (query, name, op, value, want) => {
    expect(addMatcher(query, name, op, value)).toBe(want);
  });
});

it("filters on a field", () => {
  expect(addLabelFilter('{a="b"}', "code", "!=", "200")).toBe('{a="b"} | code!="200"');
});

it("brings the parser of a field along where the query has none", () => {
  expect(addParsedFilter('{a="b"}', "json", "code", "=", "200")).toBe('{a="b"} | json | code="200"');
  expect(addParsedFilter('{a="b"} | logfmt', "json", "code", "=", "1")).toBe('{a="b"} | logfmt | code="1"');
  expect(addParsedFilter('{a="b"}', undefined, "x", "!=", "1")).toBe('{a="b"} | x!="1"');
});

it("filters lines right after the selector", () => {
  expect(addLineFilter('{a="}"} | json', "|>", '<_> "x"')).toBe('{a="}"} |> "<_> \\"x\\"" | json');
  expect(addLineFilter("words", "|>", "x")).toBe("words");
});

it("finds the selector", () => {
  expect(selectorText('{a="}"} | json')).toBe('{a="}"}');
  expect(selectorText("rate(x)")).toBe(allStreams);
});

it("counts the values of a field", () => {
  expect(topValues('{a="b"}', "code", "json", 3600)).toBe(
    'topk(20, sum by (code) (count_over_time({a="b"} | json | drop __error__, __error_details__ [3600s])))',
  );
});

it("makes an expression for alerts", () => {
  expect(alertExpr('{a="b"} |= "x"')).toBe('sum(count_over_time({a="b"} |= "x" [5m])) > 0');
  expect(alertExpr('rate({a="b"}[1m])')).toBe('rate({a="b"}[1m])');
});
