import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, errorOf, request } from "./api";

const json = (type: string) => new Headers({ "Content-Type": type });

describe("errorOf", () => {
  it("reads problem details", () => {
    const body = JSON.stringify({
      type: "about:blank",
      title: "Too many requests",
      status: 429,
      detail: "Too many attempts; wait 42 s.",
      id: "seamark-login-rate",
      request_id: "r1",
    });
    const headers = json("application/problem+json");
    headers.set("Retry-After", "42");
    const error = errorOf(429, headers, body);
    expect(error).toMatchObject({
      message: "Too many attempts; wait 42 s.",
      id: "seamark-login-rate",
      requestId: "r1",
      retryAfterSeconds: 42,
      kind: "rateLimited",
    });
  });

  it("reads Prometheus' envelope", () => {
    const body = JSON.stringify({ status: "error", errorType: "bad_data", error: "1:5: parse error" });
    expect(errorOf(400, json("application/json"), body).message).toBe("1:5: parse error");
  });

  it("reads Loki's plain text", () => {
    expect(errorOf(400, json("text/plain; charset=utf-8"), "parse error at line 1\n").message).toBe(
      "parse error at line 1",
    );
  });

  it("hides a proxy's page", () => {
    expect(errorOf(502, json("text/html"), "<html>Bad gateway</html>").message).toBe(
      "The server failed (502).",
    );
  });

  it("survives JSON that is none", () => {
    expect(errorOf(500, json("application/json"), "nope").message).toBe("The server failed (500).");
  });
});

describe("request", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("encodes parameters, leaves empty ones out and decodes JSON", async () => {
    const fetch = vi.fn(async (_url: string, _init: RequestInit) => Response.json({ ok: true }));
    vi.stubGlobal("fetch", fetch);
    await expect(request("/x", { query: { a: "1&2", b: "", c: undefined, d: 0 } })).resolves.toEqual({
      ok: true,
    });
    expect(fetch.mock.calls[0]?.[0]).toBe("/x?a=1%262&d=0");
  });

  it("says what a query is for", async () => {
    const fetch = vi.fn(async (_url: string, _init: RequestInit) => Response.json({}));
    vi.stubGlobal("fetch", fetch);
    await request("/x", { purpose: { class: "adhoc", part: "logs/lines" }, headers: { A: "b" } });
    await request("/x");
    const sent = fetch.mock.calls.map(([, init]) => init.headers as Record<string, string>);
    expect(sent[0]).toMatchObject({
      "Seamark-Query-Class": "adhoc",
      "Seamark-Query-Source": "console:logs/lines",
      A: "b",
    });
    expect(Object.keys(sent[1] ?? {})).toEqual(["Accept"]);
  });

  it("returns nothing for 204", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
    await expect(request("/x", { method: "DELETE" })).resolves.toBeUndefined();
  });

  it("throws on every other status", async () => {
    vi.stubGlobal(
      "fetch",
      async () => new Response("no", { status: 404, headers: { "Content-Type": "text/plain" } }),
    );
    await expect(request("/x")).rejects.toMatchObject({ status: 404, kind: "notFound", message: "no" });
  });

  it("says when the server is away", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    const error = await request("/x").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).kind).toBe("away");
  });
});
