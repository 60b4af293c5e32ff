CREATE TABLE IF NOT EXISTS {database}.log_patterns (
  grp     LowCardinality(String),
  ts      DateTime('UTC') CODEC(Delta, ZSTD(1)),
  pattern UInt64 CODEC(ZSTD(1)),
  fp      UInt64 CODEC(ZSTD(1)),
  level   LowCardinality(String),
  lines   UInt32 CODEC(ZSTD(1)),
  bytes   UInt64 CODEC(ZSTD(1)),
  text    String CODEC(ZSTD(1)),
  _b      UInt64 CODEC(Delta, ZSTD(1)),
  INDEX i_ts ts TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (grp, ts, pattern)
TTL ts + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
