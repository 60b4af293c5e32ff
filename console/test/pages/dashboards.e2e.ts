import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { builtIns } from "../../src/dashboards";
import { timesOf } from "../../src/lib/matrix";
import { narrow } from "../browser";
import { write } from "../steps";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();
const path = "/api/v1/dashboards";
const listed = /\/api\/v1\/dashboards(\?|$)/;

/** unique is a title that no other run of the tests has taken. */
const unique = (title: string) => `${title} ${Date.now().toString(36)}`;

const panel = (page: Page, title: string) => page.getByRole("region", { name: title, exact: true });

/** withData brings a panel into view, which asks then, and waits until it shows something. */
async function withData(page: Page, title: string): Promise<void> {
  await panel(page, title).scrollIntoViewIfNeeded();
  await page.locator(`main section[aria-label="${title}"][data-state="data"]`).waitFor({ timeout: 20_000 });
}

/** scrolled goes down a dashboard bit by bit, so that each panel comes into view and asks. */
async function scrolled(page: Page): Promise<void> {
  for (const one of await page.locator("main section[data-state]").all()) await one.scrollIntoViewIfNeeded();
  await page.waitForFunction(() => !document.querySelector('main section[data-state="waiting"]'), undefined, {
    timeout: 40_000,
  });
}

const dashboard = (title: string) => ({
  version: 1,
  title,
  tags: ["tests"],
  variables: [{ name: "namespace", type: "query", query: "label_values(kube_pod_info, namespace)" }],
  panels: [
    {
      id: 1,
      type: "timeseries",
      title: "Pods of $namespace",
      x: 0,
      y: 0,
      w: 12,
      h: 8,
      queries: [{ language: "promql", query: 'count(kube_pod_info{namespace=~"$namespace"})' }],
    },
  ],
});

it("finds dashboards by words and tags, and opens one", async () => {
  const here = await visits.open("owner", "/dashboards?last=3h");
  const { page } = here;
  await page.getByRole("link", { name: "Cluster overview" }).waitFor();
  await page.getByRole("button", { name: "control plane", exact: true }).click();
  await page.getByRole("link", { name: "API server" }).waitFor();
  await page.getByRole("link", { name: "Cluster overview" }).waitFor({ state: "detached" });
  await page.getByLabel("Search dashboards").fill("etcd");
  await page.waitForURL(/q=etcd/);
  await checkPage(here);
  await page.getByRole("link", { name: "etcd", exact: true }).click();
  await page.waitForURL(/\/dashboards\/etcd\?.*last=3h/);
  await page.getByRole("heading", { name: "etcd", level: 1 }).waitFor();
});

// The demo cluster sends what each of them asks for; only rare things, such as faults, may be missing for a time.
it.each(builtIns.map(({ id, spec }) => [id, spec.title] as const))(
  "shows data in the built-in dashboard %s",
  async (id, title) => {
    const here = await visits.open("viewer", `/dashboards/${id}`);
    const { page } = here;
    await page.getByRole("heading", { name: title, level: 1 }).waitFor();
    await scrolled(page);
    expect(await page.locator('main section[data-state="fault"]').count()).toBe(0);
    const all = await page.locator("main section[data-state]").count();
    const full = await page.locator('main section[data-state="data"]').count();
    expect(full / all, `${full} of ${all} panels have data`).toBeGreaterThan(0.6);
    await checkPage(here);
  },
);

/** legends is a dashboard of two graphs, whose answers have so many series. */
const legends = (count: number) => async (page: Page) => {
  const graph = { type: "timeseries", w: 12, h: 8, y: 0, queries: [{ language: "promql", query: "up" }] };
  const panels = [
    { ...graph, id: 1, x: 0, title: "Left" },
    { ...graph, id: 2, x: 12, title: "Right" },
  ];
  const spec = { version: 1, title: "Legends", panels };
  await page.route(/\/api\/v1\/dashboards\/legends$/, (route) =>
    route.fulfill({ json: { id: "legends", spec } }),
  );
  await page.route(/\/prometheus\/api\/v1\/query_range/, (route) => {
    const params = new URL(route.request().url()).searchParams;
    const at = (name: string) => Number(params.get(name));
    const times = timesOf({ startSeconds: at("start"), endSeconds: at("end"), stepSeconds: at("step") });
    const result = Array.from({ length: count }, (_, place) => ({
      metric: { pod: `checkout-${String(place).padStart(2, "0")}` },
      values: times.map((time, i) => [time, String(place + i / 100)]),
    }));
    return route.fulfill({ json: { status: "success", data: { resultType: "matrix", result } } });
  });
};

const legendOf = (page: Page) => panel(page, "Left").getByRole("list", { name: /^Series/ });

it("shows whole rows of a long legend, and all of it on demand", async () => {
  const here = await visits.open("viewer", "/dashboards/legends", { stub: legends(30) });
  const { page } = here;
  const list = legendOf(page);
  const more = panel(page, "Left").getByRole("button", { name: /^\+\d+ more$/ });
  await more.waitFor();
  // No row is cut, neither by the list's end nor by the panel's.
  const cut = () =>
    list.evaluate((box) => {
      const { top, bottom } = box.getBoundingClientRect();
      const end = box.closest("section")?.getBoundingClientRect().bottom ?? 0;
      const rows = [...box.querySelectorAll("li")].map((row) => row.getBoundingClientRect());
      const half = rows.filter((row) => row.top >= top && row.top < bottom - 1 && row.bottom > bottom + 1);
      return half.length + (bottom > end ? 1 : 0);
    });
  expect(await cut()).toBe(0);
  const folded = (await list.boundingBox())?.height ?? 0;
  await more.click();
  await panel(page, "Left").getByRole("button", { name: "less" }).waitFor();
  await expect.poll(async () => (await list.boundingBox())?.height ?? 0).toBeGreaterThan(folded);
  expect(await cut()).toBe(0);
  await checkPage(here);
});

it("shows series of a legend alone, and switches them off and on, by pointer and by keyboard", async () => {
  const here = await visits.open("viewer", "/dashboards/legends", { stub: legends(4) });
  const { page } = here;
  const series = legendOf(page).getByRole("button");
  const shown = () =>
    series.evaluateAll((all) => all.map((each) => each.getAttribute("aria-pressed") === "true"));
  await series.nth(1).click();
  await expect.poll(shown).toEqual([false, true, false, false]);
  await series.nth(3).click({ modifiers: ["Shift"] });
  await expect.poll(shown).toEqual([false, true, false, true]);
  await series.nth(1).click();
  await series.nth(1).click();
  await expect.poll(shown).toEqual([true, true, true, true]);
  await series.first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+Enter");
  await expect.poll(shown).toEqual([true, false, true, true]);
  await page.keyboard.press("Enter");
  await expect.poll(shown).toEqual([false, true, false, false]);
  await checkPage(here);
});

it("tells the values at the pointer, with their time", async () => {
  const here = await visits.open("viewer", "/dashboards/legends", { stub: legends(30) });
  const { page } = here;
  await panel(page, "Left").locator(".u-over").hover();
  const tip = page.locator("[data-plot-tip]");
  await tip.getByText(/^\d\d:\d\d:\d\d$/).waitFor();
  await tip.getByText("and 18 more").waitFor();
  await page.getByRole("heading", { level: 1 }).hover();
  await tip.waitFor({ state: "detached" });
});

it("zooms all panels by one drag, which one step back undoes", async () => {
  const here = await visits.open("viewer", "/dashboards/legends", { stub: legends(3) });
  const { page } = here;
  await panel(page, "Right").locator(".u-over").waitFor();
  const box = await panel(page, "Left").locator(".u-over").boundingBox();
  if (!box) throw new Error("the plot has no place");
  await page.mouse.move(box.x + box.width * 0.3, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=.*to=/);
  await page.goBack();
  await page.waitForURL((url) => url.pathname === "/dashboards/legends" && !url.searchParams.has("from"));
});

it("follows variables, keeps them in the URL, and leads a panel's query to Metrics", async () => {
  const here = await visits.open("owner", "/dashboards/namespaces");
  const { page } = here;
  await withData(page, "Pods by namespace");
  await page.getByRole("button", { name: /^namespace: All/ }).click();
  await page.getByRole("menuitem", { name: "payments", exact: true }).click();
  await page.waitForURL(/var-namespace=payments/);
  await withData(page, "Pods by namespace");
  const other = panel(page, "Pods by namespace").getByText("shop", { exact: true });
  await other.first().waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Menu of Pods by namespace" }).click();
  await page.getByRole("menuitem", { name: "Explore in Metrics" }).click();
  await page.waitForURL(/\/metrics\?.*payments/);
});

it("makes a dashboard with a variable and a panel, edits it, and deletes it with a way back", async () => {
  const title = unique("Shop");
  const here = await visits.open("owner", "/dashboards");
  const { page } = here;
  await page.getByRole("button", { name: "New dashboard" }).click();
  await page.getByLabel("Title", { exact: true }).fill(title);
  await page.getByRole("button", { name: "Variables" }).click();
  await page.getByRole("button", { name: "Add a variable" }).click();
  await page.getByLabel("Name *", { exact: true }).fill("ns");
  await page.getByLabel("Kind").selectOption("custom");
  await page.getByLabel("Values *").fill("shop\npayments");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Panel", exact: true }).click();
  const editor = page.getByRole("dialog", { name: "New panel" });
  await editor.getByLabel("Title", { exact: true }).fill("Pods");
  await (await write(page, "Query 1", 'count(kube_pod_info{namespace="$ns"})')).press("Control+Enter");
  await editor.locator('section[data-state="data"]').waitFor();
  await checkPage(here);
  await editor.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(/\/dashboards\/(?!new)/);
  const edit = page.getByRole("button", { name: "Edit", exact: true });
  await edit.waitFor();
  await withData(page, "Pods");

  await edit.click();
  await page.getByRole("button", { name: /^Move Pods/ }).focus();
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByLabel("Tags").fill("tests");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
  await page.getByLabel("ns", { exact: true }).click();
  await page.getByRole("option", { name: "payments" }).click();
  await page.waitForURL(/var-ns=payments/);
  await page.reload();
  await withData(page, "Pods");

  const id = new URL(page.url()).pathname.split("/").at(-1);
  await page.goto("/dashboards");
  await page.getByRole("button", { name: `Delete ${title}` }).click();
  await page.getByText(`Deleted ${title}`).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("link", { name: title }).waitFor();
  expect(await here.call("GET", `${path}/${id}`)).toBe(200);
  await page.getByRole("button", { name: `Delete ${title}` }).click();
  await page.getByRole("link", { name: "Alerts", exact: true }).click();
  await expect.poll(() => here.call("GET", `${path}/${id}`), { timeout: 10_000 }).toBe(404);
});

it("imports a dashboard of Grafana's, and says before what cannot come over", async () => {
  const title = unique("Imported");
  const prometheus = { type: "prometheus", uid: "p" };
  const grafana = {
    title,
    schemaVersion: 39,
    annotations: { list: [{ name: "Deploys", datasource: prometheus }] },
    templating: {
      list: [
        {
          name: "ns",
          type: "query",
          query: { query: "label_values(kube_pod_info, namespace)" },
          datasource: prometheus,
        },
      ],
    },
    panels: [
      {
        id: 1,
        type: "timeseries",
        title: "Pods",
        gridPos: { x: 0, y: 0, w: 12, h: 8 },
        datasource: prometheus,
        targets: [{ refId: "A", expr: 'count(kube_pod_info{namespace="$ns"})', legendFormat: "pods" }],
        fieldConfig: { defaults: { unit: "short" }, overrides: [] },
      },
      { id: 2, type: "geomap", title: "World", gridPos: { x: 12, y: 0, w: 12, h: 8 } },
    ],
  };
  const here = await visits.open("owner", "/dashboards");
  const { page } = here;
  await page.getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog", { name: "Import from Grafana" });
  await dialog.getByLabel("JSON").fill('{"title": "nothing"}');
  await dialog.getByText("This is no dashboard of Grafana: it has no panels.").waitFor();
  await dialog.getByLabel("JSON").fill(JSON.stringify(grafana));
  const report = dialog.getByRole("region", { name: "What is imported" });
  await report.getByText("1 panels, 1 variables").or(report.getByText("1 panel, 1 variable")).waitFor();
  await report.getByText(/World.*geomap/).waitFor();
  await report.getByText("The dashboard's annotations (1) are left out.").waitFor();
  await checkPage(here);
  await dialog.getByRole("button", { name: "Import" }).click();
  await page.waitForURL(/\/dashboards\/(?!$)/);
  await page.getByRole("heading", { name: title, level: 1 }).waitFor();
  await withData(page, "Pods");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  expect(await here.call("DELETE", `${path}/${id}`)).toBe(204);
});

it("says what is wrong with a dashboard that the server refuses, and keeps what was written", async () => {
  const here = await visits.open("owner", "/dashboards/new");
  const { page } = here;
  here.allow(/422|400/);
  await page.getByRole("button", { name: "JSON" }).click();
  const bad = { ...dashboard("Bad"), panels: [{ ...dashboard("Bad").panels[0], w: 90 }] };
  await write(page, "Dashboard as JSON", JSON.stringify(bad));
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page
    .getByRole("alert")
    .getByText(/panels/)
    .first()
    .waitFor();
  expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe("Bad");
});

it("says what to do when there are none, and why it failed", async () => {
  const empty = await visits.open("owner", "/dashboards", {
    viewport: narrow,
    stub: answers(listed, { items: [] }),
  });
  await empty.page.getByRole("heading", { name: "No dashboards of your own yet" }).waitFor();
  await empty.page.getByRole("button", { name: "New dashboard" }).waitFor();
  await checkPage(empty);

  const failed = await visits.open("owner", "/dashboards", {
    stub: fails(listed, "The state is being moved."),
  });
  failed.allow(/422/);
  await failed.page.getByText("The state is being moved.").waitFor();
  await failed.page.getByRole("link", { name: "Cluster overview" }).waitFor();

  const panels = await visits.open("owner", "/dashboards/coredns", {
    stub: fails(/\/prometheus\/api\/v1\/query_range/, "The query reads too much."),
  });
  panels.allow(/422/);
  await panels.page.getByText("The query reads too much.").first().waitFor();

  const gone = await visits.open("owner", "/dashboards/never-was");
  gone.allow(/404/);
  await gone.page.getByRole("heading", { name: "Not found" }).waitFor();
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/dashboards");
  const { page } = here;
  await page.getByRole("link", { name: "Cluster overview" }).waitFor();
  const buttons = page
    .getByRole("main")
    .getByRole("button", { name: /^(New dashboard|Import|Delete|Edit|Copy)/ });
  expect(await buttons.count()).toBe(0);
  expect(await here.call("POST", path, dashboard("A viewer's"))).toBe(403);
  await page.getByRole("link", { name: "Cluster overview" }).click();
  await page.getByRole("button", { name: "JSON" }).waitFor();
  expect(await buttons.count()).toBe(0);
  await page.goto("/dashboards/new");
  await page.getByRole("heading", { name: "Not allowed" }).waitFor();
});
