CREATE TABLE IF NOT EXISTS {database}.metadata (
  metric  String,
  type    LowCardinality(String),
  help    String,
  unit    LowCardinality(String),
  updated DateTime('UTC')
) ENGINE = ReplacingMergeTree(updated) ORDER BY (metric)
TTL updated + INTERVAL 37 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'seamark:1'
