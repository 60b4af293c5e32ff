import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { answer } from "./api";

const root = join(import.meta.dirname, "../..");
const dist = process.env.CONSOLE_DIST ?? join(root, "dist");

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** startMock serves the built console under the policy that the binary serves it with, and the mock API beside it. */
export async function startMock(): Promise<{ url: string; stop: () => Promise<void> }> {
  const policy = readFileSync(join(root, "csp.txt"), "utf8").trim();
  const server = createServer((req, res) => {
    res.setHeader("Content-Security-Policy", policy);
    res.setHeader("X-Content-Type-Options", "nosniff");
    if (!answer(req, res)) serveFile(new URL(req.url ?? "/", "http://mock").pathname, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(server) };
}

function serveFile(path: string, res: ServerResponse): void {
  const name = extname(path) ? path : "/index.html";
  try {
    const body = readFileSync(join(dist, name));
    res.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream" }).end(body);
  } catch {
    res.writeHead(404).end();
  }
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
