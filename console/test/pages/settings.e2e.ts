import { expect, it } from "vitest";
import { narrow } from "../browser";
import { write } from "../steps";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

it("shows the change log, a record's digests and the proof", async () => {
  const here = await visits.open("owner", "/settings?tab=changes&action=session.create");
  const { page } = here;
  await page.getByRole("row").nth(1).click();
  const details = page.getByRole("dialog", { name: "session.create" });
  await details
    .getByText(/^sha256:/)
    .first()
    .waitFor();
  await details.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText(/each fits the one before/).waitFor();
  await checkPage(here);
});

it("tells in what a change differs, and no secret", async () => {
  const here = await visits.open("owner", "/settings?tab=changes&action=forwarder.update");
  const { page } = here;
  const name = `changed-${Date.now()}`;
  const forwarder = (filter: string, secret: string) => ({
    filter,
    paused: true,
    target: {
      webhook: { url: "https://logs.example.com/", headers: { Authorization: { value: secret } } },
    },
  });
  for (const [filter, secret] of [
    ['{app="a"}', "hunter1"],
    ['{app="b"}', "hunter2"],
  ] as const) {
    expect(await here.call("PUT", `/api/v1/forwarders/${name}`, forwarder(filter, secret))).toBe(200);
  }
  await page.reload();
  const row = page.getByRole("row").filter({ hasText: name });
  await row.first().getByText("filter, target.webhook.headers.Authorization").waitFor();
  await row.first().click();
  const changed = page.getByRole("region", { name: "What changed" });
  await changed
    .getByRole("row", { name: /^\.filter/ })
    .getByText('{app="a"}')
    .waitFor();
  await changed
    .getByRole("row", { name: /^\.filter/ })
    .getByText('{app="b"}')
    .waitFor();
  expect(await page.getByText(/hunter/).count()).toBe(0);
  await checkPage(here);
  expect(await here.call("DELETE", `/api/v1/forwarders/${name}`)).toBe(204);
});

it("shows a change at a phone's width, and says why one tells nothing", async () => {
  const here = await visits.open("owner", "/settings?tab=changes&action=retention.update", {
    viewport: narrow,
  });
  const { page } = here;
  const change = { signals: { events: 28 }, streams: [] };
  expect(await here.call("PUT", "/api/v1/retention", change)).toBe(200);
  expect(await here.call("PUT", "/api/v1/retention", { signals: {}, streams: [] })).toBe(200);
  expect(await here.call("PUT", "/api/v1/retention", { signals: { events: 99_999 }, streams: [] })).toBe(400);
  await page.reload();
  const changed = page.getByRole("region", { name: "What changed" });
  await page.getByRole("row").nth(1).click();
  await changed.getByText("Nothing: it was refused.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("row").nth(2).click();
  await changed.getByText("28", { exact: true }).waitFor();
  await checkPage(here);
});

it("puts the fault of a retention that is too long where it belongs", async () => {
  const here = await visits.open("owner", "/settings?tab=retention", { viewport: narrow });
  const form = here.page.getByRole("form", { name: "Retention" });
  await form.getByLabel("logs, days").fill("99999");
  here.allow(/400/);
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").first().waitFor();
  await checkPage({ ...here, faults: [] });
});

it("says what to do where there is nothing", async () => {
  const here = await visits.open("owner", "/settings?tab=forwarders", {
    stub: async (page) => {
      await answers("**/api/v1/forwarders*", { items: [] })(page);
      await answers("**/api/v1/saved-queries*", { items: [] })(page);
      await answers("**/api/v1/pipelines", { revision: 0, pipelines: [] })(page);
    },
  });
  const { page } = here;
  await page.getByRole("heading", { name: "No forwarder yet" }).waitFor();
  await page.getByRole("tab", { name: "Saved queries" }).click();
  await page.getByRole("heading", { name: "No saved query yet" }).waitFor();
  await page.getByRole("tab", { name: "Pipelines" }).click();
  await page.getByRole("heading", { name: "No pipeline yet" }).waitFor();
  await checkPage(here);
  await page.getByRole("tab", { name: "Change log" }).click();
  const action = page.getByLabel("What", { exact: true });
  await action.pressSequentially("no.such.action");
  await page.getByRole("heading", { name: "No record fits" }).waitFor();
  // As quick as this, no letter is lost between the input and the address.
  expect(await action.inputValue()).toBe("no.such.action");
  await page.waitForURL(/action=no\.such\.action$/);
});

it.each([
  { tab: "tenant", path: "**/api/v1/tenant/exports*" },
  { tab: "retention", path: "**/api/v1/retention" },
  { tab: "pipelines", path: "**/api/v1/pipelines" },
  { tab: "forwarders", path: "**/api/v1/forwarders*" },
  { tab: "saved", path: "**/api/v1/saved-queries*" },
  { tab: "changes", path: "**/api/v1/changes*" },
])("says why $tab cannot be shown", async ({ tab, path }) => {
  const here = await visits.open("owner", `/settings?tab=${tab}`, { stub: fails(path, "It is away.") });
  here.allow(/422/);
  await here.page.getByText("It is away.").first().waitFor();
});

it("keeps data for as long as is said, and no longer by default", async () => {
  const here = await visits.open("owner", "/settings?tab=retention");
  const { page } = here;
  const form = page.getByRole("form", { name: "Retention" });
  const asked = page.getByRole("table", { name: "Retention" }).getByRole("row", { name: /^events 29 d/ });
  await form.getByLabel("events, days").fill("29");
  await form.getByRole("button", { name: "Save" }).click();
  await asked.waitFor();
  await checkPage(here);
  await form.getByLabel("events, days").fill("");
  await form.getByRole("button", { name: "Save" }).click();
  await asked.waitFor({ state: "detached" });
});

it("makes a forwarder, and deletes it by its name", async () => {
  const here = await visits.open("owner", "/settings?tab=forwarders");
  const { page } = here;
  const name = `f-${Date.now()}`;
  await page.getByRole("button", { name: "New forwarder" }).click();
  const form = page.getByRole("form", { name: "Forwarder" });
  await form.getByLabel("Name *", { exact: true }).fill(name);
  await write(page, "Filter", '{namespace="nowhere"}');
  await form.getByLabel("Goes to").selectOption({ label: "Webhook" });
  await form.getByLabel("Address *", { exact: true }).fill("https://logs.example.com/");
  await form.getByLabel("Paused").check();
  await checkPage(here);
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name }).waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const confirm = page.getByRole("dialog", { name: "Delete the forwarder" });
  await confirm.getByRole("textbox").fill(name);
  await confirm.getByRole("button", { name: "Delete" }).click();
  await page.getByText(`Deleted ${name}.`).waitFor();
  await page.getByRole("heading", { name }).waitFor({ state: "detached" });
});

it("lists saved queries, runs one and deletes one with a way back", async () => {
  const name = `saved-${Date.now()}`;
  const here = await visits.open("owner", "/settings?tab=saved");
  const spec = { name, language: "logql", query: '{namespace="shop"}', visibility: "tenant" };
  expect(await here.call("POST", "/api/v1/saved-queries", spec)).toBe(201);
  const { page } = here;
  await page.reload();
  const row = page.getByRole("row").filter({ hasText: name });
  await row.getByRole("button", { name: "Delete" }).click();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.waitFor();
  await checkPage(here);
  await row.getByRole("link", { name }).click();
  await page.waitForURL(/\/logs\?q=.*shop/);
  await page.goBack();
  await row.getByRole("button", { name: "Delete" }).click();
  const deleted = page.waitForResponse((response) => response.request().method() === "DELETE");
  // Leaving the page is the end of the way back.
  await page.getByRole("tab", { name: "Retention" }).click();
  expect((await deleted).status()).toBe(204);
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/settings?tab=retention");
  const save = here.page.getByRole("form", { name: "Retention" }).getByRole("button", { name: "Save" });
  await save.waitFor();
  expect(await save.getAttribute("aria-disabled")).toBe("true");
  await here.page.getByRole("tab", { name: "Change log" }).click();
  await here.page.getByRole("heading", { name: "Not allowed" }).waitFor();
  expect(await here.call("PUT", "/api/v1/retention", { signals: {}, streams: [] })).toBe(403);
  expect(await here.call("PUT", "/api/v1/pipelines", { revision: 0, pipelines: [] })).toBe(403);
  expect(await here.call("GET", "/api/v1/changes")).toBe(403);
  expect(await here.call("PUT", "/api/v1/forwarders/mine", {})).toBe(403);
  expect(await here.call("POST", "/api/v1/tenant/exports")).toBe(403);
});
