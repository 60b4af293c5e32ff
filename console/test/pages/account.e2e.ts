import { expect, inject, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, fails, newVisits, settled } from "./page";
import { createPerson, type Person } from "./setup";

const visits = newVisits();

const newPerson = () =>
  createPerson(inject("server"), inject("dataDir"), "person", ["--tenant", "demo", "--role", "viewer"]);

/** enter signs a person in by the form, so that the page has all cookies of a session. */
async function enter({ login, password }: Person) {
  const here = await visits.open("nobody", "/account");
  await here.page.getByLabel("Login").fill(login);
  await here.page.getByLabel("Password").fill(password);
  await here.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await here.page.getByRole("heading", { name: "Account", level: 1 }).waitFor();
  return here;
}

const isGood = async ({ session: { name, value } }: Person) => {
  const asked = await fetch(`${inject("server")}/api/v1/session`, {
    headers: { Cookie: `${name}=${value}` },
  });
  return asked.ok;
};

it("lists where somebody is signed in, and ends it there", async () => {
  const person = await newPerson();
  const here = await enter(person);
  const { page } = here;
  const rows = page.getByRole("table", { name: "Sessions" }).locator("tbody tr");
  await rows.filter({ hasText: "this one" }).waitFor();
  expect(await rows.count()).toBe(2);
  await settled(page);
  await checkPage(here);
  await rows.getByRole("button", { name: "End", exact: true }).click();
  await expect.poll(() => rows.count()).toBe(1);
  expect(await isGood(person)).toBe(false);
});

it("changes the password, which ends the other sessions, and says what is wrong with one", async () => {
  const person = await newPerson();
  const here = await enter(person);
  here.allow(/400/);
  const { page } = here;
  const form = page.getByRole("form", { name: "Change password" });
  const save = form.getByRole("button", { name: "Change password" });
  await save.click();
  await form.getByText("Enter the password that you have.").waitFor();
  await form.getByLabel("Old password").fill("not this one");
  await form.getByLabel("New password").fill(`${person.password}+`);
  await save.click();
  await form.getByText("The old password is wrong.").waitFor();
  await checkPage({ ...here, faults: [] });
  await form.getByLabel("Old password").fill(person.password);
  await save.click();
  await page.getByText("The password is changed. Your other sessions have ended.").waitFor();
  expect(await isGood(person)).toBe(false);
  await page.reload();
  await page.getByRole("heading", { name: "Account", level: 1 }).waitFor();
});

it("signs out everywhere", async () => {
  const person = await newPerson();
  const { page } = await enter(person);
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  expect(await isGood(person)).toBe(false);
});

it("says why the sessions cannot be shown", async () => {
  const here = await visits.open("operator", "/account", {
    viewport: narrow,
    stub: fails("**/api/v1/sessions", "The sessions are away."),
  });
  here.allow(/422/);
  await here.page.getByText("The sessions are away.").waitFor();
  await here.page.getByRole("form", { name: "Change password" }).waitFor();
});

it("says why a sign-in was refused", async () => {
  const here = await visits.open("nobody", "/usage");
  await here.page.getByLabel("Login").fill("nobody@seamark.local");
  await here.page.getByLabel("Password").fill("not a password");
  await here.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await here.page.getByRole("alert").waitFor();
  await checkPage(here);
});

it("says why a link for a password does not work", async () => {
  const here = await visits.open("nobody", "/reset-password#smr_nothing");
  here.allow(/40[01]/);
  await here.page.getByLabel("New password").fill("a long password");
  await here.page.getByRole("button", { name: "Set password" }).click();
  await here.page.getByRole("alert").waitFor();
  await checkPage(here);
});
