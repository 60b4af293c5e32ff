import { bars, cluster, dashboard, figure, heading, namespace, series, table, tones } from "./make";

const c = 'cluster=~"$cluster"';
const pods = `${c},namespace=~"$namespace"`;

export const clusterOverview = dashboard(
  "cluster",
  "Cluster overview",
  "How full, how busy and how well a cluster is.",
  ["kubernetes", "cluster"],
  [cluster, namespace],
  [
    figure("Nodes ready", `sum(kube_node_status_condition{${c},condition="Ready",status="true"})`),
    figure("Pods running", `sum(kube_pod_status_phase{${pods},phase="Running"})`),
    figure("Pods not running", `sum(kube_pod_status_phase{${pods},phase=~"Pending|Failed|Unknown"})`, {
      thresholds: tones(1, 5),
    }),
    figure("CPU used", `1 - avg(rate(node_cpu_seconds_total{${c},mode="idle"}[$__rate_interval]))`, {
      unit: "percentunit",
      thresholds: tones(0.7, 0.9),
    }),
    figure(
      "Memory used",
      `1 - sum(node_memory_MemAvailable_bytes{${c}}) / sum(node_memory_MemTotal_bytes{${c}})`,
      { unit: "percentunit", thresholds: tones(0.8, 0.9) },
    ),
    figure(
      "Restarts in the range",
      `sum(increase(kube_pod_container_status_restarts_total{${pods}}[$__range]))`,
      { thresholds: tones(1, 20), decimals: 0 },
    ),
    heading("Capacity"),
    series(
      "CPU: used, requested, allocatable",
      [
        [`sum(rate(container_cpu_usage_seconds_total{${pods},container!=""}[$__rate_interval]))`, "used"],
        [`sum(kube_pod_container_resource_requests{${pods},resource="cpu"})`, "requested"],
        [`sum(kube_node_status_allocatable{${c},resource="cpu"})`, "allocatable"],
      ],
      { unit: "cores" },
    ),
    series(
      "Memory: used, requested, allocatable",
      [
        [`sum(container_memory_working_set_bytes{${pods},container!=""})`, "used"],
        [`sum(kube_pod_container_resource_requests{${pods},resource="memory"})`, "requested"],
        [`sum(kube_node_status_allocatable{${c},resource="memory"})`, "allocatable"],
      ],
      { unit: "bytes" },
    ),
    heading("Use"),
    series(
      "CPU by namespace",
      `sum by (namespace) (rate(container_cpu_usage_seconds_total{${pods},container!=""}[$__rate_interval]))`,
      { legend: "{{namespace}}", style: "stacked", unit: "cores" },
    ),
    series(
      "Memory by namespace",
      `sum by (namespace) (container_memory_working_set_bytes{${pods},container!=""})`,
      { legend: "{{namespace}}", style: "stacked", unit: "bytes" },
    ),
    bars(
      "Pods with the most CPU",
      `topk(10, sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{${pods},container!=""}[5m])))`,
      { legend: "{{namespace}}/{{pod}}", unit: "cores" },
    ),
    bars(
      "Pods with the most memory",
      `topk(10, sum by (namespace, pod) (container_memory_working_set_bytes{${pods},container!=""}))`,
      { legend: "{{namespace}}/{{pod}}", unit: "bytes" },
    ),
    heading("Trouble"),
    table(
      "Containers that wait",
      `sum by (namespace, pod, reason) (kube_pod_container_status_waiting_reason{${pods}}) > 0`,
    ),
    table(
      "Restarts",
      `topk(20, sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{${pods}}[$__range])) > 0.5)`,
      { decimals: 0 },
    ),
  ],
);
