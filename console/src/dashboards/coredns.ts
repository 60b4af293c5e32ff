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
  tones,
} from "./make";

const d = 'cluster=~"$cluster",job=~"coredns|kube-dns",pod=~"$pod"';

export const coredns = dashboard(
  "coredns",
  "CoreDNS",
  "Questions, answers, latency and the cache.",
  ["kubernetes", "dns"],
  [
    cluster,
    anyOf("pod", 'label_values(coredns_dns_requests_total{cluster=~"$cluster"}, pod)'),
    quantile,
    interval,
  ],
  [
    figure("Servers up", `sum(up{${d}})`),
    figure("Questions", `sum(rate(coredns_dns_requests_total{${d}}[$interval]))`, { unit: "reqps" }),
    figure(
      "Failures",
      `sum(rate(coredns_dns_responses_total{${d},rcode=~"SERVFAIL|REFUSED"}[$interval])) or vector(0)`,
      { unit: "reqps", thresholds: tones(0.1, 1) },
    ),
    figure(
      "Latency",
      `histogram_quantile($quantile, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket{${d}}[$interval])))`,
      { unit: "s" },
    ),
    figure(
      "Found in the cache",
      `sum(rate(coredns_cache_hits_total{${d}}[$interval])) / (sum(rate(coredns_cache_hits_total{${d}}[$interval])) + sum(rate(coredns_cache_misses_total{${d}}[$interval])))`,
      { unit: "percentunit" },
    ),
    heading("Questions and answers"),
    series("Questions by type", `sum by (type) (rate(coredns_dns_requests_total{${d}}[$interval]))`, {
      legend: "{{type}}",
      unit: "reqps",
    }),
    series("Answers by code", `sum by (rcode) (rate(coredns_dns_responses_total{${d}}[$interval]))`, {
      legend: "{{rcode}}",
      unit: "reqps",
      style: "stacked",
    }),
    series(
      "Latency by pod",
      `histogram_quantile($quantile, sum by (pod, le) (rate(coredns_dns_request_duration_seconds_bucket{${d}}[$interval])))`,
      { legend: "{{pod}}", unit: "s" },
    ),
    heatmap(
      "Distribution of latency",
      `sum by (le) (increase(coredns_dns_request_duration_seconds_bucket{${d}}[$interval]))`,
    ),
  ],
);
