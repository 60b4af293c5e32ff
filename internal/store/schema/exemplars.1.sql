CREATE TABLE IF NOT EXISTS {database}.exemplars (
  metric   LowCardinality(String),
  fp       UInt64 CODEC(ZSTD(1)),
  ts       DateTime64(3,'UTC') CODEC(Delta, ZSTD(1)),
  v        Float64 CODEC(ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  labels   Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  _b       UInt64 CODEC(Delta, ZSTD(1)),
  INDEX i_ts    ts       TYPE minmax GRANULARITY 1,
  INDEX i_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (metric, fp, ts)
TTL toDateTime(ts) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
