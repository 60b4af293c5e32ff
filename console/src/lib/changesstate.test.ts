import { expect, test } from "vitest";
import { changesCodec } from "./changesstate";
import { withValue } from "./urlstate";

test("the filter of the change log goes through the URL and back", () => {
  const state = { actor: "ada@example.com", action: "token.create", object: "", result: "done" };
  const params = withValue(new URLSearchParams("tab=changes"), changesCodec, state);
  expect(changesCodec.read(params)).toEqual(state);
  expect(params.has("object")).toBe(false);
  expect(params.get("tab")).toBe("changes");
});
