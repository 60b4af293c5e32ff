-- counts
WITH toUnixTimestamp64Nano(ts) - {p3:Int64} AS elapsed, intDiv(elapsed, {p2:Int64}) AS cell, {p2:Int64} - 1 - elapsed % {p2:Int64} < {p4:Int64} AS upper, toUInt16(toUInt32(transform(fp, {p0:Array(UInt64)}, {p5:Array(UInt32)}, toUInt32(0))) * {p1:Int64} + toUInt32(2 * cell + upper)) AS key
SELECT toUInt64(key), count() AS lines
FROM logs
WHERE grp IN {p6:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p8:Int64}, 'UTC')
  AND fp IN {p9:Array(UInt64)}
  AND body LIKE {p10:String}
  AND NOT (body LIKE {p11:String} OR body LIKE {p12:String})
  AND (body LIKE {p13:String} AND match(body, {p14:String}))
  AND match(body, {p15:String})
  AND NOT ((body LIKE {p16:String} OR body LIKE {p17:String}))
  AND ((body LIKE {p18:String} OR body LIKE {p19:String}) AND match(body, {p20:String}))
  AND if(level = 'unknown', '', level) = {p21:String}
  AND (trace_id = unhex({p22:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p23:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p24:String}))
  AND match(attrs[{p25:String}], {p26:String})
GROUP BY key
-- p0 = [3,1,2]
-- p1 = 44
-- p2 = 10
-- p3 = 71
-- p4 = 5
-- p5 = [1,2,3]
-- p6 = ['b','it\'s']
-- p7 = 1000000000
-- p8 = 2000000000
-- p9 = [1,2,3]
-- p10 = %it's%
-- p11 = %it's%
-- p12 = %50\\%\\_%
-- p13 = % timeout%
-- p14 = (?s:status=\\d+ timeout)
-- p15 = (?s:(?i)error)
-- p16 = %panic%
-- p17 = %fatal%
-- p18 = %timeout%
-- p19 = %refused%
-- p20 = (?s:(timeout|refused) after)
-- p21 = it's
-- p22 = 0123456789abcdef0123456789abcdef
-- p23 = x
-- p24 = ^(?-s:ab.*)$
-- p25 = it's
-- p26 = ^(?-s:a|b)$

-- counts of many streams
WITH toUnixTimestamp64Nano(ts) - {p3:Int64} AS elapsed, intDiv(elapsed, {p2:Int64}) AS cell, 0 AS upper, toUInt16(toUInt32(transform(fp, {p0:Array(UInt64)}, {p4:Array(UInt32)}, toUInt32(0))) * {p1:Int64} + toUInt32(2 * cell + upper)) AS key
SELECT toUInt64(key), count() AS lines
FROM logs
WHERE grp IN {p5:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p7:Int64}, 'UTC')
GROUP BY key
HAVING key >= {p1:Int64}
-- p0 = [100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116]
-- p1 = 6
-- p2 = 10
-- p3 = 981
-- p4 = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]
-- p5 = ['it\'s']
-- p6 = 1
-- p7 = 2

-- counts of one window, of a whole group and a range
WITH toUInt16(toUInt32(transform(fp, {p0:Array(UInt64)}, {p2:Array(UInt32)}, toUInt32(0))) * {p1:Int64} + toUInt32(2)) AS key
SELECT toUInt64(key), count() AS lines
FROM logs
WHERE grp IN {p3:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p5:Int64}, 'UTC')
  AND indexHint((grp, intDiv(toUnixTimestamp64Nano(ts), {p6:Int64})) IN {p7:Array(Tuple(String, Int64))} OR grp IN {p8:Array(String)})
  AND fp IN {p9:Array(UInt64)}
  AND body LIKE {p10:String}
GROUP BY key
-- p0 = [3,1,2]
-- p1 = 4
-- p2 = [1,2,3]
-- p3 = ['b','it\'s']
-- p4 = 1000000000
-- p5 = 2000000000
-- p6 = 268435456
-- p7 = [('it\'s',0)]
-- p8 = ['b']
-- p9 = [1,2,3]
-- p10 = %it's%

-- counts of whole groups
WITH toUnixTimestamp64Nano(ts) - {p3:Int64} AS elapsed, intDiv(elapsed, {p2:Int64}) AS cell, 0 AS upper, toUInt16(toUInt32(transform(grp, {p0:Array(String)}, {p4:Array(UInt32)}, toUInt32(0))) * {p1:Int64} + toUInt32(2 * cell + upper)) AS key
SELECT toUInt64(key), count() AS lines
FROM logs
WHERE grp IN {p5:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p7:Int64}, 'UTC')
GROUP BY key
-- p0 = ['it\'s']
-- p1 = 6
-- p2 = 10
-- p3 = 981
-- p4 = [1]
-- p5 = ['it\'s']
-- p6 = 1
-- p7 = 21600000000002

-- counts with bytes, split, window longer than the grid
WITH toUnixTimestamp64Nano(ts) - {p3:Int64} AS elapsed, intDiv(elapsed, {p2:Int64}) AS cell, 0 AS upper, toUInt16(toUInt32(transform(fp, {p0:Array(UInt64)}, {p4:Array(UInt32)}, toUInt32(0))) * {p1:Int64} + toUInt32(multiIf(cell < {p5:Int64}, 2 * cell + upper, cell <= {p5:Int64} + {p6:Int64}, 2 * {p5:Int64}, 2 * (cell - {p6:Int64}) + upper))) AS key
SELECT toUInt64(key), count() AS lines, sum(length(body)) AS bytes, if(level = 'unknown', '', level) AS s0, attrs[{p7:String}] AS s1
FROM logs
WHERE grp IN {p8:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p9:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p10:Int64}, 'UTC')
  AND fp IN {p11:Array(UInt64)}
GROUP BY key, s0, s1
-- p0 = [3,1,2]
-- p1 = 8
-- p2 = 10
-- p3 = 491
-- p4 = [1,2,1]
-- p5 = 2
-- p6 = 48
-- p7 = it's
-- p8 = ['b','it\'s']
-- p9 = 1
-- p10 = 2
-- p11 = [1,2,3]

-- ranges
SELECT grp, greatest(start, toInt64(toUInt16(day)) * 86400000000000), least(start + bitShiftLeft(toInt64(1), bits), (toInt64(toUInt16(day)) + 1) * 86400000000000)
FROM log_filters
WHERE grp IN {p2:Array(String)} AND day >= toDate({p3:Int64}) AND day <= toDate({p4:Int64})
  AND start < {p1:Int64} AND start + bitShiftLeft(toInt64(1), bits) > {p0:Int64}
  AND (bitmapHasAll(grams, bitmapBuild({p5:Array(UInt16)})) OR bitmapHasAll(grams, bitmapBuild({p6:Array(UInt16)})))
UNION ALL
SELECT toString(grp), toUnixTimestamp64Nano(min(ts)), toUnixTimestamp64Nano(max(ts)) + 1
FROM logs
WHERE grp IN {p8:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p9:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p10:Int64}, 'UTC')
  AND _f = 0
GROUP BY grp, intDiv(toUnixTimestamp64Nano(ts), {p7:Int64})
-- p0 = 1
-- p1 = 2
-- p2 = ['b','it\'s']
-- p3 = 0
-- p4 = 0
-- p5 = [8388,24658,35838,44017,45892]
-- p6 = [2562,15045,34707]
-- p7 = 1
-- p8 = ['b','it\'s']
-- p9 = 1
-- p10 = 2

-- rows in any order
SELECT toUnixTimestamp64Nano(ts) AS t, fp, body
FROM logs
WHERE grp IN {p0:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p2:Int64}, 'UTC')
  AND fp IN {p3:Array(UInt64)}
-- p0 = ['b','it\'s']
-- p1 = 1
-- p2 = 2
-- p3 = [1,2,3]

-- rows newest first
SELECT toUnixTimestamp64Nano(ts) AS t, fp, body, level, trace_id, span_id, attrs
FROM logs
WHERE grp IN {p0:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p2:Int64}, 'UTC')
  AND fp IN {p3:Array(UInt64)}
  AND body LIKE {p4:String}
  AND NOT (body LIKE {p5:String} OR body LIKE {p6:String})
  AND (body LIKE {p7:String} AND match(body, {p8:String}))
  AND match(body, {p9:String})
  AND NOT ((body LIKE {p10:String} OR body LIKE {p11:String}))
  AND ((body LIKE {p12:String} OR body LIKE {p13:String}) AND match(body, {p14:String}))
  AND if(level = 'unknown', '', level) = {p15:String}
  AND (trace_id = unhex({p16:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p17:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p18:String}))
  AND match(attrs[{p19:String}], {p20:String})
ORDER BY ts DESC
LIMIT {p21:Int64}
-- p0 = ['b','it\'s']
-- p1 = 1000000000
-- p2 = 2000000000
-- p3 = [1,2,3]
-- p4 = %it's%
-- p5 = %it's%
-- p6 = %50\\%\\_%
-- p7 = % timeout%
-- p8 = (?s:status=\\d+ timeout)
-- p9 = (?s:(?i)error)
-- p10 = %panic%
-- p11 = %fatal%
-- p12 = %timeout%
-- p13 = %refused%
-- p14 = (?s:(timeout|refused) after)
-- p15 = it's
-- p16 = 0123456789abcdef0123456789abcdef
-- p17 = x
-- p18 = ^(?-s:ab.*)$
-- p19 = it's
-- p20 = ^(?-s:a|b)$
-- p21 = 1000

-- rows of ranges
SELECT toUnixTimestamp64Nano(ts) AS t, fp
FROM logs
WHERE grp IN {p0:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p2:Int64}, 'UTC')
  AND indexHint((grp, intDiv(toUnixTimestamp64Nano(ts), {p3:Int64})) IN {p4:Array(Tuple(String, Int64))})
  AND fp IN {p5:Array(UInt64)}
  AND body LIKE {p6:String}
  AND NOT (body LIKE {p7:String} OR body LIKE {p8:String})
  AND (body LIKE {p9:String} AND match(body, {p10:String}))
  AND match(body, {p11:String})
  AND NOT ((body LIKE {p12:String} OR body LIKE {p13:String}))
  AND ((body LIKE {p14:String} OR body LIKE {p15:String}) AND match(body, {p16:String}))
  AND if(level = 'unknown', '', level) = {p17:String}
  AND (trace_id = unhex({p18:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p19:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p20:String}))
  AND match(attrs[{p21:String}], {p22:String})
  AND NOT (countSubstrings(body, concat('"', {p23:String}, '"')) = 1 AND position(body, '\\') = 0 AND ifNull(toFloat64(toInt64OrNull(simpleJSONExtractRaw(body, {p23:String}))) >= {p24:Float64}, 1) = 0)
-- p0 = ['it\'s']
-- p1 = 1000000000
-- p2 = 2000000000
-- p3 = 268435456
-- p4 = [('it\'s',0)]
-- p5 = [2,3]
-- p6 = %it's%
-- p7 = %it's%
-- p8 = %50\\%\\_%
-- p9 = % timeout%
-- p10 = (?s:status=\\d+ timeout)
-- p11 = (?s:(?i)error)
-- p12 = %panic%
-- p13 = %fatal%
-- p14 = %timeout%
-- p15 = %refused%
-- p16 = (?s:(timeout|refused) after)
-- p17 = it's
-- p18 = 0123456789abcdef0123456789abcdef
-- p19 = x
-- p20 = ^(?-s:ab.*)$
-- p21 = it's
-- p22 = ^(?-s:a|b)$
-- p23 = it's
-- p24 = 500

-- rows oldest first, no columns
SELECT toUnixTimestamp64Nano(ts) AS t, fp
FROM logs
WHERE grp IN {p0:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p2:Int64}, 'UTC')
  AND fp IN {p3:Array(UInt64)}
ORDER BY ts
-- p0 = ['b','it\'s']
-- p1 = 1
-- p2 = 2
-- p3 = [1,2,3]

-- series conditions
WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p0:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p1:Int64}, 'UTC'))
  AND labels[{p2:String}] = {p3:String}
  AND labels[{p4:String}] != {p5:String}
  AND match(labels[{p6:String}], {p7:String})
  AND NOT match(labels[{p8:String}], {p9:String})
-- p0 = 1
-- p1 = 1
-- p2 = it's
-- p3 = it's
-- p4 = b
-- p5 = it's
-- p6 = c
-- p7 = ^(?-s:it's)$
-- p8 = d
-- p9 = ^(?-s:it's)$

