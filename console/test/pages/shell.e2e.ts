import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, settled } from "./page";

const visits = newVisits();

const title = (page: Page) => page.getByRole("heading", { level: 1 });
const palette = (page: Page) => page.getByRole("dialog", { name: "Search pages and actions" });

/** pathIs waits until the console shows a path. */
const pathIs = (page: Page, path: string) => page.waitForURL((url) => url.pathname === path);

it("is walked through by keyboard alone", async () => {
  const here = await visits.open("owner", "/clusters?last=15m");
  const { page } = here;
  await settled(page);

  // The first stop is the way past the navigation.
  await page.keyboard.press("Tab");
  await page.getByRole("link", { name: "Skip to the content" }).press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");

  // Sequences lead to pages, and the range of time goes along.
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await pathIs(page, "/logs");
  expect(new URL(page.url()).searchParams.get("last")).toBe("15m");
  await title(page).filter({ hasText: "Logs" }).waitFor();

  // The palette finds by words, arrows choose, Enter runs.
  await page.keyboard.press("Control+k");
  await palette(page).waitFor();
  await page.keyboard.type("prome");
  await page.getByRole("option", { name: /^Metrics/, selected: true }).waitFor();
  await page.keyboard.press("Enter");
  await pathIs(page, "/metrics");

  // What is typed into a query is no shortcut.
  await page.locator('.cm-content[aria-label="PromQL query"]').waitFor();
  await page.keyboard.press("/");
  await page.locator('.cm-content[aria-label="PromQL query"]:focus').waitFor();
  await page.keyboard.type("g l?");
  await expect.poll(() => page.getByLabel("PromQL query").textContent()).toBe("g l?");
  expect(new URL(page.url()).pathname).toBe("/metrics");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");

  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await help.getByText("Narrow or widen the navigation").waitFor();
  await checkPage(here);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });

  await page.keyboard.press("[");
  await page.getByRole("button", { name: "Widen the navigation" }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Widen the navigation" }).waitFor();
  await checkPage(here);
});

it("changes theme, zone and range from the palette", async () => {
  const { page } = await visits.open("owner", "/logs");
  await settled(page);
  const run = async (words: string) => {
    await page.keyboard.press("Control+k");
    await palette(page).waitFor();
    await page.keyboard.type(words);
    await page.keyboard.press("Enter");
    await palette(page).waitFor({ state: "detached" });
  };
  await run("dark theme");
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await run("last 6h");
  await page.waitForURL((url) => url.searchParams.get("last") === "6h");
  await run("utc");
  await page
    .getByRole("button", { name: /^Time range/ })
    .filter({ hasText: "UTC" })
    .waitFor();
});

it("moves and widens the range of time", async () => {
  const here = await visits.open("owner", "/events?last=6h");
  const { page } = here;
  await page.getByRole("button", { name: /^Time range/ }).click();
  expect(await page.getByRole("button", { name: "Later" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Wider" }).click();
  await page.waitForURL((url) => url.searchParams.get("last") === "12h");
  await page.getByRole("button", { name: "Earlier" }).click();
  await page.waitForURL((url) => url.searchParams.has("from") && !url.searchParams.has("last"));
  const { searchParams } = new URL(page.url());
  const hours = (name: string) => Date.parse(searchParams.get(name) ?? "") / 3600_000;
  expect(hours("to") - hours("from")).toBeCloseTo(12, 3);
  await page.getByRole("button", { name: "Later" }).click();
  await page.waitForURL((url) => url.searchParams.get("from") !== searchParams.get("from"));
  await checkPage(here);
});

it("has the navigation behind a button on phones", async () => {
  const here = await visits.open("owner", "/logs", { viewport: narrow, colorScheme: "dark" });
  const { page } = here;
  await settled(page);
  expect(await page.getByRole("navigation", { name: "Pages" }).count()).toBe(0);
  await page.getByRole("button", { name: "Open the menu" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await checkPage(here);
  await page.getByRole("link", { name: "Events" }).click();
  await pathIs(page, "/events");
  await page.getByRole("navigation", { name: "Pages" }).waitFor({ state: "detached" });
});

it("shows operators their pages, and tenants' people none of them", async () => {
  const operator = await visits.open("operator", "/");
  await pathIs(operator.page, "/tenants");
  await operator.page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: "Tenants" })
    .waitFor();
  await operator.page.goto("/logs");
  await operator.page.getByText("This session belongs to no tenant").waitFor();

  const viewer = await visits.open("viewer", "/tenants");
  await viewer.page.getByText("Only operators of the platform see this.").waitFor();
  expect(await viewer.page.getByRole("link", { name: "Tenants" }).count()).toBe(0);
  expect(await viewer.call("GET", "/api/v1/tenants")).toBe(403);
});

it("says that a page does not exist", async () => {
  const here = await visits.open("owner", "/no/such/page");
  await here.page.getByText("No such page").waitFor();
  await checkPage(here);
});
