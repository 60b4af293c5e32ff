import { anyOf, cluster, dashboard, figure, heading, interval, quantile, series } from "./make";

const m = 'cluster=~"$cluster",job="kube-controller-manager"';
const q = `${m},name=~"$queue"`;

export const controllers = dashboard(
  "controller-manager",
  "Controller manager",
  "The work queues of the controllers.",
  ["kubernetes", "control plane"],
  [cluster, anyOf("queue", `label_values(workqueue_adds_total{${m}}, name)`), quantile, interval],
  [
    figure("Managers up", `sum(up{${m}})`),
    figure("Items waiting", `sum(workqueue_depth{${q}})`),
    figure("Items added", `sum(rate(workqueue_adds_total{${q}}[$interval]))`, { unit: "ops" }),
    figure("Retries", `sum(rate(workqueue_retries_total{${q}}[$interval]))`, { unit: "ops" }),
    heading("Work queues"),
    series("Added", `sum by (name) (rate(workqueue_adds_total{${q}}[$interval]))`, {
      legend: "{{name}}",
      unit: "ops",
    }),
    series("Waiting", `sum by (name) (workqueue_depth{${q}})`, { legend: "{{name}}" }),
    series(
      "Time in the queue",
      `histogram_quantile($quantile, sum by (name, le) (rate(workqueue_queue_duration_seconds_bucket{${q}}[$interval])))`,
      { legend: "{{name}}", unit: "s" },
    ),
    series("Retries", `sum by (name) (rate(workqueue_retries_total{${q}}[$interval]))`, {
      legend: "{{name}}",
      unit: "ops",
    }),
  ],
);
