import { Text } from "@codemirror/state";
import { expect, it } from "vitest";
import { toDiagnostic } from "./diagnostics";
import { mergeOrder } from "./stylesheets";

const doc = Text.of(["sum(rate(x))", "by (pod"]);
const marked = (place: { line?: number; column?: number }) => {
  const { from, to } = toDiagnostic({ ...place, message: "wrong" }, doc);
  return doc.sliceString(from, to);
};

it("underlines the word at a place, or the line", () => {
  expect(marked({ line: 1, column: 5 })).toBe("rate");
  expect(marked({ line: 2, column: 4 })).toBe("(");
  expect(marked({ line: 2 })).toBe("by (pod");
  expect(marked({})).toBe("sum(rate(x))");
});

it("takes what comes before for a place at the end, and stays inside of the text", () => {
  expect(marked({ line: 2, column: 8 })).toBe("d");
  expect(marked({ line: 9, column: 99 })).toBe("d");
  expect(marked({ line: 0, column: 0 })).toBe("sum");
});

it("keeps mounted styles, and their wanted order", () => {
  expect(mergeOrder(["a", "b"], ["b", "a"])).toEqual(["b", "a"]);
  expect(mergeOrder(["a", "x"], ["b", "a"])).toEqual(["b", "a", "x"]);
  expect(mergeOrder([], ["a"])).toEqual(["a"]);
});
