import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, narrow, shoot, type Visit, visit, wide } from "./browser";
import { startMock } from "./mock/server";
import { barsDrawn, drag, eventRows, histogram, logRows, open, plotDrawn, runQuery, signIn } from "./steps";

let browser: Browser;
let server: Awaited<ReturnType<typeof startMock>>;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startMock()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const wideLight = { name: "wide light", viewport: wide, colorScheme: "light" } as const;
const narrowDark = { name: "narrow dark", viewport: narrow, colorScheme: "dark" } as const;
// Phones are for the night, as most pages are (vitest.config.ts).
const screens = process.env.SEAMARK_PAGES === "all" ? [wideLight, narrowDark] : [wideLight];

describe.each(screens)("$name", ({ name, viewport, colorScheme }) => {
  let here: Visit;

  beforeEach(async () => {
    here = await visit(browser, { origin: server.url, viewport, colorScheme });
  });

  afterEach(async () => {
    const { faults } = here;
    await here.close();
    expect(faults).toEqual([]);
  });

  const as = async (login: string) => {
    await signIn(here.page, login, "secret");
    await here.page.getByRole("banner").waitFor();
    return here.page;
  };
  const picture = (what: string) => shoot(here.page, `${name.replace(" ", "-")}-${what}`);
  const noSidewaysScroll = async () => {
    const over = await here.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(over).toBeLessThanOrEqual(0);
  };

  it("refuses a wrong password and lets a right one in, where the link led", async () => {
    const { page } = here;
    await page.goto("/events?type=Warning");
    await page.getByLabel("Login").fill("anna");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("Login or password is wrong.").waitFor();
    await picture("signin-refused");
    await page.getByLabel("Password").fill("secret");
    await page.keyboard.press("Enter");
    await eventRows(page).first().waitFor();
    expect(page.url()).toContain("/events?type=Warning");
  });

  it("offers the providers, and says why one sent the person back", async () => {
    const { page } = here;
    await page.goto("/events?type=Warning&signin_error=seamark-signin-unmapped&provider=corp");
    await page.getByText("Example Corp knows you, but nobody has given you access here.").waitFor();
    await page.getByRole("button", { name: "I belong to several tenants" }).click();
    await page.getByLabel("Tenant").fill("beta");
    const link = page.getByRole("link", { name: "Sign in with Example Corp" });
    expect(await link.getAttribute("href")).toBe(
      "/api/v1/session/oidc/corp/start?return=%2Fevents%3Ftype%3DWarning&tenant=beta",
    );
    await noSidewaysScroll();
    await picture("signin-providers");
  });

  it("goes on with the next token when one is over, without the person noticing", async () => {
    const page = await as("anna");
    await page.context().clearCookies({ name: "seamark_session" });
    const refreshed = page.waitForResponse((r) => r.url().endsWith("/api/v1/session/refresh"));
    await open(page, "Events");
    await eventRows(page).first().waitFor();
    expect((await refreshed).status()).toBe(200);
    expect(page.url()).toContain("/events");
  });

  it("brings the sign-in page when the session is over", async () => {
    const page = await as("anna");
    await page.context().clearCookies();
    await page.goto("/events");
    await page.getByLabel("Password").waitFor();
    expect(page.url()).toContain("/events");
  });

  it("shows where a person is signed in", async () => {
    const page = await as("anna");
    await page.getByRole("button", { name: "Account and theme" }).click();
    await page.getByRole("menuitem", { name: "Beta Labs" }).waitFor();
    await page.getByRole("menuitem", { name: "Account" }).click();
    await page.getByText("Safari on iOS").waitFor();
    expect(await page.getByRole("button", { name: "End", exact: true }).count()).toBe(2);
    await noSidewaysScroll();
    await picture("account-page");
  });

  it("takes a new password by a link", async () => {
    await here.page.goto("/reset-password#smp_x_y");
    await here.page.getByLabel("New password").waitFor();
    await picture("reset-password");
  });

  it("says how long to wait after too many attempts", async () => {
    here.allow(/429/);
    await signIn(here.page, "locked", "x");
    await here.page.getByText(/Too many attempts\. Try again in \d+ s\./).waitFor();
    expect(await here.page.getByRole("button", { name: /Wait \d+ s/ }).isDisabled()).toBe(true);
  });

  it("says when the server is away", async () => {
    const { page } = here;
    here.allow(/ERR_FAILED/);
    await page.goto("/");
    await page.getByLabel("Login").fill("anna");
    await page.getByLabel("Password").fill("secret");
    await page.route("**/api/v1/session", (route) => route.abort());
    await page.getByLabel("Password").press("Enter");
    await page.getByText("The server does not answer.").waitFor();
  });

  it("shows clusters by the age of their signals", async () => {
    const page = await as("anna");
    await open(page, "Clusters");
    await page.getByRole("row", { name: /prod-eu/ }).waitFor();
    const edge = page.getByRole("row", { name: /edge-lab/ });
    await page.waitForURL(/\/clusters/); // the first page has such rows, too
    await edge.getByText("never", { exact: true }).nth(2).waitFor();
    const stale = page.getByRole("row", { name: /prod-us/ }).locator('[data-freshness="stale"]');
    await stale.waitFor(); // and no other
    await noSidewaysScroll();
    await picture("clusters");
    await page
      .getByRole("row", { name: /prod-us/ })
      .getByRole("link", { name: /Logs of/ })
      .click();
    await logRows(page).first().waitFor();
    expect(new URL(page.url()).searchParams.get("q")).toBe('{cluster="prod-us"}');
  });

  it("tells a new tenant the next step", async () => {
    const page = await as("new");
    await page.getByText("Welcome. Four steps, and you are there").waitFor();
    await picture("clusters-empty");
    await open(page, "Logs");
    await page.getByText("No lines here").waitFor();
    await picture("logs-empty");
    await open(page, "Metrics");
    await page.getByText("No metrics here").waitFor();
    await open(page, "Events");
    await page.getByText("No events here").waitFor();
  });

  it("shows log lines and their histogram, and opens a line", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    await logRows(page).first().waitFor();
    await barsDrawn(page);
    await noSidewaysScroll();
    await histogram(page).hover({ position: { x: 250, y: 40 } });
    await picture("logs");
    await logRows(page).nth(3).locator("time").click();
    await page.getByText("trace_id").first().waitFor();
    await picture("logs-open");
    await page
      .getByRole("button", { name: /^Only app / })
      .first()
      .click();
    await page.waitForURL(/app%3D/);
    expect(new URL(page.url()).searchParams.get("q")).toMatch(/^\{cluster=~"\.\+", app="[\w-]+"\}$/);
  });

  it("moves among lines by keys and loads older ones", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    const list = page.getByRole("tree", { name: /Log lines/ });
    await list.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("j");
    expect(await list.getAttribute("aria-activedescendant")).toBe("line-1");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copy line", exact: true }).waitFor();
    await page.getByText(/^500 loaded/).waitFor();
    await page.keyboard.press("End");
    await page.getByText(/^(?!500 )[\d,]+ loaded/).waitFor();
  });

  it("zooms by dragging over the histogram, keeps it in the URL, and goes back", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    await barsDrawn(page);
    await drag(page, histogram(page), 0.4, 0.6);
    await page.waitForURL(/from=.*&to=/);
    const params = new URL(page.url()).searchParams;
    const span = Date.parse(params.get("to") ?? "") - Date.parse(params.get("from") ?? "");
    expect(span / 60_000).toBeGreaterThan(10);
    expect(span / 60_000).toBeLessThan(14);
    await logRows(page).first().waitFor();
    await picture("logs-zoomed");
    await page.goBack();
    await page.waitForURL((url) => !url.searchParams.has("from"));
    await page.getByRole("button", { name: "Time range: Last 1h" }).waitFor();
  });

  it("finds words, narrows to levels and marks what it found", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    await logRows(page).first().waitFor();
    await barsDrawn(page);
    await page.keyboard.press("/");
    const asked: string[] = [];
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith("/query_range")) asked.push(url.searchParams.get("query") ?? "");
    });
    await runQuery(page, "LogQL", "payment failed");
    await page.locator("mark", { hasText: "payment failed" }).first().waitFor();
    expect(asked.filter((query) => query.includes("payment failed"))).toHaveLength(2);
    expect(asked).toHaveLength(2);
    await runQuery(page, "LogQL", '{namespace="shop"}');
    await page.getByRole("button", { name: /^error/ }).click();
    await page.waitForURL(/level=error/);
    await page.waitForFunction(() => {
      const rows = [...document.querySelectorAll('[role="treeitem"]')];
      return rows.length > 0 && rows.every((row) => row.getAttribute("data-level") === "error");
    });
    await picture("logs-errors");
  });

  it("draws a metric query over logs", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    await runQuery(page, "LogQL", 'sum by (detected_level) (count_over_time({namespace="shop"} [1m]))');
    await plotDrawn(page);
  });

  it("points at the fault in a query", async () => {
    here.allow(/400/);
    const page = await as("anna");
    await open(page, "Logs");
    await runQuery(page, "LogQL", '{namespace="shop"');
    await page.getByText(/syntax error: unexpected \$end/).waitFor();
    await open(page, "Metrics");
    await runQuery(page, "PromQL", "sum(rate(http_requests_total[5m])");
    await page.getByText(/parse error: unclosed left parenthesis/).waitFor();
    expect(await page.locator("pre mark").textContent()).toBe("(");
    await picture("metrics-error");
  });

  it("draws metrics, names their series and zooms", async () => {
    const page = await as("anna");
    await open(page, "Metrics");
    await page.getByRole("button", { name: /^http_requests_total/ }).waitFor();
    await picture("metrics-browser");
    await page.getByRole("button", { name: /^http_requests_total/ }).click();
    await plotDrawn(page);
    expect(new URL(page.url()).searchParams.get("q")).toBe("sum(rate(http_requests_total[5m]))");
    expect(await page.getByRole("row", { name: /namespace="shop"/ }).count()).toBe(1);
    await noSidewaysScroll();
    await picture("metrics");
    await drag(page, page.locator(".u-over"), 0.3, 0.7);
    await page.waitForURL(/from=.*&to=/);
    await plotDrawn(page);
    await runQuery(page, "PromQL", "nothing");
    await page.getByText("No series here").waitFor();
  });

  it("filters events by typing and by clicking values", async () => {
    const page = await as("anna");
    await open(page, "Events");
    await eventRows(page).first().waitFor();
    await noSidewaysScroll();
    await picture("events");
    await page.goto("/events?type=Warning&namespace=shop");
    await eventRows(page).first().waitFor();
    await page.getByRole("button", { name: "BackOff" }).first().click();
    await page.waitForURL(/reason=BackOff/);
    await eventRows(page).first().waitFor();
    await picture("events-filtered");
    await page.getByLabel("Search in message, object and reason").fill("no such words");
    await page.getByText("No events here").waitFor();
  });

  it("shows forbidden and failing answers as such", async () => {
    here.allow(/403|503/);
    const page = await as("viewer");
    await open(page, "Events");
    await page.getByText("Your role viewer does not include events.").waitFor();
    await picture("events-forbidden");
    await page.goto("/tenants");
    await page.getByText("Not allowed").waitFor();
    await signOut();
    await as("broken");
    await open(page, "Logs");
    await page.getByText("the store is starting; try again in some seconds").waitFor({ timeout: 20_000 });
  });

  it("lists tenants to an operator", async () => {
    const page = await as("op");
    await page.getByRole("row", { name: /Globex/ }).waitFor();
    await noSidewaysScroll();
    await picture("tenants");
    await page.goto("/logs");
    await page.getByText("This session belongs to no tenant").waitFor();
  });

  it("switches the theme, keeps it over a reload, and signs out", async () => {
    const page = await as("anna");
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await ground();
    const other = colorScheme === "light" ? "Dark" : "Light";
    await page.getByRole("button", { name: "Account and theme" }).click();
    await page.getByRole("menuitemradio", { name: other }).click();
    await picture("account");
    const after = await ground();
    expect(after).not.toBe(before);
    await page.reload();
    expect(await ground()).toBe(after);
    await open(page, "Metrics");
    await runQuery(page, "PromQL", "up");
    await plotDrawn(page);
    await picture("metrics-other-theme");
    await open(page, "Logs");
    await barsDrawn(page);
    await logRows(page).nth(2).locator("time").click();
    await picture("logs-other-theme");
    await signOut();
    await page.getByLabel("Login").waitFor();
    await picture("signin");
  });

  it("takes a custom range in UTC", async () => {
    const page = await as("anna");
    await open(page, "Logs");
    await page.getByRole("button", { name: /^Time range/ }).click();
    await page.getByRole("button", { name: "UTC", exact: true }).click();
    await picture("range");
    await page.getByLabel("From").fill("2026-11-20T10:00:00");
    await page.getByLabel("To", { exact: true }).fill("2026-11-20T10:20:00");
    await page.getByRole("button", { name: "Show this range" }).click();
    await page.waitForURL(/from=2026-11-20T10%3A00%3A00\.000Z&to=2026-11-20T10%3A20%3A00\.000Z/);
    await logRows(page)
      .first()
      .locator("time", { hasText: /^10:1\d:/ })
      .waitFor();
  });

  const signOut = async () => {
    await here.page.getByRole("button", { name: "Account and theme" }).click();
    await here.page.getByRole("menuitem", { name: "Sign out" }).click();
    await here.page.getByLabel("Login").waitFor();
  };
});
