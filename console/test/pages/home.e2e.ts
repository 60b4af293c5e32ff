import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

it("shows the fleet, what fires and what changed, and leads on", async () => {
  const { page, ...here } = await visits.open("owner", "/");
  const row = page.getByRole("table", { name: "Fleet" }).getByRole("row", { name: /demo/ });
  await row.getByRole("link", { name: /\d+ of \d+/ }).waitFor();
  await row.locator('[data-freshness="fresh"]').first().waitFor();
  await page.getByRole("img", { name: "Error lines over time" }).waitFor();
  await page.getByRole("heading", { name: "Rollouts" }).waitFor();
  await page.locator("section", { hasText: "Rollouts" }).getByRole("listitem").first().waitFor();
  await checkPage({ page, ...here });
  await row.getByRole("link", { name: "demo", exact: true }).click();
  await page.waitForURL(/\/clusters\/demo/);
});

it("opens with the first steps when there is no cluster", async () => {
  const { page } = await visits.open("owner", "/", {
    viewport: narrow,
    stub: (page) => page.route(/\/api\/v1\/clusters/, (route) => route.fulfill({ json: { items: [] } })),
  });
  await page.getByText("Welcome. Four steps, and you are there").waitFor();
  expect(await page.getByRole("table", { name: "Fleet" }).count()).toBe(0);
  await page.getByRole("link", { name: "Add a cluster" }).click();
  await page.waitForURL(/\/clusters\/new/);
});

it("says why the clusters cannot be shown", async () => {
  const here = await visits.open("owner", "/", {
    stub: (page) =>
      page.route(/\/api\/v1\/clusters/, (route) =>
        route.fulfill({ status: 503, json: problem(503, "The state is being moved.") }),
      ),
  });
  here.allow(/503/);
  await here.page.getByText("The state is being moved.").waitFor({ timeout: 30_000 });
  await here.page.getByRole("button", { name: "Try again" }).waitFor();
});

it("tells a viewer whom to ask for what the role does not include", async () => {
  const { page } = await visits.open("viewer", "/", {
    stub: (page) => page.route(/\/api\/v1\/clusters/, (route) => route.fulfill({ json: { items: [] } })),
  });
  await page.getByText("Your role does not include it. Ask an owner or admin.").first().waitFor();
  expect(await page.getByRole("main").getByRole("link", { name: "Add a cluster" }).count()).toBe(0);
});
