-- events
SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
ORDER BY last_ts DESC, namespace, cluster, created, uid
LIMIT {p4:Int64}
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = 1776384000000
-- p1 = 1778979600000
-- p2 = 1778976000000
-- p3 = 1778979600000
-- p4 = 1

-- events, filtered
SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  AND cluster = {p4:String}
  AND namespace = {p5:String}
  AND kind = {p6:String}
  AND object = {p7:String}
  AND reason = {p8:String}
  AND type = {p9:String}
  AND (positionCaseInsensitiveUTF8(message, {p10:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p10:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p10:String}) > 0)
ORDER BY last_ts DESC, namespace, cluster, created, uid
LIMIT {p11:Int64}
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = 1776384000000
-- p1 = 1778979600000
-- p2 = 1778976000000
-- p3 = 1778979600000
-- p4 = it'sx
-- p5 = it'sx
-- p6 = it'sx
-- p7 = it'sx
-- p8 = it'sx
-- p9 = it'sx
-- p10 = it'sx
-- p11 = 5

