import { expect, it } from "vitest";
import type { Health } from "../../src/data/health";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

it("creates a tenant, suspends it by name and resumes it", async () => {
  const here = await visits.open("operator", "/tenants");
  const { page } = here;
  const slug = `t-${Date.now()}`;
  await page.getByRole("button", { name: "New tenant" }).click();
  const form = page.getByRole("form", { name: "Tenant" });
  await form.getByLabel("Short name").fill(slug);
  await form.getByLabel("ClickHouse shard").fill("99");
  here.allow(/400/);
  await form.getByRole("button", { name: "Create tenant" }).click();
  await form
    .getByRole("alert")
    .getByText(/shard is 99/)
    .first()
    .waitFor();
  await form.getByLabel("ClickHouse shard").fill("");
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

it("shows how the installation does, asks again, and opens what a process found of itself", async () => {
  const here = await visits.open("operator", "/operator");
  const { page } = here;
  const processes = page.getByRole("table", { name: "Processes" });
  // The server and its process for queries; both found out about themselves.
  await processes.getByRole("row").filter({ hasText: "ingest, writer" }).getByText("ready").waitFor();
  await processes.getByRole("row").filter({ hasText: "querier, alerting" }).getByText("ready").waitFor();
  await page.getByText("32 of 32").waitFor();
  const store = page.locator("section", { has: page.getByRole("heading", { name: "ClickHouse shard 1" }) });
  await store.getByText("ok", { exact: true }).waitFor();
  await store.getByRole("meter", { name: "Memory" }).waitFor();
  const queue = page.getByRole("table", { name: "Queue", exact: true });
  await queue.getByRole("row").filter({ hasText: "logs.0" }).waitFor();
  expect(await queue.getByText("none", { exact: true }).count()).toBe(0);
  await page.getByRole("table", { name: "Meter and store" }).waitFor();
  await checkPage(here);
  const again = page.waitForResponse("**/api/v1/operator/health");
  await page.getByRole("button", { name: "Refresh" }).click();
  expect((await again).status()).toBe(200);
  await processes.getByRole("row").filter({ hasText: "ingest, writer" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("list", { name: "Checks of the process" }).getByText("it is ready").waitFor();
  await checkPage(here);
});

it("says what to do about each problem, with its runbook", async () => {
  const silent = { level: "failure", check: "process", node: "b", runbook: "SeamarkDown" };
  const problems = [
    { ...silent, message: "b (writer) does not answer", advice: "See whether it runs." },
    { level: "warning", check: "dead-letters", message: "3 messages are set aside", advice: "List them." },
  ];
  const here = await visits.open("operator", "/operator", {
    viewport: narrow,
    colorScheme: "dark",
    stub: (page) =>
      page.route("**/api/v1/operator/health", async (route) => {
        const health: Health = await (await route.fetch()).json();
        const shards = health.queue.shards.map(({ writer: _, ...shard }) => shard);
        const json = { ...health, level: "failure", problems, queue: { ...health.queue, shards } };
        await route.fulfill({ json });
      }),
  });
  const { page } = here;
  await page.getByText("1 failure, 1 warning").waitFor();
  const shown = page.getByRole("list", { name: "Problems" });
  await shown.getByText("See whether it runs.").waitFor();
  await page.getByRole("table", { name: "Queue", exact: true }).getByText("none").first().waitFor();
  await checkPage(here);
  await shown.getByRole("button", { name: "Runbook" }).click();
  const runbook = page.getByRole("dialog", { name: "Runbook: SeamarkDown" });
  await runbook.getByRole("heading", { name: "What to do" }).waitFor();
  await checkPage(here);
});

it("gives a tenant a plan with a way back, limits of its own, and an owner", async () => {
  const slug = `t-${Date.now()}`;
  const here = await visits.open("operator", "/tenants");
  expect(await here.call("POST", "/api/v1/tenants", { slug })).toBe(201);
  expect(
    await here.call("PUT", `/api/v1/plans/${slug}`, { title: slug, quota: { active_series: 1000 } }),
  ).toBe(200);
  const { page } = here;
  await page.goto(`/tenants/${slug}`);
  await page.getByLabel("Plan", { exact: true }).selectOption({ label: slug });
  await page.getByText(`The tenant has the plan ${slug}.`).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => page.getByLabel("Plan", { exact: true }).inputValue()).toBe("");
  await checkPage(here);
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("form", { name: "Invitation" }).getByRole("button", { name: "Invite" }).click();
  await page.getByText(/\/invitation#/).waitFor();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("tab", { name: "Quota" }).click();
  await page.getByLabel("Active series").fill("2000");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. Every ingest node follows within seconds.").waitFor();
  expect(await here.call("DELETE", `/api/v1/plans/${slug}`)).toBe(204);
});

it("says what to do where there is nothing", async () => {
  const here = await visits.open("operator", "/tenants", {
    stub: async (page) => {
      await answers("**/api/v1/tenants?*", { items: [] })(page);
      await answers("**/api/v1/plans*", { items: [] })(page);
    },
  });
  const { page } = here;
  await page.getByRole("heading", { name: "No tenant yet" }).waitFor();
  await page.goto("/plans");
  await page.getByRole("heading", { name: "No plan yet" }).waitFor();
  await page.goto("/tenants/nobody");
  await page.getByRole("heading", { name: "No such tenant" }).waitFor();
  await checkPage(here);
});

it.each([
  { path: "/tenants", of: "**/api/v1/tenants?*" },
  { path: "/tenants/demo", of: "**/api/v1/tenants/*/quotas" },
  { path: "/plans", of: "**/api/v1/plans*" },
  { path: "/operator", of: "**/api/v1/operator/health" },
  { path: "/operator", of: "**/api/v1/operator/usage/reconciliation*" },
  { path: "/operator?tab=usage", of: "**/api/v1/operator/usage?*" },
  { path: "/operator?tab=queries", of: "**/api/v1/operator/queries*" },
])("says why $path cannot be shown", async ({ path, of }) => {
  const here = await visits.open("operator", path, { stub: fails(of, "It is away.") });
  here.allow(/422/);
  await here.page.getByText("It is away.").first().waitFor();
});

it("is for operators alone", async () => {
  const here = await visits.open("viewer", "/tenants");
  const { page } = here;
  for (const path of ["/tenants", "/tenants/demo", "/plans", "/operator"]) {
    await page.goto(path);
    await page.getByText("Only operators of the platform see this.").waitFor();
  }
  await checkPage(here);
  expect(await here.call("GET", "/api/v1/tenants")).toBe(403);
  expect(await here.call("POST", "/api/v1/tenants", { slug: "mine" })).toBe(403);
  expect(await here.call("PUT", "/api/v1/plans/mine", { title: "x", quota: {} })).toBe(403);
  expect(await page.getByRole("link", { name: "Installation" }).count()).toBe(0);
  expect(await here.call("GET", "/api/v1/operator/health")).toBe(403);
  expect(await here.call("GET", "/api/v1/operator/usage")).toBe(403);
  expect(await here.call("GET", "/api/v1/operator/queries")).toBe(403);
});
