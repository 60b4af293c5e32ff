import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { it } from "vitest";
import { hrefOf, navPages } from "../src/nav";
import { narrow, wide } from "./browser";
import { newVisits, settled } from "./pages/page";

/**
 * Pictures of every page of the registry at both widths and in both themes, for a person to look at: `make screenshots`. They go to
 * the folder SCREENSHOTS, data/screenshots unless given.
 */

const folder = process.env.SCREENSHOTS ?? join(import.meta.dirname, "../../data/screenshots");
const visits = newVisits();

// Plots and late lists; nothing tells that the last of them has been drawn.
const drawnMs = 1500;

it("takes pictures", async () => {
  mkdirSync(folder, { recursive: true });
  for (const row of navPages) {
    const path = row.example ?? hrefOf(row);
    const name =
      hrefOf(row)
        .replace(/^\//, "")
        .replace(/[^\w]+/g, "-") || "home";
    const { page, allow } = await visits.open(row.audience === "operator" ? "operator" : "owner", path);
    allow(/./);
    for (const viewport of [wide, narrow]) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await settled(page).catch(() => undefined);
        await page.waitForTimeout(drawnMs);
        await page.screenshot({ path: join(folder, `${name}-${viewport.width}-${colorScheme}.png`) });
      }
    }
  }
  process.stdout.write(`screenshots: ${folder}\n`);
});
