CREATE TABLE IF NOT EXISTS {database}.usage (
  ts       DateTime('UTC') CODEC(Delta, ZSTD(1)),
  tenant   LowCardinality(String),
  kind     LowCardinality(String),
  cluster  LowCardinality(String),
  signal   LowCardinality(String),
  source   LowCardinality(String),
  actor    LowCardinality(String),
  day      Date CODEC(ZSTD(1)),
  requests UInt64 CODEC(T64, ZSTD(1)),
  rows     UInt64 CODEC(T64, ZSTD(1)),
  bytes    UInt64 CODEC(T64, ZSTD(1)),
  wire     UInt64 CODEC(T64, ZSTD(1)),
  micros   UInt64 CODEC(T64, ZSTD(1)),
  _b       UInt64 CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY (tenant, ts, kind, cluster, signal, source)
TTL ts + INTERVAL 42 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
