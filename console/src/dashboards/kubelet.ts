import { cluster, dashboard, figure, heading, interval, node, quantile, series, tones } from "./make";

const k = 'cluster=~"$cluster",job="kubelet",node=~"$node"';

export const kubelet = dashboard(
  "kubelet",
  "Kubelet",
  "What kubelets run, how their runtime answers and how long their rounds take.",
  ["kubernetes", "nodes"],
  [cluster, node, quantile, interval],
  [
    figure("Kubelets up", `count(max by (instance) (up{${k}}) == 1)`),
    figure("Pods", `sum(kubelet_running_pods{${k}})`),
    figure("Containers", `sum(kubelet_running_containers{${k},container_state="running"})`),
    figure(
      "Faults of the runtime",
      `sum(increase(kubelet_runtime_operations_errors_total{${k}}[$__range]))`,
      { thresholds: tones(1, 20) },
    ),
    heading("Runtime"),
    series("Pods by node", `sum by (node) (kubelet_running_pods{${k}})`, { legend: "{{node}}" }),
    series(
      "Operations",
      `sum by (operation_type) (rate(kubelet_runtime_operations_total{${k}}[$interval]))`,
      { legend: "{{operation_type}}", unit: "ops" },
    ),
    series(
      "Faults",
      `sum by (operation_type) (rate(kubelet_runtime_operations_errors_total{${k}}[$interval]))`,
      { legend: "{{operation_type}}", unit: "ops" },
    ),
    series(
      "Time of a round over all pods",
      `histogram_quantile($quantile, sum by (node, le) (rate(kubelet_pleg_relist_duration_seconds_bucket{${k}}[$interval])))`,
      { legend: "{{node}}", unit: "s" },
    ),
  ],
);
