import { expect, test } from "vitest";
import type { Change } from "../data/changes";
import { changesCodec, placesOf, valuesOf, whyNoDifferences } from "./changesstate";
import { withValue } from "./urlstate";

test("the filter of the change log goes through the URL and back", () => {
  const state = { actor: "ada@example.com", action: "token.create", object: "", result: "done" };
  const params = withValue(new URLSearchParams("tab=changes"), changesCodec, state);
  expect(changesCodec.read(params)).toEqual(state);
  expect(params.has("object")).toBe(false);
  expect(params.get("tab")).toBe("changes");
});

test("the values of a change are read", () => {
  expect(valuesOf([{ path: ".a", before: null, after: '{"b":"x"}' }])).toEqual([
    { path: ".a", before: null, after: { b: "x" } },
  ]);
});

test("the places of a change fit on a line", () => {
  const at = (...paths: string[]) => paths.map((path) => ({ path, before: null, after: "1" }));
  expect(placesOf(at(".title", ".panels[id=1].w"))).toBe("title, panels[id=1].w");
  expect(placesOf(at(".a", ".b", ".c", ".d", ".e"))).toBe("a, b, c and 2 more");
  expect(placesOf([])).toBe("");
});

test.each<[Partial<Change>, RegExp]>([
  [{ result: "seamark-permission-missing" }, /refused/],
  [{ differences_truncated: true }, /too many/],
  [{ before: "sha256:a", after: "sha256:a" }, /stayed/],
  [{ after: "sha256:a" }, /private/],
  [{}, /no document/],
])("a change without differences says why: %j", (part, text) => {
  const plain = { result: "done", before: "", after: "", differences_truncated: false } as Change;
  expect(whyNoDifferences({ ...plain, ...part })).toMatch(text);
});
