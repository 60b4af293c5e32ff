import { expect, it } from "vitest";
import { added, type KeptQuery } from "./queryhistory";

const one: KeptQuery = { query: "up", ms: 1 };
const two: KeptQuery = { query: "down", ms: 2 };

it("moves what is run again to the front", () => {
  expect(added([two, one], { query: "up", ms: 3 })).toEqual([{ query: "up", ms: 3 }, two]);
});

it("forgets the oldest", () => {
  const many = Array.from({ length: 60 }, (_, ms) => ({ query: `q${ms}`, ms }));
  const after = added(many, one);
  expect(after).toHaveLength(60);
  expect(after.at(-1)?.query).toBe("q58");
});
