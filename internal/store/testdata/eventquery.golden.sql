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

-- events, after
SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  AND last_ts <= fromUnixTimestamp64Milli({p4:Int64}, 'UTC') AND (last_ts < fromUnixTimestamp64Milli({p4:Int64}, 'UTC') OR (namespace, cluster, created, uid) > ({p5:String}, {p6:String}, fromUnixTimestamp64Milli({p7:Int64}, 'UTC'), toUUIDOrZero({p8:String})))
ORDER BY last_ts DESC, namespace, cluster, created, uid
LIMIT {p9:Int64}
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = 1776384000000
-- p1 = 1778979600000
-- p2 = 1778976000000
-- p3 = 1778979600000
-- p4 = 1778976000000
-- p5 = it's
-- p6 = it's
-- p7 = 1778972400000
-- p8 = it's
-- p9 = 1

-- events, filtered
SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  AND cluster IN {p4:Array(String)}
  AND cluster NOT IN {p5:Array(String)}
  AND namespace IN {p6:Array(String)}
  AND namespace NOT IN {p7:Array(String)}
  AND kind IN {p8:Array(String)}
  AND kind NOT IN {p9:Array(String)}
  AND object IN {p10:Array(String)}
  AND object NOT IN {p11:Array(String)}
  AND reason IN {p12:Array(String)}
  AND reason NOT IN {p13:Array(String)}
  AND type IN {p14:Array(String)}
  AND type NOT IN {p15:Array(String)}
  AND source IN {p16:Array(String)}
  AND source NOT IN {p17:Array(String)}
  AND node IN {p18:Array(String)}
  AND node NOT IN {p19:Array(String)}
  AND toString(uid) IN {p20:Array(String)}
  AND toString(uid) NOT IN {p21:Array(String)}
  AND (positionCaseInsensitiveUTF8(message, {p22:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p22:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p22:String}) > 0)
  AND NOT (positionCaseInsensitiveUTF8(message, {p23:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p23:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p23:String}) > 0)
ORDER BY last_ts DESC, namespace, cluster, created, uid
LIMIT {p24:Int64}
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = 1776384000000
-- p1 = 1778979600000
-- p2 = 1778976000000
-- p3 = 1778979600000
-- p4 = ['it\'s','b']
-- p5 = ['it\'s']
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = ['it\'s','b']
-- p13 = ['it\'s']
-- p14 = ['it\'s','b']
-- p15 = ['it\'s']
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
-- p18 = ['it\'s','b']
-- p19 = ['it\'s']
-- p20 = ['it\'s','b']
-- p21 = ['it\'s']
-- p22 = it's
-- p23 = it's
-- p24 = 5

-- facets
SELECT field, value, n, count() OVER (PARTITION BY field) AS entries
FROM (
SELECT pair.1 AS field, pair.2 AS value, count() AS n
FROM (
SELECT arrayJoin(arrayFilter(p -> p.3 = failed, [(toUInt8(0), toString(cluster), 0),
  (toUInt8(1), toString(namespace), 0),
  (toUInt8(2), toString(kind), 0),
  (toUInt8(3), toString(object), 0),
  (toUInt8(4), toString(reason), 0),
  (toUInt8(5), toString(type), 0),
  (toUInt8(6), toString(source), 0),
  (toUInt8(7), toString(node), 0),
  (toUInt8(8), '', 0)])) AS pair, 0 AS failed
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  AND failed <= 1
)
GROUP BY field, value
)
ORDER BY field, n DESC, value
LIMIT {p4:Int64} BY field
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = 1776384000000
-- p1 = 1778979600000
-- p2 = 1778976000000
-- p3 = 1778979600000
-- p4 = 1

-- facets, filtered
SELECT field, value, n, count() OVER (PARTITION BY field) AS entries
FROM (
SELECT pair.1 AS field, pair.2 AS value, count() AS n
FROM (
SELECT arrayJoin(arrayFilter(p -> p.3 = failed, [(toUInt8(0), toString(cluster), toUInt8(NOT (cluster IN {p0:Array(String)}) OR NOT (cluster NOT IN {p1:Array(String)}))),
  (toUInt8(1), toString(namespace), toUInt8(NOT (namespace IN {p2:Array(String)}) OR NOT (namespace NOT IN {p3:Array(String)}))),
  (toUInt8(2), toString(kind), toUInt8(NOT (kind IN {p4:Array(String)}) OR NOT (kind NOT IN {p5:Array(String)}))),
  (toUInt8(3), toString(object), toUInt8(NOT (object IN {p6:Array(String)}) OR NOT (object NOT IN {p7:Array(String)}))),
  (toUInt8(4), toString(reason), toUInt8(NOT (reason IN {p8:Array(String)}) OR NOT (reason NOT IN {p9:Array(String)}))),
  (toUInt8(5), toString(type), toUInt8(NOT (type IN {p10:Array(String)}) OR NOT (type NOT IN {p11:Array(String)}))),
  (toUInt8(6), toString(source), toUInt8(NOT (source IN {p12:Array(String)}) OR NOT (source NOT IN {p13:Array(String)}))),
  (toUInt8(7), toString(node), toUInt8(NOT (node IN {p14:Array(String)}) OR NOT (node NOT IN {p15:Array(String)}))),
  (toUInt8(8), '', 0)])) AS pair, toUInt8(NOT (cluster IN {p0:Array(String)}) OR NOT (cluster NOT IN {p1:Array(String)})) + toUInt8(NOT (namespace IN {p2:Array(String)}) OR NOT (namespace NOT IN {p3:Array(String)})) + toUInt8(NOT (kind IN {p4:Array(String)}) OR NOT (kind NOT IN {p5:Array(String)})) + toUInt8(NOT (object IN {p6:Array(String)}) OR NOT (object NOT IN {p7:Array(String)})) + toUInt8(NOT (reason IN {p8:Array(String)}) OR NOT (reason NOT IN {p9:Array(String)})) + toUInt8(NOT (type IN {p10:Array(String)}) OR NOT (type NOT IN {p11:Array(String)})) + toUInt8(NOT (source IN {p12:Array(String)}) OR NOT (source NOT IN {p13:Array(String)})) + toUInt8(NOT (node IN {p14:Array(String)}) OR NOT (node NOT IN {p15:Array(String)})) + 0 AS failed
FROM events FINAL
WHERE created >= fromUnixTimestamp64Milli({p18:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p19:Int64}, 'UTC')
  AND last_ts >= fromUnixTimestamp64Milli({p20:Int64}, 'UTC') AND last_ts < fromUnixTimestamp64Milli({p21:Int64}, 'UTC')
  AND failed <= 1
  AND NOT (NOT (toString(uid) IN {p16:Array(String)}))
  AND NOT (NOT (toString(uid) NOT IN {p17:Array(String)}))
  AND (positionCaseInsensitiveUTF8(message, {p22:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p22:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p22:String}) > 0)
  AND NOT (positionCaseInsensitiveUTF8(message, {p23:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p23:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p23:String}) > 0)
)
GROUP BY field, value
)
ORDER BY field, n DESC, value
LIMIT {p24:Int64} BY field
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1
-- p0 = ['it\'s','b']
-- p1 = ['it\'s']
-- p2 = ['it\'s','b']
-- p3 = ['it\'s']
-- p4 = ['it\'s','b']
-- p5 = ['it\'s']
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = ['it\'s','b']
-- p13 = ['it\'s']
-- p14 = ['it\'s','b']
-- p15 = ['it\'s']
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
-- p18 = 1776384000000
-- p19 = 1778979600000
-- p20 = 1778976000000
-- p21 = 1778979600000
-- p22 = it's
-- p23 = it's
-- p24 = 5

-- owners
SELECT toString(kind), object, argMaxIf(message, last_ts, named)
FROM (
SELECT kind, object, message, last_ts, position(message, {p0:String}) > 0 AND match(message, {p1:String}) AS named
FROM events
WHERE namespace = {p2:String} AND cluster = {p3:String} AND created >= fromUnixTimestamp64Milli({p4:Int64}, 'UTC') AND created < fromUnixTimestamp64Milli({p5:Int64}, 'UTC')
  AND kind IN {p6:Array(String)}
  AND (named OR startsWith({p0:String}, concat(object, '-')))
)
GROUP BY kind, object
ORDER BY max(named) DESC, length(object) DESC, kind, object
LIMIT {p7:Int64}
-- p0 = it's
-- p1 = (^|[^a-z0-9.-])it's($|[^a-z0-9.-]|\\.($|[^a-z0-9]))
-- p2 = it's
-- p3 = it's
-- p4 = 1776384000000
-- p5 = 1778979600000
-- p6 = ['it\'s']
-- p7 = 5

-- series
SELECT value, toUInt64(total), count() OVER (), toUInt64(sum(total) OVER ()), per.1, per.2
FROM (
SELECT value, sum(added.2) AS total, sumMap([toUInt32(intDiv(added.1 - {p1:Int64}, {p0:Int64}))], [toUInt64(added.2)]) AS per
FROM (
WITH maxMap([at], [cnt]) AS m, m.1 AS t, m.2 AS c, parseDateTime64BestEffortOrZero(any(began), 3, 'UTC') AS b
SELECT '' AS value, arrayMap((t, c, pt, pc) -> (t, multiIf(pt >= t - 86400000, greatest(c - pc, 1), toUnixTimestamp64Milli(b) >= t - 86400000, c, 1)), t, c, arrayPushFront(arrayPopBack(t), toInt64(-9e15)), arrayPushFront(arrayPopBack(c), toInt64(0))) AS adds
FROM (
SELECT toUnixTimestamp64Milli(ts) AS at, JSONExtract(body, 'Tuple(cluster String, namespace String, kind String, name String, type String, reason String, message String, source String, node String, count UInt32, first String)') AS e, e.cluster AS cluster, e.namespace AS namespace, e.kind AS kind, e.name AS object, e.type AS type, e.reason AS reason, e.message AS message, e.source AS source, e.node AS node, toInt64(e.count) AS cnt, e.first AS began
FROM logs
WHERE (ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC'))
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p4:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p5:Int64}, 'UTC'))
  AND labels[{p6:String}] = {p7:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p9:Int64}, 'UTC'))
  AND labels[{p10:String}] = {p11:String})
)
WHERE cnt > 0
GROUP BY sipHash64(cluster, namespace, kind, object, type, reason, source, node, if(startsWith(message, '(combined from similar events):'), '(combined from similar events):', message), began)
)
ARRAY JOIN adds AS added
WHERE added.1 >= {p1:Int64} AND added.1 < {p12:Int64}
GROUP BY value
)
ORDER BY total DESC, value
LIMIT {p13:Int64}
-- p0 = 60000
-- p1 = 1778976000000
-- p2 = 1778889600000
-- p3 = 1778979600000
-- p4 = 1778889600000000000
-- p5 = 1778979599999999999
-- p6 = signal
-- p7 = events
-- p8 = 1778889600000000000
-- p9 = 1778979599999999999
-- p10 = signal
-- p11 = events
-- p12 = 1778979600000
-- p13 = 1

-- series, filtered
SELECT value, toUInt64(total), count() OVER (), toUInt64(sum(total) OVER ()), per.1, per.2
FROM (
SELECT value, sum(added.2) AS total, sumMap([toUInt32(intDiv(added.1 - {p1:Int64}, {p0:Int64}))], [toUInt64(added.2)]) AS per
FROM (
WITH maxMap([at], [cnt]) AS m, m.1 AS t, m.2 AS c, parseDateTime64BestEffortOrZero(any(began), 3, 'UTC') AS b
SELECT any(reason) AS value, arrayMap((t, c, pt, pc) -> (t, multiIf(pt >= t - 86400000, greatest(c - pc, 1), toUnixTimestamp64Milli(b) >= t - 86400000, c, 1)), t, c, arrayPushFront(arrayPopBack(t), toInt64(-9e15)), arrayPushFront(arrayPopBack(c), toInt64(0))) AS adds
FROM (
SELECT toUnixTimestamp64Milli(ts) AS at, JSONExtract(body, 'Tuple(cluster String, namespace String, kind String, name String, type String, reason String, message String, source String, node String, count UInt32, first String)') AS e, e.cluster AS cluster, e.namespace AS namespace, e.kind AS kind, e.name AS object, e.type AS type, e.reason AS reason, e.message AS message, e.source AS source, e.node AS node, toInt64(e.count) AS cnt, e.first AS began
FROM logs
WHERE (ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p3:Int64}, 'UTC'))
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p4:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p5:Int64}, 'UTC'))
  AND labels[{p6:String}] = {p7:String}
  AND labels['cluster'] IN {p8:Array(String)}
  AND labels['namespace'] IN {p9:Array(String)}
  AND labels['type'] IN {p10:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
  AND labels['cluster'] IN {p15:Array(String)}
  AND labels['namespace'] IN {p16:Array(String)}
  AND labels['type'] IN {p17:Array(String)})
)
WHERE cnt > 0
  AND cluster IN {p18:Array(String)}
  AND cluster NOT IN {p19:Array(String)}
  AND namespace IN {p20:Array(String)}
  AND namespace NOT IN {p21:Array(String)}
  AND kind IN {p22:Array(String)}
  AND kind NOT IN {p23:Array(String)}
  AND object IN {p24:Array(String)}
  AND object NOT IN {p25:Array(String)}
  AND reason IN {p26:Array(String)}
  AND reason NOT IN {p27:Array(String)}
  AND type IN {p28:Array(String)}
  AND type NOT IN {p29:Array(String)}
  AND source IN {p30:Array(String)}
  AND source NOT IN {p31:Array(String)}
  AND node IN {p32:Array(String)}
  AND node NOT IN {p33:Array(String)}
  AND (positionCaseInsensitiveUTF8(message, {p34:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p34:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p34:String}) > 0)
  AND NOT (positionCaseInsensitiveUTF8(message, {p35:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p35:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p35:String}) > 0)
GROUP BY sipHash64(cluster, namespace, kind, object, type, reason, source, node, if(startsWith(message, '(combined from similar events):'), '(combined from similar events):', message), began)
)
ARRAY JOIN adds AS added
WHERE added.1 >= {p1:Int64} AND added.1 < {p36:Int64}
GROUP BY value
)
ORDER BY total DESC, value
LIMIT {p37:Int64}
-- p0 = 60000
-- p1 = 1778976000000
-- p2 = 1778889600000
-- p3 = 1778979600000
-- p4 = 1778889600000000000
-- p5 = 1778979599999999999
-- p6 = signal
-- p7 = events
-- p8 = ['it\'s','b']
-- p9 = ['it\'s','b']
-- p10 = ['it\'s','b']
-- p11 = 1778889600000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = events
-- p15 = ['it\'s','b']
-- p16 = ['it\'s','b']
-- p17 = ['it\'s','b']
-- p18 = ['it\'s','b']
-- p19 = ['it\'s']
-- p20 = ['it\'s','b']
-- p21 = ['it\'s']
-- p22 = ['it\'s','b']
-- p23 = ['it\'s']
-- p24 = ['it\'s','b']
-- p25 = ['it\'s']
-- p26 = ['it\'s','b']
-- p27 = ['it\'s']
-- p28 = ['it\'s','b']
-- p29 = ['it\'s']
-- p30 = ['it\'s','b']
-- p31 = ['it\'s']
-- p32 = ['it\'s','b']
-- p33 = ['it\'s']
-- p34 = it's
-- p35 = it's
-- p36 = 1778979600000
-- p37 = 5

-- trend
SELECT value, o1, e1, o2, e2, count() OVER (), sum(o1) OVER (), sum(e1) OVER (), sum(o2) OVER (), sum(e2) OVER ()
FROM (
SELECT value, sum(n1) AS o1, countIf(n1 > 0) AS e1, sum(n2) AS o2, countIf(n2 > 0) AS e2
FROM (
SELECT value, toUInt64(arraySum(arrayMap(a -> if(a.1 >= {p0:Int64} AND a.1 < {p1:Int64}, a.2, 0), adds))) AS n1, toUInt64(arraySum(arrayMap(a -> if(a.1 >= {p2:Int64} AND a.1 < {p3:Int64}, a.2, 0), adds))) AS n2
FROM (
WITH maxMap([at], [cnt]) AS m, m.1 AS t, m.2 AS c, parseDateTime64BestEffortOrZero(any(began), 3, 'UTC') AS b
SELECT any(object) AS value, arrayMap((t, c, pt, pc) -> (t, multiIf(pt >= t - 86400000, greatest(c - pc, 1), toUnixTimestamp64Milli(b) >= t - 86400000, c, 1)), t, c, arrayPushFront(arrayPopBack(t), toInt64(-9e15)), arrayPushFront(arrayPopBack(c), toInt64(0))) AS adds
FROM (
SELECT toUnixTimestamp64Milli(ts) AS at, JSONExtract(body, 'Tuple(cluster String, namespace String, kind String, name String, type String, reason String, message String, source String, node String, count UInt32, first String)') AS e, e.cluster AS cluster, e.namespace AS namespace, e.kind AS kind, e.name AS object, e.type AS type, e.reason AS reason, e.message AS message, e.source AS source, e.node AS node, toInt64(e.count) AS cnt, e.first AS began
FROM logs
WHERE (ts >= fromUnixTimestamp64Milli({p4:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p5:Int64}, 'UTC') OR ts >= fromUnixTimestamp64Milli({p6:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p7:Int64}, 'UTC'))
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p9:Int64}, 'UTC'))
  AND labels[{p10:String}] = {p11:String}
  AND labels['cluster'] IN {p12:Array(String)}
  AND labels['namespace'] IN {p13:Array(String)}
  AND labels['type'] IN {p14:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p15:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p16:Int64}, 'UTC'))
  AND labels[{p17:String}] = {p18:String}
  AND labels['cluster'] IN {p19:Array(String)}
  AND labels['namespace'] IN {p20:Array(String)}
  AND labels['type'] IN {p21:Array(String)})
)
WHERE cnt > 0
  AND cluster IN {p22:Array(String)}
  AND cluster NOT IN {p23:Array(String)}
  AND namespace IN {p24:Array(String)}
  AND namespace NOT IN {p25:Array(String)}
  AND kind IN {p26:Array(String)}
  AND kind NOT IN {p27:Array(String)}
  AND object IN {p28:Array(String)}
  AND object NOT IN {p29:Array(String)}
  AND reason IN {p30:Array(String)}
  AND reason NOT IN {p31:Array(String)}
  AND type IN {p32:Array(String)}
  AND type NOT IN {p33:Array(String)}
  AND source IN {p34:Array(String)}
  AND source NOT IN {p35:Array(String)}
  AND node IN {p36:Array(String)}
  AND node NOT IN {p37:Array(String)}
  AND (positionCaseInsensitiveUTF8(message, {p38:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p38:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p38:String}) > 0)
  AND NOT (positionCaseInsensitiveUTF8(message, {p39:String}) > 0 OR positionCaseInsensitiveUTF8(object, {p39:String}) > 0 OR positionCaseInsensitiveUTF8(reason, {p39:String}) > 0)
GROUP BY sipHash64(cluster, namespace, kind, object, type, reason, source, node, if(startsWith(message, '(combined from similar events):'), '(combined from similar events):', message), began)
)
WHERE n1 + n2 > 0)
GROUP BY value
)
ORDER BY abs(toInt64(o1) - toInt64(o2)) DESC, o1 DESC, value
LIMIT {p40:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778972400000
-- p3 = 1778976000000
-- p4 = 1778889600000
-- p5 = 1778979600000
-- p6 = 1778886000000
-- p7 = 1778976000000
-- p8 = 1778886000000000000
-- p9 = 1778979599999999999
-- p10 = signal
-- p11 = events
-- p12 = ['it\'s','b']
-- p13 = ['it\'s','b']
-- p14 = ['it\'s','b']
-- p15 = 1778886000000000000
-- p16 = 1778979599999999999
-- p17 = signal
-- p18 = events
-- p19 = ['it\'s','b']
-- p20 = ['it\'s','b']
-- p21 = ['it\'s','b']
-- p22 = ['it\'s','b']
-- p23 = ['it\'s']
-- p24 = ['it\'s','b']
-- p25 = ['it\'s']
-- p26 = ['it\'s','b']
-- p27 = ['it\'s']
-- p28 = ['it\'s','b']
-- p29 = ['it\'s']
-- p30 = ['it\'s','b']
-- p31 = ['it\'s']
-- p32 = ['it\'s','b']
-- p33 = ['it\'s']
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = it's
-- p39 = it's
-- p40 = 5

