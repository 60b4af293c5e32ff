import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, inject, vi } from "vitest";
import { callAs, type Here } from "./pages/page";

/** What people make in a tenant, so that pictures of the demo show more than its data: alerts that fire, receivers, a dashboard. */

type Call = Here["call"];

const packs = ["workloads", "nodes", "events", "apiserver", "coredns"];

const groups = {
  "shop/checkout": {
    language: "promql",
    group: {
      name: "checkout",
      interval: "15s",
      rules: [
        {
          alert: "DeploymentWithoutPods",
          expr: "kube_deployment_status_replicas_available == 0",
          labels: { severity: "critical", team: "shop" },
          annotations: {
            summary: "{{ $labels.namespace }}/{{ $labels.deployment }} has no pod that answers",
          },
        },
        {
          alert: "PodsWait",
          expr: 'sum by (cluster, namespace, pod) (kube_pod_status_phase{phase="Pending"}) > 0',
          labels: { severity: "warning", team: "shop" },
          annotations: { summary: "{{ $labels.pod }} finds no node" },
        },
        {
          record: "service:http_requests:rate5m",
          expr: "sum by (cluster, namespace, service) (rate(http_requests_total[5m]))",
        },
      ],
    },
  },
  "shop/lines": {
    language: "logql",
    group: {
      name: "lines",
      interval: "15s",
      rules: [
        {
          alert: "ErrorLines",
          expr: 'sum by (cluster, namespace) (count_over_time({namespace=~".+", level="error"}[10m])) > 1',
          labels: { severity: "warning", team: "platform" },
          annotations: { summary: "{{ $value }} error lines in {{ $labels.namespace }} within ten minutes" },
        },
      ],
    },
  },
};

const detectors = [
  {
    name: "TrafficUnusual",
    kind: "anomaly",
    expr: "sum by (service) (rate(http_requests_total[5m]))",
    unit: "per_second",
  },
  {
    name: "ClusterSilent",
    kind: "absence",
    selector: '{cluster=~".+"}',
    signals: ["logs", "metrics"],
    by: ["cluster"],
  },
];

const shop = {
  version: 1,
  title: "Shop",
  description: "What the shop's team looks at first.",
  tags: ["shop"],
  variables: [
    {
      name: "service",
      type: "query",
      query: "label_values(http_requests_total, service)",
      multi: true,
      include_all: true,
    },
  ],
  panels: [
    {
      id: 1,
      type: "timeseries",
      title: "Requests",
      x: 0,
      y: 0,
      w: 16,
      h: 8,
      unit: "reqps",
      options: { style: "stacked" },
      queries: [
        {
          language: "promql",
          query: 'sum by (service) (rate(http_requests_total{service=~"$service"}[$__rate_interval]))',
          legend: "{{service}}",
        },
      ],
    },
    {
      id: 2,
      type: "logs",
      title: "Errors",
      x: 16,
      y: 0,
      w: 8,
      h: 8,
      queries: [{ language: "logql", query: '{namespace="shop", level="error"}' }],
    },
  ],
};

const redact = {
  revision: 0,
  pipelines: [
    {
      name: "card numbers",
      enabled: true,
      steps: [{ name: "redact", kind: "redact", patterns: ["credit_card"] }],
    },
  ],
};

/** put makes something; that an earlier run against the same server has made it already (409, 412) is fine. */
async function put(call: Call, method: string, path: string, body: object): Promise<void> {
  const status = await call(method, path, body);
  if (status !== 409 && status !== 412) expect(status, `${method} ${path}`).toBeLessThan(300);
}

/** pager takes notifications, as somebody's chat would, until it is closed. */
async function pager() {
  const server = createServer((_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const config = (port: number) => ({
  template_files: {},
  alertmanager_config: JSON.stringify({
    route: {
      receiver: "on-call",
      group_by: ["alertname", "cluster"],
      group_wait: "1s",
      routes: [
        { receiver: "shop-team", matchers: ['team="shop"', 'severity!="critical"'] },
        { receiver: "archive", matchers: ['team="platform"'] },
      ],
    },
    receivers: [
      { name: "on-call", webhook_configs: [{ url: `http://127.0.0.1:${port}/on-call` }] },
      { name: "shop-team", webhook_configs: [{ url: `http://127.0.0.1:${port}/shop` }] },
      // Nothing listens on port 9: attempts that fail are part of the picture.
      { name: "archive", webhook_configs: [{ url: "http://127.0.0.1:9/alerts" }] },
    ],
  }),
});

const plans = {
  team: {
    title: "Team",
    quota: { active_series: 200_000, rows_per_second: 20_000, max_age_seconds: 604_800 },
  },
  business: { title: "Business", quota: { active_series: 2_000_000, rows_per_second: 200_000 } },
};

/** dress fills the demo's tenant, and waits until alerts fire. It returns what ends it. */
export async function dress(): Promise<() => void> {
  const call: Call = (method, path, body) => callAs("owner", method, path, body);
  const { port, close } = await pager();
  await put(call, "POST", "/api/v1/alerts", config(port));
  for (const name of packs) await put(call, "PUT", `/api/v1/alerting/packs/${name}`, { parameters: {} });
  for (const [path, { language, group }] of Object.entries(groups))
    await put(call, "PUT", `/api/v1/alerting/groups/${path}`, { language, group });
  for (const detector of detectors) await put(call, "POST", "/api/v1/alerting/detectors", detector);
  await put(call, "POST", "/alertmanager/api/v2/silences", {
    matchers: [{ name: "deployment", value: "recommender", isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 4 * 3600_000).toISOString(),
    createdBy: "demo@seamark.local",
    comment: "Waits for larger nodes, ordered for Thursday",
  });
  await put(call, "POST", "/api/v1/dashboards", shop);
  const operate: Call = (method, path, body) => callAs("operator", method, path, body);
  for (const [name, plan] of Object.entries(plans)) await put(operate, "PUT", `/api/v1/plans/${name}`, plan);
  await put(call, "PUT", "/api/v1/pipelines", redact);
  await vi.waitFor(async () => expect(await firing()).toBeGreaterThan(1), { timeout: 90_000, interval: 500 });
  return close;
}

async function firing(): Promise<number> {
  const response = await fetch(`${inject("server")}/alertmanager/api/v2/alerts`, {
    headers: { Authorization: `Bearer ${inject("queryToken")}` },
  });
  return response.ok ? ((await response.json()) as unknown[]).length : 0;
}
