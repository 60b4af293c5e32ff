import { describe, expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";

const visits = newVisits();

/** One page of alerting: what it asks for, what it shows of nothing, and what a viewer must not find or do. */
interface AlertsPage {
  readonly path: string;
  readonly asks: RegExp;
  readonly nothing: { readonly json: object; readonly heading: string; readonly next: RegExp };
  /** Shows that the page has loaded for a viewer. */
  readonly shown: string;
  readonly writes: readonly (readonly [method: string, path: string, body: object])[];
}

const rule = { group: { name: "no", rules: [{ record: "no:no", expr: "1" }] } };
const detector = { name: "No", kind: "absence", selector: "{}" };

const pages: readonly AlertsPage[] = [
  {
    path: "/alerts/rules",
    asks: /\/api\/v1\/alerting\/groups(\?|$)/,
    nothing: { json: { items: [] }, heading: "No rules yet", next: /Rule packs/ },
    shown: "Rules",
    writes: [
      ["PUT", "/api/v1/alerting/groups/console/no", rule],
      ["DELETE", "/api/v1/alerting/groups/console/no", {}],
    ],
  },
  {
    path: "/alerts/packs",
    asks: /\/api\/v1\/alerting\/packs(\?|$)/,
    nothing: { json: { items: [] }, heading: "This server brings no packs", next: /Rules/ },
    shown: "Rule packs",
    writes: [
      ["PUT", "/api/v1/alerting/packs/coredns", { parameters: {} }],
      ["DELETE", "/api/v1/alerting/packs/coredns", {}],
    ],
  },
  {
    path: "/alerts/detectors",
    asks: /\/api\/v1\/alerting\/detectors(\?|$)/,
    nothing: { json: { items: [] }, heading: "No detectors yet", next: /New detector/ },
    shown: "Detectors",
    writes: [["POST", "/api/v1/alerting/detectors", detector]],
  },
  {
    path: "/alerts/silences",
    asks: /\/alertmanager\/api\/v2\/silences/,
    nothing: { json: [], heading: "No silences", next: /New silence/ },
    shown: "Silences",
    writes: [["POST", "/alertmanager/api/v2/silences", {}]],
  },
  {
    path: "/alerts/receivers",
    asks: /\/api\/v1\/alerting\/receivers(\?|$)/,
    nothing: { json: { items: [] }, heading: "Nobody is told of alerts yet", next: /Add a receiver/ },
    shown: "Receivers",
    writes: [
      ["POST", "/api/v1/alerts", { alertmanager_config: "" }],
      ["DELETE", "/api/v1/alerts", {}],
      ["POST", "/api/v1/alerting/receivers/no/test", {}],
    ],
  },
  {
    path: "/alerts/notifications",
    asks: /\/api\/v1\/alerting\/deliveries/,
    nothing: { json: { items: [] }, heading: "Nobody was told of anything yet", next: /Receivers/ },
    shown: "Notification log",
    writes: [],
  },
];

describe.each(pages)("$path", ({ path, asks, nothing, shown, writes }) => {
  it("says what to do next when there is nothing", async () => {
    const here = await visits.open("owner", path, { viewport: narrow, stub: answers(asks, nothing.json) });
    const { page } = here;
    const state = page.getByRole("status").filter({ hasText: nothing.heading });
    await state.waitFor();
    await state
      .getByRole("link", { name: nothing.next })
      .or(state.getByRole("button", { name: nothing.next }))
      .waitFor();
    await checkPage(here);
  });

  it("says why it failed, and whom to ask when it is not allowed", async () => {
    const failed = await visits.open("owner", path, { stub: fails(asks, "The state is being moved.") });
    failed.allow(/422/);
    await failed.page.getByRole("alert").getByText("The state is being moved.").waitFor();
    await checkPage(failed);
    const refused = await visits.open("viewer", path, { stub: fails(asks, "Not part of your role.", 403) });
    refused.allow(/403/);
    await refused.page.getByRole("heading", { name: "Not allowed" }).waitFor();
    await refused.page.getByText("Not part of your role.").waitFor();
  });

  it("shows a viewer no write action, and the server refuses each", async () => {
    const here = await visits.open("viewer", path);
    const { page } = here;
    await page.getByRole("heading", { name: shown, level: 1 }).waitFor();
    await page.waitForFunction(() => !document.querySelector("main [data-skeleton]"));
    const main = page.getByRole("main");
    const actions = /^(New|Add|Edit|Delete|Expire|Again|Save|Send|Test|Silence|Move)\b/;
    expect(await main.getByRole("button", { name: actions }).allInnerTexts()).toEqual([]);
    expect(await main.getByRole("link", { name: actions }).allInnerTexts()).toEqual([]);
    for (const control of await main.getByRole("switch").all()) expect(await control.isDisabled()).toBe(true);
    for (const [method, to, body] of writes)
      expect(await here.call(method, to, body), `${method} ${to}`).toBe(403);
  });
});
