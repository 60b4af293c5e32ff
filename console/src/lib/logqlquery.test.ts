import { expect, it } from "vitest";
import { isComplete, type LogQuery, parseQuery, writeQuery } from "./logqlquery";

it.each<[string, LogQuery]>([
  [
    '{namespace="shop", app=~"cart|web"}',
    {
      matchers: [
        { name: "namespace", op: "=", value: "shop" },
        { name: "app", op: "=~", value: "cart|web" },
      ],
      stages: [],
    },
  ],
  [
    '{a="b"} |= "x | y" != "z" |~ `\\d+`',
    {
      matchers: [{ name: "a", op: "=", value: "b" }],
      stages: [
        { kind: "line", op: "|=", value: "x | y" },
        { kind: "line", op: "!=", value: "z" },
        { kind: "line", op: "|~", value: "\\d+" },
      ],
    },
  ],
  [
    '{} | json | status>=500 | pattern "<ip> - <_>" | method="GET"',
    {
      matchers: [],
      stages: [
        { kind: "parser", name: "json", value: "" },
        { kind: "field", name: "status", op: ">=", value: "500" },
        { kind: "parser", name: "pattern", value: "<ip> - <_>" },
        { kind: "field", name: "method", op: "=", value: "GET" },
      ],
    },
  ],
  [
    '{a="b"} |= "x" or "y" | line_format "{{.msg}}" | took>250ms and level="warn" | json',
    {
      matchers: [{ name: "a", op: "=", value: "b" }],
      stages: [
        { kind: "raw", text: '|= "x" or "y"' },
        { kind: "raw", text: '| line_format "{{.msg}}"' },
        { kind: "raw", text: '| took>250ms and level="warn"' },
        { kind: "parser", name: "json", value: "" },
      ],
    },
  ],
])("takes %s apart and writes it again", (text, want) => {
  const got = parseQuery(text);
  expect(got).toEqual({ query: want });
  expect(writeQuery(want)).toBe(text);
});

it.each([
  ['sum(rate({a="b"}[5m]))', /computes numbers/],
  ["some words", /begins with a selector/],
  ['{a="b"', /expects ,/],
  ["{a=}", /not complete at "}"/],
  ['{a="b"} # why\n|= "x"', /comment/],
  ['{a="b"} nonsense', /cannot read the query at "nonsense"/],
])("says why it cannot show %s", (text, reason) => {
  const got = parseQuery(text);
  expect("reason" in got && got.reason).toMatch(reason);
});

it("reads again what it writes, whatever the values", () => {
  for (const value of ['say "hi"', "back\\slash", "tick`s", "new\nline", "é ☃", "|= }{"]) {
    const query: LogQuery = {
      matchers: [{ name: "a", op: "=", value }],
      stages: [
        { kind: "line", op: "|=", value },
        { kind: "field", name: "f", op: "!=", value },
      ],
    };
    expect(parseQuery(writeQuery(query))).toEqual({ query });
  }
});

it("knows what is still being written", () => {
  const query = (stages: LogQuery["stages"]) => ({
    matchers: [{ name: "a", op: "=", value: "" }] as const,
    stages,
  });
  expect(isComplete(query([{ kind: "line", op: "|=", value: "" }]))).toBe(false);
  expect(isComplete(query([{ kind: "field", name: "", op: "=", value: "x" }]))).toBe(false);
  expect(isComplete(query([{ kind: "field", name: "f", op: "=", value: "" }]))).toBe(true);
  expect(isComplete(query([{ kind: "parser", name: "pattern", value: "" }]))).toBe(false);
});
