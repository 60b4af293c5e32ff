import type { Page, Request, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { narrow } from "../browser";
import { barsDrawn, drag, histogram, logRows, plotDrawn, runQuery } from "../steps";
import { checkPage, newVisits, problem, settled } from "./page";

const visits = newVisits();

const list = (page: Page) => page.getByRole("tree", { name: /Log lines/ });
const queryOf = (page: Page) => new URL(page.url()).searchParams.get("q");
const isLines = (request: Request) =>
  request.url().includes("/loki/api/v1/query_range?") && !request.url().includes("count_over_time");

/** stubLines answers queries for lines, and lets the histogram's and the fields' through. */
const stubLines = (answer: (route: Route) => Promise<unknown>) => (page: Page) =>
  page.route("**/loki/api/v1/query_range?*", (route) =>
    isLines(route.request()) ? answer(route) : route.fallback(),
  );

describe("lines", () => {
  it("are shown with their histogram, open to all that is known, and narrow the query", async () => {
    const here = await visits.open("owner", "/logs");
    const { page } = here;
    await logRows(page).first().waitFor();
    await barsDrawn(page);
    await page.getByText(/^500 loaded, older on scroll · .* · .* rows · /).waitFor();
    await runQuery(page, "LogQL", '{app="frontend"} |= "request completed"');
    await page.locator('[data-stale="false"] mark', { hasText: "request completed" }).first().waitFor();
    await logRows(page).first().locator("time").click();
    await page.getByRole("link", { name: "Trace", exact: true }).waitFor();
    expect(await page.getByRole("link", { name: "Pod", exact: true }).getAttribute("href")).toMatch(
      /^\/kubernetes\/pods\/[\w-]+\/shop\/frontend-/,
    );
    await settled(page);
    await checkPage(here);
    await page.getByRole("button", { name: "Only namespace shop" }).first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/namespace%3D/);
    expect(queryOf(page)).toBe('{app="frontend", namespace="shop"} |= "request completed"');
  });

  it("have columns, an order and line breaks that the address keeps", async () => {
    const { page } = await visits.open("owner", "/logs?last=15m");
    await page.getByRole("button", { name: "Column for namespace" }).first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Newest first" }).click();
    await page.getByRole("button", { name: "Wrap" }).click();
    await page.waitForURL(/wrap=1/);
    const { searchParams } = new URL(page.url());
    expect([searchParams.get("columns"), searchParams.get("order")]).toEqual(["namespace", "oldest"]);
    await page.reload();
    await page.getByRole("tree", { name: "Log lines, oldest first" }).waitFor();
    const times = await logRows(page).locator("time").allTextContents();
    expect([...times].sort()).toEqual(times);
    await page.locator('[title^="namespace: "]').first().waitFor();
  });

  it("are zoomed into by a drag over the histogram", async () => {
    const { page } = await visits.open("owner", "/logs");
    await barsDrawn(page);
    await drag(page, histogram(page), 0.4, 0.6);
    await page.waitForURL(/from=.*&to=/);
    await logRows(page).first().waitFor();
  });

  it("are shown again by a link to one of them", async () => {
    const { page } = await visits.open("owner", "/logs?q=%7Bapp%3D%22frontend%22%7D");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await logRows(page).nth(4).locator("time").click();
    await page.getByRole("button", { name: "Copy link to this line" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const text = await logRows(page).nth(4).locator("pre, ul").first().textContent();
    await page.goto(new URL(link).pathname + new URL(link).search);
    const opened = page.locator('[role="treeitem"][aria-expanded="true"]');
    await opened.waitFor();
    expect(await opened.locator("pre, ul").first().textContent()).toBe(text);
  });

  it("stay open when they are asked for again, and give the keyboard back when they are out of view", async () => {
    const { page } = await visits.open("owner", "/logs?q=%7Bapp%3D%22frontend%22%7D");
    await logRows(page).nth(3).locator("time").click();
    const opened = page.locator('[role="treeitem"][aria-expanded="true"]');
    const text = await opened.locator("pre, ul").first().textContent();
    const answered = page.waitForResponse((response) => isLines(response.request()));
    await page.getByRole("button", { name: "Refresh", exact: true }).click();
    await answered;
    await page
      .locator('section[data-stale="false"]')
      .getByText(/loaded/)
      .waitFor();
    expect(await opened.locator("pre, ul").first().textContent()).toBe(text);
    await opened.getByRole("button", { name: "Context", exact: true }).focus();
    await list(page).evaluate((element) => element.scrollTo({ top: 5000 }));
    await opened.waitFor({ state: "detached" });
    await list(page).and(page.locator(":focus")).waitFor();
  });

  it("have a context in their stream and in their pod", async () => {
    const here = await visits.open("owner", "/logs?q=%7Bapp%3D%22frontend%22%7D");
    const { page } = here;
    await logRows(page).nth(15).locator("time").click();
    await page.getByRole("button", { name: "Context", exact: true }).click();
    const around = page.getByRole("list", { name: "Lines around" });
    await around.locator('[aria-current="true"]').waitFor();
    expect(await around.getByRole("listitem").count()).toBeGreaterThan(20);
    await checkPage(here);
    await page.getByRole("button", { name: "Whole pod" }).click();
    await around.locator('[aria-current="true"]').waitFor();
    await page.keyboard.press("Escape");
    await around.waitFor({ state: "detached" });
  });
});

describe("levels", () => {
  it("are all in sight on phones, and narrow the lines", async () => {
    const all = ["critical", "error", "warn", "info", "debug", "trace", "unknown"];
    const here = await visits.open("owner", `/logs?level=${all.join(",")}`, { viewport: narrow });
    const { page } = here;
    const buttons = page.getByRole("group", { name: "Levels" }).getByRole("button");
    await buttons.last().waitFor();
    await barsDrawn(page);
    expect(await buttons.count()).toBe(all.length + 1);
    for (const button of await buttons.all()) {
      const { x, width } = (await button.boundingBox()) ?? { x: -1, width: 0 };
      expect(x).toBeGreaterThan(0);
      expect(x + width).toBeLessThan(narrow.width);
    }
    await checkPage(here);
    await page.getByRole("button", { name: "All levels" }).click();
    await page.waitForURL((url) => !url.searchParams.has("level"));
    await page.getByRole("button", { name: /^error/ }).click();
    await page.waitForURL((url) => url.searchParams.get("level") === "error");
  });
});

describe("fields", () => {
  it("narrow the query by their values, and leave values out", async () => {
    const { page } = await visits.open("owner", "/logs?last=15m");
    await page.keyboard.press("f");
    await page.getByLabel("Filter fields").fill("namesp");
    await page.getByRole("button", { name: /^namespace \d/ }).click();
    await page.getByRole("button", { name: "Only namespace shop" }).first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/shop/);
    expect(queryOf(page)).toBe('{cluster=~".+", namespace="shop"}');
    await page.getByLabel("Filter fields").fill("res_statusCode");
    await page.getByRole("button", { name: /^res_statusCode/ }).click();
    await page.getByRole("button", { name: "Without res_statusCode 200" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/res_statusCode/);
    expect(queryOf(page)).toBe('{cluster=~".+", namespace="shop"} | json | res_statusCode!="200"');
  });

  it("are in a drawer on phones", async () => {
    const here = await visits.open("owner", "/logs", { viewport: narrow, colorScheme: "dark" });
    const { page } = here;
    await logRows(page).first().waitFor();
    await page.getByRole("button", { name: "Fields" }).click();
    await page
      .getByRole("dialog", { name: "Fields" })
      .getByRole("button", { name: /^namespace \d/ })
      .waitFor();
    await settled(page);
    await checkPage(here);
  });
});

describe("the query", () => {
  it("goes between text and builder, and says what the builder cannot show", async () => {
    const here = await visits.open("owner", "/logs?last=15m");
    const { page } = here;
    await runQuery(page, "LogQL", '{namespace="shop"} |= "GET" | json');
    await page.getByRole("button", { name: "Query builder" }).click();
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await page.getByRole("menuitem", { name: "Line does not contain" }).click();
    await page.getByLabel("Text", { exact: true }).last().fill("healthz");
    await settled(page);
    await checkPage(here);
    await page.getByRole("button", { name: "Run" }).click();
    await page.waitForURL(/healthz/);
    expect(queryOf(page)).toBe('{namespace="shop"} |= "GET" | json != "healthz"');
    await page.getByRole("button", { name: "Write as text" }).click();
    await runQuery(page, "LogQL", 'sum by (namespace) (rate({cluster=~".+"}[1m]))');
    await plotDrawn(page);
    await page.getByRole("button", { name: "Query builder" }).click();
    await page.getByText(/computes numbers/).waitFor();
  });

  it("is underlined where it is wrong", async () => {
    const here = await visits.open("owner", "/logs");
    here.allow(/400/);
    const { page } = here;
    await runQuery(page, "LogQL", '{namespace="shop"} | json | = 3');
    await page
      .getByText(/parse error at 1:\d+/)
      .first()
      .waitFor();
    await page.locator(".cm-lintRange-error").waitFor();
  });

  it("is saved, found again, and deleted with a way back", async () => {
    const here = await visits.open("owner", "/logs?q=%7Bnamespace%3D%22shop%22%7D");
    const { page } = here;
    const name = `logs test ${Date.now()}`;
    await page.getByRole("button", { name: "Save this query" }).click();
    await page.getByRole("textbox", { name: /^Name/ }).fill(name);
    await page.getByLabel("For everybody in the tenant").check();
    const saved = page.waitForResponse((response) => response.request().method() === "POST");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText(`Saved "${name}"`).waitFor();
    const { id } = (await (await saved).json()) as { id: string };
    await page.goto("/logs");
    await page.getByRole("button", { name: "Saved queries" }).click();
    await page.getByText(name).click();
    await page.waitForURL(/shop/);
    await page.getByRole("button", { name: "Saved queries" }).click();
    await page.getByRole("button", { name: `Delete ${name}` }).click();
    await page.getByText(`Deleted "${name}"`).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("button", { name: `Delete ${name}` }).click();
    // Leaving the page is the end of the way back.
    await page.goto("/logs");
    await expect.poll(() => here.call("GET", `/api/v1/saved-queries/${id}`)).toBe(404);
  });

  it("can be cancelled while it runs", async () => {
    const held: Route[] = [];
    const here = await visits.open("owner", "/logs", {
      stub: stubLines(async (route) => void held.push(route)),
    });
    const { page } = here;
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("The query was ended before it was answered.").waitFor();
    await page.getByRole("button", { name: "Run again" }).waitFor();
  });
});

describe("patterns", () => {
  it("are listed with their trend and narrow the query", async () => {
    const here = await visits.open("owner", "/logs?view=patterns");
    const { page } = here;
    await page.getByText(/patterns of .* lines/).waitFor();
    await settled(page);
    await checkPage(here);
    for (const sort of ["New", "Vanished", "Spiking", "Top"]) {
      const answered = page.waitForResponse(/logs\/patterns\?.*/);
      await page.getByRole("button", { name: sort, exact: true }).click();
      if (sort !== "Top") expect((await answered).status()).toBe(200);
      else answered.catch(() => undefined);
    }
    await page.getByRole("button", { name: "Only this pattern" }).first().click();
    await page.waitForURL(/%7C%3E/);
    await logRows(page).first().waitFor();
  });

  it("have the width of a phone for themselves", async () => {
    const here = await visits.open("owner", "/logs?view=patterns", { viewport: narrow });
    const { page } = here;
    const panel = page.getByRole("region", { name: "Patterns" });
    const pattern = panel.getByTitle("Only lines of this pattern").first();
    await pattern.waitFor();
    expect((await pattern.boundingBox())?.width).toBeGreaterThan(narrow.width - 50);
    await settled(page);
    await checkPage(here);
    await panel.getByRole("button", { name: "Only this pattern" }).first().click();
    await page.waitForURL(/%7C%3E/);
  });
});

describe("the live view", () => {
  it("shows what arrives, holds it back while paused, and tells what was dropped", async () => {
    let push: (line: string, dropped?: number) => void = () => undefined;
    let opened = 0;
    const here = await visits.open("owner", "/logs", {
      stub: (page) =>
        page.routeWebSocket("**/loki/api/v1/tail?*", (socket) => {
          opened++;
          let ns = BigInt(Date.now()) * 1_000_000n;
          push = (line, dropped = 0) => {
            ns += 1n;
            const streams = [
              { stream: { app: "shop", detected_level: "warn" }, values: [[String(ns), line]] },
            ];
            socket.send(JSON.stringify({ streams, dropped_entries: new Array(dropped).fill({}) }));
          };
        }),
    });
    const { page } = here;
    await logRows(page).first().waitFor();
    await page.keyboard.press("l");
    await page.getByText("Waiting for lines").waitFor();
    await expect.poll(() => opened).toBeGreaterThan(0);
    push("the first");
    await logRows(page).filter({ hasText: "the first" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    push("the second", 3);
    await page.getByText("1 new lines wait").waitFor();
    await page.getByText("3 dropped").waitFor();
    expect(await logRows(page).count()).toBe(1);
    await checkPage(here);
    await page.getByRole("button", { name: "Resume" }).click();
    await logRows(page).filter({ hasText: "the second" }).waitFor();
    await page.keyboard.press("l");
    await page.getByText(/loaded/).waitFor();
  });

  it("comes from the server", async () => {
    const { page } = await visits.open("owner", "/logs?live=1");
    await page.getByText("Live", { exact: true }).last().waitFor();
    await logRows(page).first().waitFor();
  });
});

describe("by keyboard alone", () => {
  it("a person finds a line, opens it, narrows to its label and comes back", async () => {
    const { page } = await visits.open("owner", "/logs");
    await logRows(page).first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("request completed");
    await page.keyboard.press("Enter");
    await page.locator('[data-stale="false"] mark', { hasText: "request completed" }).first().waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    expect(await list(page).getAttribute("aria-activedescendant")).toBe("line-0");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copy line", exact: true }).waitFor();
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Context");
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "Lines around" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("list", { name: "Lines around" }).waitFor({ state: "detached" });
    await page.keyboard.press("f");
    await page.keyboard.type("namespace");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const fields = page.getByRole("region", { name: "Fields", exact: true });
    await fields.locator('button[aria-expanded="true"]', { hasText: /^namespace/ }).waitFor();
    await fields.getByRole("button", { name: "Only namespace shop" }).first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/namespace%3D/);
    await page.goBack();
    await page.waitForURL((url) => !url.search.includes("namespace"));
  });
});

describe("when something is in the way", () => {
  const nothing = { status: "success", data: { resultType: "streams", result: [] } };

  it("says what would show more", async () => {
    const here = await visits.open("owner", "/logs?q=%7Bapp%3D%22nobody%22%7D");
    const { page } = here;
    await page.getByText("No lines here").waitFor();
    await page.getByRole("button", { name: "Show all lines" }).waitFor();
    await checkPage(here);
    await page.getByRole("button", { name: "Look at the last 6h" }).click();
    await page.waitForURL(/last=6h/);
  });

  it("leads a new tenant to its first cluster", async () => {
    const { page } = await visits.open("owner", "/logs", {
      stub: stubLines((route) => route.fulfill({ json: nothing })),
    });
    expect(await page.getByRole("link", { name: "Add a cluster" }).getAttribute("href")).toBe(
      "/clusters/new",
    );
  });

  it("names the limit of a refused query, and runs it in the background", async () => {
    const job = {
      id: "01K9",
      state: "running",
      language: "logql",
      query: "{}",
      path: "/loki/api/v1/query_range",
      actor: "demo",
      created_at: new Date().toISOString(),
      progress: 0.4,
      rows: 10,
      bytes: 2048,
      cpu_seconds: 0.1,
    };
    let asked = 0;
    const ns = `${Date.now()}000000`;
    const result = [{ stream: { app: "shop" }, values: [[ns, "found in the background"]] }];
    const here = await visits.open("owner", "/logs", {
      stub: async (page) => {
        await stubLines((route) =>
          route.request().headers().prefer === "respond-async"
            ? route.fulfill({ status: 202, json: job })
            : route.fulfill({
                status: 422,
                contentType: "text/plain",
                body: "The query would read 9 GiB; query_max_bytes is 1 GiB. Narrow the time to 7 minutes.",
              }),
        )(page);
        await page.route("**/api/v1/query-jobs/01K9", (route) => {
          asked++;
          return route.fulfill({ json: asked < 2 ? job : { ...job, state: "done", progress: 1 } });
        });
        await page.route("**/api/v1/query-jobs/01K9/result", (route) =>
          route.fulfill({ json: { status: "success", data: { resultType: "streams", result } } }),
        );
      },
    });
    here.allow(/422/);
    const { page } = here;
    await page.getByText(/query_max_bytes is 1 GiB/).waitFor();
    await page.getByRole("button", { name: "Run in the background" }).click();
    await page.getByRole("progressbar", { name: "Progress" }).waitFor();
    await logRows(page).filter({ hasText: "found in the background" }).waitFor();
  });

  it("shows why it failed, and tries again", async () => {
    let failing = true;
    const here = await visits.open("owner", "/logs", {
      stub: stubLines((route) =>
        failing ? route.fulfill({ status: 503, json: problem(503, "The store is away.") }) : route.fallback(),
      ),
    });
    here.allow(/503/);
    const { page } = here;
    await page.getByText("The store is away.").waitFor({ timeout: 20_000 });
    failing = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await logRows(page).first().waitFor();
  });

  it("says that a role does not include logs", async () => {
    const here = await visits.open("owner", "/logs", {
      stub: stubLines((route) =>
        route.fulfill({ status: 403, json: problem(403, "Your role does not include logs.") }),
      ),
    });
    here.allow(/403/);
    await here.page.getByText("Not allowed").waitFor();
  });

  it("lets a viewer look, keep private queries, and change nothing of the tenant's", async () => {
    const here = await visits.open("viewer", "/logs?q=%7Bnamespace%3D%22shop%22%7D");
    const { page } = here;
    await logRows(page).first().waitFor();
    expect(await page.getByRole("link", { name: "Make an alert of this query" }).count()).toBe(0);
    await page.getByRole("button", { name: "Save this query" }).click();
    expect(await page.getByLabel("For everybody in the tenant").isDisabled()).toBe(true);
    const spec = { name: "viewer", language: "logql", query: "{}", visibility: "tenant" };
    expect(await here.call("POST", "/api/v1/saved-queries", spec)).toBe(403);
  });
});

it("downloads what it shows", async () => {
  const { page } = await visits.open("owner", "/logs?last=5m&q=%7Bapp%3D%22frontend%22%7D");
  await logRows(page).first().waitFor();
  await page.getByRole("button", { name: "Download" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /NDJSON/ }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.ndjson$/);
});

it("gives a stack trace one row, until its lines wrap", async () => {
  const query = encodeURIComponent('{namespace="payments"} |= "\\tat "');
  const here = await visits.open("owner", `/logs?last=1h&q=${query}`);
  const { page } = here;
  const traces = page.getByRole("treeitem").filter({ hasText: "Exception" });
  await traces.first().waitFor();
  // The text of a row ends before the next row begins.
  const heights = await traces.evaluateAll((rows) =>
    rows.map((row) => row.lastElementChild?.scrollHeight ?? 0),
  );
  expect(Math.max(...heights)).toBeLessThanOrEqual(24);
  await page.getByRole("button", { name: "Wrap" }).click();
  await expect.poll(async () => (await traces.first().boundingBox())?.height ?? 0).toBeGreaterThan(48);
  await checkPage(here);
});
