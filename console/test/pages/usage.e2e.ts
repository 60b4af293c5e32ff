import { expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

it("shows limits with what is used of them, and usage over time", async () => {
  const here = await visits.open("owner", "/usage");
  const { page } = here;
  await page.getByRole("meter", { name: "Active series" }).first().waitFor();
  await page.getByText("How the forecast is made").waitFor();
  await checkPage(here);
  await page.getByRole("tab", { name: "Over time" }).click();
  await page.getByRole("table", { name: "Sums" }).getByText("logs", { exact: true }).waitFor();
  await page.getByLabel("Figure").selectOption({ label: "Rows sent" });
  await page.waitForURL((url) => url.searchParams.get("figure") === "rows");
  expect(await page.getByRole("link", { name: "CSV" }).getAttribute("href")).toContain("format=csv");
  await checkPage(here);
});

const drop = {
  reason: "seamark-line-bytes",
  advice: "Cut long lines in the agent.",
  first: "2026-11-01T00:00:00Z",
  last: "2026-11-01T00:00:10Z",
  requests: 2,
  rows: 7,
  bytes: 4000,
  statuses: [400],
  clusters: ["demo"],
  tokens: ["k1"],
  protocols: ["loki"],
  signals: ["logs"],
  detail: "A line has 400000 bytes; at most 262144 are taken.",
  samples: [
    {
      time: "2026-11-01T00:00:00Z",
      cluster: "demo",
      token: "k1",
      protocol: "loki",
      signal: "logs",
      status: 400,
      detail: "Too long.",
      sample: "xxxx",
    },
  ],
};

it("answers where the logs are: why they were refused, a sample and what to do", async () => {
  const here = await visits.open("owner", "/usage?tab=drops", {
    viewport: narrow,
    stub: (page) =>
      page.route("**/api/v1/drops*", (route) => route.fulfill({ json: { items: [drop], truncated: false } })),
  });
  await here.page.getByText("seamark-line-bytes").click();
  const details = here.page.getByRole("dialog", { name: "seamark-line-bytes" });
  await details.getByText("Cut long lines in the agent.").waitFor();
  await details.getByText("xxxx").waitFor();
  await checkPage(here);
});

it("sets a budget and deletes it with a way back", async () => {
  const here = await visits.open("owner", "/usage?tab=budgets");
  const { page } = here;
  await page.getByRole("button", { name: "New budget" }).click();
  const form = page.getByRole("form", { name: "Budget" });
  await form.getByLabel("Signal").selectOption("logs");
  await form.getByLabel("GiB a month").fill("12");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText(/of 12 GiB/).waitFor();
  await page.getByRole("button", { name: "Delete the budget of Logs" }).click();
  await page.getByRole("heading", { name: "No budget yet" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText(/of 12 GiB/).waitFor();
  await checkPage(here);
  expect(await here.call("PUT", "/api/v1/usage/budgets", { budgets: [] })).toBe(200);
});

it("tells who asks the most of the store", async () => {
  const here = await visits.open("owner", "/usage?tab=queries");
  const { page } = here;
  await page
    .getByRole("table", { name: "Use by queries" })
    .or(page.getByText("No queries were counted"))
    .waitFor();
  await page.getByLabel("Grouped").selectOption({ label: "By rule" });
  await page.waitForURL(/queries=rule/);
  await checkPage(here);
});

it("says what it means that there is nothing", async () => {
  const here = await visits.open("owner", "/usage?tab=drops", {
    stub: async (page) => {
      await answers("**/api/v1/drops*", { items: [], truncated: false })(page);
      await answers("**/api/v1/usage/queries?*", { items: [] })(page);
    },
  });
  const { page } = here;
  await page.getByRole("heading", { name: "Nothing was refused" }).waitFor();
  await checkPage(here);
  await page.getByRole("tab", { name: "Queries" }).click();
  await page.getByRole("heading", { name: "No queries were counted" }).waitFor();
});

it.each([
  { tab: "limits", path: "**/api/v1/quotas" },
  { tab: "drops", path: "**/api/v1/drops*" },
  { tab: "time", path: "**/api/v1/usage?*" },
  { tab: "queries", path: "**/api/v1/usage/queries?*" },
  { tab: "budgets", path: "**/api/v1/usage/budgets" },
  { tab: "stored", path: "**/api/v1/retention" },
])("says why $tab cannot be shown", async ({ tab, path }) => {
  const here = await visits.open("owner", `/usage?tab=${tab}`, { stub: fails(path, "It is away.") });
  here.allow(/422/);
  await here.page.getByText("It is away.").first().waitFor();
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/usage?tab=budgets");
  const create = here.page.getByRole("button", { name: "New budget" });
  await create.waitFor();
  expect(await create.getAttribute("aria-disabled")).toBe("true");
  expect(await create.getAttribute("title")).toContain("changing budgets");
  expect(await here.call("PUT", "/api/v1/usage/budgets", { budgets: [] })).toBe(403);
});
