import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { narrow } from "../browser";
import { write } from "../steps";
import { answers, askAs, checkPage, newVisits } from "./page";

const visits = newVisits();
const path = "/settings?tab=pipelines";
const api = "/api/v1/pipelines";

interface List {
  readonly revision: number;
  readonly pipelines: readonly unknown[];
}

const ask = (method: string, body?: unknown) => askAs<List>("owner", method, api, body);

/** put gives the tenant these pipelines. */
async function put(pipelines: readonly unknown[]): Promise<void> {
  await ask("PUT", { revision: (await ask("GET")).revision, pipelines });
}

// A change is of all pipelines at once: tests that change any stand in this file. Others find those that were there.
let before: readonly unknown[] = [];
beforeAll(async () => {
  before = (await ask("GET")).pipelines;
});
afterAll(() => put(before));

const quiet = {
  name: "quiet",
  enabled: true,
  steps: [{ name: "debug", kind: "drop", match: ["log.severity_number < SEVERITY_NUMBER_INFO"] }],
};

const editor = (page: Page, label: string) => page.locator(`.cm-content[aria-label="${label}"]`);

it("tries a pipeline on lines, saves it and deletes it with a way back", async () => {
  const here = await visits.open("owner", path);
  const { page } = here;
  const name = `p-${Date.now()}`;
  await page.getByRole("button", { name: "New pipeline" }).click();
  const form = page.getByRole("form", { name: "Pipeline" });
  await form.getByLabel("Name *", { exact: true }).fill(name);
  await form.getByRole("button", { name: "Run on these lines" }).click();
  await form.getByText("hide-emails: changed").waitFor();
  await checkPage(here);
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: new RegExp(name) }).waitFor();
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("heading", { name: new RegExp(name) }).waitFor({ state: "detached" });
  await checkPage(here);
});

it("edits a pipeline as YAML, and has the server's faults on their lines", async () => {
  await put([quiet]);
  const here = await visits.open("owner", path);
  const { page } = here;
  here.allow(/400/);
  await page.getByRole("button", { name: "Edit" }).click();
  const form = page.getByRole("form", { name: "Pipeline" });
  await form.getByRole("button", { name: "YAML", exact: true }).click();
  await editor(page, "Pipeline as YAML").getByText("log.severity_number < SEVERITY_NUMBER_INFO").waitFor();

  const bad = `name: quiet
enabled: true
steps:
  - name: debug
    kind: drop
    match:
      - 'log.body == "x"'
      - nonsense(
`;
  await write(page, "Pipeline as YAML", bad);
  await form.getByRole("button", { name: "Save" }).click();
  const alert = form.getByRole("alert");
  await alert.getByText(/^Line 8: Column \d+: /).waitFor();
  await page.locator(".cm-line", { hasText: "nonsense(" }).locator(".cm-lintRange-error").first().waitFor();
  await checkPage({ ...here, faults: [] });

  // The form says it at the step.
  await form.getByRole("button", { name: "Form", exact: true }).click();
  await form.getByRole("group", { name: "Step 1" }).getByRole("alert").getByText("match.1").waitFor();
  await form.getByRole("button", { name: "YAML", exact: true }).click();

  await write(page, "Pipeline as YAML", "name: quiet\nsteps: [");
  await alert.getByText(/^Line \d: This is not YAML/).waitFor();
  expect(await form.getByRole("button", { name: "Save" }).getAttribute("aria-disabled")).toBe("true");

  await write(page, "Pipeline as YAML", bad.replace("nonsense(", `'log.body == "y"'`));
  await form.getByRole("button", { name: "Run on these lines" }).click();
  await form.getByText("debug: nothing").first().waitFor();
  await form.getByRole("button", { name: "Save" }).click();
  await form.waitFor({ state: "detached" });
  expect((await ask("GET")).pipelines).toEqual([
    { ...quiet, steps: [{ ...quiet.steps[0], match: ['log.body == "x"', 'log.body == "y"'] }] },
  ]);
});

it("takes all pipelines as one text, JSON too, and brings the old ones back", async () => {
  await put([quiet]);
  const here = await visits.open("owner", path);
  const { page } = here;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "YAML" }).click();
  const dialog = page.getByRole("dialog", { name: "Pipelines as YAML" });
  await dialog.getByRole("button", { name: "Copy YAML" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`- name: quiet
  enabled: true
  steps:
    - name: debug
      kind: drop
      match:
        - "log.severity_number < SEVERITY_NUMBER_INFO"
`);
  await checkPage(here);
  const mails = {
    name: "mails",
    enabled: true,
    steps: [{ name: "hide", kind: "redact", patterns: ["email"] }],
  };
  await write(page, "All pipelines as YAML", JSON.stringify([mails, quiet], null, 2));
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "1. mails" }).waitFor();
  await page.getByRole("heading", { name: "2. quiet" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { name: "1. quiet" }).waitFor();
  expect((await ask("GET")).pipelines).toEqual([quiet]);
});

it("says on its line which of all pipelines is wrong", async () => {
  await put([quiet]);
  const here = await visits.open("owner", path, { viewport: narrow });
  const { page } = here;
  here.allow(/400/);
  await page.getByRole("button", { name: "YAML" }).click();
  const dialog = page.getByRole("dialog", { name: "Pipelines as YAML" });
  await write(page, "All pipelines as YAML", "- name: a\n  steps: []\n- name: a\n  steps: []\n");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").getByText("Line 3: Another pipeline has the same name.").waitFor();
  await checkPage({ ...here, faults: [] });
  await write(page, "All pipelines as YAML", "- name: a");
  await dialog.getByRole("alert").getByText("Line 1: A pipeline has a list of steps.").waitFor();
});

it("lets a viewer read and copy them", async () => {
  const here = await visits.open("viewer", path, {
    stub: answers(`**${api}`, { revision: 1, pipelines: [quiet] }),
  });
  const { page } = here;
  await page.getByRole("button", { name: "YAML" }).click();
  const dialog = page.getByRole("dialog", { name: "Pipelines as YAML" });
  await dialog.getByRole("button", { name: "Copy JSON" }).waitFor();
  expect(await dialog.getByRole("button", { name: "Save" }).count()).toBe(0);
  expect(await editor(page, "All pipelines as YAML").getAttribute("contenteditable")).not.toBe("true");
});
