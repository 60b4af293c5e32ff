CREATE TABLE IF NOT EXISTS {database}.events (
  cluster   LowCardinality(String),
  namespace LowCardinality(String),
  uid       UUID,
  created   DateTime64(3,'UTC') CODEC(Delta, ZSTD(1)),
  last_ts   DateTime64(3,'UTC') CODEC(Delta, ZSTD(1)),
  type      LowCardinality(String),
  reason    LowCardinality(String),
  kind      LowCardinality(String),
  object    String CODEC(ZSTD(1)),
  source    LowCardinality(String),
  node      LowCardinality(String),
  cnt       UInt32,
  message   String CODEC(ZSTD(1)),
  ver       UInt64,
  INDEX i_last last_ts TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(ver) PARTITION BY toMonday(created) ORDER BY (namespace, cluster, created, uid)
TTL toDateTime(created) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
