CREATE TABLE IF NOT EXISTS {database}.logs (
  grp      LowCardinality(String),
  ts       DateTime64(9,'UTC') CODEC(Delta, ZSTD(1)),
  fp       UInt64 CODEC(ZSTD(1)),
  level    LowCardinality(String) CODEC(ZSTD(3)),
  trace_id FixedString(16) CODEC(ZSTD(3)),
  span_id  FixedString(8) CODEC(ZSTD(1)),
  body     String CODEC(ZSTD(1)),
  attrs    Map(LowCardinality(String), String) CODEC(ZSTD(3)),
  _b       UInt64 CODEC(Delta, ZSTD(1)),
  INDEX i_ts    ts       TYPE minmax GRANULARITY 1,
  INDEX i_fp    fp       TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX i_trace trace_id TYPE bloom_filter(0.05) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (grp, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, merge_selector_base = 10, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
