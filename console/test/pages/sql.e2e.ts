import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits } from "./page";

const visits = newVisits();

it("runs a statement with the range of time, by keyboard, and charts it", async () => {
  const here = await visits.open("owner", "/sql");
  const { page } = here;
  await page
    .getByLabel("SQL statement")
    .fill(
      "SELECT toStartOfMinute(timestamp) AS minute, count() AS lines FROM logs WHERE timestamp >= {from:DateTime64(3)} GROUP BY minute",
    );
  await page.getByText(/Reads at most/).waitFor();
  await page.getByLabel("SQL statement").press("Control+Enter");
  await page.getByRole("table", { name: "Result" }).locator("tbody tr").first().waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toContain("toStartOfMinute");
  await checkPage(here);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.locator(".uplot canvas").waitFor();
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
  await page.getByLabel("SQL statement").fill("SELECT foo FROM logs");
  await page.getByLabel("SQL statement").press("Control+Enter");
  await page
    .getByRole("alert")
    .getByText(/Unknown expression identifier/)
    .waitFor();
  await checkPage(here);
});
