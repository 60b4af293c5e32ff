import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { hrefOf, navPages } from "../src/nav";
import { narrow, wide } from "./browser";
import { newVisits, settled } from "./pages/page";
import { dress } from "./scenery";

/**
 * Pictures of every page of the registry at both widths and in both themes, for a person to look at: `make screenshots`. They go to
 * the folder SCREENSHOTS, data/screenshots unless given; PICTURES takes only pages whose name has that word.
 */

const folder = process.env.SCREENSHOTS ?? join(import.meta.dirname, "../../data/screenshots");
const only = process.env.PICTURES ?? "";
const visits = newVisits();

// Plots and late lists; nothing tells that the last of them has been drawn.
const drawnMs = 1200;
// A picture shows what is below the window's edge too, up to where nobody scrolls at a first look.
const tallest = 2600;

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly role: "owner" | "operator";
}

const nameOf = (path: string) => path.replace(/^\//, "").replace(/[^\w]+/g, "-") || "home";

const registered = navPages.map(
  (row): Picture => ({
    name: nameOf(hrefOf(row)),
    path: row.example ?? hrefOf(row),
    role: row.audience === "operator" ? "operator" : "owner",
  }),
);

const served = "sum by (service) (rate(http_requests_total[5m]))";
const failed = 'sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))';

/** What the registry's examples leave out: tabs, and pages of pages. */
const further: readonly Picture[] = [
  { name: "kubernetes-clusters", path: "/kubernetes" },
  { name: "kubernetes-cluster", path: "/kubernetes/demo" },
  { name: "kubernetes-namespace", path: "/kubernetes/namespaces/demo/shop" },
  { name: "kubernetes-pod", path: "/kubernetes/pods/demo/shop/cart-redis-0" },
  { name: "kubernetes-pods", path: "/kubernetes?tab=pods" },
  { name: "dashboards-apiserver", path: "/dashboards/apiserver" },
  { name: "dashboards-services", path: "/dashboards/services" },
  { name: "dashboards-new", path: "/dashboards/new" },
  {
    name: "metrics-several",
    path: `/metrics?q=${encodeURIComponent(served)}&q=${encodeURIComponent(failed)}`,
  },
  {
    name: "logs-errors",
    path: `/logs?q=${encodeURIComponent('{namespace="payments"} |~ "(?i)exhausted|error"')}`,
  },
  { name: "alerts-rule", path: "/alerts/rules/new?expr=sum+by+(namespace)+(up)+%3E+0" },
  { name: "alerts-group", path: "/alerts/rules/shop/checkout" },
  { name: "alerts-routing", path: "/alerts/receivers?tab=routes" },
  { name: "alerts-detector", path: "/alerts/detectors/new" },
].map((one) => ({ ...one, role: "owner" }));

/** grow makes the window as tall as what scrolls in it. */
async function grow(page: Page, viewport: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(viewport);
  await settled(page);
  await page.waitForTimeout(drawnMs);
  const more = await page.locator("main").evaluate((main) => main.scrollHeight - main.clientHeight);
  if (more <= 0) return;
  await page.setViewportSize({ ...viewport, height: Math.min(viewport.height + more, tallest) });
  await settled(page);
  await page.waitForTimeout(drawnMs);
}

let undress: (() => void) | undefined;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  undress = await dress();
}, 120_000);

afterAll(() => {
  undress?.();
  process.stdout.write(`screenshots: ${folder}\n`);
});

it.each([...registered, ...further].filter(({ name }) => name.includes(only)))(
  "takes pictures of $name",
  async ({ name, path, role }) => {
    const { page } = await visits.open(role, path);
    for (const viewport of [wide, narrow]) {
      await page.emulateMedia({ colorScheme: "light" });
      // Some of a page is laid out for the width with which it was opened.
      await page.setViewportSize(viewport);
      await page.goto(path);
      await grow(page, viewport);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(drawnMs / 4);
        await page.screenshot({ path: join(folder, `${name}-${viewport.width}-${colorScheme}.png`) });
      }
    }
  },
);
