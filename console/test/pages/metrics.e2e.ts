import { describe, expect, it } from "vitest";
import { narrow } from "../browser";
import { plotDrawn, write } from "../steps";
import { checkPage, fails, newVisits } from "./page";

const visits = newVisits();

describe("metrics", () => {
  it("draws several queries together, and keeps them in the URL", async () => {
    const here = await visits.open("owner", "/metrics");
    const { page } = here;
    await (await write(page, "PromQL query", "sum by (namespace) (up)")).press("Control+Enter");
    await plotDrawn(page);
    await page.getByRole("button", { name: "Query", exact: true }).click();
    await (await write(page, "PromQL query B", "count(up)")).press("Control+Enter");
    await page.getByRole("region", { name: "Series" }).getByText('query="B"').waitFor();
    expect(new URL(page.url()).searchParams.getAll("q")).toEqual(["sum by (namespace) (up)", "count(up)"]);
    await page.keyboard.press("Escape"); // what the editor offers to complete
    await page.getByRole("button", { name: "Explain" }).click();
    await page
      .getByText(/Reads at most/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Table" }).click();
    await page.getByRole("table", { name: "Values" }).waitFor();
    await checkPage(here);
  });

  it("offers metrics to begin with, and says when there are none", async () => {
    const here = await visits.open("owner", "/metrics", {
      viewport: narrow,
      stub: (page) =>
        page.route(/label\/__name__\/values/, (route) =>
          route.fulfill({ json: { status: "success", data: [] } }),
        ),
    });
    await here.page.getByText("No metrics here").waitFor();
    await checkPage(here);
  });

  it("shows what is wrong with a query", async () => {
    const here = await visits.open("owner", "/metrics?q=sum(foo+bar)");
    here.allow(/400/);
    await here.page
      .getByText(/parse error/)
      .first()
      .waitFor();
    await checkPage(here);
  });

  it("says why a query failed, and asks again", async () => {
    const here = await visits.open("owner", "/metrics?q=up", {
      stub: fails("**/prometheus/api/v1/query_range*", "The store is away."),
    });
    const { page } = here;
    here.allow(/422/);
    await page.getByText("The store is away.").waitFor();
    await checkPage({ ...here, faults: [] });
    await page.unroute("**/prometheus/api/v1/query_range*");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await plotDrawn(page);
  });

  it("lets a viewer read but not make alerts", async () => {
    const here = await visits.open("viewer", "/metrics?q=up");
    const { page } = here;
    await page.getByRole("button", { name: "What to do with query A" }).click();
    const alert = page.getByRole("menuitem", { name: "Make an alert" });
    expect(await alert.getAttribute("aria-disabled")).toBe("true");
    expect(
      await here.call("POST", "/api/v1/saved-queries", {
        name: "shared by a viewer",
        language: "promql",
        query: "up",
        visibility: "tenant",
      }),
    ).toBe(403);
  });
});
