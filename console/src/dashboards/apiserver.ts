import {
  anyOf,
  bars,
  choice,
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

const a = 'cluster=~"$cluster",job=~"apiserver|kube-apiserver"';
const r = `${a},verb=~"$verb",resource=~"$resource"`;

export const apiserver = dashboard(
  "apiserver",
  "API server",
  "Key figures, requests and latency by verb and resource, requests under way, what is dropped, and who asks.",
  ["kubernetes", "control plane"],
  [
    cluster,
    anyOf("verb", `label_values(apiserver_request_total{${a}}, verb)`),
    anyOf("resource", `label_values(apiserver_request_total{${a}}, resource)`),
    quantile,
    interval,
    choice("top", ["10", "5", "20"], "Show at most"),
  ],
  [
    heading("Key figures"),
    figure("Servers up", `sum(up{${a}})`),
    figure("Requests", `sum(rate(apiserver_request_total{${a}}[$interval]))`, { unit: "reqps" }),
    figure(
      "Good answers",
      `sum(rate(apiserver_request_total{${a},code!~"5.."}[$interval])) / sum(rate(apiserver_request_total{${a}}[$interval]))`,
      { unit: "percentunit" },
    ),
    figure(
      "Latency of reads",
      `histogram_quantile($quantile, sum by (le) (rate(apiserver_request_duration_seconds_bucket{${a},verb=~"GET|LIST"}[$interval])))`,
      { unit: "s", thresholds: tones(1, 5) },
    ),
    figure(
      "Latency of writes",
      `histogram_quantile($quantile, sum by (le) (rate(apiserver_request_duration_seconds_bucket{${a},verb=~"POST|PUT|PATCH|DELETE"}[$interval])))`,
      { unit: "s", thresholds: tones(1, 5) },
    ),
    figure("Under way", `sum(apiserver_current_inflight_requests{${a}})`),
    heading("Requests"),
    series("By verb", `sum by (verb) (rate(apiserver_request_total{${r}}[$interval]))`, {
      legend: "{{verb}}",
      unit: "reqps",
      style: "stacked",
    }),
    series("By code", `sum by (code) (rate(apiserver_request_total{${r}}[$interval]))`, {
      legend: "{{code}}",
      unit: "reqps",
      style: "stacked",
    }),
    series("By resource", `topk($top, sum by (resource) (rate(apiserver_request_total{${r}}[$interval])))`, {
      legend: "{{resource}}",
      unit: "reqps",
    }),
    series(
      "Faults by resource",
      `sum by (resource, code) (rate(apiserver_request_total{${r},code=~"4..|5.."}[$interval]))`,
      { legend: "{{resource}} {{code}}", unit: "reqps" },
    ),
    heading("Latency"),
    series(
      "By verb",
      `histogram_quantile($quantile, sum by (verb, le) (rate(apiserver_request_duration_seconds_bucket{${r},verb!~"WATCH|CONNECT"}[$interval])))`,
      { legend: "{{verb}}", unit: "s" },
    ),
    series(
      "By resource",
      `topk($top, histogram_quantile($quantile, sum by (resource, le) (rate(apiserver_request_duration_seconds_bucket{${r},verb!~"WATCH|CONNECT"}[$interval]))))`,
      { legend: "{{resource}}", unit: "s" },
    ),
    heatmap(
      "Distribution",
      `sum by (le) (increase(apiserver_request_duration_seconds_bucket{${r},verb!~"WATCH|CONNECT"}[$interval]))`,
      { w: 24 },
    ),
    heading("Under way and dropped"),
    series(
      "Reads and writes under way",
      `sum by (request_kind) (apiserver_current_inflight_requests{${a}})`,
      { legend: "{{request_kind}}" },
    ),
    series(
      "Dropped by priority and fairness",
      `sum by (priority_level, reason) (rate(apiserver_flowcontrol_rejected_requests_total{${a}}[$interval]))`,
      { legend: "{{priority_level}} {{reason}}", unit: "reqps" },
    ),
    series(
      "Running by priority",
      `sum by (priority_level) (apiserver_flowcontrol_current_executing_requests{${a}})`,
      { legend: "{{priority_level}}" },
    ),
    series(
      "Waiting by priority",
      `sum by (priority_level) (apiserver_flowcontrol_current_inqueue_requests{${a}})`,
      { legend: "{{priority_level}}" },
    ),
    heading("Who asks, and for what"),
    table(
      "LISTs by resource and scope",
      `topk($top, sum by (resource, scope) (rate(apiserver_request_total{${a},verb="LIST"}[$interval])))`,
      { unit: "reqps" },
    ),
    table(
      "Slowest LISTs",
      `topk($top, histogram_quantile($quantile, sum by (resource, scope, le) (rate(apiserver_request_duration_seconds_bucket{${a},verb="LIST"}[$interval]))))`,
      { unit: "s" },
    ),
    series("Watches", `sum by (resource) (apiserver_longrunning_requests{${a},verb="WATCH"})`, {
      legend: "{{resource}}",
    }),
    bars("Objects stored", `topk($top, max by (resource) (apiserver_storage_objects{${a}}))`, {
      legend: "{{resource}}",
    }),
    {
      type: "table",
      title: "Clients that LIST (audit log)",
      w: 24,
      h: 8,
      queries: [
        {
          language: "logql",
          query:
            'topk(20, sum by (user, resource) (count_over_time({signal="audit",cluster=~"$cluster"} | json | verb="list" [$__range])))',
          instant: true,
        },
      ],
    },
  ],
);
