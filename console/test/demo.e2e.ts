import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, shoot, type Visit, visit, wide } from "./browser";
import { barsDrawn, eventRows, logRows, open, plotDrawn, runQuery, signIn } from "./steps";

/**
 * The console against a running server with data:
 *
 *   SEAMARK_URL       its address, such as http://127.0.0.1:8080
 *   SEAMARK_LOGIN     a member of a tenant that has logs, metrics and events of the last hour
 *   SEAMARK_PASSWORD  the password
 *   SEAMARK_QUERY     PromQL that has data; up unless given
 */
function setting(name: string, fallback?: string): string {
  const value = process.env[name] || fallback;
  if (value === undefined)
    throw new Error(`${name} is not set; it tells the demo test where and as whom to look`);
  return value;
}

let browser: Browser;
let here: Visit;

beforeAll(async () => {
  const origin = new URL(setting("SEAMARK_URL")).origin;
  browser = await launch();
  here = await visit(browser, { origin, viewport: wide });
});

afterAll(async () => {
  await browser?.close();
});

/** timed runs a step and prints how long a person would have waited. */
async function timed(what: string, step: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await step();
  process.stdout.write(`${what.padEnd(34)}${(performance.now() - start).toFixed(0).padStart(7)} ms\n`);
}

it("shows logs, metrics and events of a running server", async () => {
  const { page, faults } = here;
  await timed("sign in, until the clusters show", async () => {
    await signIn(page, setting("SEAMARK_LOGIN"), setting("SEAMARK_PASSWORD"));
    await page.locator("[data-freshness]").first().waitFor();
  });
  await shoot(page, "demo-clusters");
  await timed("logs, until lines and bars show", async () => {
    await open(page, "Logs");
    await logRows(page).first().waitFor();
    await barsDrawn(page);
  });
  expect(await logRows(page).count()).toBeGreaterThan(0);
  await shoot(page, "demo-logs");
  await timed("one line opened", async () => {
    await logRows(page).first().locator("time").click();
    await page.getByRole("button", { name: "Copy line", exact: true }).waitFor();
  });
  await timed("lines through a parser that not all fit", async () => {
    await runQuery(page, "LogQL", '{namespace=~".+"} | json');
    await page.waitForResponse((r) => r.url().includes("count_over_time") && r.ok());
    await barsDrawn(page);
  });
  await timed("metric names", async () => {
    await open(page, "Metrics");
    await page.getByPlaceholder(/^Find among [1-9]/).waitFor();
  });
  await timed("a metric, until its lines show", async () => {
    await runQuery(page, "PromQL", setting("SEAMARK_QUERY", "up"));
    await plotDrawn(page);
  });
  await shoot(page, "demo-metrics");
  await timed("events", async () => {
    await open(page, "Events");
    await eventRows(page).first().waitFor();
  });
  await shoot(page, "demo-events");
  await timed("audit records, one that was refused", async () => {
    await open(page, "Audit");
    await page.getByRole("button", { name: "Denied" }).click();
    await page
      .getByRole("row", { name: /forbid|403/ })
      .first()
      .waitFor();
  });
  await shoot(page, "demo-audit");
  await timed("the same page loaded anew", async () => {
    await open(page, "Events");
    await page.reload();
    await eventRows(page).first().waitFor();
  });
  expect(faults).toEqual([]);
});
