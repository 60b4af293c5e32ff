import { expect, it } from "vitest";
import { stillDue } from "./usedraft";

it("waits for what was typed after the value that came back", () => {
  expect(stillDue(["a", "ab", "abc"], "a", true)).toEqual(["ab", "abc"]);
  expect(stillDue(["a", "ab", "abc"], "abc", true)).toEqual([]);
  expect(stillDue(["a", "", "a"], "a", true)).toEqual([]);
});

it("waits for nothing when somebody else changed the value, or nobody types", () => {
  expect(stillDue(["a", "ab"], "x", true)).toEqual([]);
  expect(stillDue(["a", "ab"], "a", false)).toEqual([]);
});
