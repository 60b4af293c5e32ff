import {
  anyOf,
  cluster,
  dashboard,
  figure,
  heading,
  heatmap,
  interval,
  namespace,
  quantile,
  series,
  table,
  tones,
} from "./make";

const s = 'cluster=~"$cluster",namespace=~"$namespace",service=~"$service"';

export const services = dashboard(
  "services",
  "Services (RED)",
  "Rate, errors and duration of services that count http_requests_total and http_request_duration_seconds.",
  ["services", "red"],
  [
    cluster,
    namespace,
    anyOf(
      "service",
      'label_values(http_requests_total{cluster=~"$cluster",namespace=~"$namespace"}, service)',
    ),
    quantile,
    interval,
  ],
  [
    figure("Rate", `sum(rate(http_requests_total{${s}}[$interval]))`, { unit: "reqps", w: 8 }),
    figure(
      "Errors",
      `sum(rate(http_requests_total{${s},code=~"5.."}[$interval])) / sum(rate(http_requests_total{${s}}[$interval]))`,
      { unit: "percentunit", thresholds: tones(0.01, 0.05), w: 8 },
    ),
    figure(
      "Duration",
      `histogram_quantile($quantile, sum by (le) (rate(http_request_duration_seconds_bucket{${s}}[$interval])))`,
      { unit: "s", w: 8 },
    ),
    heading("By service"),
    series("Rate", `sum by (service) (rate(http_requests_total{${s}}[$interval]))`, {
      legend: "{{service}}",
      unit: "reqps",
    }),
    series(
      "Errors",
      `sum by (service) (rate(http_requests_total{${s},code=~"5.."}[$interval])) / sum by (service) (rate(http_requests_total{${s}}[$interval]))`,
      { legend: "{{service}}", unit: "percentunit" },
    ),
    series(
      "Duration",
      `histogram_quantile($quantile, sum by (service, le) (rate(http_request_duration_seconds_bucket{${s}}[$interval])))`,
      { legend: "{{service}}", unit: "s" },
    ),
    heatmap(
      "Distribution of duration",
      `sum by (le) (increase(http_request_duration_seconds_bucket{${s}}[$interval]))`,
    ),
    heading("By handler"),
    table(
      "Slowest handlers",
      `topk(20, histogram_quantile($quantile, sum by (service, method, handler, le) (rate(http_request_duration_seconds_bucket{${s}}[$interval]))))`,
      { unit: "s" },
    ),
    table(
      "Handlers with errors",
      `topk(20, sum by (service, method, handler, code) (rate(http_requests_total{${s},code=~"5.."}[$interval])) > 0)`,
      { unit: "reqps" },
    ),
  ],
);
