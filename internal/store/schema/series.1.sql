CREATE TABLE IF NOT EXISTS {database}.series (
  kind      Enum8('metric' = 1, 'log' = 2),
  name      LowCardinality(String),
  day       Date,
  fp        UInt64,
  labels    Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  last_seen DateTime('UTC') CODEC(Delta, ZSTD(1))
) ENGINE = ReplacingMergeTree(last_seen) PARTITION BY toMonday(day) ORDER BY (kind, name, fp, day)
TTL day + INTERVAL 37 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
