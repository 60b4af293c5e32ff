import { bars, cluster, dashboard, heading, namespace, series } from "./make";

const p = 'cluster=~"$cluster",namespace=~"$namespace"';

export const namespaces = dashboard(
  "namespaces",
  "Namespaces",
  "What each namespace uses of what it has asked for.",
  ["kubernetes", "namespaces"],
  [cluster, namespace],
  [
    heading("CPU"),
    series(
      "Used",
      `sum by (namespace) (rate(container_cpu_usage_seconds_total{${p},container!=""}[$__rate_interval]))`,
      { legend: "{{namespace}}", unit: "cores", style: "stacked" },
    ),
    series(
      "Used of requested",
      `sum by (namespace) (rate(container_cpu_usage_seconds_total{${p},container!=""}[$__rate_interval])) / sum by (namespace) (kube_pod_container_resource_requests{${p},resource="cpu"})`,
      { legend: "{{namespace}}", unit: "percentunit" },
    ),
    heading("Memory"),
    series("Used", `sum by (namespace) (container_memory_working_set_bytes{${p},container!=""})`, {
      legend: "{{namespace}}",
      unit: "bytes",
      style: "stacked",
    }),
    series(
      "Used of requested",
      `sum by (namespace) (container_memory_working_set_bytes{${p},container!=""}) / sum by (namespace) (kube_pod_container_resource_requests{${p},resource="memory"})`,
      { legend: "{{namespace}}", unit: "percentunit" },
    ),
    heading("Network"),
    series(
      "Received",
      `sum by (namespace) (rate(container_network_receive_bytes_total{${p}}[$__rate_interval]))`,
      { legend: "{{namespace}}", unit: "Bps" },
    ),
    series(
      "Sent",
      `sum by (namespace) (rate(container_network_transmit_bytes_total{${p}}[$__rate_interval]))`,
      { legend: "{{namespace}}", unit: "Bps" },
    ),
    heading("Pods"),
    bars("Pods by namespace", `count by (namespace) (kube_pod_info{${p}})`, { legend: "{{namespace}}" }),
    series(
      "Restarts",
      `sum by (namespace) (increase(kube_pod_container_status_restarts_total{${p}}[$__rate_interval]))`,
      { legend: "{{namespace}}", style: "bars" },
    ),
  ],
);
