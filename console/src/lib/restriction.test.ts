import { expect, test } from "vitest";
import { describeRestriction, restrictionOf, splitNames } from "./restriction";

test("a restriction is told in words", () => {
  expect(describeRestriction(null)).toBe("everything");
  expect(describeRestriction({ clusters: [], namespaces: [] })).toBe("everything");
  expect(describeRestriction({ clusters: ["eu1"], namespaces: ["a", "b"] })).toBe(
    "cluster eu1; namespaces a, b",
  );
});

test("names that narrow nothing make no restriction", () => {
  expect(restrictionOf([], [])).toBeUndefined();
  expect(restrictionOf(["eu1"], [])).toEqual({ clusters: ["eu1"], namespaces: [] });
});

test("names are read with commas, spaces and repeats", () => {
  expect(splitNames(" shop, pay\nshop ,,")).toEqual(["shop", "pay"]);
  expect(splitNames("  ")).toEqual([]);
});
