import { expect, test } from "vitest";
import { pageOfGraphLink } from "./graphlink";

const link = (expression: string) =>
  pageOfGraphLink(`?${new URLSearchParams({ "g0.expr": expression, "g0.tab": "1" })}`);

test("links of metric alerts lead to metrics, with the expression", () => {
  expect(link('rate(http_requests_total{code=~"5.."}[5m]) > 0.1')).toBe(
    `/metrics?${new URLSearchParams({ q: 'rate(http_requests_total{code=~"5.."}[5m]) > 0.1' })}`,
  );
  expect(link("up == 0")).toBe("/metrics?q=up+%3D%3D+0");
  expect(link('{__name__="up"} != 1')).toContain("/metrics?");
});

test("links of log alerts lead to logs", () => {
  for (const expression of [
    'sum(rate({app="shop"} |= "error" [5m])) > 1',
    'count_over_time({signal="events"} | json | reason="BackOff" [10m]) > 3',
    'sum by (app) (count_over_time({namespace="shop"}[5m]))',
  ]) {
    expect(link(expression)).toBe(`/logs?${new URLSearchParams({ q: expression })}`);
  }
});

test("a link without an expression leads to metrics", () => {
  expect(pageOfGraphLink("")).toBe("/metrics");
});
