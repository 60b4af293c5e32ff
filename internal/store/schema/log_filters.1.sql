CREATE TABLE IF NOT EXISTS {database}.log_filters (
  day   Date,
  grp   LowCardinality(String),
  start Int64 CODEC(Delta, ZSTD(1)),
  bits  UInt8,
  grams AggregateFunction(groupBitmap, UInt16) CODEC(LZ4)
) ENGINE = AggregatingMergeTree PARTITION BY day ORDER BY (grp, start, bits)
TTL day + INTERVAL 33 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
