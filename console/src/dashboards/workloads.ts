import { cluster, dashboard, heading, namespace, series, table } from "./make";

const p = 'cluster=~"$cluster",namespace=~"$namespace"';
// A pod's name without the parts that its ReplicaSet and Kubernetes add: a workload, where owners are not known.
const byWorkload = (query: string) =>
  `sum by (namespace, workload) (label_replace(${query}, "workload", "$1", "pod", "(.+?)(?:-[a-z0-9]{8,10}-[a-z0-9]{5}|-[0-9]+|-[a-z0-9]{5})"))`;

export const workloads = dashboard(
  "workloads",
  "Workloads",
  "Replicas, CPU and memory of Deployments, StatefulSets and DaemonSets.",
  ["kubernetes", "workloads"],
  [cluster, namespace],
  [
    heading("Replicas"),
    series(
      "Deployments: replicas that are missing",
      `sum by (namespace, deployment) (kube_deployment_spec_replicas{${p}} - kube_deployment_status_replicas_available{${p}})`,
      { legend: "{{namespace}}/{{deployment}}" },
    ),
    series(
      "StatefulSets: replicas that are missing",
      `sum by (namespace, statefulset) (kube_statefulset_replicas{${p}} - kube_statefulset_status_replicas_ready{${p}})`,
      { legend: "{{namespace}}/{{statefulset}}" },
    ),
    series(
      "DaemonSets: pods that are missing",
      `sum by (namespace, daemonset) (kube_daemonset_status_desired_number_scheduled{${p}} - kube_daemonset_status_number_ready{${p}})`,
      { legend: "{{namespace}}/{{daemonset}}" },
    ),
    table(
      "Deployments that are not whole",
      `sum by (namespace, deployment) (kube_deployment_status_replicas_unavailable{${p}}) > 0`,
    ),
    heading("Use"),
    series(
      "CPU",
      byWorkload(
        `sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{${p},container!=""}[$__rate_interval]))`,
      ),
      { legend: "{{namespace}}/{{workload}}", unit: "cores", style: "stacked" },
    ),
    series(
      "Memory",
      byWorkload(`sum by (namespace, pod) (container_memory_working_set_bytes{${p},container!=""})`),
      { legend: "{{namespace}}/{{workload}}", unit: "bytes", style: "stacked" },
    ),
    series(
      "Received",
      byWorkload(
        `sum by (namespace, pod) (rate(container_network_receive_bytes_total{${p}}[$__rate_interval]))`,
      ),
      { legend: "{{namespace}}/{{workload}}", unit: "Bps" },
    ),
    series(
      "Sent",
      byWorkload(
        `sum by (namespace, pod) (rate(container_network_transmit_bytes_total{${p}}[$__rate_interval]))`,
      ),
      { legend: "{{namespace}}/{{workload}}", unit: "Bps" },
    ),
  ],
);
