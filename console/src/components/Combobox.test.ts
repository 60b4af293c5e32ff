import { expect, it } from "vitest";
import { narrow } from "./Combobox";

const options = ["kube-system", "system", "shop"].map((value) => ({ value, label: value }));
const found = (typed: string) => narrow(options, typed).map(({ value }) => value);

it("keeps what has all words, beginnings first", () => {
  expect(found("")).toEqual(["kube-system", "system", "shop"]);
  expect(found("sys")).toEqual(["system", "kube-system"]);
  expect(found("sys kube")).toEqual(["kube-system"]);
  expect(found("none")).toEqual([]);
});
