-- counts
WITH toUnixTimestamp64Nano(ts) - {p1:Int64} AS elapsed, intDiv(elapsed, {p0:Int64}) AS cell, {p0:Int64} - 1 - elapsed % {p0:Int64} < {p2:Int64} AS upper
SELECT fp, toInt64(2 * cell + upper) AS bucket, count() AS lines
FROM logs
WHERE grp IN {p3:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p5:Int64}, 'UTC')
  AND fp IN {p6:Array(UInt64)}
  AND body LIKE {p7:String}
  AND NOT (body LIKE {p8:String} OR body LIKE {p9:String})
  AND (body LIKE {p10:String} AND match(body, {p11:String}))
  AND match(body, {p12:String})
  AND NOT ((body LIKE {p13:String} OR body LIKE {p14:String}))
  AND ((body LIKE {p15:String} OR body LIKE {p16:String}) AND match(body, {p17:String}))
  AND if(level = 'unknown', '', level) = {p18:String}
  AND (trace_id = unhex({p19:String}) OR if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) = {p20:String})
  AND NOT (match(if(span_id = toFixedString('', 8), '', lower(hex(span_id))), {p21:String}))
  AND match(attrs[{p22:String}], {p23:String})
GROUP BY fp, bucket
-- p0 = 10
-- p1 = 71
-- p2 = 5
-- p3 = ['b','it\'s']
-- p4 = 1000000000
-- p5 = 2000000000
-- p6 = [1,2,3]
-- p7 = %it's%
-- p8 = %it's%
-- p9 = %50\\%\\_%
-- p10 = % timeout%
-- p11 = (?s:status=\\d+ timeout)
-- p12 = (?s:(?i)error)
-- p13 = %panic%
-- p14 = %fatal%
-- p15 = %timeout%
-- p16 = %refused%
-- p17 = (?s:(timeout|refused) after)
-- p18 = it's
-- p19 = 0123456789abcdef0123456789abcdef
-- p20 = x
-- p21 = ^(?-s:ab.*)$
-- p22 = it's
-- p23 = ^(?-s:a|b)$

-- counts with bytes, split, window longer than the grid
SELECT transform(fp, {p0:Array(UInt64)}, {p1:Array(UInt64)}, fp) AS stream, bucket, sum(lines), sum(bytes), s0, s1
FROM (
WITH toUnixTimestamp64Nano(ts) - {p3:Int64} AS elapsed, intDiv(elapsed, {p2:Int64}) AS cell, 0 AS upper
SELECT fp, toInt64(multiIf(cell < {p4:Int64}, 2 * cell + upper, cell <= {p4:Int64} + {p5:Int64}, 2 * {p4:Int64}, 2 * (cell - {p5:Int64}) + upper)) AS bucket, count() AS lines, sum(length(body)) AS bytes, if(level = 'unknown', '', level) AS s0, attrs[{p6:String}] AS s1
FROM logs
WHERE grp IN {p7:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p8:Int64}, 'UTC') AND ts < fromUnixTimestamp64Nano({p9:Int64}, 'UTC')
  AND fp IN {p10:Array(UInt64)}
GROUP BY fp, bucket, s0, s1
)
GROUP BY stream, bucket, s0, s1
-- p0 = [3,1,2]
-- p1 = [3,1,3]
-- p2 = 10
-- p3 = 491
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

