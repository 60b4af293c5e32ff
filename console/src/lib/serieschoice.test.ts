import { expect, it } from "vitest";
import { choose } from "./serieschoice";

const all = ["a", "b", "c"];

it.each([
  ["shows one alone", [], "a", false, ["a"]],
  ["shows another alone", ["a"], "b", false, ["b"]],
  ["shows all again", ["a"], "a", false, []],
  ["takes one out of several to be alone", ["a", "b"], "a", false, ["a"]],
  ["switches one off", [], "a", true, ["b", "c"]],
  ["switches one more off", ["b", "c"], "b", true, ["c"]],
  ["switches one on", ["c"], "a", true, ["c", "a"]],
  ["is all again when all are on", ["b", "c"], "a", true, []],
  ["is all again when none would be left", ["a"], "a", true, []],
])("%s", (_, chosen, key, more, want) => {
  expect([...choose(new Set(chosen), all, key, more)]).toEqual(want);
});
