import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, fails, newVisits, problem, settled } from "./page";

const visits = newVisits();

const unique = () => `t-${randomBytes(3).toString("hex")}`;

it("lists clusters with the age of their signals", async () => {
  const here = await visits.open("owner", "/clusters");
  const row = here.page.getByRole("row", { name: /demo/ });
  await row.locator('[data-freshness="fresh"]').first().waitFor();
  await checkPage(here);
  await row.getByRole("link", { name: /Logs of demo/ }).click();
  await here.page.waitForURL(/\/logs\?.*cluster/);
});

it("makes, rotates and revokes tokens, and deletes the cluster", async () => {
  const name = unique();
  const here = await visits.open("owner", "/clusters/new");
  const { page } = here;
  await page.getByLabel("Name of the cluster").fill("Not A Name");
  await page.getByRole("button", { name: "Add cluster" }).click();
  await page.getByText(/the first and the last are no dash/).waitFor();
  await page.getByLabel("Name of the cluster").fill(name);
  await page.getByRole("button", { name: "Add cluster" }).click();
  await page.getByText(/kubectl apply/).waitFor();
  await checkPage(here);
  await page.goto(`/clusters/${name}`);

  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name", { exact: true }).fill("fluent-bit");
  await page.getByRole("button", { name: "Make token" }).click();
  await page.getByText(/^smk_ingest_/).waitFor();
  await page.getByRole("button", { name: "Done" }).click();

  await page.getByRole("button", { name: "Actions for fluent-bit" }).click();
  await page.getByRole("menuitem", { name: "Rotate…" }).click();
  await page.getByLabel("The old secret stays good for").selectOption({ label: "1 hour" });
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  await page.getByText(/^smk_ingest_/).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText(/old secret good until/).waitFor();
  await checkPage(here);

  await page.getByRole("button", { name: "Actions for fluent-bit" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByText("Revoked the token fluent-bit.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Actions for fluent-bit" }).waitFor();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByLabel(/to confirm/).fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/clusters$/);
  await page.getByRole("row", { name: /demo/ }).waitFor();
  await page.getByRole("link", { name, exact: true }).waitFor({ state: "detached" });
});

it("says what to do when there is none, and why when it failed", async () => {
  const empty = await visits.open("owner", "/clusters", {
    viewport: narrow,
    stub: (page) => page.route(/\/api\/v1\/clusters/, (route) => route.fulfill({ json: { items: [] } })),
  });
  await empty.page.getByText("No cluster sends data yet").waitFor();
  await checkPage(empty);
  const failed = await visits.open("owner", "/clusters", {
    stub: (page) =>
      page.route(/\/api\/v1\/clusters/, (route) =>
        route.fulfill({ status: 422, json: problem(422, "This is refused by a test.") }),
      ),
  });
  failed.allow(/422/);
  await failed.page.getByText("This is refused by a test.").waitFor();
});

it("says which name is taken, and which cluster there is not", async () => {
  const taken = await visits.open("owner", "/clusters/new");
  taken.allow(/409/);
  await taken.page.getByLabel("Name of the cluster").fill("demo");
  await taken.page.getByRole("button", { name: "Add cluster" }).click();
  await taken.page.getByRole("form").getByRole("alert").waitFor();
  await checkPage({ ...taken, faults: [] });
  const absent = await visits.open("owner", "/clusters/absent", { viewport: narrow });
  await absent.page.getByRole("heading", { name: "There is no cluster absent" }).waitFor();
  await checkPage(absent);
  await absent.page.getByRole("link", { name: "To the clusters" }).click();
  await absent.page.waitForURL(/\/clusters$/);
});

it.each([
  { path: "/clusters/new", without: "clusters" },
  { path: "/clusters/demo", without: "clusters" },
  { path: "/clusters/demo", without: "tokens" },
])("says why $path cannot be shown without $without", async ({ path, without }) => {
  const stub = fails(new RegExp(`/api/v1/${without}`), "This is refused by a test.");
  const here = await visits.open("owner", path, { stub });
  here.allow(/422/);
  await here.page.getByText("This is refused by a test.").waitFor();
});

it("lets a viewer look at a cluster, not change it", async () => {
  const here = await visits.open("viewer", "/clusters/demo");
  const { page } = here;
  await page.getByText("Your role does not include seeing tokens.").waitFor();
  for (const name of ["Delete", "Connect an agent"])
    expect(await page.getByRole("button", { name, exact: true }).getAttribute("aria-disabled")).toBe("true");
  await settled(page);
  await checkPage(here);
  expect(await here.call("DELETE", "/api/v1/clusters/demo")).toBe(403);
  expect(await here.call("GET", "/api/v1/tokens")).toBe(403);
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/clusters");
  const add = here.page.getByRole("button", { name: "Add a cluster" });
  await add.waitFor();
  expect(await add.getAttribute("aria-disabled")).toBe("true");
  expect(await here.call("POST", "/api/v1/clusters", { name: unique() })).toBe(403);
  expect(await here.call("POST", "/api/v1/tokens", { kind: "ingest" })).toBe(403);
  await here.page.goto("/clusters/new");
  await here.page.getByText("Not allowed").waitFor();
});
