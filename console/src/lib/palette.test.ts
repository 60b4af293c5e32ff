import { expect, it } from "vitest";
import { rank, score } from "./palette";

const items = [
  { label: "Logs", group: "Pages", keywords: "logql search" },
  { label: "Log of changes", group: "Pages" },
  { label: "Metrics", group: "Pages", keywords: "promql catalog" },
  { label: "Switch to Acme", group: "Tenants", keywords: "tenant acme" },
];

const labels = (typed: string) => rank(items, typed).map(({ label }) => label);

it("keeps the order when nothing is typed", () => {
  expect(labels("  ")).toEqual(items.map(({ label }) => label));
});

it("puts labels before keywords, and leaves out what lacks a word", () => {
  expect(labels("log")).toEqual(["Logs", "Log of changes", "Switch to Acme"].slice(0, 2));
  expect(labels("promql")).toEqual(["Metrics"]);
  expect(labels("acme switch")).toEqual(["Switch to Acme"]);
  expect(labels("acme logs")).toEqual([]);
});

it("finds the middle of a label, last", () => {
  expect(labels("etri")).toEqual(["Metrics"]);
  const [inside, start] = [
    score({ label: "Metrics", group: "" }, "ric"),
    score({ label: "Rich", group: "" }, "ric"),
  ];
  expect(inside).toBeGreaterThan(0);
  expect(inside).toBeLessThan(start);
});
