import { cluster, dashboard, figure, heading, heatmap, interval, quantile, series, tones } from "./make";

const e = 'cluster=~"$cluster",job="etcd"';

export const etcd = dashboard(
  "etcd",
  "etcd",
  "Leaders, proposals, disks and the size of the store.",
  ["kubernetes", "control plane"],
  [cluster, quantile, interval],
  [
    figure("Members up", `sum(up{${e}})`),
    figure("Members with a leader", `sum(etcd_server_has_leader{${e}})`),
    figure("Changes of leader", `sum(increase(etcd_server_leader_changes_seen_total{${e}}[$__range]))`, {
      thresholds: tones(1, 4),
    }),
    figure("Store", `max(etcd_mvcc_db_total_size_in_bytes{${e}})`, { unit: "bytes" }),
    figure(
      "Store of its quota",
      `max(etcd_mvcc_db_total_size_in_bytes{${e}} / etcd_server_quota_backend_bytes{${e}})`,
      { unit: "percentunit", thresholds: tones(0.7, 0.9) },
    ),
    figure("Proposals that failed", `sum(increase(etcd_server_proposals_failed_total{${e}}[$__range]))`, {
      thresholds: tones(1, 10),
    }),
    heading("Disks"),
    series(
      "Write-ahead log: fsync",
      `histogram_quantile($quantile, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{${e}}[$interval])))`,
      { legend: "{{instance}}", unit: "s", thresholds: tones(0.01, 0.1) },
    ),
    series(
      "Backend: commit",
      `histogram_quantile($quantile, sum by (instance, le) (rate(etcd_disk_backend_commit_duration_seconds_bucket{${e}}[$interval])))`,
      { legend: "{{instance}}", unit: "s", thresholds: tones(0.025, 0.25) },
    ),
    heatmap(
      "Distribution of fsync",
      `sum by (le) (increase(etcd_disk_wal_fsync_duration_seconds_bucket{${e}}[$interval]))`,
    ),
    series(
      "Size of the store",
      [
        [`max by (instance) (etcd_mvcc_db_total_size_in_bytes{${e}})`, "{{instance}} on disk"],
        [`max by (instance) (etcd_mvcc_db_total_size_in_use_in_bytes{${e}})`, "{{instance}} in use"],
      ],
      { unit: "bytes" },
    ),
    heading("Raft and clients"),
    series("Proposals", [
      [`sum(rate(etcd_server_proposals_committed_total{${e}}[$interval]))`, "committed"],
      [`sum(rate(etcd_server_proposals_applied_total{${e}}[$interval]))`, "applied"],
      [`sum(etcd_server_proposals_pending{${e}})`, "pending"],
    ]),
    series("Calls", `sum by (grpc_method, grpc_code) (rate(grpc_server_handled_total{${e}}[$interval]))`, {
      legend: "{{grpc_method}} {{grpc_code}}",
      unit: "reqps",
    }),
  ],
);
