CREATE TABLE IF NOT EXISTS {database}.spans (
  service        LowCardinality(String),
  name           LowCardinality(String),
  ts             DateTime64(9,'UTC') CODEC(Delta, ZSTD(1)),
  duration       UInt64 CODEC(ZSTD(1)),
  trace_id       FixedString(16) CODEC(ZSTD(1)),
  span_id        FixedString(8) CODEC(ZSTD(1)),
  parent_id      FixedString(8) CODEC(ZSTD(1)),
  kind           LowCardinality(String),
  status         LowCardinality(String),
  status_message String CODEC(ZSTD(1)),
  trace_state    String CODEC(ZSTD(1)),
  scope          LowCardinality(String),
  resource       Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  attrs          Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  events         String CODEC(ZSTD(1)),
  links          String CODEC(ZSTD(1)),
  _b             UInt64 CODEC(Delta, ZSTD(1)),
  INDEX i_ts       ts       TYPE minmax GRANULARITY 1,
  INDEX i_duration duration TYPE minmax GRANULARITY 1,
  INDEX i_trace    trace_id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY (service, name, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
