import { expect, it } from "vitest";
import { positionOf, splitAt } from "./queryerror";

it.each([
  ['invalid parameter "query": 1:7: parse error: unexpected end of input', { line: 1, column: 7 }],
  ["2:1: parse error: x", { line: 2, column: 1 }],
  ["parse error at line 1, col 9: syntax error: unexpected IDENTIFIER", { line: 1, column: 9 }],
  ["query took longer than 30:00: stopped", undefined],
])("position in %j", (message, want) => {
  expect(positionOf(message)).toEqual(want);
});

it("splits at the offender", () => {
  expect(splitAt("sum(rate(up)", { line: 1, column: 5 })).toEqual(["sum(", "rate", "(up)"]);
  expect(splitAt("a\nb+", { line: 2, column: 3 })).toEqual(["b+", " ", ""]);
  expect(splitAt("a", { line: 3, column: 1 })).toBeUndefined();
  expect(splitAt("a", { line: 1, column: 9 })).toBeUndefined();
});
