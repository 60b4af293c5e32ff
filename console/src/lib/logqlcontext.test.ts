import { expect, it } from "vitest";
import { type LogqlContext, logqlContext } from "./logqlcontext";

// The cursor stands at the end of each text.
it.each<[text: string, kind: LogqlContext["kind"], typed: string | undefined]>([
  ["", "function", ""],
  ["sum", "function", "sum"],
  ["sum(rate(", "function", ""],
  ["{", "label", ""],
  ["{name", "label", "name"],
  ['{app="shop", na', "label", "na"],
  ['{app="', "value", ""],
  ['{app="sh', "value", "sh"],
  ['{app=~"a,b', "value", "a,b"],
  ["{app", "label", "app"],
  ['{app="shop"', "none", undefined],
  ['{app="shop"} ', "none", undefined],
  ['{app="shop"} |= "te', "none", undefined],
  ['{app="shop"} | ', "stage", ""],
  ['{app="shop"} | js', "stage", "js"],
  ['{app="shop"} | json | status=500 and met', "stage", "met"],
  ["sum by (", "grouping", ""],
  ["sum by (app, na", "grouping", "na"],
  ['sum by (app) (rate({app="shop"} [5m])) / su', "function", "su"],
  ['# {app="\n{na', "label", "na"],
  ['{app="a\\"b', "value", 'a\\"b'],
])("%j wants %s after %j", (text, kind, typed) => {
  const found = logqlContext(text);
  expect(found.kind).toBe(kind);
  if (found.kind !== "none") expect(text.slice(found.from)).toBe(typed);
});

it("narrows by the matchers that are written in full", () => {
  expect(logqlContext('{cluster="eu", app=~"a|b", pod="')).toMatchObject({
    label: "pod",
    selector: '{cluster="eu", app=~"a|b"}',
  });
  expect(logqlContext('{app="shop"} | ')).toMatchObject({ selector: '{app="shop"}' });
});
