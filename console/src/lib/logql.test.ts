import { describe, expect, it } from "vitest";
import { addLabelFilter, addMatcher, allStreams, countByLevel, formOf, toLogQL, withLevels } from "./logql";

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
