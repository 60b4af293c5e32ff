import type { Locator, Page } from "playwright-core";

/** What a person does with the console, shared by the tests against the mock and against a running server. */

export async function signIn(page: Page, login: string, password: string): Promise<void> {
  await page.goto("/");
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

export type PageTitle = "Home" | "Clusters" | "Logs" | "Metrics" | "Events" | "Audit" | "Tenants";

/** open goes to a page by the navigation, which phones have behind a button. */
export async function open(page: Page, title: PageTitle): Promise<void> {
  const menu = page.getByRole("button", { name: "Open the menu" });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: title }).click();
}

/** write puts a text in place of an editor's. */
export async function write(page: Page, label: string, text: string): Promise<Locator> {
  const editor = page.locator(`.cm-content[aria-label="${label}"]`);
  // As a person does it: fill() replaces in a way that no person can, with styles that the policy refuses.
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
  return editor;
}

export async function runQuery(page: Page, language: "LogQL" | "PromQL", query: string): Promise<void> {
  await (await write(page, `${language} query`, query)).press("Enter");
}

export const logRows = (page: Page) => page.getByRole("treeitem");

export const histogram = (page: Page) => page.getByRole("img", { name: /lines over time/ });

/** barsDrawn waits for bars of at least one level in the histogram. */
export async function barsDrawn(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll("path[data-level]")].some((p) => p.getAttribute("d")),
  );
}

/** plotDrawn waits for a plot whose canvas holds ink of a line: pixels of clear colour, which grid and text lack. */
export async function plotDrawn(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".uplot canvas");
    // A copy is read, since Chromium warns of slow reads from a canvas made for drawing.
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    if (!canvas || !context || canvas.width === 0) return false;
    context.canvas.width = canvas.width;
    context.canvas.height = canvas.height;
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r = 0, g = 0, b = 0, a = 0] = data.slice(i, i + 4);
      if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) coloured++;
    }
    return coloured > 50;
  });
}

export const eventRows = (page: Page) => page.locator("article[data-type]");

/** drag moves the pointer over part of an element, given as fractions of its width. */
export async function drag(
  page: Page,
  target: ReturnType<typeof histogram>,
  from: number,
  to: number,
): Promise<void> {
  const box = await target.boundingBox();
  if (!box) throw new Error("nothing to drag over");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, y, { steps: 5 });
  await page.mouse.up();
}
