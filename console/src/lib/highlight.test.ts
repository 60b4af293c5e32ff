import { expect, it } from "vitest";
import { needlesOf, split } from "./highlight";

it.each([
  ["", []],
  ["Time Out", ["time out"]],
  ['{a="b"} |= "X\\"y" != "no" |~ `z`', ['x"y', "z"]],
  ['{a="b"}', []],
])("needles of %j", (query, want) => {
  expect(needlesOf(query)).toEqual(want);
});

it.each([
  ["an Error, an error", ["error"], ["an ", "*Error", ", an ", "*error"]],
  ["abc", ["c", "a"], ["*a", "b", "*c"]],
  ["abc", [], ["abc"]],
  ["İabc", ["abc"], ["İabc"]],
  ["", ["a"], []],
])("splits %j by %j", (text, needles, want) => {
  expect(split(text, needles).map((p) => (p.marked ? `*${p.text}` : p.text))).toEqual(want);
});
