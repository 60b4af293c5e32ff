import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

/** Somebody else's query, which reads for long. */
const running = {
  id: "01K9RUNNING",
  state: "running",
  language: "logql",
  query: '{namespace="shop"} |= "slow"',
  class: "adhoc",
  actor: "somebody@example.com",
  node: "n1",
  over_budget: false,
  begun_at: "2026-11-01T00:00:00Z",
  waited_seconds: 0,
  running_seconds: 12,
  rows: 1000,
  bytes: 4096,
  estimate_bytes: 1_000_000,
  cpu_seconds: 2,
  result_bytes: 0,
  cache_bytes: 0,
};
const runs = answers("**/api/v1/queries?*", { items: [running], nodes: 1 });

const held = {
  id: "f00d",
  language: "logql",
  shape: "{namespace=?} |= ?",
  query: running.query,
  actor: running.actor,
  strikes: [
    { time: running.begun_at, reason: "an engine ran out of memory", running_seconds: 1, bytes: 4096 },
  ],
  until: "2099-01-01T00:00:00Z",
};
const quarantine = answers("**/api/v1/query-quarantine*", { items: [held] });

/** countInBackground asks for something as a program does that does not wait. */
const countInBackground = (page: Page) =>
  page.evaluate(async () => {
    const answer = await fetch("/prometheus/api/v1/query?query=count(up)", {
      headers: { Prefer: "respond-async" },
    });
    return ((await answer.json()) as { id: string }).id;
  });

it("shows queries that have ended with what they cost", async () => {
  const here = await visits.open("owner", "/queries?tab=done");
  expect(await here.call("GET", "/prometheus/api/v1/query?query=up")).toBe(200);
  await here.page.getByRole("table", { name: "Queries" }).waitFor({ timeout: 20_000 });
  await checkPage(here);
});

it("lists what runs in the background, and deletes it", async () => {
  const here = await visits.open("owner", "/queries");
  const { page } = here;
  await page.getByRole("heading", { level: 1, name: "Queries" }).waitFor();
  const id = await countInBackground(page);
  await page.getByRole("tab", { name: "Background" }).click();
  const row = page
    .getByRole("row", { name: /count\(up\)/ })
    .filter({ has: page.locator(`a[href*="${id}"]`) });
  await row.waitFor({ timeout: 20_000 });
  await checkPage(here);
  await row.getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "detached" });
  expect(await here.call("GET", `/api/v1/query-jobs/${id}`)).toBe(404);
});

it("cancels a query, and releases one from quarantine", async () => {
  const here = await visits.open("owner", "/queries", {
    stub: async (page) => {
      await runs(page);
      await quarantine(page);
      for (const path of [`**/api/v1/queries/${running.id}`, `**/api/v1/query-quarantine/${held.id}`])
        await page.route(path, (route) => route.fulfill({ status: 204 }));
    },
  });
  const { page } = here;
  await page.getByRole("row", { name: /slow/ }).getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The query is being cancelled.").waitFor();
  await page.getByRole("tab", { name: "Quarantine" }).click();
  await page.getByText("an engine ran out of memory").waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: "Release" }).click();
  await page.getByText("The query may run again.").waitFor();
});

it("says what stands here when there is nothing, and why it failed", async () => {
  const empty = await visits.open("owner", "/queries", {
    viewport: narrow,
    stub: async (page) => {
      await answers("**/api/v1/queries?*", { items: [], nodes: 1 })(page);
      await answers("**/api/v1/query-jobs?*", { items: [] })(page);
    },
  });
  await empty.page.getByRole("heading", { name: "Nothing runs now" }).waitFor();
  await checkPage(empty);
  await empty.page.getByRole("tab", { name: "Background" }).click();
  await empty.page.getByText("Prefer: respond-async").waitFor();
  await empty.page.getByRole("tab", { name: "Quarantine" }).click();
  await empty.page.getByRole("heading", { name: "No query is in quarantine" }).waitFor();
  const failed = await visits.open("owner", "/queries", {
    stub: fails("**/api/v1/queries?*", "No node answered."),
  });
  failed.allow(/422/);
  await failed.page.getByText("No node answered.").waitFor();
});

it("lets a viewer see what others ask, and stop nothing of it", async () => {
  const here = await visits.open("viewer", "/queries", {
    stub: (page) => Promise.all([runs(page), quarantine(page)]),
  });
  const { page } = here;
  await page.getByRole("row", { name: /slow/ }).waitFor();
  expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
  await page.getByRole("tab", { name: "Quarantine" }).click();
  await page.getByText(held.query).waitFor();
  expect(await page.getByRole("button", { name: "Release" }).count()).toBe(0);
  expect(await here.call("DELETE", `/api/v1/query-quarantine/${held.id}`)).toBe(403);
  const owner = await visits.open("owner", "/queries");
  await owner.page.getByRole("heading", { level: 1, name: "Queries" }).waitFor();
  const job = await countInBackground(owner.page);
  expect(await here.call("DELETE", `/api/v1/query-jobs/${job}`)).toBeGreaterThanOrEqual(403);
  expect(await owner.call("DELETE", `/api/v1/query-jobs/${job}`)).toBe(204);
});
