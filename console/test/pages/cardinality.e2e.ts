import { expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();
const counts = /\/api\/v1\/cardinality\?/;

it("counts series by metric, label, value and cluster, and leads to them", async () => {
  const here = await visits.open("owner", "/cardinality");
  const { page } = here;
  const table = page.getByRole("table", { name: "Series" });
  await table.getByRole("link", { name: "container_memory_working_set_bytes" }).waitFor();
  await checkPage(here);

  await page.getByRole("tab", { name: "Labels" }).click();
  await table.getByRole("link", { name: "pod", exact: true }).waitFor();
  await page.getByRole("tab", { name: "Values" }).click();
  await table
    .getByRole("link", { name: /^job="/ })
    .first()
    .waitFor();
  await page.getByRole("tab", { name: "Clusters" }).click();
  await table.getByRole("link", { name: "demo" }).waitFor();
  await page.getByLabel("Period").selectOption("7d");
  await page.getByLabel("Order").selectOption("growth");
  await page.waitForURL(/by=clusters.*period=7d.*order=growth|period=7d.*order=growth.*by=clusters/);
  await checkPage(here);

  await table.getByRole("link", { name: "demo" }).click();
  await page.waitForURL(/\/metrics\?/);
  await page.getByRole("table", { name: "Values" }).getByRole("row").nth(1).waitFor();
});

it("says what helps against a label that names single things", async () => {
  const many = {
    name: "user_id",
    values: 40_000,
    series: 50_000,
    preceding_series: 0,
    growth: 50_000,
    churn: 0,
  };
  const total = {
    series: 60_000,
    preceding_series: 60_000,
    growth: 0,
    growth_ratio: 0,
    new: 0,
    gone: 0,
    churn: 0,
  };
  const here = await visits.open("owner", "/cardinality", {
    viewport: narrow,
    stub: answers(counts, { total, items: [{ ...many, growth_ratio: null, new: 0, gone: 0 }], entries: 1 }),
  });
  await here.page.getByText(/The label user_id has 40,000 values/).waitFor();
  await checkPage(here);
});

it("says what to do when nothing was counted, and why it failed", async () => {
  const total = { series: 0, preceding_series: 0, growth: 0, growth_ratio: null, new: 0, gone: 0, churn: 0 };
  const empty = await visits.open("owner", "/cardinality", {
    viewport: narrow,
    stub: answers(counts, { total, items: [], entries: 0 }),
  });
  await empty.page.getByRole("heading", { name: "No series in this period" }).waitFor();
  await checkPage(empty);
  await empty.page.getByRole("link", { name: "To the clusters" }).click();
  await empty.page.waitForURL(/\/clusters/);

  const failed = await visits.open("owner", "/cardinality", {
    stub: fails(counts, "Counting takes too long."),
  });
  failed.allow(/422/);
  await failed.page.getByText("Counting takes too long.").waitFor();
});

it("shows a viewer the same, and refuses somebody without metrics", async () => {
  const viewer = await visits.open("viewer", "/cardinality");
  await viewer.page.getByRole("table", { name: "Series" }).getByRole("link").first().waitFor();
  expect(
    await viewer.page
      .getByRole("main")
      .getByRole("button", { name: /drop|delete|new/i })
      .count(),
  ).toBe(0);
  // What helps against too many series is a pipeline, which is not a viewer's to make.
  expect(await viewer.call("PUT", "/api/v1/pipelines", { pipelines: [] })).toBe(403);
  const refused = await visits.open("viewer", "/cardinality", {
    stub: fails(counts, "Your role includes no metrics.", 403),
  });
  refused.allow(/403/);
  await refused.page.getByRole("heading", { name: "Not allowed" }).waitFor();
});
