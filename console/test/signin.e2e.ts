import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, narrow, shoot, type Visit, visit } from "./browser";

/**
 * Signing in at a provider, against a running server:
 *
 *   SEAMARK_URL     its address
 *   SEAMARK_ISSUER  the address of the provider `corp`, named Example Corp, which signs in a member of a tenant without asking
 */
function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; it tells the test where to look`);
  return new URL(value).origin;
}

let browser: Browser;
let here: Visit;

beforeAll(async () => {
  browser = await launch();
  here = await visit(browser, {
    origin: setting("SEAMARK_URL"),
    provider: setting("SEAMARK_ISSUER"),
    viewport: { width: 1280, height: 800 },
  });
});

afterAll(async () => {
  await browser?.close();
});

it("signs in at a provider, goes on with the next token, and signs out", async () => {
  const { page, faults } = here;
  await page.goto("/logs");
  const button = page.getByRole("link", { name: "Sign in with Example Corp" });
  await button.waitFor();
  await shoot(page, "signin-1280");
  await page.setViewportSize(narrow);
  await shoot(page, "signin-390");
  await page.setViewportSize({ width: 1280, height: 800 });
  await button.click();
  await page.getByRole("banner").waitFor();
  expect(new URL(page.url()).pathname).toBe("/logs");

  const scripts = await page.evaluate(() => document.cookie);
  expect(scripts).toBe(""); // no script of a page can read them
  await page.context().clearCookies({ name: "seamark_session" }); // as the browser does when the token is over
  const refreshed = page.waitForResponse((r) => r.url().endsWith("/api/v1/session/refresh"));
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Clusters" }).click();
  expect((await refreshed).status()).toBe(200);

  await page.getByRole("button", { name: "Account and theme" }).click();
  await page.getByRole("menuitem", { name: "Account" }).click();
  await page.getByText("this one").waitFor();
  await page.getByText("console@example.org").first().waitFor();
  await shoot(page, "signin-account");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await button.waitFor();
  await page.reload();
  await button.waitFor();
  expect(faults).toEqual([]);
});
