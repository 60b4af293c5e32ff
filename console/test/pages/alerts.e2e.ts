import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

/** A rule that fires at once on the demo's data: every target that is scraped is up. */
const expr = "sum by (cluster, namespace) (up) > 0";

/** firing puts one alert in place of those that there are. */
const labels = { alertname: "Stub", cluster: "demo", namespace: "shop", pod: "cart-0", severity: "critical" };
const firing = (page: Page) =>
  Promise.all([
    page.route("**/alertmanager/api/v2/alerts", (route) => route.fulfill({ json: [] })),
    page.route("**/prometheus/api/v1/rules*", (route) =>
      route.fulfill({
        json: {
          status: "success",
          data: {
            groups: [
              {
                name: "stub",
                file: "console",
                interval: 60,
                lastEvaluation: new Date().toISOString(),
                evaluationTime: 0.01,
                rules: [
                  {
                    name: "Stub",
                    query: expr,
                    type: "alerting",
                    health: "ok",
                    state: "firing",
                    lastEvaluation: new Date().toISOString(),
                    evaluationTime: 0.01,
                    alerts: [
                      {
                        labels,
                        annotations: { summary: "The cart fails" },
                        state: "firing",
                        activeAt: new Date(Date.now() - 600_000).toISOString(),
                        value: "3e+00",
                      },
                    ],
                  },
                ],
              },
            ],
          },
        },
      }),
    ),
  ]);

it("lists what fires, opens an alert and silences it in two clicks", async () => {
  const here = await visits.open("owner", "/alerts", { stub: firing });
  const { page } = here;
  await page.getByRole("button", { name: "The cart fails" }).click();
  const drawer = page.getByRole("dialog", { name: "Stub" });
  await drawer.getByText("Suspects: what changed around its start").waitFor();
  await drawer.getByRole("link", { name: "open the pod" }).waitFor();
  expect(await drawer.getByRole("link", { name: "open the pod" }).getAttribute("href")).toMatch(
    /^\/kubernetes\/pods\/demo\/shop\/cart-0/,
  );
  expect(new URL(page.url()).searchParams.get("alert")).toBeTruthy();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Silence Stub" }).click();
  await page.getByRole("menuitem", { name: "For 1h" }).click();
  await page.getByText("Stub is silenced for 1h.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await checkPage(here);
});

it("says what to do when nothing fires, and why it failed", async () => {
  const empty = await visits.open("owner", "/alerts", {
    viewport: narrow,
    stub: (page) =>
      Promise.all([
        page.route("**/alertmanager/api/v2/alerts", (route) => route.fulfill({ json: [] })),
        page.route("**/prometheus/api/v1/rules*", (route) =>
          route.fulfill({ json: { status: "success", data: { groups: [] } } }),
        ),
      ]),
  });
  await empty.page.getByRole("heading", { name: "Nothing fires" }).waitFor();
  await empty.page.getByRole("link", { name: "New rule" }).waitFor();
  const failing = await visits.open("owner", "/alerts/rules", {
    stub: (page) =>
      page.route("**/api/v1/alerting/groups*", (route) =>
        route.fulfill({ status: 422, json: problem(422, "The rules are away.") }),
      ),
  });
  failing.allow(/422/);
  await failing.page.getByText("The rules are away.").waitFor();
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/alerts/rules");
  await here.page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: "Receivers" })
    .waitFor();
  expect(await here.page.getByRole("link", { name: "New rule" }).count()).toBe(0);
  const group = { name: "no", rules: [{ record: "no:no", expr: "1" }] };
  expect(await here.call("PUT", "/api/v1/alerting/groups/console/no", { group })).toBe(403);
  expect(await here.call("POST", "/alertmanager/api/v2/silences", {})).toBe(403);
  expect(await here.call("POST", "/api/v1/alerts", { alertmanager_config: "" })).toBe(403);
});

it("makes a rule with a dry run and a backtest, and deletes it, by keyboard alone", async () => {
  const name = `Keys${Date.now().toString(36)}`;
  const here = await visits.open("owner", `/alerts/rules/new?expr=${encodeURIComponent(expr)}`);
  const { page } = here;
  const form = page.getByRole("form", { name: "Rule" });
  await page.getByText("firing").or(page.getByText("pending")).first().waitFor({ timeout: 30_000 });
  await form.getByLabel("Name *").focus();
  await page.keyboard.type(name);
  await page.getByRole("button", { name: "Run", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/^Would (not )?have fired/).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Save rule" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/alerts/rules/console/${name}`);
  const tab = page.getByRole("tab", { name: "Rules" });
  await tab.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByLabel("Group as YAML").getByText("alert").first().waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: "Delete group" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(`Deleted group ${name}.`).waitFor();
  expect(await here.call("GET", `/api/v1/alerting/groups/console/${name}`)).toBe(404);
});

it("underlines what is wrong in an expression", async () => {
  const here = await visits.open("owner", "/alerts/rules/new?expr=sum(up");
  await here.page
    .getByText(/unclosed left parenthesis/)
    .first()
    .waitFor();
  await here.page.locator(".cm-lintRange-error").first().waitFor();
});

it("adds a receiver, tries it on a webhook, and routes to it", async () => {
  const bodies: string[] = [];
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk) => {
      body += chunk;
    });
    req.on("end", () => {
      bodies.push(body);
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const name = `hook-${Date.now().toString(36)}`;
  const here = await visits.open("owner", "/alerts/receivers");
  const { page } = here;
  await page.getByRole("button", { name: "Add a receiver" }).first().click();
  const form = page.getByRole("form", { name: "Receiver" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Add a service").selectOption({ label: "Webhook" });
  await form.getByLabel("Address").fill(`http://127.0.0.1:${port}/`);
  await form.getByRole("button", { name: "Send a test" }).click();
  // The form has the word in its hints, too: what the webhook got is what counts first.
  await expect.poll(() => bodies.join("\n"), { timeout: 20_000 }).toContain("SeamarkTest");
  await form.getByText("sent").first().waitFor();
  await form.getByRole("button", { name: "Save receiver" }).click();
  await form.waitFor({ state: "detached" });
  await page.getByRole("button", { name: `Send a test to ${name}` }).waitFor();
  await page.getByRole("tab", { name: "Routing" }).click();
  await page.getByRole("button", { name: "Add a route below everything else" }).click();
  const route = page.getByRole("form", { name: "Route" });
  await route.getByLabel("Label 1").fill("team");
  await route.getByLabel("Value 1").fill(name);
  await route.getByLabel("Go to").selectOption({ label: name });
  await route.getByRole("button", { name: "Save route" }).click();
  await route.waitFor({ state: "detached" });
  await page.getByText(`team="${name}"`).waitFor();
  await checkPage(here);
  await page.goto(`/alerts/notifications?receiver=${name}`);
  await page.getByRole("table", { name: "Attempts" }).getByText("sent").first().waitFor();
  server.close();
});

it("deletes a receiver with a way back", async () => {
  const here = await visits.open("owner", "/");
  const { page } = here;
  const config = { route: { receiver: "stays" }, receivers: [{ name: "stays" }, { name: "goes" }] };
  const body = { template_files: {}, alertmanager_config: JSON.stringify(config) };
  expect(await here.call("POST", "/api/v1/alerts", body)).toBe(201);
  await page.goto("/alerts/receivers");
  const remove = page.getByRole("button", { name: "Delete goes" });
  await remove.click();
  await page.getByText("Deleted receiver goes.").waitFor();
  await remove.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await remove.click();
  // The time for Undo passes, and the server is told.
  await page.getByText("Deleted receiver goes.").waitFor({ state: "detached", timeout: 20_000 });
  const test = () => here.call("POST", "/api/v1/alerting/receivers/goes/test", {});
  await expect.poll(test, { timeout: 10_000 }).toBe(404);
  await page.getByRole("button", { name: "Send a test to stays" }).waitFor();
});

it("switches a pack on and off again, and shows a runbook", async () => {
  const here = await visits.open("owner", "/alerts/packs");
  const { page } = here;
  const control = page.getByRole("switch", { name: "CoreDNS pack" });
  await control.click();
  await page.getByText("CoreDNS is on.").waitFor();
  await control.click();
  await page.getByText("CoreDNS is off; its alerts end.").waitFor();
  await page.getByRole("button", { name: "Alerts and parameters of CoreDNS" }).click();
  await page
    .getByRole("button", { name: /^Runbook of / })
    .first()
    .click();
  await page.getByRole("dialog", { name: /^Runbook: / }).waitFor();
  await checkPage(here);
});

it("previews a detector with its band", async () => {
  const here = await visits.open("owner", "/alerts/detectors/new");
  const { page } = here;
  await page.getByLabel("Expression").fill("sum by (namespace) (up)");
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByText(/^Would have raised/).waitFor({ timeout: 30_000 });
  await checkPage(here);
});

it("makes a silence and ends it", async () => {
  const here = await visits.open("owner", "/alerts/silences");
  const { page } = here;
  const value = `t-${Date.now().toString(36)}`;
  await page.getByRole("button", { name: "New silence" }).first().click();
  const form = page.getByRole("form", { name: "Silence" });
  await form.getByLabel("Label 1").fill("team");
  await form.getByLabel("Value 1").fill(value);
  await form.getByRole("button", { name: "4h" }).click();
  await form.getByLabel("Comment").fill("Planned work");
  await form.getByText("It covers none of the alerts of now").waitFor();
  await form.getByRole("button", { name: "Silence", exact: true }).click();
  await form.waitFor({ state: "detached" });
  await page.getByText(`team="${value}"`).waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: `Expire team="${value}"` }).click();
  await page.getByText("The silence is over.").waitFor();
});
