import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { expect, inject, it } from "vitest";
import { newVisits } from "./page";
import { binary } from "./setup";

const visits = newVisits();

const run = promisify(execFile);

/** newTenant makes a tenant in which there is nothing, and its owner, as an operator would. */
async function newTenant(slug: string): Promise<{ login: string; password: string }> {
  const login = `${slug}@seamark.local`;
  const admin = (...args: string[]) => run(binary, ["admin", ...args, "--data-dir", inject("dataDir")]);
  await admin("tenant", "create", slug);
  const { stdout } = await admin("user", "create", login, "--tenant", slug, "--role", "owner");
  return { login, password: /password: (\S+)/.exec(stdout)?.[1] ?? "" };
}

/** A receiver of webhooks, as somebody's chat or pager would be. */
async function webhook() {
  const bodies: string[] = [];
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk) => {
      body += chunk;
    });
    req.on("end", () => {
      bodies.push(body);
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/alerts`, bodies, close: () => server.close() };
}

it("takes a newcomer from the sign-in to the first alert on a webhook", { timeout: 180_000 }, async () => {
  const hook = await webhook();
  const name = `n-${randomBytes(3).toString("hex")}`;
  const here = await visits.open("nobody", "/");
  here.allow(/404/); // a tenant has neither receivers nor groups of rules until somebody makes them
  const { page } = here;
  const { login, password } = await newTenant(name);

  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();

  // Add a cluster, as the first page says.
  await page.getByText("Welcome. Four steps, and you are there").waitFor();
  await page.getByRole("link", { name: "Add a cluster" }).click();
  await page.getByLabel("Name of the cluster").fill(name);
  await page.getByRole("button", { name: "Add cluster" }).click();

  // Run the command that is shown.
  await page.getByRole("radio", { name: /curl/ }).click();
  const logs = page.locator('[data-signal="logs"]');
  await page.getByText("waiting for first data").first().waitFor();
  const command = await page.locator("pre", { hasText: "/api/v1/push/logs" }).innerText();
  const shown = command.replaceAll(inject("origin"), inject("server"));
  await run("sh", ["-c", shown]);
  await page.locator('[data-signal="logs"][data-arrived="true"]').waitFor({ timeout: 15_000 });

  // See the line.
  await logs.getByRole("link", { name: "See logs" }).click();
  await page.waitForURL(/\/logs/);
  await page.getByText(`Hello from ${name}`).first().waitFor({ timeout: 30_000 });

  const pages = page.getByRole("navigation", { name: "Pages" });
  // Say who is told.
  await pages.getByRole("link", { name: "Receivers" }).click();
  await page.getByRole("button", { name: "Add a receiver" }).first().click();
  const form = page.getByRole("form", { name: "Receiver" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Add a service").selectOption({ label: "Webhook" });
  await form.getByLabel("Address").fill(hook.url);
  await form.getByRole("button", { name: "Save receiver" }).click();
  await form.waitFor({ state: "detached" });

  // Make an alert of the line.
  await page.goto(`/logs?q=${encodeURIComponent(`{cluster="${name}"} |= "Hello"`)}`);
  await page.getByRole("link", { name: "Make an alert of this query" }).click();
  await page.waitForURL(/\/alerts\/rules\/new/);
  const rule = page.getByRole("form", { name: "Rule" });
  await rule.getByLabel("Name *").fill(`Hello_${name.replace("-", "_")}`);
  await rule.getByLabel("For", { exact: true }).fill("");
  await rule.getByRole("button", { name: "Save rule" }).click();
  await page.waitForURL(/\/alerts\/rules\/(?!new)/, { timeout: 30_000 });

  // It arrives.
  await expect
    .poll(() => hook.bodies.join("\n"), { timeout: 90_000, interval: 500 })
    .toContain(`Hello_${name.replace("-", "_")}`);
  hook.close();
});
