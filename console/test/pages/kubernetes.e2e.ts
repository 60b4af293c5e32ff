import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

/** rowOf opens the first row of a table that names something. */
const rowOf = (page: Page, table: string, name: string | RegExp) =>
  page.getByRole("table", { name: table, exact: true }).getByRole("row", { name }).first();

const chartDrawn = (page: Page) => page.locator("main .uplot canvas").first().waitFor();

it("leads from the fleet over a cluster, a namespace and a workload to a pod", async () => {
  const here = await visits.open("owner", "/kubernetes");
  const { page } = here;
  const demo = rowOf(page, "Clusters", /^demo/);
  await demo.getByText(/cores$/).waitFor();
  await checkPage(here);

  await demo.click();
  await page.waitForURL("**/kubernetes/demo*");
  await page.getByText("Nodes", { exact: true }).first().waitFor();
  await chartDrawn(page);
  await rowOf(page, "Nodes", /^worker-/).waitFor();
  await checkPage(here);

  await rowOf(page, "Namespaces", /^shop/).click();
  await page.waitForURL("**/kubernetes/namespaces/demo/shop*");
  await rowOf(page, "Pods", /^cart-redis-0/).waitFor();
  await checkPage(here);

  await rowOf(page, "Workloads", /^cart-redis/).click();
  await page.waitForURL("**/kubernetes/workloads/demo/shop/StatefulSet/cart-redis*");
  await page.getByRole("heading", { name: "Right-sizing" }).waitFor();
  await checkPage(here);

  await rowOf(page, "Pods", /^cart-redis-0/).click();
  await page.waitForURL("**/kubernetes/pods/demo/shop/cart-redis-0*");
  await page.getByRole("list", { name: "Lines" }).getByRole("listitem").first().waitFor();
  await chartDrawn(page);
  await checkPage(here);
  await page.getByRole("link", { name: "shop", exact: true }).click();
  await page.waitForURL("**/kubernetes/namespaces/demo/shop*");
});

it("shows a node with its pods, and what Kubernetes warns of", async () => {
  const here = await visits.open("owner", "/kubernetes?tab=nodes");
  const { page } = here;
  await rowOf(page, "Nodes", /^worker-/).click();
  await page.waitForURL("**/kubernetes/nodes/demo/worker-*");
  await page.getByText("v1.33.4").waitFor();
  await rowOf(page, "Pods", /^node-exporter-/).waitFor();
  await chartDrawn(page);
  await checkPage(here);

  // The demo's search-canary has an image that cannot be pulled.
  await page.goto("/kubernetes?tab=pods&q=search-canary");
  const canary = rowOf(page, "Pods", /^search-canary-/);
  await canary.getByText("ImagePullBackOff").waitFor();
  await canary.click();
  await page.waitForURL("**/kubernetes/pods/demo/shop/search-canary-*");
  await page.getByRole("heading", { name: "Warning events" }).waitFor();
  await page
    .getByText(/Back-?off|Failed/i)
    .first()
    .waitFor();
});

it("leads on to lines, events, alerts and a dashboard of the object, at phones' width too", async () => {
  const here = await visits.open("owner", "/kubernetes/namespaces/demo/payments", { viewport: narrow });
  const { page } = here;
  await page.getByRole("heading", { name: "payments", level: 1 }).waitFor();
  const links = page.getByRole("main").getByRole("link");
  const href = async (name: string) =>
    decodeURIComponent((await links.filter({ hasText: name }).first().getAttribute("href")) ?? "").replaceAll(
      "+",
      " ",
    );
  expect(await href("Logs")).toContain('{cluster="demo",namespace="payments"}');
  expect(await href("Events")).toContain("namespace=payments");
  expect(await href("Alerts")).toContain("q=namespace=payments");
  expect(await href("Dashboard")).toContain("/dashboards/namespaces?var-cluster=demo&var-namespace=payments");
  await rowOf(page, "Workloads", /^ledger/).waitFor();
  await checkPage(here);
});

it("narrows a list by name, and keeps it in the URL", async () => {
  const here = await visits.open("viewer", "/kubernetes?tab=workloads");
  const { page } = here;
  await rowOf(page, "Workloads", /^frontend/).waitFor();
  await page.getByLabel("Filter workloads").fill("ledger");
  await page.waitForURL(/q=ledger/);
  await rowOf(page, "Workloads", /^ledger/).waitFor();
  await rowOf(page, "Workloads", /^frontend/).waitFor({ state: "detached" });
  // Nothing on these pages writes; a viewer sees all of it.
  expect(
    await page
      .getByRole("main")
      .getByRole("button", { name: /new|delete|edit/i })
      .count(),
  ).toBe(0);
  await page.getByRole("tab", { name: "Pods" }).click();
  await page.waitForURL((url) => !url.searchParams.has("q"));
});

it("says what to send when there is nothing, and why it failed", async () => {
  const nothing = { status: "success", data: { resultType: "vector", result: [] } };
  const empty = await visits.open("owner", "/kubernetes?tab=namespaces", {
    viewport: narrow,
    stub: answers(/\/prometheus\/api\/v1\/query\?/, nothing),
  });
  await empty.page.getByRole("heading", { name: "No namespaces in this range" }).waitFor();
  await checkPage(empty);
  await empty.page.getByRole("link", { name: "Add an agent to a cluster" }).click();
  await empty.page.waitForURL(/\/clusters/);

  const failed = await visits.open("owner", "/kubernetes", {
    stub: fails(/\/prometheus\/api\/v1\/query\?/, "The store is being moved."),
  });
  failed.allow(/422/);
  await failed.page.getByText("The store is being moved.").first().waitFor();

  const gone = await visits.open("owner", "/kubernetes/pods/demo/shop/never-was");
  await gone.page.getByText(/does not list it at the end of this range/).waitFor();
  await gone.page.getByText("No lines in this range").waitFor();
});

it("tells somebody whose role does not include metrics", async () => {
  const here = await visits.open("viewer", "/kubernetes", {
    stub: fails(/\/prometheus\/api\/v1\/query\?/, "Your role includes no metrics.", 403),
  });
  here.allow(/403/);
  await here.page.getByRole("heading", { name: "Not allowed" }).waitFor();
});
