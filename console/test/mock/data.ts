/** Canned telemetry: the same for the same time, so that every test run sees the same picture. */

/** noise is a fixed pseudo-random number in [0, 1) for each integer (a finaliser of splitmix's kind). */
export function noise(n: number): number {
  let x = Math.imul(n ^ (n >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

export interface MockLine {
  ns: string;
  line: string;
  labels: Record<string, string>;
  fields: Record<string, string>;
}

const sources = [
  { namespace: "shop", app: "checkout", pod: "checkout-7d9c5b8f4-x2x9q", container: "app" },
  { namespace: "shop", app: "catalog", pod: "catalog-6f5d8c9b7-m4k2p", container: "app" },
  { namespace: "shop", app: "cart", pod: "cart-5b7f9d6c8-qq7zt", container: "app" },
  { namespace: "ingress", app: "gateway", pod: "gateway-0", container: "proxy" },
  {
    namespace: "kube-system",
    app: "kube-scheduler",
    pod: "kube-scheduler-node-1",
    container: "kube-scheduler",
  },
];

const texts: Record<string, readonly ((i: number) => string)[]> = {
  info: [
    (i) => `GET /api/products/${i % 977} 200 ${3 + (i % 80)}ms`,
    (i) =>
      `{"msg":"order placed","order":"o-${i}","items":${1 + (i % 5)},"total":${(i % 9000) / 100},"currency":"EUR"}`,
    (i) => `Scheduled pod shop/cart-${i % 90} to node-${i % 7} in ${i % 40}ms`,
    (i) => `session refreshed user=u${i % 4000} region=eu-central-1`,
  ],
  debug: [(i) => `cache lookup key=product:${i % 977} hit=${i % 3 > 0}`, (i) => `poll loop took ${i % 12}ms`],
  warn: [
    (i) => `slow query: SELECT ... FROM orders took ${800 + (i % 900)}ms (threshold 750ms)`,
    (i) => `retrying payment provider, attempt ${1 + (i % 3)} of 5: connection reset by peer`,
  ],
  error: [
    (i) => `payment failed order=o-${i}: upstream timeout after 5s (provider=acme, code=504)`,
    (i) =>
      `panic recovered in handler /api/checkout: runtime error: index out of range [${i % 9}] with length ${i % 9}`,
  ],
  critical: [() => "database connection pool exhausted: 100 of 100 in use, 312 waiting"],
};

function levelAt(second: number, dice: number): string {
  // An incident of some minutes in every half hour makes pictures worth looking at.
  const incident = second % 1800 < 240;
  if (incident && dice > 0.985) return "critical";
  if (dice > (incident ? 0.6 : 0.97)) return "error";
  if (dice > (incident ? 0.45 : 0.9)) return "warn";
  return dice < 0.18 ? "debug" : "info";
}

/** linesIn makes the lines of [fromMs, toMs), oldest first: one to four a second, more in an incident. */
export function* linesIn(
  fromMs: number,
  toMs: number,
): Generator<MockLine & { level: string; second: number }> {
  for (let second = Math.floor(fromMs / 1000); second * 1000 < toMs; second++) {
    const wave = 1 + Math.sin(second / 620) * 0.6;
    const count = Math.floor((second % 1800 < 240 ? 3.2 : 1.4) * wave + noise(second));
    for (let i = 0; i < count; i++) {
      const id = second * 8 + i;
      const ms = second * 1000 + Math.floor((i + noise(id)) * (1000 / count));
      if (ms < fromMs || ms >= toMs) continue;
      const level = levelAt(second, noise(id ^ 0x5bd1));
      const source = sources[Math.floor(noise(id ^ 0x77) * sources.length)] ?? {};
      const options = texts[level] ?? [];
      const line = options[id % options.length]?.(Math.floor(noise(id ^ 0x99) * 1e6)) ?? "";
      yield {
        ns: `${ms}${String(id % 1e6).padStart(6, "0")}`,
        line,
        level,
        second,
        labels: { cluster: noise(id ^ 3) > 0.3 ? "prod-eu" : "prod-us", ...source },
        fields: {
          detected_level: level,
          trace_id: Math.floor(noise(id ^ 5) * 2 ** 48)
            .toString(16)
            .padStart(16, "0"),
        },
      };
    }
  }
}

const eventKinds = [
  {
    type: "Warning",
    reason: "BackOff",
    kind: "Pod",
    object: "checkout-7d9c5b8f4-x2x9q",
    namespace: "shop",
    source: "kubelet",
    message:
      "Back-off restarting failed container app in pod checkout-7d9c5b8f4-x2x9q_shop(9b2e91aa-6619-4d1c-bb04-0e7ceb60fcf2)",
  },
  {
    type: "Normal",
    reason: "Scheduled",
    kind: "Pod",
    object: "cart-5b7f9d6c8-qq7zt",
    namespace: "shop",
    source: "default-scheduler",
    message: "Successfully assigned shop/cart-5b7f9d6c8-qq7zt to node-2",
  },
  {
    type: "Warning",
    reason: "FailedScheduling",
    kind: "Pod",
    object: "reports-0",
    namespace: "analytics",
    source: "default-scheduler",
    message:
      "0/7 nodes are available: 3 Insufficient memory, 4 node(s) had untolerated taint {dedicated: gpu}. preemption: 0/7 nodes are available.",
  },
  {
    type: "Normal",
    reason: "ScalingReplicaSet",
    kind: "Deployment",
    object: "catalog",
    namespace: "shop",
    source: "deployment-controller",
    message: "Scaled up replica set catalog-6f5d8c9b7 from 3 to 5",
  },
  {
    type: "Warning",
    reason: "Unhealthy",
    kind: "Pod",
    object: "gateway-0",
    namespace: "ingress",
    source: "kubelet",
    message: "Readiness probe failed: HTTP probe failed with statuscode: 503",
  },
  {
    type: "Normal",
    reason: "Pulled",
    kind: "Pod",
    object: "catalog-6f5d8c9b7-m4k2p",
    namespace: "shop",
    source: "kubelet",
    message: 'Container image "registry.example/shop/catalog:1.42.0" already present on machine',
  },
  {
    type: "Normal",
    reason: "NodeReady",
    kind: "Node",
    object: "node-4",
    namespace: "",
    source: "kubelet",
    message: "Node node-4 status is now: NodeReady",
  },
  {
    type: "Warning",
    reason: "Failed",
    kind: "Pod",
    object: "badimage-5475d4dc89-94rz6",
    namespace: "default",
    source: "kubelet",
    message: 'Failed to pull image "registry.example/nope:latest": not found',
  },
];

/** eventsIn makes one event in each 75 seconds, newest first. */
export function eventsIn(fromMs: number, toMs: number) {
  const out = [];
  for (let at = Math.floor(toMs / 75_000) * 75_000; at >= fromMs && out.length < 2000; at -= 75_000) {
    const n = at / 75_000;
    const kind = eventKinds[Math.floor(noise(n) * eventKinds.length)] ?? eventKinds[0];
    const count = kind?.type === "Warning" ? 1 + Math.floor(noise(n ^ 9) * 40) : 1;
    out.push({
      cluster: noise(n ^ 3) > 0.3 ? "prod-eu" : "prod-us",
      uid: `uid-${n}`,
      node: kind?.source === "kubelet" ? `node-${n % 7}` : "",
      ...kind,
      count,
      first: new Date(at - (count - 1) * 30_000).toISOString(),
      last: new Date(at).toISOString(),
    });
  }
  return out;
}

const namespaces = ["shop", "ingress", "kube-system", "analytics", "default", "monitoring"];

/** seriesIn makes one wave per namespace over a grid. */
export function seriesIn(start: number, end: number, step: number) {
  return namespaces.map((namespace, n) => {
    const values: [number, string][] = [];
    for (let t = start; t <= end; t += step) {
      // The third series begins late and the fifth pauses, as series do.
      if ((n === 2 && t < start + (end - start) / 4) || (n === 4 && noise(Math.floor(t / 900)) < 0.2))
        continue;
      const value =
        (6 - n) *
        38 *
        (1.4 + Math.sin(t / (900 + n * 350) + n) + 0.25 * noise(Math.floor(t / step) + n * 7919));
      values.push([t, value.toFixed(3)]);
    }
    return { metric: { namespace, job: "ingress-nginx" }, values };
  });
}

export const metricFamilies: Record<string, { type: string; help: string; unit: string }[]> = {
  up: [{ type: "gauge", help: "Whether the last scrape of the target worked.", unit: "" }],
  http_requests_total: [{ type: "counter", help: "HTTP requests answered, by code and method.", unit: "" }],
  http_request_duration_seconds: [
    {
      type: "histogram",
      help: "Time from the first byte of a request to the last of its answer.",
      unit: "seconds",
    },
  ],
  container_memory_working_set_bytes: [
    { type: "gauge", help: "Memory that cannot be reclaimed under pressure.", unit: "bytes" },
  ],
  container_cpu_usage_seconds_total: [{ type: "counter", help: "CPU time consumed.", unit: "seconds" }],
  kube_pod_status_phase: [{ type: "gauge", help: "The pod's current phase.", unit: "" }],
  kube_deployment_status_replicas_available: [
    { type: "gauge", help: "Available replicas of a deployment.", unit: "" },
  ],
  scheduler_pending_pods: [{ type: "gauge", help: "Pods waiting to be scheduled, by queue.", unit: "" }],
  etcd_server_leader_changes_seen_total: [{ type: "counter", help: "Leader changes seen.", unit: "" }],
};
