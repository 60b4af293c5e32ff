import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, newVisits, problem } from "./page";

const visits = newVisits();

it("invites somebody, shows the link once and takes it back", async () => {
  const here = await visits.open("owner", "/access?tab=invitations");
  const { page } = here;
  const email = `ada-${Date.now()}@example.com`;
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const form = page.getByRole("form", { name: "Invitation" });
  await form.getByLabel("E-mail address").fill(email);
  await form.getByRole("button", { name: "Invite" }).click();
  await page.getByText(/\/invitation#/).waitFor();
  await checkPage(here);
  await page.getByRole("button", { name: "I have copied it" }).click();
  const row = page.getByRole("row").filter({ hasText: email });
  await row.getByText("open").waitFor();
  await row.getByRole("button", { name: "Withdraw" }).click();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.waitFor();
});

it("accepts an invitation by its link", async () => {
  const here = await visits.open("owner", "/invitation#smi_stub", {
    stub: async (page) => {
      const offer = {
        tenant: "Acme",
        email: "ada@example.com",
        role: "editor",
        known: false,
        expires_at: "2099-01-01T00:00:00Z",
      };
      await page.route("**/api/v1/invitations/offer", (route) => route.fulfill({ json: offer }));
      await page.route("**/api/v1/invitations/accept", (route) =>
        route.fulfill({ json: { login: offer.email } }),
      );
    },
  });
  await here.page.getByRole("heading", { name: "Join Acme" }).waitFor();
  await checkPage(here);
  await here.page.getByLabel("Choose a password").fill("a long password");
  await here.page.getByRole("button", { name: "Join" }).click();
  await here.page.getByText("ada@example.com is a member of Acme.").waitFor();
});

it("makes an API key, shows its secret once and revokes it", async () => {
  const here = await visits.open("owner", "/access?tab=keys");
  const { page } = here;
  const name = `key-${Date.now()}`;
  await page.getByRole("button", { name: "New key" }).click();
  const form = page.getByRole("form", { name: "API key" });
  await form.getByLabel("Name", { exact: false }).first().fill(name);
  await form.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("dialog").getByText(/smk_/).waitFor();
  await page.getByRole("button", { name: "I have copied it" }).click();
  expect(await page.getByText(/smk_api_/).count()).toBe(0);
  const row = page.getByRole("row").filter({ hasText: name });
  await row.getByRole("button", { name: "Revoke" }).click();
  await row.waitFor({ state: "detached" });
  await checkPage(here);
});

it("shows the permissions of each role", async () => {
  const here = await visits.open("owner", "/access?tab=roles", { viewport: narrow });
  await here.page.getByRole("columnheader", { name: "viewer" }).waitFor();
  await here.page.getByRole("rowheader", { name: /data:read/ }).waitFor();
  await checkPage(here);
});

it("says what to do when nobody is invited, and why it failed", async () => {
  const empty = await visits.open("owner", "/access?tab=invitations", {
    stub: (page) => page.route("**/api/v1/invitations*", (route) => route.fulfill({ json: { items: [] } })),
  });
  await empty.page.getByRole("heading", { name: "Nobody is invited" }).waitFor();
  const failed = await visits.open("owner", "/access", {
    stub: (page) =>
      page.route("**/api/v1/members*", (route) => route.fulfill({ status: 400, json: problem(400, "No.") })),
  });
  failed.allow(/400/);
  await failed.page.getByText("No.").waitFor({ timeout: 20_000 });
});

it("lets a viewer look, not change", async () => {
  const here = await visits.open("viewer", "/access");
  const { page } = here;
  await page.getByRole("table", { name: "Members" }).getByText("owner").first().waitFor();
  expect(await page.getByRole("button", { name: /^Actions for/ }).count()).toBe(0);
  await page.getByRole("tab", { name: "Roles" }).click();
  const create = page.getByRole("button", { name: "New role" });
  await create.waitFor();
  expect(await create.getAttribute("aria-disabled")).toBe("true");
  await page.getByRole("tab", { name: "Cluster tokens" }).click();
  await page.getByRole("heading", { name: "Not allowed" }).waitFor();
  expect(await here.call("POST", "/api/v1/invitations", { role: "viewer" })).toBe(403);
  expect(await here.call("POST", "/api/v1/roles", { name: "mine", permissions: ["data:read"] })).toBe(403);
  expect(await here.call("POST", "/api/v1/tokens", { kind: "query" })).toBe(403);
});
