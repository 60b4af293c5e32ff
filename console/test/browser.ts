import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

// Without these, Chromium looks for updates and fails noisily where there is no way out to the internet.
export const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const executable = process.env.CHROMIUM ?? "/usr/bin/chromium";

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable, args: flags });
}

export const wide = { width: 1440, height: 900 };
export const narrow = { width: 390, height: 844 };

export interface Visit {
  readonly page: Page;
  /** Everything that must not happen on any page: errors in the console, requests that leave the origin. */
  readonly faults: string[];
  /** Console errors that match are part of the test; a browser reports every 4xx and 5xx there. */
  allow(pattern: RegExp): void;
  close(): Promise<void>;
}

interface VisitOptions {
  readonly origin: string;
  readonly viewport: { width: number; height: number };
  readonly colorScheme?: "light" | "dark";
  /** Another origin that pages may lead to: a sign-in provider's. */
  readonly provider?: string;
}

/** visit opens a page in a fresh profile and watches it. */
export async function visit(browser: Browser, options: VisitOptions): Promise<Visit> {
  const context: BrowserContext = await browser.newContext({
    baseURL: options.origin,
    viewport: options.viewport,
    colorScheme: options.colorScheme ?? "light",
    hasTouch: options.viewport.width < 700,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const allowed: RegExp[] = [/401 \(Unauthorized\)/]; // Asking who is signed in, when nobody is.
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!allowed.some((pattern) => pattern.test(message.text())))
      faults.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== options.origin && url.origin !== options.provider && url.protocol !== "data:")
      faults.push(`request to ${url.origin}`);
  });
  return {
    page,
    faults,
    allow: (pattern) => void allowed.push(pattern),
    close: () => context.close(),
  };
}

let folder: string | undefined;

/** shoot saves a picture for a person to look at, and says where at the first. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!folder) {
    folder = process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), "seamark-console-"));
    process.stdout.write(`screenshots: ${folder}\n`);
  }
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
