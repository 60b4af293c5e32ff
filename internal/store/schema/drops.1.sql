CREATE TABLE IF NOT EXISTS {database}.drops (
  ts       DateTime64(3,'UTC') CODEC(Delta, ZSTD(1)),
  cluster  LowCardinality(String),
  token    LowCardinality(String),
  protocol LowCardinality(String),
  signal   LowCardinality(String),
  reason   LowCardinality(String),
  status   UInt16,
  requests UInt64,
  rows     UInt64,
  bytes    UInt64,
  detail   String CODEC(ZSTD(1)),
  sample   String CODEC(ZSTD(1)),
  _b       UInt64 CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY (ts, cluster, reason)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
