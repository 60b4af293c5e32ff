import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits } from "./page";

/** What somebody does who is woken by a notification and has a phone at hand. */

const visits = newVisits();

const fingerprint = "00c0ffee00c0ffee";
const expr = "sum by (cluster, namespace) (up) > 0";
const labels = { alertname: "CartFails", cluster: "demo", namespace: "shop", severity: "critical" };
const annotations = { summary: "The cart fails" };
const began = () => new Date(Date.now() - 600_000).toISOString();

/** firing puts one alert in place of those that there are, as its rule and the Alertmanager tell it. */
const firing = (page: Page) =>
  Promise.all([
    page.route("**/alertmanager/api/v2/alerts", (route) =>
      route.fulfill({
        json: [
          {
            labels,
            annotations,
            startsAt: began(),
            fingerprint,
            receivers: [{ name: "on-call" }],
            status: { state: "active", silencedBy: [], inhibitedBy: [] },
          },
        ],
      }),
    ),
    page.route("**/prometheus/api/v1/rules*", (route) => {
      const at = new Date().toISOString();
      const alerts = [{ labels, annotations, state: "firing", activeAt: began(), value: "3e+00" }];
      const common = { lastEvaluation: at, evaluationTime: 0.01 };
      const rule = {
        name: "CartFails",
        query: expr,
        type: "alerting",
        health: "ok",
        state: "firing",
        alerts,
      };
      const group = {
        name: "cart",
        file: "oncall",
        interval: 60,
        rules: [{ ...rule, ...common }],
        ...common,
      };
      return route.fulfill({ json: { status: "success", data: { groups: [group] } } });
    }),
  ]);

it("goes from a notification to the alert, its graph, its lines and its rule, and silences it", async () => {
  const here = await visits.open("owner", `/alerts?alert=${fingerprint}`, { viewport: narrow, stub: firing });
  const { page } = here;
  const rules = [{ alert: "CartFails", expr, annotations }];
  const path = "/api/v1/alerting/groups/oncall/cart";
  expect(await here.call("PUT", path, { language: "promql", group: { name: "cart", rules } })).toBeLessThan(
    300,
  );
  const drawer = page.getByRole("dialog", { name: "CartFails" });
  await drawer.getByText("on-call").waitFor();
  await drawer.locator(".uplot").waitFor();
  await checkPage(here);

  await drawer.getByRole("link", { name: "Open in Metrics" }).click();
  await page.waitForURL((url) => url.pathname === "/metrics" && url.searchParams.has("from"));
  expect(new URL(page.url()).searchParams.get("q")).toBe("sum by (cluster, namespace) (up)");
  await page.goBack();

  await drawer.getByRole("link", { name: "Open in Logs" }).click();
  await page.waitForURL((url) => url.pathname === "/logs" && url.searchParams.has("from"));
  expect(new URL(page.url()).searchParams.get("q")).toBe('{cluster="demo", namespace="shop"}');
  await page.goBack();

  await drawer.getByRole("link", { name: "CartFails in oncall / cart" }).click();
  await page.locator('[data-linked="true"]').getByText("CartFails", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Graph" }).click();
  await page.waitForURL(/\/metrics\?q=/);
  await page.goBack();
  await page.goBack();

  await drawer.getByRole("button", { name: "Silence" }).click();
  await page.getByRole("menuitem", { name: "For 1h" }).click();
  await page.getByText("CartFails is silenced for 1h.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await here.call("DELETE", path)).toBeLessThan(300);
});

it("says that an alert is over when a link comes late", async () => {
  const here = await visits.open("viewer", "/alerts?alert=ffffffffffffffff", {
    viewport: narrow,
    stub: firing,
  });
  const { page } = here;
  await page.getByText("The alert of this link is over").waitFor();
  await page.getByRole("link", { name: "notification log" }).waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: "Close" }).click();
  await page.waitForURL((url) => !url.searchParams.has("alert"));
});
