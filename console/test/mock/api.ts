import type { IncomingMessage, ServerResponse } from "node:http";
import { eventsIn, linesIn, metricFamilies, seriesIn } from "./data";

/**
 * A stand-in for the server's API, for tests and `npm run dev:mock`. The login chooses the scene; every password but
 * "wrong" is right.
 *
 *   anna    a member with data        new       a member of a tenant without clusters
 *   op      an operator               viewer    a member who may not see events
 *   locked  always told to wait       broken    a member whose queries fail on the server
 */
const read =
  "changes clusters dashboards data keys members queries receivers retention roles rules session silences tenant tokens";
const viewer = read.split(" ").map((noun) => `${noun}:read`);
const editor = [...viewer, "rules:write", "silences:write", "queries:write", "dashboards:write"];
const admin = [
  ...editor,
  ...["clusters", "keys", "members", "receivers", "retention", "roles", "tokens"].map(
    (noun) => `${noun}:write`,
  ),
];
const permissionsOf: Record<string, string[]> = { viewer, editor, admin, owner: [...admin, "tenant:write"] };

const people: Record<string, object> = {
  anna: person("anna", "admin"),
  new: person("new", "owner"),
  viewer: person("viewer", "viewer"),
  broken: person("broken", "editor"),
  op: {
    ...person("op", ""),
    operator: true,
    tenant: null,
    tenants: [],
    permissions: ["tenants:read", "tenants:write", "session:read"],
  },
};

function person(login: string, role: string): object {
  const tenant = { id: "01JZZZZZZZZZZZZZZZZZZZZZZZ", slug: "acme", name: "Acme Retail" };
  const other = { id: "01JZZZZZZZZZZZZZZZZZZZZZZY", slug: "beta", name: "Beta Labs", role: "viewer" };
  const tenants = [{ ...tenant, role }, other];
  const permissions = permissionsOf[role] ?? [];
  return {
    id: `01J${login}`,
    login,
    operator: false,
    tenant,
    role,
    permissions,
    tenants,
    refresh_seconds: 360,
  };
}

interface Call {
  login: string;
  params: URLSearchParams;
  res: ServerResponse;
}

const noUse = {
  bytes_per_second: 0,
  rows_per_second: 0,
  asked_bytes_per_second: 0,
  asked_rows_per_second: 0,
  bytes_today: 0,
  active_series: 0,
  active_streams: 0,
};

const routes: Record<string, (call: Call) => void> = {
  "/api/v1/quotas": ({ res }) =>
    json(res, 200, { limits: {}, origins: {}, plan: "", set: {}, use: noUse, clusters: [] }),
  "/api/v1/events/facets": ({ res }) => json(res, 200, { events: 0, fields: [] }),
  "/api/v1/events/series": ({ res }) =>
    json(res, 200, { start: new Date().toISOString(), step: 60, total: 0, entries: 0, items: [] }),
  "/api/v1/audit": ({ res }) => json(res, 200, { items: [], truncated: false }),
  "/api/v1/logs/patterns": ({ res }) => json(res, 200, { items: [] }),
  "/api/v1/saved-queries": ({ res }) => json(res, 200, { items: [] }),
  "/api/v1/members": ({ res }) => json(res, 200, { items: [] }),
  "/prometheus/api/v1/rules": ({ res }) => json(res, 200, { status: "success", data: { groups: [] } }),
  "/prometheus/api/v1/query": ({ res }) =>
    json(res, 200, { status: "success", data: { resultType: "vector", result: [] } }),
  "/alertmanager/api/v2/alerts": ({ res }) => json(res, 200, []),
  "/api/v1/clusters": listClusters,
  "/api/v1/sessions": ({ res }) => json(res, 200, { items: signedInAt() }),
  "/api/v1/session/identities": ({ res }) => json(res, 200, { items: [] }),
  "/api/v1/tenants": listTenants,
  "/api/v1/operator/usage": ({ res }) => json(res, 200, { items: [] }),
  "/api/v1/events": listEvents,
  "/loki/api/v1/query_range": lokiRange,
  "/loki/api/v1/detected_labels": ({ res }) =>
    json(res, 200, {
      detectedLabels: ["cluster", "namespace", "app"].map((label) => ({ label, cardinality: 3 })),
    }),
  "/loki/api/v1/detected_fields": ({ res }) =>
    json(res, 200, {
      fields: [{ label: "trace_id", type: "string", cardinality: 40, parsers: null }],
      limit: 500,
    }),
  "/prometheus/api/v1/query_range": promRange,
  "/prometheus/api/v1/label/__name__/values": ({ res, login }) =>
    json(res, 200, { status: "success", data: login === "new" ? [] : metricNames() }),
  "/prometheus/api/v1/query_exemplars": ({ res }) => json(res, 200, { status: "success", data: [] }),
  "/prometheus/api/v1/metadata": ({ res }) => json(res, 200, { status: "success", data: metricFamilies }),
};

/** answer handles a request for the API and says whether it was one. */
export function answer(req: IncomingMessage, res: ServerResponse): boolean {
  const url = new URL(req.url ?? "/", "http://mock");
  if (!/^\/(api|loki|prometheus|alertmanager)\//.test(url.pathname)) return false;
  if (url.pathname === "/api/v1/session") {
    session(req, res).catch(() => problem(res, 500, "Internal error.", "seamark-internal"));
    return true;
  }
  if (url.pathname === "/api/v1/session/refresh") {
    refresh(req, res);
    return true;
  }
  if (url.pathname === "/api/v1/session/providers") {
    json(res, 200, {
      items: [
        { id: "corp", name: "Example Corp" },
        { id: "ops", name: "Platform team" },
      ],
    });
    return true;
  }
  const login = loginOf(req);
  const route = routes[url.pathname];
  if (!login) problem(res, 401, "Sign in first.", "seamark-session-missing");
  else if (!route) problem(res, 404, `No route ${url.pathname}.`, "seamark-route-unknown");
  else route({ login, params: url.searchParams, res });
  return true;
}

/** refresh gives the person of the refresh cookie another token. */
function refresh(req: IncomingMessage, res: ServerResponse): void {
  const login = /seamark_refresh=(\w+)/.exec(req.headers.cookie ?? "")?.[1];
  const found = login && people[login];
  if (!found) {
    problem(res, 401, "The session is over.", "seamark-session-over");
    return;
  }
  res.setHeader("Set-Cookie", `seamark_session=${login}; Path=/; HttpOnly; SameSite=Strict`);
  json(res, 200, found);
}

function signedInAt(): object[] {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const tenant = { id: "01JZZZZZZZZZZZZZZZZZZZZZZZ", slug: "acme", name: "Acme Retail" };
  const one = (id: string, current: boolean, minutes: number, agent: string, way: string) => ({
    id,
    current,
    tenant,
    created_at: ago(minutes * 7),
    last_used_at: ago(minutes),
    ends_at: ago(-1440),
    way,
    ip: "198.51.100.23",
    agent,
  });
  return [
    one("01JA", true, 2, "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "password"),
    one("01JB", false, 95, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1", "corp"),
    one("01JC", false, 300, "curl/8.5.0", "password"),
  ];
}

async function session(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === "DELETE") {
    res.setHeader(
      "Set-Cookie",
      ["session", "refresh"].map((c) => `seamark_${c}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`),
    );
    res.writeHead(204).end();
    return;
  }
  if (req.method === "GET") {
    const found = people[loginOf(req) ?? ""];
    if (found) json(res, 200, found);
    else problem(res, 401, "Nobody is signed in.", "seamark-session-missing");
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const { login, password } = JSON.parse(Buffer.concat(chunks).toString()) as {
    login: string;
    password: string;
  };
  if (login === "locked") {
    res.setHeader("Retry-After", "30");
    problem(res, 429, "Too many attempts for this login; the limit is 5 a minute.", "seamark-login-rate");
    return;
  }
  const found = people[login];
  if (!found || password === "wrong") {
    problem(res, 401, "Login or password is wrong.", "seamark-login-refused");
    return;
  }
  res.setHeader(
    "Set-Cookie",
    ["session", "refresh"].map((c) => `seamark_${c}=${login}; Path=/; HttpOnly; SameSite=Strict`),
  );
  json(res, 200, found);
}

function loginOf(req: IncomingMessage): string | undefined {
  const login = /seamark_session=(\w+)/.exec(req.headers.cookie ?? "")?.[1];
  return login && people[login] ? login : undefined;
}

function listClusters({ login, res }: Call): void {
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
  const cluster = (name: string, logs: string | null, metrics: string | null, events: string | null) => ({
    id: `01J${name.toUpperCase().padEnd(23, "0")}`,
    name,
    created_at: "2026-03-14T09:26:53Z",
    arrivals: { logs, metrics, events },
  });
  const items = [
    cluster("prod-eu", ago(1), ago(12), ago(48)),
    cluster("prod-us", ago(3), ago(9), ago(1260)),
    cluster("staging", ago(7500), ago(14), null),
    cluster("edge-lab", null, null, null),
  ];
  json(res, 200, { items: login === "new" ? [] : items });
}

function listTenants({ login, res }: Call): void {
  if (login !== "op") {
    problem(res, 403, "Only operators of the platform may list tenants.", "seamark-operator-required");
    return;
  }
  const tenant = (slug: string, name: string, state: string, clusters: number) => ({
    id: slug,
    slug,
    name,
    state,
    clusters,
    created_at: "2026-02-03T10:00:00Z",
  });
  const items = [
    tenant("acme", "Acme Retail", "active", 4),
    tenant("globex", "Globex", "active", 12),
    tenant("initech", "Initech", "suspended", 1),
  ];
  json(res, 200, { items });
}

function listEvents({ login, params, res }: Call): void {
  if (login === "viewer") {
    problem(res, 403, "Your role viewer does not include events.", "seamark-role-missing");
    return;
  }
  const all =
    login === "new"
      ? []
      : eventsIn(Date.parse(params.get("start") ?? ""), Date.parse(params.get("end") ?? ""));
  const wanted = ["cluster", "namespace", "kind", "object", "reason", "type"].filter((name) =>
    params.get(name),
  );
  const q = (params.get("q") ?? "").toLowerCase();
  const found = all.filter(
    (event) =>
      wanted.every((name) => (event as Record<string, unknown>)[name] === params.get(name)) &&
      (event.message ?? "").toLowerCase().includes(q),
  );
  const limit = Number(params.get("limit") ?? 500);
  json(res, 200, { items: found.slice(0, limit), truncated: found.length > limit });
}

function lokiRange({ login, params, res }: Call): void {
  const query = params.get("query") ?? "";
  if (login === "broken") {
    text(res, 503, "the store is starting; try again in some seconds");
    return;
  }
  const open = query.split("{").length - query.split("}").length;
  if (open !== 0) {
    text(res, 400, `parse error at line 1, col ${query.length + 1}: syntax error: unexpected $end`);
    return;
  }
  const fromMs = Number((params.get("start") ?? "0").slice(0, -6));
  const toMs = Number((params.get("end") ?? "0").slice(0, -6));
  const keep = login === "new" ? () => false : filterOf(query);
  if (query.startsWith("{")) {
    const lines = [...linesIn(fromMs, toMs)]
      .filter(keep)
      .reverse()
      .slice(0, Number(params.get("limit") ?? 100));
    const result = lines.map(({ ns, line, labels, fields }) => ({
      stream: labels,
      values: [[ns, line, { structuredMetadata: fields }]],
    }));
    json(res, 200, { status: "success", data: { resultType: "streams", result } });
    return;
  }
  const step = Number(params.get("step") ?? 60);
  const start = fromMs / 1000;
  const levels = new Map<string, Map<number, number>>();
  for (const line of linesIn((start - step) * 1000, toMs)) {
    if (!keep(line)) continue;
    const at = start + Math.floor((line.second - start) / step + 1) * step;
    const bars = levels.get(line.level) ?? new Map<number, number>();
    levels.set(line.level, bars.set(at, (bars.get(at) ?? 0) + 1));
  }
  const result = [...levels].map(([detected_level, bars]) => ({
    metric: { detected_level },
    values: [...bars].map(([at, count]) => [at, String(count)]),
  }));
  json(res, 200, { status: "success", data: { resultType: "matrix", result } });
}

/** filterOf understands what the tests ask for: equality of labels, line filters, a set of levels. */
function filterOf(
  query: string,
): (line: { line: string; level: string; labels: Record<string, string> }) => boolean {
  const selector = /\{(.*?)\}/.exec(query)?.[1] ?? "";
  const equal = [...selector.matchAll(/(\w+)="([^"]*)"/g)];
  const levels = /detected_level=~"([^"]*)"/.exec(query)?.[1]?.split("|");
  const words = [...query.matchAll(/\|[=~] "(?:\(\?i\))?([^"]*)"/g)].map(([, word]) =>
    (word ?? "").toLowerCase(),
  );
  return ({ line, level, labels }) =>
    equal.every(([, name, value]) => labels[name ?? ""] === value) &&
    (!levels || levels.includes(level)) &&
    words.every((word) => line.toLowerCase().includes(word));
}

function promRange({ login, params, res }: Call): void {
  const query = params.get("query") ?? "";
  if (login === "broken") {
    problemProm(res, 503, "unavailable", "the store is starting");
    return;
  }
  const open = query.lastIndexOf("(");
  if (query.split("(").length !== query.split(")").length) {
    problemProm(
      res,
      400,
      "bad_data",
      `invalid parameter "query": 1:${open + 1}: parse error: unclosed left parenthesis`,
    );
    return;
  }
  const [start, end, step] = ["start", "end", "step"].map((name) => Number(params.get(name)));
  const result = query.includes("nothing") ? [] : seriesIn(start ?? 0, end ?? 0, step || 15);
  json(res, 200, { status: "success", data: { resultType: "matrix", result } });
}

function metricNames(): string[] {
  const parts = Object.entries(metricFamilies).flatMap(([name, [family]]) =>
    family?.type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  return parts.sort();
}

function json(res: ServerResponse, status: number, body: unknown, type = "application/json"): void {
  res.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" }).end(JSON.stringify(body));
}

function problem(res: ServerResponse, status: number, detail: string, id: string): void {
  const body = { type: "about:blank", title: "Refused", status, detail, id, request_id: "01JMOCKREQUEST" };
  json(res, status, body, "application/problem+json");
}

function problemProm(res: ServerResponse, status: number, errorType: string, error: string): void {
  json(res, status, { status: "error", errorType, error });
}

function text(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}
