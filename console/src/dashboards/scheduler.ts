import { cluster, dashboard, figure, heading, interval, quantile, series, tones } from "./make";

const s = 'cluster=~"$cluster",job="kube-scheduler"';

export const scheduler = dashboard(
  "scheduler",
  "Scheduler",
  "Pods that wait for a place, and how long placing takes.",
  ["kubernetes", "control plane"],
  [cluster, quantile, interval],
  [
    figure("Schedulers up", `sum(up{${s}})`),
    figure("Pods without a place", `sum(scheduler_pending_pods{${s},queue="unschedulable"})`, {
      thresholds: tones(1, 10),
    }),
    figure("Pods waiting", `sum(scheduler_pending_pods{${s},queue=~"active|backoff"})`),
    figure(
      "Pods placed",
      `sum(increase(scheduler_schedule_attempts_total{${s},result="scheduled"}[$__range]))`,
    ),
    heading("Placing"),
    series(
      "Attempts by result",
      `sum by (result) (rate(scheduler_schedule_attempts_total{${s}}[$interval]))`,
      { legend: "{{result}}", unit: "ops" },
    ),
    series("Pods that wait, by queue", `sum by (queue) (scheduler_pending_pods{${s}})`, {
      legend: "{{queue}}",
      style: "stacked",
    }),
    series(
      "Time of an attempt",
      `histogram_quantile($quantile, sum by (result, le) (rate(scheduler_scheduling_attempt_duration_seconds_bucket{${s}}[$interval])))`,
      { legend: "{{result}}", unit: "s", w: 24 },
    ),
  ],
);
