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

interface Listed {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const cart: Listed = { labels, annotations };

/** lists puts alerts in place of those that there are, as their rule and the Alertmanager tell them. */
const lists =
  (...listed: readonly Listed[]) =>
  (page: Page) =>
    Promise.all([
      page.route("**/alertmanager/api/v2/alerts", (route) =>
        route.fulfill({
          json: listed.map((one, i) => ({
            ...one,
            startsAt: began(),
            fingerprint: i === 0 ? fingerprint : `${i}`,
            receivers: [{ name: "on-call" }],
            status: { state: "active", silencedBy: [], inhibitedBy: [] },
          })),
        }),
      ),
      page.route("**/prometheus/api/v1/rules*", (route) => {
        const at = new Date().toISOString();
        const alerts = listed.map((one) => ({ ...one, state: "firing", activeAt: began(), value: "3e+00" }));
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

const firing = lists(cart);

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

it("goes from a notification of several alerts to the list of their group", async () => {
  const of = (alertname: string, cluster: string, summary: string): Listed => ({
    labels: { ...labels, alertname, cluster },
    annotations: { summary },
  });
  const here = await visits.open("viewer", "/alerts?q=alertname%3DCart+fails+cluster%3Ddemo", {
    viewport: narrow,
    stub: lists(
      of("Cart fails", "demo", "The cart of the demo fails"),
      of("Cart fails", "other", "The cart of another cluster fails"),
      of("Queue grows", "demo", "The queue grows"),
    ),
  });
  const list = here.page.getByRole("region", { name: "Alerts", exact: true });
  await list.getByRole("button", { name: "The cart of the demo fails" }).waitFor();
  expect(await list.getByRole("listitem").count()).toBe(1);
});

it("reads an alert in two lines, however much there is to say of it", async () => {
  const much: Listed = {
    labels: {
      ...labels,
      container: "checkout-with-a-long-name",
      deployment: "checkout",
      instance: "10.0.0.1:9090",
      pod: "checkout-7d9f8c6b5-x2x4z",
      team: "payments",
    },
    annotations: {
      summary: "The checkout of the shop answers one request of ten with an error, and slowly so",
    },
  };
  const here = await visits.open("owner", "/alerts?group=namespace", {
    viewport: narrow,
    stub: lists(much, cart),
  });
  const { page } = here;
  const rows = page.getByRole("region", { name: "Alerts", exact: true }).getByRole("listitem");
  const row = rows.filter({ hasText: "The checkout" });
  await row.waitFor();
  for (const text of ["firing", "critical", "3", /^\d+ min ago$/])
    expect(await row.getByText(text, { exact: true }).isVisible(), `${text}`).toBe(true);
  // Two lines of text, and the space around them.
  for (const one of await rows.all()) expect((await one.boundingBox())?.height).toBeLessThan(64);
  await checkPage(here);
  await row.getByRole("button", { name: /^CartFails: The checkout/ }).click();
  const drawer = page.getByRole("dialog", { name: "CartFails" });
  await drawer.getByText("with an error, and slowly so").waitFor();
  await drawer.getByRole("region", { name: "Labels" }).getByText("payments").waitFor();
});
