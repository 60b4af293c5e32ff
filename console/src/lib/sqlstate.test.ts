import { expect, it } from "vitest";
import { type SqlState, sqlCodec } from "./sqlstate";

it.each<SqlState>([
  { query: "", values: {}, view: "" },
  { query: "SELECT 1 -- a&b=c\nFROM logs", values: { ns: "a b", n: "1" }, view: "chart" },
])("keeps %j", (state) => {
  const params = new URLSearchParams("last=6h&p.old=x");
  sqlCodec.write(params, state);
  expect(params.get("last")).toBe("6h");
  expect(sqlCodec.read(new URLSearchParams(params.toString()))).toEqual(state);
});
