import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { answers, checkPage, newVisits } from "./page";

const visits = newVisits();
const path = "/api/v1/tenant/exports";

/** membersOf lists the names in a tar archive, whose heads and contents fill blocks of 512 bytes. */
function membersOf(tar: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    names.push(text(0, 100));
    at += 512 + 512 * Math.ceil(Number.parseInt(text(124, 12), 8) / 512);
  }
  return names;
}

it("exports all of the tenant's data, hands it over, and deletes it with a way back", async () => {
  const here = await visits.open("owner", "/settings");
  const { page } = here;
  await page.getByRole("button", { name: "Export everything" }).click();
  const row = page.getByRole("table", { name: "Exports" }).getByRole("row").nth(1);
  await row.getByText("done", { exact: true }).waitFor({ timeout: 45_000 });
  await checkPage(here);
  const download = page.waitForEvent("download");
  await row.getByRole("link", { name: "Download" }).click();
  const archive = await download;
  expect(archive.suggestedFilename()).toMatch(/\.tar$/);
  const members = membersOf(await buffer(await archive.createReadStream()));
  expect(members).toContain("manifest.ndjson");
  expect(members).toContain("configuration.json");
  await row.getByRole("button", { name: "Delete" }).click();
  await row.getByRole("link", { name: "Download" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row.getByRole("link", { name: "Download" }).waitFor();
  const gone = page.waitForResponse((response) => response.request().method() === "DELETE");
  await row.getByRole("button", { name: "Delete" }).click();
  expect((await gone).status()).toBe(204);
});

it("shows how far an export is, and what failed", async () => {
  const made = {
    created_at: new Date().toISOString(),
    node: "a",
    rows: 0,
    bytes: 0,
    parts: 4,
    parts_done: 1,
  };
  const items = [
    { ...made, id: "01", state: "running" },
    { ...made, id: "02", state: "failed", fault: "The disk was full." },
  ];
  const here = await visits.open("owner", "/settings", {
    viewport: narrow,
    colorScheme: "dark",
    stub: answers(`**${path}`, { items }),
  });
  const { page } = here;
  await page.getByRole("meter", { name: "Progress of the export" }).waitFor();
  await page.getByRole("button", { name: "Stop" }).waitFor();
  expect(await page.getByTitle("The disk was full.").textContent()).toBe("failed");
  await checkPage(here);
});

it("lets nobody but owners take the data out", async () => {
  const here = await visits.open("viewer", "/settings");
  await here.page.getByText("Only owners take all of the tenant's data out.").waitFor();
  const button = here.page.getByRole("button", { name: "Export everything" });
  expect(await button.getAttribute("aria-disabled")).toBe("true");
  await checkPage(here);
  expect(await here.call("POST", path)).toBe(403);
  expect(await here.call("GET", path)).toBe(403);
});
