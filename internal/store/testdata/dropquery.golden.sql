-- reasons
SELECT toString(d.reason), min(d.ts), max(d.ts) AS latest, sum(d.requests), sum(d.rows), sum(d.bytes), groupUniqArray(50)(d.status), groupUniqArrayIf(50)(toString(d.cluster), d.cluster != ''), groupUniqArrayIf(50)(toString(d.token), d.token != ''), groupUniqArrayIf(50)(toString(d.protocol), d.protocol != ''), groupUniqArrayIf(50)(toString(d.signal), d.signal != ''), argMax(d.detail, d.ts)
FROM drops AS d
WHERE d.ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND d.ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
GROUP BY d.reason
ORDER BY latest DESC, d.reason
LIMIT {p2:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1

-- reasons, filtered
SELECT toString(d.reason), min(d.ts), max(d.ts) AS latest, sum(d.requests), sum(d.rows), sum(d.bytes), groupUniqArray(50)(d.status), groupUniqArrayIf(50)(toString(d.cluster), d.cluster != ''), groupUniqArrayIf(50)(toString(d.token), d.token != ''), groupUniqArrayIf(50)(toString(d.protocol), d.protocol != ''), groupUniqArrayIf(50)(toString(d.signal), d.signal != ''), argMax(d.detail, d.ts)
FROM drops AS d
WHERE d.ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND d.ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND d.cluster = {p2:String}
  AND d.token = {p3:String}
  AND d.protocol = {p4:String}
  AND d.signal = {p5:String}
  AND d.reason = {p6:String}
GROUP BY d.reason
ORDER BY latest DESC, d.reason
LIMIT {p7:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = it'sx
-- p3 = it'sx
-- p4 = it'sx
-- p5 = it'sx
-- p6 = it'sx
-- p7 = 5

-- samples, filtered
SELECT toString(d.reason), d.ts, toString(d.cluster), toString(d.token), toString(d.protocol), toString(d.signal), d.status, d.requests, d.rows, d.bytes, d.detail, d.sample
FROM drops AS d
WHERE d.ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND d.ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND d.cluster = {p2:String}
  AND d.token = {p3:String}
  AND d.protocol = {p4:String}
  AND d.signal = {p5:String}
  AND d.reason = {p6:String}
  AND d.sample != '' AND d.reason IN {p7:Array(String)}
ORDER BY d.ts DESC, d.cluster, d.token
LIMIT {p8:Int64} BY d.reason
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = it'sx
-- p3 = it'sx
-- p4 = it'sx
-- p5 = it'sx
-- p6 = it'sx
-- p7 = ['it\'sx','b']
-- p8 = 3

