/** Which metric or signal shows that what a pack needs is there. The words are those of the packs themselves. */

const metrics: Readonly<Record<string, readonly string[]>> = {
  "kube-state-metrics": ["kube_pod_info", "kube_node_info", "kube_pod_status_phase"],
  "node-exporter": ["node_uname_info", "node_cpu_seconds_total"],
  kubelet: ["kubelet_volume_stats_capacity_bytes", "kubelet_node_name", "kubelet_running_pods"],
  "kube-apiserver": ["apiserver_request_total"],
  etcd: ["etcd_server_has_leader", "etcd_server_is_leader"],
  scheduler: ["scheduler_schedule_attempts_total", "scheduler_pending_pods"],
  "controller manager": ["workqueue_depth", "node_collector_zone_size"],
  "controller-manager": ["workqueue_depth", "node_collector_zone_size"],
  CoreDNS: ["coredns_dns_requests_total"],
  "node-problem-detector": ["problem_counter", "problem_gauge"],
};

export type Presence = "present" | "missing" | "unknown";

export interface Known {
  /** Names of metrics in the last hour; undefined while they load. */
  readonly metrics: ReadonlySet<string> | undefined;
  /** Signals that arrived; undefined while they load. */
  readonly signals: ReadonlySet<string> | undefined;
}

/** presenceOf says whether what a pack needs arrives. */
export function presenceOf(need: string, known: Known): Presence {
  // Whether audit records arrive is not told; the API server's metrics do not say.
  if (/audit log/i.test(need)) return "unknown";
  if (/kubernetes events/i.test(need)) return inSet("events", known.signals);
  if (!known.metrics) return "unknown";
  const names = Object.keys(metrics).filter((name) => need.toLowerCase().includes(name.toLowerCase()));
  if (names.length === 0) return "unknown";
  const all = names.every((name) => metrics[name]?.some((metric) => known.metrics?.has(metric)));
  return all ? "present" : "missing";
}

function inSet(signal: string, signals: ReadonlySet<string> | undefined): Presence {
  return signals ? (signals.has(signal) ? "present" : "missing") : "unknown";
}
