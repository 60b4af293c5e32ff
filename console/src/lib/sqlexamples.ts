/** Questions that people have of their data, for those who have none in mind yet. */
export const sqlExamples: readonly {
  readonly title: string;
  readonly about: string;
  readonly query: string;
}[] = [
  {
    title: "Slow requests",
    about: "spans by their slowest hundredth",
    query: `SELECT service, name, count() AS spans, quantile(0.99)(duration) / 1e6 AS p99_ms
FROM traces
WHERE timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)}
GROUP BY service, name
ORDER BY p99_ms DESC
LIMIT 50`,
  },
  {
    title: "Top talkers",
    about: "workloads that write the most",
    query: `SELECT namespace, workload, count() AS lines, sum(length(body)) AS bytes
FROM logs
WHERE timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)}
GROUP BY namespace, workload
ORDER BY bytes DESC
LIMIT 50`,
  },
  {
    title: "Error rate by workload",
    about: "share of error lines, by the minute",
    query: `SELECT toStartOfMinute(timestamp) AS minute, workload,
  countIf(level IN ('error', 'critical')) / count() AS error_rate
FROM logs
WHERE timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)} AND workload != ''
GROUP BY minute, workload
ORDER BY minute, workload`,
  },
  {
    title: "Events by reason",
    about: "what Kubernetes warns of",
    query: `SELECT reason, kind, namespace, sum(count) AS times, max(timestamp) AS latest
FROM events
WHERE type = 'Warning' AND timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)}
GROUP BY reason, kind, namespace
ORDER BY times DESC
LIMIT 100`,
  },
  {
    title: "Who deleted what",
    about: "from the audit log",
    query: `SELECT timestamp, user, resource, namespace, name, code, source_ip
FROM audit
WHERE verb IN ('delete', 'deletecollection') AND stage = 'ResponseComplete'
  AND timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)}
ORDER BY timestamp DESC
LIMIT 200`,
  },
];
