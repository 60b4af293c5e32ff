import { expect, inject, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, fails, newVisits } from "./page";
import { createPerson } from "./setup";

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
  await page.getByText(/smk_api_/).waitFor({ state: "detached" });
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

it("changes what a member may do, and removes them by their name", async () => {
  const args = ["--tenant", "demo", "--role", "viewer"];
  const { login } = await createPerson(inject("server"), inject("dataDir"), "member", args);
  const here = await visits.open("owner", "/access");
  const { page } = here;
  await page.getByLabel("Search members").fill(login);
  const row = page.getByRole("row").filter({ hasText: login });
  const menu = row.getByRole("button", { name: `Actions for ${login}` });
  await menu.click();
  await page.getByRole("menuitem", { name: "Role and access" }).click();
  const form = page.getByRole("form", { name: "Change member" });
  await form.getByLabel("Role").selectOption("editor");
  await form.getByLabel("Namespaces").fill("shop");
  await checkPage(here);
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText(`Changed ${login}.`).waitFor();
  await row.getByText("editor", { exact: true }).waitFor();
  await row.getByText("shop").waitFor();
  await menu.click();
  await page.getByRole("menuitem", { name: "Remove from tenant" }).click();
  const confirm = page.getByRole("dialog", { name: "Remove from the tenant" });
  await confirm.getByRole("textbox").fill(login);
  await confirm.getByRole("button", { name: "Remove" }).click();
  await row.waitFor({ state: "detached" });
});

it("hands out a link by which a member sets a new password", async () => {
  const args = ["--tenant", "demo", "--role", "viewer"];
  const { login } = await createPerson(inject("server"), inject("dataDir"), "forgetful", args);
  const here = await visits.open("owner", "/access");
  await here.page.getByLabel("Search members").fill(login);
  await here.page.getByRole("button", { name: `Actions for ${login}` }).click();
  await here.page.getByRole("menuitem", { name: "Password link" }).click();
  const shown = here.page.getByRole("dialog").getByText(/\/reset-password#/);
  const link = new URL((await shown.textContent()) ?? "");
  await checkPage(here);

  const { page } = await visits.open("nobody", link.pathname + link.hash);
  await page.getByLabel("New password").fill("a password to remember");
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByText(`The password of ${login} is set.`).waitFor();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill("a password to remember");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
});

it("makes a role and deletes it with a way back", async () => {
  const here = await visits.open("owner", "/access?tab=roles");
  const { page } = here;
  const name = `role-${Date.now()}`;
  await page.getByRole("button", { name: "New role" }).click();
  const form = page.getByRole("form", { name: "Role" });
  await form.getByLabel("Name *", { exact: true }).fill(name);
  await form.getByRole("checkbox", { name: /^silences:write/ }).check();
  await checkPage(here);
  await form.getByRole("button", { name: "Save" }).click();
  const head = page.getByRole("columnheader", { name });
  await head.getByRole("button", { name: `Actions for role ${name}` }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await head.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await head.waitFor();
  expect(await here.call("DELETE", `/api/v1/roles/${name}`)).toBe(204);
});

it("says what to do where there is nothing", async () => {
  const here = await visits.open("owner", "/access?tab=invitations", {
    stub: async (page) => {
      for (const list of ["invitations", "keys", "tokens"])
        await answers(`**/api/v1/${list}?*`, { items: [] })(page);
    },
  });
  const { page } = here;
  await page.getByRole("heading", { name: "Nobody is invited" }).waitFor();
  await page.getByRole("tab", { name: "API keys" }).click();
  await page.getByRole("heading", { name: "No API key yet" }).waitFor();
  await page.getByRole("tab", { name: "Cluster tokens" }).click();
  await page.getByRole("heading", { name: "No token yet" }).waitFor();
  await checkPage(here);
});

it.each(["members", "invitations", "roles", "keys", "tokens", "sessions"])(
  "says why %s cannot be shown",
  async (list) => {
    const here = await visits.open("owner", `/access?tab=${list}`, {
      stub: fails(new RegExp(`/api/v1/${list}(\\?|$)`), "It is away."),
    });
    here.allow(/422/);
    await here.page.getByText("It is away.").first().waitFor();
  },
);

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
