import { describe, expect, it } from "vitest";
import { hrefOf, navPages } from "../../src/nav";
import { narrow, wide } from "../browser";
import { checkPage, newVisits, settled } from "./page";

const visits = newVisits();

const rows = navPages.map((row) => ({ label: row.label, path: row.example ?? hrefOf(row), row }));

describe.each(rows)("$label ($path)", ({ path, row }) => {
  it("stands at both widths and in both themes", async () => {
    expect(path, "a path with parameters needs an example in the registry").not.toMatch(/\/:/);
    const here = await visits.open(row.audience === "operator" ? "operator" : "owner", path);
    const { page } = here;
    for (const viewport of [wide, narrow]) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await settled(page);
        await checkPage(here);
      }
    }
  });
});
