/** The one way to the server: every resource in src/data goes through request(). */

export type ErrorKind =
  | "away" // no answer at all
  | "unauthenticated"
  | "forbidden"
  | "notFound"
  | "rateLimited"
  | "invalid" // the request can never succeed
  | "unavailable"; // may succeed later

/** ApiError is what every failed request throws. Its message comes from the server and is safe to show. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly id: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** The faulty parts of the sent document, where the server names them. */
  readonly faults: readonly Fault[];

  constructor(status: number, message: string, more: ApiErrorDetails = {}) {
    super(message);
    this.status = status;
    this.id = more.id;
    this.requestId = more.requestId;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.faults = more.faults ?? [];
  }

  get kind(): ErrorKind {
    switch (this.status) {
      case 0:
        return "away";
      case 401:
        return "unauthenticated";
      case 403:
        return "forbidden";
      case 404:
        return "notFound";
      case 429:
        return "rateLimited";
      default:
        return this.status < 500 ? "invalid" : "unavailable";
    }
  }
}

/** A fault within the sent document, named by a JSON pointer. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

interface ApiErrorDetails {
  faults?: readonly Fault[];
  id?: string | undefined;
  requestId?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

type QueryValue = string | number | boolean | readonly string[] | undefined;

/** What a query is for. The server lets what a person typed wait behind panels, and shows who asked in its list of queries. */
export interface QueryPurpose {
  readonly class: "dashboard" | "adhoc";
  /** The page and its part, such as logs/lines. */
  readonly part: string;
}

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Parameters of the URL; undefined and "" are left out, and each text of a list is a parameter of its own. */
  query?: Record<string, QueryValue>;
  /** Sent as JSON. */
  json?: unknown;
  /** Hands on the answer's text: for documents in YAML and Markdown, and for answers without a body. */
  text?: boolean;
  headers?: Record<string, string>;
  /** Set for queries of logs, metrics and events. */
  purpose?: QueryPurpose;
  signal?: AbortSignal;
  /** Sees the headers of a good answer, such as a document's ETag. */
  onHeaders?: (headers: Headers) => void;
}

/** request sends one request to the console's own origin and returns the decoded JSON; any other answer than 2xx throws. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await respond(path, options);
  options.onHeaders?.(response.headers);
  if (response.status === 204) return undefined as T;
  if (options.text) return (await response.text()) as T;
  return (await response.json()) as T;
}

/** respond is request for who decodes the body elsewhere, such as in a worker, or reads headers. */
export async function respond(path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = {
    Accept: options.text ? "*/*" : "application/json",
    ...options.headers,
  };
  if (options.purpose) {
    headers["Seamark-Query-Class"] = options.purpose.class;
    headers["Seamark-Query-Source"] = `console:${options.purpose.part}`;
  }
  const init: RequestInit = { method: options.method ?? "GET", credentials: "same-origin", headers };
  if (options.signal) init.signal = options.signal;
  // A deletion that waited for its undo is sent when the page is left, and must outlive it.
  if (init.method === "DELETE") init.keepalive = true;
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.json);
  }
  const params = options.query ? encodeParams(options.query).toString() : "";
  const url = params ? `${path}?${params}` : path;
  let response = await send(url, init);
  // A token lives for minutes. What it was refused for is asked again with the next one, unnoticed.
  if (response.status === 401 && !isSignIn(path, init) && (await refreshSession()))
    response = await send(url, init);
  if (!response.ok) throw errorOf(response.status, response.headers, await response.text());
  return response;
}

interface Page<T> {
  items: T[];
  next_cursor?: string;
}

/** listAll returns all entries of a list that the server answers page by page. */
export async function listAll<T>(path: string, options: RequestOptions = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...options.query, limit: 1000, cursor };
    const page = await request<Page<T>>(path, { ...options, query });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}

const refreshPath = "/api/v1/session/refresh";

/** isSignIn tells requests whose 401 is about what they carry, not about the session. */
function isSignIn(path: string, init: RequestInit): boolean {
  return (
    path === refreshPath ||
    path.startsWith("/api/v1/session/password/reset") ||
    (path === "/api/v1/session" && init.method === "POST")
  );
}

let refreshing: Promise<boolean> | undefined;

/** refreshSession gets the next token, and says whether there was one. Requests that need it at the same time share it. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= send(refreshPath, { method: "POST", credentials: "same-origin" })
    .then((response) => response.ok)
    .finally(() => {
      refreshing = undefined;
    });
  return refreshing;
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(
      0,
      "The server does not answer. Check the connection; the page tries again by itself.",
    );
  }
}

function encodeParams(values: Record<string, QueryValue>): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "object") for (const one of value) params.append(name, one);
    else if (value !== undefined && value !== "") params.set(name, String(value));
  }
  return params;
}

/** errorOf reads a fault in any of the three dialects: problem details, Prometheus' envelope, Loki's plain text. */
export function errorOf(status: number, headers: Headers, body: string): ApiError {
  const details: ApiErrorDetails = { retryAfterSeconds: retryAfter(headers) };
  const type = headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    const fault = parseObject(body);
    details.id = text(fault.id);
    details.requestId = text(fault.request_id);
    details.faults = faultsOf(fault.errors);
    const message = text(fault.detail) ?? text(fault.error) ?? text(fault.message) ?? text(fault.title);
    return new ApiError(status, message ?? fallbackMessage(status), details);
  }
  // A proxy's page of HTML is no message for a person.
  const line = type.includes("html") ? "" : body.trim();
  return new ApiError(status, line || fallbackMessage(status), details);
}

function faultsOf(errors: unknown): Fault[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((one: { pointer?: unknown; detail?: unknown } | null) =>
    typeof one?.detail === "string" ? [{ pointer: text(one.pointer) ?? "", detail: one.detail }] : [],
  );
}

function retryAfter(headers: Headers): number | undefined {
  const seconds = Number.parseInt(headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fallbackMessage(status: number): string {
  return status >= 500 ? `The server failed (${status}).` : `The server refused the request (${status}).`;
}
