import { expect, it } from "vitest";
import { narrow, wide } from "../browser";
import { write } from "../steps";
import { checkPage, fails, newVisits, settled } from "./page";

const visits = newVisits();

it("runs a statement with the range of time, by keyboard, and charts it", async () => {
  const here = await visits.open("owner", "/sql");
  const { page } = here;
  const editor = await write(
    page,
    "SQL statement",
    "SELECT toStartOfMinute(timestamp) AS minute, count() AS lines FROM logs WHERE timestamp >= {from:DateTime64(3)} GROUP BY minute",
  );
  await page.getByText(/Reads at most/).waitFor();
  await editor.press("Control+Enter");
  await page.getByRole("table", { name: "Result" }).locator("tbody tr").first().waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toContain("toStartOfMinute");
  await checkPage(here);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.locator(".uplot canvas").waitFor();
});

it("saves a statement for the tenant, finds it again and deletes it with a way back", async () => {
  const here = await visits.open("owner", "/sql");
  const { page } = here;
  const name = `statement ${Date.now()}`;
  await write(page, "SQL statement", "SELECT count() AS lines FROM logs");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const form = page.getByRole("form", { name: "Save the query" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("For everybody in the tenant").check();
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText(`Saved "${name}"`).waitFor();
  await page.goto("/sql");
  await page.getByRole("button", { name: "Queries", exact: true }).click();
  const library = page.getByRole("dialog");
  await library.getByText(name).waitFor();
  await checkPage(here);
  await library.getByRole("button", { name: new RegExp(`^Delete.*${name}`) }).click();
  await library.getByText(name).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await library.getByText(name).click();
  await page.locator('.cm-content[aria-label="SQL statement"]', { hasText: "count()" }).waitFor();
});

it("offers questions to begin with", async () => {
  const here = await visits.open("viewer", "/sql", { viewport: narrow });
  const { page } = here;
  await page.getByRole("button", { name: /Events by reason/ }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByText(/\d+ rows? ·/).waitFor();
  await checkPage(here);
});

it("says what the server refuses, and where", async () => {
  const here = await visits.open("owner", "/sql");
  const { page } = here;
  here.allow(/400/);
  await (await write(page, "SQL statement", "SELECT foo FROM logs")).press("Control+Enter");
  await page
    .getByRole("alert")
    .getByText(/Unknown expression identifier/)
    .waitFor();
  await checkPage(here);
});

it("says that nothing fits, and what to widen", async () => {
  const here = await visits.open("owner", "/sql");
  const { page } = here;
  const statement = "SELECT timestamp, body FROM logs WHERE namespace = 'nowhere'";
  await (await write(page, "SQL statement", statement)).press("Control+Enter");
  await page.getByRole("heading", { name: "No rows" }).waitFor();
  await checkPage(here);
});

it("says why the views cannot be shown, and still takes a statement", async () => {
  const here = await visits.open("owner", "/sql", {
    viewport: wide,
    stub: fails("**/api/v1/sql/schema", "The views are away."),
  });
  here.allow(/422/);
  await here.page.getByText("The views are away.").waitFor();
  await (await write(here.page, "SQL statement", "SELECT 1")).press("Control+Enter");
  await here.page.getByText(/^1 row ·/).waitFor();
});

it("lets nobody write, a viewer neither", async () => {
  const here = await visits.open("viewer", "/sql");
  const { page } = here;
  here.allow(/400/);
  await (await write(page, "SQL statement", "DROP TABLE logs")).press("Control+Enter");
  await page.getByRole("heading", { name: "The server cannot run this" }).waitFor();
  await settled(page);
  await checkPage({ ...here, faults: [] });
  for (const query of [
    "DROP TABLE logs",
    "INSERT INTO logs (body) VALUES ('x')",
    "ALTER TABLE logs DELETE WHERE 1",
  ])
    expect(await here.call("POST", "/api/v1/sql", { query })).toBe(400);
  const shared = { name: "a viewer's", language: "sql", query: "SELECT 1", visibility: "tenant" };
  expect(await here.call("POST", "/api/v1/saved-queries", shared)).toBe(403);
});
