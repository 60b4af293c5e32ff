import { beforeAll, expect, inject, it, vi } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

const group = "apps";
const deployment = (replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "checkout", namespace: "shop" },
  spec: { replicas },
});

/** record is an audit record of a request that ended some seconds ago. */
function record(ago: number, user: string, verb: string, object: object, code: number, more: object = {}) {
  const at = new Date(Date.now() - ago * 1000).toISOString();
  return {
    level: "Metadata",
    auditID: `${user}-${verb}-${ago}`,
    stage: "ResponseComplete",
    requestURI: "/api",
    verb,
    user: { username: user },
    sourceIPs: ["10.1.2.3"],
    userAgent: "kubectl/v1.33",
    objectRef: object,
    responseStatus: { code },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
    ...more,
  };
}

beforeAll(async () => {
  const token = inject("ingestToken");
  const checkout = { resource: "deployments", apiGroup: group, namespace: "shop", name: "checkout" };
  const body = (replicas: number) => ({ level: "RequestResponse", responseObject: deployment(replicas) });
  const items = [
    record(300, "jane", "patch", checkout, 200, body(3)),
    record(200, "jane", "patch", checkout, 200, body(5)),
    record(100, "mallory", "get", { resource: "secrets", namespace: "shop", name: "db" }, 403),
    record(90, "reporter", "list", { resource: "pods" }, 200),
  ];
  const response = await fetch(`${inject("server")}/api/v1/push/audit`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items }),
  });
  expect(response.status).toBe(200);
  await vi.waitFor(
    async () => {
      const found = await fetch(`${inject("server")}/api/v1/audit?user=reporter`, {
        headers: { Authorization: `Bearer ${inject("queryToken")}` },
      });
      expect(((await found.json()) as { items: unknown[] }).items.length).toBeGreaterThan(0);
    },
    { timeout: 30_000, interval: 200 },
  );
});

it("tells who did what, and what a write changed", async () => {
  const here = await visits.open("owner", "/audit?user=jane");
  const { page } = here;
  await page
    .getByRole("row", { name: /jane patch/ })
    .first()
    .click();
  const details = page.getByRole("dialog");
  await details.getByText(".spec.replicas").waitFor();
  expect(await details.locator('[data-side="before"]').first().textContent()).toBe("3");
  expect(await details.locator('[data-side="after"]').first().textContent()).toBe("5");
  await checkPage(here);
});

it("narrows to denied requests, counts clients and lists LISTs", async () => {
  const here = await visits.open("owner", "/audit");
  const { page } = here;
  await page.getByRole("button", { name: "Denied" }).click();
  await page.waitForURL(/class=denied/);
  await page
    .getByRole("row", { name: /mallory get/ })
    .first()
    .waitFor();
  await page.getByRole("row", { name: /jane/ }).first().waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "Top clients" }).click();
  await page
    .getByRole("table", { name: "Clients" })
    .getByRole("row", { name: /mallory/ })
    .first()
    .click();
  await page.waitForURL(/user=mallory/);
  await page.getByRole("list", { name: "Filters" }).getByText("mallory").waitFor();
  await checkPage(here);
  await page.goto("/audit?tab=lists");
  await page
    .getByRole("table", { name: "LISTs" })
    .getByRole("row", { name: /reporter/ })
    .first()
    .waitFor();
});

it("says what to do when there are none, and why when it failed", async () => {
  const empty = await visits.open("owner", "/audit", {
    viewport: narrow,
    stub: (page) =>
      page.route(/\/api\/v1\/audit\?/, (route) => route.fulfill({ json: { items: [], truncated: false } })),
  });
  await empty.page.getByRole("link", { name: "Set up the audit webhook" }).waitFor();
  await checkPage(empty);
  const failed = await visits.open("owner", "/audit", {
    stub: (page) =>
      page.route(/\/api\/v1\/audit\?/, (route) =>
        route.fulfill({ status: 422, json: problem(422, "This is refused by a test.") }),
      ),
  });
  failed.allow(/422/);
  await failed.page.getByText("This is refused by a test.").waitFor();
});

it("says what a role does not include", async () => {
  const here = await visits.open("viewer", "/audit", {
    stub: (page) =>
      page.route(/\/api\/v1\/audit/, (route) =>
        route.fulfill({ status: 403, json: problem(403, "Your role includes no audit records.") }),
      ),
  });
  here.allow(/403/);
  await here.page.getByText("Not allowed").first().waitFor();
  expect(await here.call("POST", "/api/v1/push/audit", {})).toBeGreaterThanOrEqual(401);
});
