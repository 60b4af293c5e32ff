import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { executable, flags } from "../browser";

/**
 * Starts what all files of page tests share: the built binary with its demo cluster, as `make demo` does, and one browser. Makes a
 * viewer and an operator beside the demo's owner.
 *
 *   SEAMARK_DATA_DIR  the data folder of a demo server that runs already, which is then used instead
 *   SEAMARK_CONSOLE   where the console is looked at, when not at the server: `npm run dev` with SEAMARK_URL, for work on pages
 */

export type Role = "owner" | "viewer" | "operator";

export interface Person {
  readonly login: string;
  readonly password: string;
  /** The session's cookie, and when it was given; it is good for ten minutes. */
  readonly session: Session;
}

export interface Session {
  readonly name: string;
  readonly value: string;
  readonly atMs: number;
}

declare module "vitest" {
  interface ProvidedContext {
    /** Where the API answers. */
    server: string;
    /** Where the console is looked at. */
    origin: string;
    /** The browser's address for connections. */
    browser: string;
    people: Readonly<Record<Role, Person>>;
    /** Tokens of the demo's tenant, for what a test needs and the demo cluster does not send. */
    ingestToken: string;
    queryToken: string;
    /** The server's folder, for `seamark admin`. */
    dataDir: string;
  }
}

const root = join(import.meta.dirname, "../../..");
export const binary = process.env.SEAMARK_BINARY ?? join(root, "bin/seamark");

// The first data of the demo cluster is an hour of logs; a busy machine takes its time.
const startMs = 180_000;

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const running = process.env.SEAMARK_DATA_DIR;
  const demo = running ? { data: running, stop: async () => undefined } : await startDemo();
  const stops = [demo.stop];
  try {
    const env = readEnv(join(demo.data, "demo.env"));
    const browser = await chromium.launchServer({ executablePath: executable, args: flags });
    stops.unshift(() => browser.close());
    const server = new URL(need(env, "SEAMARK_URL")).origin;
    provide("server", server);
    provide("origin", process.env.SEAMARK_CONSOLE ?? server);
    provide("browser", browser.wsEndpoint());
    provide("ingestToken", need(env, "SEAMARK_INGEST_TOKEN"));
    provide("queryToken", need(env, "SEAMARK_QUERY_TOKEN"));
    provide("dataDir", demo.data);
    provide("people", {
      owner: await person(server, need(env, "SEAMARK_LOGIN"), need(env, "SEAMARK_PASSWORD")),
      viewer: await createPerson(server, demo.data, "viewer", ["--tenant", "demo", "--role", "viewer"]),
      operator: await createPerson(server, demo.data, "operator", ["--operator"]),
    });
  } catch (error) {
    for (const stop of stops) await stop();
    throw error;
  }
  return async () => {
    for (const stop of stops) await stop();
  };
}

async function startDemo() {
  if (!existsSync(binary)) throw new Error(`${binary} is not there; \`make build\` makes it`);
  const data = mkdtempSync(join(tmpdir(), "seamark-pages-"));
  const log = openSync(join(data, "log"), "w");
  const args = ["--data-dir", data, "--http.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"];
  // Tests receive webhooks on this machine, and do not wait minutes for them.
  args.push("--alerting.allowed-receivers", "127.0.0.0/8", "--alerting.evaluation-interval", "10s");
  const child = spawn(binary, ["serve", "--demo", ...args], { cwd: root, stdio: ["ignore", log, log] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  const until = Date.now() + startMs;
  while (!existsSync(join(data, "demo.env"))) {
    if (child.exitCode !== null || Date.now() > until) {
      const said = readFileSync(join(data, "log"), "utf8").slice(-4000);
      await stop();
      throw new Error(`the demo server did not become ready:\n${said}`);
    }
    await pause(200);
  }
  return { data, stop };
}

/** createPerson makes somebody as an operator would, and signs them in. */
export async function createPerson(server: string, data: string, name: string, more: readonly string[]) {
  // A name of its own for each run, so that runs against one server do not take each other's passwords.
  const login = `${name}-${randomBytes(4).toString("hex")}@seamark.local`;
  const args = ["admin", "user", "create", login, ...more, "--data-dir", data];
  const { stdout } = await promisify(execFile)(binary, args);
  const password = /password: (\S+)/.exec(stdout)?.[1];
  if (!password) throw new Error(`admin user create told no password: ${stdout}`);
  return person(server, login, password);
}

async function person(server: string, login: string, password: string): Promise<Person> {
  return { login, password, session: await signIn(server, login, password) };
}

/**
 * signIn returns the cookie of a session, and leaves out the one that refreshes it: pages that share a session would use it twice,
 * which the server takes for theft.
 */
export async function signIn(server: string, login: string, password: string): Promise<Session> {
  const response = await fetch(`${server}/api/v1/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ login, password, cookie: true }),
  });
  const cookies = response.headers.getSetCookie().map((cookie) => /^([^=]*session)=([^;]*)/.exec(cookie));
  const found = cookies.find((cookie) => cookie !== null);
  if (!found?.[1] || !found[2])
    throw new Error(`sign-in of ${login}: ${response.status} ${await response.text()}`);
  return { name: found[1], value: found[2], atMs: Date.now() };
}

function readEnv(path: string): Readonly<Record<string, string>> {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

function need(env: Readonly<Record<string, string>>, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`demo.env names no ${name}`);
  return value;
}
