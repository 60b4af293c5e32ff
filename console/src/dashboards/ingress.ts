import {
  anyOf,
  cluster,
  dashboard,
  figure,
  heading,
  heatmap,
  interval,
  quantile,
  series,
  table,
  tones,
} from "./make";

const i = 'cluster=~"$cluster",ingress=~"$ingress"';

export const ingress = dashboard(
  "ingress",
  "ingress-nginx",
  "Requests, faults and latency by ingress and path.",
  ["kubernetes", "ingress"],
  [
    cluster,
    anyOf("ingress", 'label_values(nginx_ingress_controller_requests{cluster=~"$cluster"}, ingress)'),
    quantile,
    interval,
  ],
  [
    figure("Requests", `sum(rate(nginx_ingress_controller_requests{${i}}[$interval]))`, {
      unit: "reqps",
      w: 6,
    }),
    figure(
      "Faults (5xx)",
      `sum(rate(nginx_ingress_controller_requests{${i},status=~"5.."}[$interval])) / sum(rate(nginx_ingress_controller_requests{${i}}[$interval]))`,
      { unit: "percentunit", thresholds: tones(0.01, 0.05), w: 6 },
    ),
    figure(
      "Refused (4xx)",
      `sum(rate(nginx_ingress_controller_requests{${i},status=~"4.."}[$interval])) / sum(rate(nginx_ingress_controller_requests{${i}}[$interval]))`,
      { unit: "percentunit", w: 6 },
    ),
    figure(
      "Latency",
      `histogram_quantile($quantile, sum by (le) (rate(nginx_ingress_controller_request_duration_seconds_bucket{${i}}[$interval])))`,
      { unit: "s", w: 6 },
    ),
    heading("By ingress"),
    series("Requests", `sum by (ingress) (rate(nginx_ingress_controller_requests{${i}}[$interval]))`, {
      legend: "{{ingress}}",
      unit: "reqps",
    }),
    series(
      "Answers by status",
      `sum by (status) (rate(nginx_ingress_controller_requests{${i}}[$interval]))`,
      { legend: "{{status}}", unit: "reqps", style: "stacked" },
    ),
    series(
      "Latency",
      `histogram_quantile($quantile, sum by (ingress, le) (rate(nginx_ingress_controller_request_duration_seconds_bucket{${i}}[$interval])))`,
      { legend: "{{ingress}}", unit: "s" },
    ),
    heatmap(
      "Distribution of latency",
      `sum by (le) (increase(nginx_ingress_controller_request_duration_seconds_bucket{${i}}[$interval]))`,
    ),
    heading("By path"),
    table(
      "Busiest paths",
      `topk(20, sum by (host, path, method) (rate(nginx_ingress_controller_requests{${i}}[$interval])))`,
      { unit: "reqps" },
    ),
    table(
      "Paths with faults",
      `topk(20, sum by (host, path, method, status) (rate(nginx_ingress_controller_requests{${i},status=~"5.."}[$interval])) > 0)`,
      { unit: "reqps" },
    ),
  ],
);
