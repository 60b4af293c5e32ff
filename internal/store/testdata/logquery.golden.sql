-- counts
WITH toUnixTimestamp64Nano(ts) - {p1:Int64} AS elapsed, intDiv(elapsed, {p0:Int64}) AS cell, {p0:Int64} - 1 - elapsed % {p0:Int64} < {p2:Int64} AS upper
SELECT transform(fp, {p3:Array(UInt64)}, {p4:Array(UInt32)}, toUInt32(0)) AS stream, toUInt32(2 * cell + upper) AS bucket, count() AS lines
FROM logs
WHERE grp IN {p5:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p7:Int64}, 'UTC')
  AND fp IN {p8:Array(UInt64)}
  AND body LIKE {p9:String}
  AND indexHint(toValidUTF8(body) LIKE {p10:String})
  AND NOT (body LIKE {p11:String} OR body LIKE {p12:String})
  AND (body LIKE {p13:String} AND match(body, {p14:String}))
  AND indexHint(toValidUTF8(body) LIKE {p15:String})
  AND match(body, {p16:String})
  AND NOT ((body LIKE {p17:String} OR body LIKE {p18:String}))
  AND ((body LIKE {p19:String} OR body LIKE {p20:String}) AND match(body, {p21:String}))
  AND indexHint(toValidUTF8(body) LIKE {p22:String} OR toValidUTF8(body) LIKE {p23:String})
  AND if(level = 'unknown', '', level) = {p24:String}
  AND (trace_id = unhex({p25:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p26:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p27:String}))
  AND match(attrs[{p28:String}], {p29:String})
GROUP BY stream, bucket
HAVING stream > 0
-- p0 = 10
-- p1 = 71
-- p2 = 5
-- p3 = [3,1,2]
-- p4 = [1,2,3]
-- p5 = ['b','it\'s']
-- p6 = 1000000000
-- p7 = 2000000000
-- p8 = [1,2,3]
-- p9 = %it's%
-- p10 = %it's%
-- p11 = %it's%
-- p12 = %50\\%\\_%
-- p13 = % timeout%
-- p14 = (?s:status=\\d+ timeout)
-- p15 = % timeout%
-- p16 = (?s:(?i)error)
-- p17 = %panic%
-- p18 = %fatal%
-- p19 = %timeout%
-- p20 = %refused%
-- p21 = (?s:(timeout|refused) after)
-- p22 = %timeout%
-- p23 = %refused%
-- p24 = it's
-- p25 = 0123456789abcdef0123456789abcdef
-- p26 = x
-- p27 = ^(?-s:ab.*)$
-- p28 = it's
-- p29 = ^(?-s:a|b)$

-- counts of many streams
WITH toUnixTimestamp64Nano(ts) - {p1:Int64} AS elapsed, intDiv(elapsed, {p0:Int64}) AS cell, 0 AS upper
SELECT transform(fp, {p2:Array(UInt64)}, {p3:Array(UInt32)}, toUInt32(0)) AS stream, toUInt32(2 * cell + upper) AS bucket, count() AS lines
FROM logs
WHERE grp IN {p4:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p5:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p6:Int64}, 'UTC')
GROUP BY stream, bucket
HAVING stream > 0
-- p0 = 10
-- p1 = 981
-- p2 = [100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116]
-- p3 = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]
-- p4 = ['it\'s']
-- p5 = 1
-- p6 = 2

-- counts with bytes, split, window longer than the grid
WITH toUnixTimestamp64Nano(ts) - {p1:Int64} AS elapsed, intDiv(elapsed, {p0:Int64}) AS cell, 0 AS upper
SELECT transform(fp, {p2:Array(UInt64)}, {p3:Array(UInt32)}, toUInt32(0)) AS stream, toUInt32(multiIf(cell < {p4:Int64}, 2 * cell + upper, cell <= {p4:Int64} + {p5:Int64}, 2 * {p4:Int64}, 2 * (cell - {p5:Int64}) + upper)) AS bucket, count() AS lines, sum(length(body)) AS bytes, if(level = 'unknown', '', level) AS s0, attrs[{p6:String}] AS s1
FROM logs
WHERE grp IN {p7:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p8:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p9:Int64}, 'UTC')
  AND fp IN {p10:Array(UInt64)}
GROUP BY stream, bucket, s0, s1
HAVING stream > 0
-- p0 = 10
-- p1 = 491
-- p2 = [3,1,2]
-- p3 = [1,2,1]
-- p4 = 2
-- p5 = 48
-- p6 = it's
-- p7 = ['b','it\'s']
-- p8 = 1
-- p9 = 2
-- p10 = [1,2,3]

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
  AND indexHint(toValidUTF8(body) LIKE {p5:String})
  AND NOT (body LIKE {p6:String} OR body LIKE {p7:String})
  AND (body LIKE {p8:String} AND match(body, {p9:String}))
  AND indexHint(toValidUTF8(body) LIKE {p10:String})
  AND match(body, {p11:String})
  AND NOT ((body LIKE {p12:String} OR body LIKE {p13:String}))
  AND ((body LIKE {p14:String} OR body LIKE {p15:String}) AND match(body, {p16:String}))
  AND indexHint(toValidUTF8(body) LIKE {p17:String} OR toValidUTF8(body) LIKE {p18:String})
  AND if(level = 'unknown', '', level) = {p19:String}
  AND (trace_id = unhex({p20:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p21:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p22:String}))
  AND match(attrs[{p23:String}], {p24:String})
ORDER BY ts DESC
LIMIT {p25:Int64}
-- p0 = ['b','it\'s']
-- p1 = 1000000000
-- p2 = 2000000000
-- p3 = [1,2,3]
-- p4 = %it's%
-- p5 = %it's%
-- p6 = %it's%
-- p7 = %50\\%\\_%
-- p8 = % timeout%
-- p9 = (?s:status=\\d+ timeout)
-- p10 = % timeout%
-- p11 = (?s:(?i)error)
-- p12 = %panic%
-- p13 = %fatal%
-- p14 = %timeout%
-- p15 = %refused%
-- p16 = (?s:(timeout|refused) after)
-- p17 = %timeout%
-- p18 = %refused%
-- p19 = it's
-- p20 = 0123456789abcdef0123456789abcdef
-- p21 = x
-- p22 = ^(?-s:ab.*)$
-- p23 = it's
-- p24 = ^(?-s:a|b)$
-- p25 = 1000

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

