CREATE TABLE IF NOT EXISTS {database}.samples (
  metric LowCardinality(String),
  fp     UInt64 CODEC(ZSTD(1)),
  ts     DateTime64(3,'UTC') CODEC(DoubleDelta, ZSTD(1)),
  v      Float64 CODEC(Delta, ZSTD(1)),
  _b     UInt64 CODEC(Delta, ZSTD(1)),
  INDEX i_ts ts TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (metric, fp, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
