import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

it("creates a tenant, suspends it by name and resumes it", async () => {
  const here = await visits.open("operator", "/tenants");
  const { page } = here;
  const slug = `t-${Date.now()}`;
  await page.getByRole("button", { name: "New tenant" }).click();
  const form = page.getByRole("form", { name: "Tenant" });
  await form.getByLabel("Short name").fill(slug);
  await form.getByRole("button", { name: "Create tenant" }).click();
  await page.getByRole("button", { name: "Suspend" }).click();
  const confirm = page.getByRole("dialog", { name: "Suspend the tenant" });
  expect(await confirm.getByRole("button", { name: "Suspend" }).isDisabled()).toBe(true);
  await confirm.getByRole("textbox").fill(slug);
  await confirm.getByRole("button", { name: "Suspend" }).click();
  await page.getByText("suspended", { exact: true }).waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("active", { exact: true }).waitFor();
});

it("makes a plan and deletes it with a way back", async () => {
  const here = await visits.open("operator", "/plans");
  const { page } = here;
  const name = `plan-${Date.now()}`;
  await page.getByRole("button", { name: "New plan" }).click();
  const dialog = page.getByRole("dialog", { name: "New plan" });
  await dialog.getByLabel("Name *", { exact: true }).fill(name);
  await dialog.getByLabel("Title").fill("For tests");
  await dialog.getByLabel("Active series").fill("1000");
  await checkPage(here);
  await dialog.getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("row").filter({ hasText: name });
  await row.getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.waitFor();
  expect(await here.call("DELETE", `/api/v1/plans/${name}`)).toBe(204);
});

it("shows the installation: nodes that answer, and the meter beside the store", async () => {
  const here = await visits.open("operator", "/operator", { viewport: narrow, colorScheme: "dark" });
  await here.page.getByText("Query nodes that answer").waitFor();
  await here.page.getByRole("table", { name: "Meter and store" }).waitFor();
  await checkPage(here);
});

it("says what to do without tenants, and why it failed", async () => {
  const empty = await visits.open("operator", "/tenants", {
    stub: (page) => page.route("**/api/v1/tenants?*", (route) => route.fulfill({ json: { items: [] } })),
  });
  await empty.page.getByRole("heading", { name: "No tenant yet" }).waitFor();
  const failed = await visits.open("operator", "/plans", {
    stub: (page) =>
      page.route("**/api/v1/plans*", (route) => route.fulfill({ status: 400, json: problem(400, "No.") })),
  });
  failed.allow(/400/);
  await failed.page.getByText("No.").waitFor({ timeout: 20_000 });
});

it("is for operators alone", async () => {
  const here = await visits.open("viewer", "/tenants");
  await here.page.getByText("Only operators of the platform see this.").waitFor();
  expect(await here.call("GET", "/api/v1/tenants")).toBe(403);
  expect(await here.call("POST", "/api/v1/tenants", { slug: "mine" })).toBe(403);
  expect(await here.call("PUT", "/api/v1/plans/mine", { title: "x", quota: {} })).toBe(403);
});
