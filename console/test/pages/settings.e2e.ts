import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

it("tries a pipeline on lines, saves it and deletes it with a way back", async () => {
  const here = await visits.open("owner", "/settings?tab=pipelines");
  const { page } = here;
  const name = `p-${Date.now()}`;
  await page.getByRole("button", { name: "New pipeline" }).click();
  const form = page.getByRole("form", { name: "Pipeline" });
  await form.getByLabel("Name *", { exact: true }).fill(name);
  await form.getByRole("button", { name: "Run on these lines" }).click();
  await form.getByText("hide-emails: changed").waitFor();
  await checkPage(here);
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: new RegExp(name) }).waitFor();
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("heading", { name: new RegExp(name) }).waitFor({ state: "detached" });
  await checkPage(here);
});

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

it("puts the fault of a retention that is too long where it belongs", async () => {
  const here = await visits.open("owner", "/settings?tab=retention", { viewport: narrow });
  const form = here.page.getByRole("form", { name: "Retention" });
  await form.getByLabel("logs, days").fill("99999");
  here.allow(/400/);
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").first().waitFor();
  await checkPage({ ...here, faults: [] });
});

it("shows what is empty and why something failed", async () => {
  const here = await visits.open("owner", "/settings?tab=forwarders", {
    stub: (page) => page.route("**/api/v1/forwarders*", (route) => route.fulfill({ json: { items: [] } })),
  });
  await here.page.getByRole("heading", { name: "No forwarder yet" }).waitFor();
  const failed = await visits.open("owner", "/settings?tab=pipelines", {
    stub: (page) =>
      page.route("**/api/v1/pipelines", (route) => route.fulfill({ status: 400, json: problem(400, "No.") })),
  });
  failed.allow(/400/);
  await failed.page.getByText("No.").waitFor({ timeout: 20_000 });
});

it("shows queries that have ended with what they cost", async () => {
  const here = await visits.open("owner", "/queries?tab=done");
  expect(await here.call("GET", "/prometheus/api/v1/query?query=up")).toBe(200);
  await here.page.getByRole("table", { name: "Queries" }).waitFor({ timeout: 20_000 });
  await checkPage(here);
  await here.page.getByRole("tab", { name: "Background" }).click();
  await here.page.getByText("Prefer: respond-async").waitFor();
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
});
