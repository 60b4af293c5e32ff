CREATE TABLE IF NOT EXISTS {database}.usage_days (
  date     Date,
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
  closed   DateTime('UTC')
) ENGINE = ReplacingMergeTree(closed) PARTITION BY toStartOfMonth(date) ORDER BY (tenant, date, kind, cluster, signal, source, actor, day)
TTL date + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
