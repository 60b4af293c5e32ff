import type { Page } from "playwright-core";
import { expect, inject, it } from "vitest";
import { narrow } from "../browser";
import { plotDrawn } from "../steps";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const asked = /\/prometheus\/api\/v1\/query_exemplars/;

/** sendExemplars writes a counter of five points, one every fifteen seconds until now, each with an exemplar. */
async function sendExemplars(metric: string): Promise<void> {
  const nowMs = Date.now();
  const dataPoints = [0, 1, 2, 3, 4].map((place) => {
    const timeUnixNano = `${nowMs - (4 - place) * 15_000}000000`;
    const traceId = place === 4 ? trace : `${place + 1}`.repeat(32);
    return {
      startTimeUnixNano: `${nowMs - 600_000}000000`,
      timeUnixNano,
      asDouble: 10 + place,
      exemplars: [
        {
          timeUnixNano,
          asDouble: 0.25 * (place + 1),
          traceId,
          spanId: "00f067aa0ba902b7",
          filteredAttributes: [{ key: "customer", value: { stringValue: `c-${place}` } }],
        },
      ],
    };
  });
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
  const metrics = [{ name: metric, sum }];
  const service = { key: "service.name", value: { stringValue: "checkout" } };
  const response = await fetch(`${inject("server")}/v1/metrics`, {
    method: "POST",
    headers: { Authorization: `Bearer ${inject("ingestToken")}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      resourceMetrics: [{ resource: { attributes: [service] }, scopeMetrics: [{ metrics }] }],
    }),
  });
  expect(response.status, await response.text()).toBe(200);
  // What was taken is stored a moment later.
  await expect.poll(() => storedExemplars(`${metric}_total`), { timeout: 30_000, interval: 200 }).toBe(5);
}

async function storedExemplars(query: string): Promise<number> {
  const range = { start: `${Date.now() / 1000 - 600}`, end: `${Date.now() / 1000 + 60}` };
  const path = `/prometheus/api/v1/query_exemplars?${new URLSearchParams({ query, ...range })}`;
  const response = await fetch(inject("server") + path, {
    headers: { Authorization: `Bearer ${inject("queryToken")}` },
  });
  const { data } = (await response.json()) as { data: { exemplars: unknown[] }[] };
  return data.flatMap(({ exemplars }) => exemplars).length;
}

const points = (page: Page) =>
  page.getByRole("group", { name: "Exemplars in the graph" }).getByRole("button");

it("shows exemplars in the graph and below it, by pointer and by keyboard", async () => {
  const metric = `shop_orders_${Date.now()}`;
  await sendExemplars(metric);
  const here = await visits.open("owner", `/metrics?q=${metric}_total&last=5m`);
  const { page } = here;
  await plotDrawn(page);
  await expect.poll(() => points(page).count()).toBe(5);

  await points(page).last().hover();
  const card = page.getByRole("dialog", { name: "Exemplar" });
  await card.getByText(trace).waitFor();
  await card.getByText("1.25", { exact: true }).waitFor();
  await card.getByText("c-4").waitFor();
  await checkPage(here);
  await page.mouse.move(0, 0);
  await card.waitFor({ state: "detached" });

  await points(page).first().focus();
  await card.getByText("1".repeat(32)).waitFor();
  await page.keyboard.press("End");
  await card.getByText(trace).waitFor();
  await page.keyboard.press("ArrowLeft");
  await card.getByText("4".repeat(32)).waitFor();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.textContent === "Logs");
  await page.keyboard.press("Escape");
  await card.waitFor({ state: "detached" });
  expect(
    await points(page)
      .last()
      .evaluate((point) => point === document.activeElement),
  ).toBe(true);

  const table = page.getByRole("table", { name: "Exemplars" });
  const first = table.getByRole("row").nth(1);
  await first.getByText(trace).waitFor();
  await table.getByRole("button", { name: "value" }).click();
  await first.getByText("1.25", { exact: true }).waitFor();
  await first.getByRole("link", { name: "Spans" }).click();
  await page.waitForURL(new RegExp(`/sql\\?.*p\\.trace=${trace}`));
  await page.goBack();
  await first.getByRole("link", { name: "Logs" }).click();
  await page.waitForURL(new RegExp(`/logs\\?.*${trace}`));
});

const some = [
  {
    seriesLabels: { __name__: "up" },
    exemplars: [{ labels: { traceID: trace }, value: "0.5", timestamp: Date.now() / 1000 - 600 }],
  },
];

it("leaves exemplars out when they are switched off, and keeps that in the URL", async () => {
  let asks = 0;
  const here = await visits.open("viewer", "/metrics?q=up", {
    viewport: narrow,
    stub: (page) =>
      page.route(asked, (route) => {
        asks++;
        return route.fulfill({ json: { status: "success", data: some } });
      }),
  });
  const { page } = here;
  await points(page).first().waitFor();
  await checkPage(here);
  const toggle = page.getByRole("button", { name: /^Exemplars/ });
  await toggle.click();
  await page.waitForURL(/exemplars=off/);
  await points(page).first().waitFor({ state: "detached" });
  expect(await page.getByRole("table", { name: "Exemplars" }).count()).toBe(0);
  const before = asks;
  await page.reload();
  await plotDrawn(page);
  expect(asks).toBe(before);
  await toggle.click();
  await points(page).first().waitFor();
});

it("thins what is too much, and says so", async () => {
  const exemplars = Array.from({ length: 1000 }, (_, place) => ({
    labels: { trace_id: `${place}` },
    value: `${place % 7}`,
    timestamp: Date.now() / 1000 - 3 * place,
  }));
  const here = await visits.open("owner", "/metrics?q=up", {
    stub: answers(asked, { status: "success", data: [{ seriesLabels: { __name__: "up" }, exemplars }] }),
  });
  await here.page.getByText("the largest 200 of 1,000, spread over the time").waitFor();
  await checkPage(here);
});

it("draws the graph all the same where exemplars fail", async () => {
  const here = await visits.open("owner", "/metrics?q=up", { stub: fails(asked, "They are away.") });
  here.allow(/422/);
  await here.page.getByText("No exemplars: They are away.").waitFor();
  await plotDrawn(here.page);
});
