import { expect, it } from "vitest";
import { adviceOn } from "./cardinalityadvice";

const calm = { series: 50_000, preceding_series: 50_000, growth: 0, churn: 100 };

it("says nothing where nothing is the matter", () => {
  expect(adviceOn({ total: calm, items: [{ ...calm, name: "pod", values: 400 }] })).toEqual([]);
});

it("names labels of single things, and buckets", () => {
  const advice = adviceOn({
    total: calm,
    items: [
      { ...calm, name: "__name__", values: 5000 },
      { ...calm, name: "user_id", values: 200, series: 1000 },
      { ...calm, name: "address", values: 2000 },
      { ...calm, name: "le", values: 20, series: 40_000 },
    ],
  });
  expect(advice.map((text) => /user_id|address|Buckets/.exec(text)?.[0])).toEqual([
    "user_id",
    "address",
    "Buckets",
  ]);
  expect(advice[2]).toContain("80 %");
});

it("tells churn and growth, but not of a tenant that has just begun", () => {
  const wild = { series: 50_000, preceding_series: 20_000, growth: 30_000, churn: 40_000 };
  expect(adviceOn({ total: wild, items: [] })).toHaveLength(2);
  expect(adviceOn({ total: { ...wild, preceding_series: 0 }, items: [] })).toEqual([]);
});
