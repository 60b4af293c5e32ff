import { cluster, dashboard, heading, lines, namespace, pod, series, tones } from "./make";

const p = 'cluster=~"$cluster",namespace=~"$namespace",pod=~"$pod"';

export const pods = dashboard(
  "pods",
  "Pods",
  "Pods and containers against their requests and limits, with their log lines.",
  ["kubernetes", "pods"],
  [cluster, namespace, pod],
  [
    heading("CPU"),
    series(
      "Used",
      `sum by (pod, container) (rate(container_cpu_usage_seconds_total{${p},container!=""}[$__rate_interval]))`,
      { legend: "{{pod}} {{container}}", unit: "cores" },
    ),
    series(
      "Throttled periods",
      `sum by (pod, container) (rate(container_cpu_cfs_throttled_periods_total{${p}}[$__rate_interval])) / sum by (pod, container) (rate(container_cpu_cfs_periods_total{${p}}[$__rate_interval]))`,
      { legend: "{{pod}} {{container}}", unit: "percentunit", thresholds: tones(0.25, 0.5) },
    ),
    heading("Memory"),
    series("Used", `sum by (pod, container) (container_memory_working_set_bytes{${p},container!=""})`, {
      legend: "{{pod}} {{container}}",
      unit: "bytes",
    }),
    series(
      "Used of the limit",
      `max by (pod, container) (container_memory_working_set_bytes{${p},container!=""}) / max by (pod, container) (kube_pod_container_resource_limits{${p},resource="memory"})`,
      { legend: "{{pod}} {{container}}", unit: "percentunit", thresholds: tones(0.8, 0.95) },
    ),
    heading("Network and life"),
    series("Received", `sum by (pod) (rate(container_network_receive_bytes_total{${p}}[$__rate_interval]))`, {
      legend: "{{pod}}",
      unit: "Bps",
    }),
    series("Sent", `sum by (pod) (rate(container_network_transmit_bytes_total{${p}}[$__rate_interval]))`, {
      legend: "{{pod}}",
      unit: "Bps",
    }),
    series("Restarts", `sum by (pod, container) (kube_pod_container_status_restarts_total{${p}})`, {
      legend: "{{pod}} {{container}}",
    }),
    series("Ready", `min by (pod) (kube_pod_status_ready{${p},condition="true"})`, {
      legend: "{{pod}}",
      max: 1,
    }),
    lines("Log lines", `{cluster=~"$cluster",namespace=~"$namespace",pod=~"$pod"}`),
  ],
);
