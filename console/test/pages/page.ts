import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import { type Visit, visit, wide } from "../browser";
import { type Role, type Session, signIn } from "./setup";

/**
 * What tests of pages stand on. They run against the built binary with its demo cluster (see setup.ts); a page's test is one file:
 *
 *   // test/pages/silences.e2e.ts
 *   import { expect, it } from "vitest";
 *   import { narrow } from "../browser";
 *   import { checkPage, newVisits } from "./page";
 *
 *   const visits = newVisits();
 *
 *   it("lists silences and adds one", async () => {
 *     const here = await visits.open("owner", "/silences");
 *     await here.page.getByRole("button", { name: "New silence" }).click();
 *     ...
 *     await checkPage(here);
 *   });
 *
 *   it("says what to do when there are none", async () => {
 *     const here = await visits.open("owner", "/silences", {
 *       viewport: narrow,
 *       stub: (page) => page.route(/\/api\/v1\/silences/, (route) => route.fulfill({ json: { items: [] } })),
 *     });
 *     await here.page.getByText("No silences").waitFor();
 *   });
 *
 *   it("shows why it failed", async () => {
 *     const here = await visits.open("owner", "/silences", {
 *       stub: (page) =>
 *         page.route(/\/api\/v1\/silences/, (route) => route.fulfill({ status: 503, json: problem(503, "Away.") })),
 *     });
 *     here.allow(/503/); // the browser writes each 4xx and 5xx into its console
 *     await here.page.getByText("Away.").waitFor({ timeout: 20_000 }); // after two retries
 *   });
 *
 *   it("lets a viewer look, not change", async () => {
 *     const here = await visits.open("viewer", "/silences");
 *     expect(await here.page.getByRole("button", { name: "New silence" }).count()).toBe(0);
 *     expect(await here.call("POST", "/api/v1/silences", {})).toBe(403);
 *   });
 *
 * After each test its pages close, and it fails on an error or a warning in the console, and on any request that left the origin.
 * Every row of src/nav.ts is opened by registry.e2e.ts at both widths and in both themes, so tests need not repeat checkPage for that.
 */

export interface Here extends Visit {
  /** Sends a request as the person of the page, outside of the page, and returns the status. */
  call(method: string, path: string, body?: unknown): Promise<number>;
}

interface OpenOptions {
  readonly viewport?: { width: number; height: number };
  readonly colorScheme?: "light" | "dark";
  /** Puts answers in place of the server's, before the page is loaded. */
  readonly stub?: (page: Page) => Promise<unknown>;
}

// A session's token lasts ten minutes; a test that began with an old one would end in the middle.
const staleMs = 6 * 60_000;

const renewed = new Map<Role, Session>();

async function sessionOf(role: Role): Promise<Session> {
  const { login, password, session } = inject("people")[role];
  const latest = renewed.get(role) ?? session;
  if (Date.now() - latest.atMs < staleMs) return latest;
  const next = await signIn(inject("server"), login, password);
  renewed.set(role, next);
  return next;
}

/** newVisits gives a file of tests its way to pages: visits.open(role, path). */
export function newVisits() {
  let browser: Browser;
  let opened: Here[] = [];
  beforeAll(async () => {
    browser = await chromium.connect(inject("browser"));
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    const faults = opened.flatMap((here) => here.faults);
    const closing = opened.map((here) => here.close());
    opened = [];
    await Promise.all(closing);
    expect(faults).toEqual([]);
  });
  return {
    /** open shows a page to a person who is signed in; "nobody" is not. */
    async open(role: Role | "nobody", path: string, options: OpenOptions = {}): Promise<Here> {
      const origin = inject("origin");
      const made = await visit(browser, {
        origin,
        viewport: options.viewport ?? wide,
        colorScheme: options.colorScheme ?? "light",
      });
      const here: Here = { ...made, call: (method, to, body) => callAs(role, method, to, body) };
      opened.push(here);
      if (role !== "nobody") {
        const { name, value } = await sessionOf(role);
        await here.page.context().addCookies([{ name, value, url: origin }]);
      }
      await options.stub?.(here.page);
      await here.page.goto(path);
      return here;
    },
  };
}

/** callAs sends a request as somebody, and returns the status. */
export async function callAs(
  role: Role | "nobody",
  method: string,
  path: string,
  body: unknown,
): Promise<number> {
  return (await respondTo(role, method, path, body)).status;
}

/** askAs sends a request as somebody, and returns what it was answered. */
export async function askAs<T>(role: Role, method: string, path: string, body?: unknown): Promise<T> {
  const response = await respondTo(role, method, path, body);
  expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
  return (await response.json()) as T;
}

async function respondTo(
  role: Role | "nobody",
  method: string,
  path: string,
  body: unknown,
): Promise<Response> {
  const { name, value } = role === "nobody" ? { name: "none", value: "" } : await sessionOf(role);
  return fetch(inject("server") + path, {
    method,
    headers: { Cookie: `${name}=${value}`, "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** problem is a body of the API's faults, for stubs. */
export function problem(status: number, detail: string, more: object = {}): object {
  const fixed = {
    type: "about:blank",
    title: "Refused",
    instance: "",
    id: "seamark-test-stub",
    request_id: "test",
  };
  return { ...fixed, status, detail, ...more };
}

/** answers puts an answer in place of the server's: `stub: answers(/api.v1.tokens/, { items: [] })`. */
export const answers = (path: string | RegExp, json: object) => (page: Page) =>
  page.route(path, (route) => route.fulfill({ json }));

/** fails refuses what is asked of a path. The browser writes the status into its console: allow it. */
export const fails =
  (path: string | RegExp, detail: string, status = 422) =>
  (page: Page) =>
    page.route(path, (route) => route.fulfill({ status, json: problem(status, detail) }));

/** settled waits until the page shows what it has: nothing loads, and its heading stands. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForFunction(
    () => !document.querySelector('main [role="progressbar"], main [aria-busy="true"], main [data-skeleton]'),
  );
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** checkPage fails on serious barriers for people with disabilities, on sideways scrolling, and on faults up to now. */
export async function checkPage(here: Visit): Promise<void> {
  const { page, faults } = here;
  expect(faults).toEqual([]);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(over, "the page scrolls sideways").toBeLessThanOrEqual(0);
  // The browser's own channel is not bound by the page's policy.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResults> } };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    // The list of completions is not a place to go to: the editor has the focus and names what is active in it.
    for (const rule of violations)
      rule.nodes = rule.nodes.filter(({ html }) => !html.includes('aria-label="Completions"'));
    return violations
      .filter(({ nodes }) => nodes.length > 0)
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(
        ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
      );
  });
  expect(found).toEqual([]);
}
