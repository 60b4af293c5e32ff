-- label names
SELECT DISTINCT arrayJoin(labels.keys) AS text
FROM series
WHERE kind = 'metric'
  AND day >= toDate(fromUnixTimestamp64Milli({p0:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))
  AND name = {p2:String}
  AND match(name, {p3:String})
  AND labels[{p4:String}] = {p5:String}
  AND labels[{p6:String}] != {p7:String}
  AND match(labels[{p8:String}], {p9:String})
  AND NOT match(labels[{p10:String}], {p11:String})
  AND labels[{p12:String}] IN {p13:Array(String)}
  AND labels[{p14:String}] NOT IN {p15:Array(String)}
ORDER BY text
LIMIT {p16:Int64}
-- p0 = 1000
-- p1 = 2000
-- p2 = it's
-- p3 = ^(?s:it's)$
-- p4 = it's
-- p5 = it's
-- p6 = it's
-- p7 = it's
-- p8 = it's
-- p9 = ^(?s:it's)$
-- p10 = it's
-- p11 = ^(?s:it's)$
-- p12 = it's
-- p13 = ['it\'s','b']
-- p14 = it's
-- p15 = ['it\'s']
-- p16 = 10

-- label values
SELECT DISTINCT toString(labels[{p0:String}]) AS text
FROM series
WHERE kind = 'metric'
  AND day >= toDate(fromUnixTimestamp64Milli({p1:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Milli({p2:Int64}, 'UTC'))
  AND text != ''
ORDER BY text
LIMIT {p3:Int64}
-- p0 = it's
-- p1 = 0
-- p2 = 5662224000000
-- p3 = 1

-- label values, name
SELECT DISTINCT toString(name) AS text
FROM series
WHERE kind = 'metric'
  AND day >= toDate(fromUnixTimestamp64Milli({p0:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))
  AND text != ''
ORDER BY text
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 5662224000000
-- p2 = 1

-- metadata
SELECT metric, argMax(type, updated), argMax(help, updated), argMax(unit, updated)
FROM metadata
GROUP BY metric
ORDER BY metric
LIMIT {p0:Int64}
-- p0 = 5

-- metadata of one family
SELECT metric, argMax(type, updated), argMax(help, updated), argMax(unit, updated)
FROM metadata
WHERE metric = {p0:String}
GROUP BY metric
ORDER BY metric
LIMIT {p1:Int64}
-- p0 = it'sx
-- p1 = 5

-- samples
SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM (
  SELECT fp, ts, v
  FROM samples
  WHERE metric IN {p0:Array(String)}
    AND fp IN {p1:Array(UInt64)}
    AND ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  LIMIT {p4:Int64}
)
GROUP BY fp
-- p0 = ['b','it\'s']
-- p1 = [1,2]
-- p2 = 1
-- p3 = 2
-- p4 = 3

-- samples, every series
SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM (
  SELECT fp, ts, v
  FROM samples
  WHERE metric IN {p0:Array(String)}
    AND ts >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p2:Int64}, 'UTC')
  LIMIT {p3:Int64}
)
GROUP BY fp
-- p0 = ['it\'s']
-- p1 = 1
-- p2 = 2
-- p3 = 3

-- samples, newest only
SELECT fp, substring(newest, 9, 8), substring(newest, 1, 8)
FROM (
  SELECT fp, reinterpret(max(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(ts)), 64), reinterpretAsUInt64(v))), 'FixedString(16)') AS newest
  FROM samples
  WHERE metric IN {p0:Array(String)}
    AND ts >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p2:Int64}, 'UTC')
  GROUP BY fp
  LIMIT {p3:Int64}
)
-- p0 = ['it\'s']
-- p1 = 1
-- p2 = 2
-- p3 = 3

-- samples, whole metrics
SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM (
  SELECT fp, ts, v
  FROM samples
  WHERE metric IN {p0:Array(String)}
    AND ts >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p2:Int64}, 'UTC')
  LIMIT {p3:Int64}
)
GROUP BY fp
-- p0 = ['it\'s']
-- p1 = 1
-- p2 = 2
-- p3 = 3

-- series
SELECT fp, name,
  arrayStringConcat(mapKeys(labels)), reinterpret(arrayMap(k -> toUInt32(length(k)), mapKeys(labels)), 'String'),
  arrayStringConcat(mapValues(labels)), reinterpret(arrayMap(v -> toUInt32(length(v)), mapValues(labels)), 'String')
FROM series
WHERE kind = 'metric'
  AND day >= toDate(fromUnixTimestamp64Milli({p0:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))
  AND name = {p2:String}
  AND match(name, {p3:String})
  AND labels[{p4:String}] = {p5:String}
  AND labels[{p6:String}] != {p7:String}
  AND match(labels[{p8:String}], {p9:String})
  AND NOT match(labels[{p10:String}], {p11:String})
  AND labels[{p12:String}] IN {p13:Array(String)}
  AND labels[{p14:String}] NOT IN {p15:Array(String)}
LIMIT 1 BY fp
LIMIT {p16:Int64}
-- p0 = 1000
-- p1 = 2000
-- p2 = it's
-- p3 = ^(?s:it's)$
-- p4 = it's
-- p5 = it's
-- p6 = it's
-- p7 = it's
-- p8 = it's
-- p9 = ^(?s:it's)$
-- p10 = it's
-- p11 = ^(?s:it's)$
-- p12 = it's
-- p13 = ['it\'s','b']
-- p14 = it's
-- p15 = ['it\'s']
-- p16 = 10

-- series, everything
SELECT fp, name,
  arrayStringConcat(mapKeys(labels)), reinterpret(arrayMap(k -> toUInt32(length(k)), mapKeys(labels)), 'String'),
  arrayStringConcat(mapValues(labels)), reinterpret(arrayMap(v -> toUInt32(length(v)), mapValues(labels)), 'String')
FROM series
WHERE kind = 'metric'
  AND day >= toDate(fromUnixTimestamp64Milli({p0:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))
LIMIT 1 BY fp
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 5662224000000
-- p2 = 1

