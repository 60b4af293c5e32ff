-- clients
SELECT requests, denied, failed, began, ended, count() OVER (), sum(requests) OVER (), sum(denied) OVER (), sum(failed) OVER (), a0
FROM (
SELECT sum(n) AS requests, sum(nd) AS denied, sum(nf) AS failed, min(first) AS began, max(last) AS ended, a0
FROM (
SELECT fp, count() AS n, countIf(level = 'warn') AS nd, countIf(level IN ('error', 'critical')) AS nf, min(ts) AS first, max(ts) AS last
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
GROUP BY fp
) AS rows
INNER JOIN (SELECT fp, labels['verb'] AS a0 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p10:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC'))
  AND labels[{p12:String}] = {p13:String}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY a0
)
ORDER BY requests DESC, requests DESC, a0
LIMIT {p14:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 1778976000000000000
-- p11 = 1778979599999999999
-- p12 = signal
-- p13 = audit
-- p14 = 1

-- clients, filtered
SELECT requests, denied, failed, began, ended, count() OVER (), sum(requests) OVER (), sum(denied) OVER (), sum(failed) OVER (), a0, a1, a2
FROM (
SELECT sum(n) AS requests, sum(nd) AS denied, sum(nf) AS failed, min(first) AS began, max(last) AS ended, a0, a1, a2
FROM (
SELECT fp, count() AS n, countIf(level = 'warn') AS nd, countIf(level IN ('error', 'critical')) AS nf, min(ts) AS first, max(ts) AS last, attrs['user'] AS a0, attrs['resource'] AS a2
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC'))
  AND labels[{p14:String}] = {p15:String}
  AND labels['cluster'] IN {p16:Array(String)}
  AND labels['cluster'] NOT IN {p17:Array(String)}
  AND labels['namespace'] IN {p18:Array(String)}
  AND labels['namespace'] NOT IN {p19:Array(String)}
  AND labels['verb'] IN {p20:Array(String)}
  AND labels['verb'] NOT IN {p21:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p22:Array(String)}
  AND attrs['user'] NOT IN {p23:Array(String)}
  AND attrs['impersonated_user'] IN {p24:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p25:Array(String)}
  AND attrs['source_ip'] IN {p26:Array(String)}
  AND attrs['source_ip'] NOT IN {p27:Array(String)}
  AND attrs['user_agent'] IN {p28:Array(String)}
  AND attrs['user_agent'] NOT IN {p29:Array(String)}
  AND attrs['resource'] IN {p30:Array(String)}
  AND attrs['resource'] NOT IN {p31:Array(String)}
  AND attrs['api_group'] IN {p32:Array(String)}
  AND attrs['api_group'] NOT IN {p33:Array(String)}
  AND attrs['subresource'] IN {p34:Array(String)}
  AND attrs['subresource'] NOT IN {p35:Array(String)}
  AND attrs['name'] IN {p36:Array(String)}
  AND attrs['name'] NOT IN {p37:Array(String)}
  AND attrs['code'] IN {p38:Array(String)}
  AND attrs['code'] NOT IN {p39:Array(String)}
  AND attrs['decision'] IN {p40:Array(String)}
  AND attrs['decision'] NOT IN {p41:Array(String)}
GROUP BY fp, a0, a2
) AS rows
INNER JOIN (SELECT fp, labels['verb'] AS a1 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p42:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p43:Int64}, 'UTC'))
  AND labels[{p44:String}] = {p45:String}
  AND labels['cluster'] IN {p46:Array(String)}
  AND labels['cluster'] NOT IN {p47:Array(String)}
  AND labels['namespace'] IN {p48:Array(String)}
  AND labels['namespace'] NOT IN {p49:Array(String)}
  AND labels['verb'] IN {p50:Array(String)}
  AND labels['verb'] NOT IN {p51:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY a0, a1, a2
)
ORDER BY denied DESC, requests DESC, a0, a1, a2
LIMIT {p52:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = 1778976000000000000
-- p13 = 1778979599999999999
-- p14 = signal
-- p15 = audit
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
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
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = 1778976000000000000
-- p43 = 1778979599999999999
-- p44 = signal
-- p45 = audit
-- p46 = ['it\'s','b']
-- p47 = ['it\'s']
-- p48 = ['it\'s','b']
-- p49 = ['it\'s']
-- p50 = ['it\'s','b']
-- p51 = ['it\'s']
-- p52 = 5

-- lists
SELECT toString(a0) AS cluster, toString(a1) AS namespace, user, agent, api, resource, count() AS n, countIf(unpaged), countIf(unpaged AND NOT cached), sum(took) AS total, toInt64(quantileExactIf(0.5)(took, took > 0)), toInt64(quantileExactIf(0.95)(took, took > 0)), max(took) AS slowest, max(answered) AS items, max(size) AS bytes, argMax(uri, took), max(ts) AS last, count() OVER ()
FROM (
SELECT ts, fp, attrs['user'] AS user, attrs['user_agent'] AS agent, attrs['api_group'] AS api, attrs['resource'] AS resource, attrs['uri'] AS uri, toUInt64OrZero(extractURLParameter(uri, 'limit')) = 0 AS unpaged, extractURLParameter(uri, 'resourceVersion') = '0' AS cached, parseDateTime64BestEffortOrZero(simpleJSONExtractString(body, 'requestReceivedTimestamp'), 6, 'UTC') AS received, if(received > toDateTime64(0, 6, 'UTC'), greatest(dateDiff('microsecond', received, ts), 0), 0) AS took, if(position(body, '"responseObject":{') > 0, toUInt64(JSONLength(body, 'responseObject', 'items')), 0) AS answered, toUInt64(length(body)) AS size
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN {p6:Array(String)}
  AND labels['cluster'] IN {p7:Array(String)}
  AND labels['cluster'] NOT IN {p8:Array(String)}
  AND labels['namespace'] IN {p9:Array(String)}
  AND labels['namespace'] NOT IN {p10:Array(String)}
  AND labels['verb'] IN {p11:Array(String)}
  AND labels['verb'] NOT IN {p12:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p14:Int64}, 'UTC'))
  AND labels[{p15:String}] = {p16:String}
  AND labels['verb'] IN {p17:Array(String)}
  AND labels['cluster'] IN {p18:Array(String)}
  AND labels['cluster'] NOT IN {p19:Array(String)}
  AND labels['namespace'] IN {p20:Array(String)}
  AND labels['namespace'] NOT IN {p21:Array(String)}
  AND labels['verb'] IN {p22:Array(String)}
  AND labels['verb'] NOT IN {p23:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p24:Array(String)}
  AND attrs['user'] NOT IN {p25:Array(String)}
  AND attrs['impersonated_user'] IN {p26:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p27:Array(String)}
  AND attrs['source_ip'] IN {p28:Array(String)}
  AND attrs['source_ip'] NOT IN {p29:Array(String)}
  AND attrs['user_agent'] IN {p30:Array(String)}
  AND attrs['user_agent'] NOT IN {p31:Array(String)}
  AND attrs['resource'] IN {p32:Array(String)}
  AND attrs['resource'] NOT IN {p33:Array(String)}
  AND attrs['api_group'] IN {p34:Array(String)}
  AND attrs['api_group'] NOT IN {p35:Array(String)}
  AND attrs['subresource'] IN {p36:Array(String)}
  AND attrs['subresource'] NOT IN {p37:Array(String)}
  AND attrs['name'] IN {p38:Array(String)}
  AND attrs['name'] NOT IN {p39:Array(String)}
  AND attrs['code'] IN {p40:Array(String)}
  AND attrs['code'] NOT IN {p41:Array(String)}
  AND attrs['decision'] IN {p42:Array(String)}
  AND attrs['decision'] NOT IN {p43:Array(String)}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p44:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p45:Int64}, 'UTC'))
  AND labels[{p46:String}] = {p47:String}
  AND labels['verb'] IN {p48:Array(String)}
  AND labels['cluster'] IN {p49:Array(String)}
  AND labels['cluster'] NOT IN {p50:Array(String)}
  AND labels['namespace'] IN {p51:Array(String)}
  AND labels['namespace'] NOT IN {p52:Array(String)}
  AND labels['verb'] IN {p53:Array(String)}
  AND labels['verb'] NOT IN {p54:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY cluster, namespace, user, agent, api, resource
ORDER BY items DESC, bytes DESC, n DESC, user, agent, resource, namespace, cluster
LIMIT {p55:Int64}
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['list']
-- p7 = ['it\'s','b']
-- p8 = ['it\'s']
-- p9 = ['it\'s','b']
-- p10 = ['it\'s']
-- p11 = ['it\'s','b']
-- p12 = ['it\'s']
-- p13 = 1778976000000000000
-- p14 = 1778979599999999999
-- p15 = signal
-- p16 = audit
-- p17 = ['list']
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
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = ['it\'s','b']
-- p43 = ['it\'s']
-- p44 = 1778976000000000000
-- p45 = 1778979599999999999
-- p46 = signal
-- p47 = audit
-- p48 = ['list']
-- p49 = ['it\'s','b']
-- p50 = ['it\'s']
-- p51 = ['it\'s','b']
-- p52 = ['it\'s']
-- p53 = ['it\'s','b']
-- p54 = ['it\'s']
-- p55 = 5

-- records
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
ORDER BY ts DESC
LIMIT {p10:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 4
-- p11 = 1778976000000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = audit

-- records, denied
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND level = 'warn'
ORDER BY ts DESC
LIMIT {p10:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 4
-- p11 = 1778976000000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = audit

-- records, exec
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND attrs['resource'] = 'pods' AND attrs['subresource'] IN ('exec', 'attach', 'portforward')
ORDER BY ts DESC
LIMIT {p10:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 4
-- p11 = 1778976000000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = audit

-- records, failed
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND level IN ('error', 'critical')
ORDER BY ts DESC
LIMIT {p10:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 4
-- p11 = 1778976000000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = audit

-- records, filtered
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC'))
  AND labels[{p14:String}] = {p15:String}
  AND labels['cluster'] IN {p16:Array(String)}
  AND labels['cluster'] NOT IN {p17:Array(String)}
  AND labels['namespace'] IN {p18:Array(String)}
  AND labels['namespace'] NOT IN {p19:Array(String)}
  AND labels['verb'] IN {p20:Array(String)}
  AND labels['verb'] NOT IN {p21:Array(String)})
  AND attrs['user'] IN {p22:Array(String)}
  AND attrs['user'] NOT IN {p23:Array(String)}
  AND attrs['impersonated_user'] IN {p24:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p25:Array(String)}
  AND attrs['source_ip'] IN {p26:Array(String)}
  AND attrs['source_ip'] NOT IN {p27:Array(String)}
  AND attrs['user_agent'] IN {p28:Array(String)}
  AND attrs['user_agent'] NOT IN {p29:Array(String)}
  AND attrs['resource'] IN {p30:Array(String)}
  AND attrs['resource'] NOT IN {p31:Array(String)}
  AND attrs['api_group'] IN {p32:Array(String)}
  AND attrs['api_group'] NOT IN {p33:Array(String)}
  AND attrs['subresource'] IN {p34:Array(String)}
  AND attrs['subresource'] NOT IN {p35:Array(String)}
  AND attrs['name'] IN {p36:Array(String)}
  AND attrs['name'] NOT IN {p37:Array(String)}
  AND attrs['code'] IN {p38:Array(String)}
  AND attrs['code'] NOT IN {p39:Array(String)}
  AND attrs['decision'] IN {p40:Array(String)}
  AND attrs['decision'] NOT IN {p41:Array(String)}
ORDER BY ts DESC
LIMIT {p42:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p43:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p44:Int64}, 'UTC'))
  AND labels[{p45:String}] = {p46:String}
  AND labels['cluster'] IN {p47:Array(String)}
  AND labels['cluster'] NOT IN {p48:Array(String)}
  AND labels['namespace'] IN {p49:Array(String)}
  AND labels['namespace'] NOT IN {p50:Array(String)}
  AND labels['verb'] IN {p51:Array(String)}
  AND labels['verb'] NOT IN {p52:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = 1778976000000000000
-- p13 = 1778979599999999999
-- p14 = signal
-- p15 = audit
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
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
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = 16
-- p43 = 1778976000000000000
-- p44 = 1778979599999999999
-- p45 = signal
-- p46 = audit
-- p47 = ['it\'s','b']
-- p48 = ['it\'s']
-- p49 = ['it\'s','b']
-- p50 = ['it\'s']
-- p51 = ['it\'s','b']
-- p52 = ['it\'s']

-- records, next
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND ts < fromUnixTimestamp64Nano({p10:Int64}, 'UTC')
ORDER BY ts DESC
LIMIT {p11:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC'))
  AND labels[{p14:String}] = {p15:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 1778976000000000000
-- p11 = 16
-- p12 = 1778976000000000000
-- p13 = 1778979599999999999
-- p14 = signal
-- p15 = audit

-- records, secrets
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN ('get', 'list', 'watch'))
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String}
  AND labels['verb'] IN ('get', 'list', 'watch'))
  AND attrs['resource'] = 'secrets'
ORDER BY ts DESC
LIMIT {p10:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p11:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC'))
  AND labels[{p13:String}] = {p14:String}
  AND labels['verb'] IN ('get', 'list', 'watch')
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 4
-- p11 = 1778976000000000000
-- p12 = 1778979599999999999
-- p13 = signal
-- p14 = audit

-- records, shown
SELECT DISTINCT attrs['audit_id'] AS id
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC'))
  AND labels[{p14:String}] = {p15:String}
  AND labels['cluster'] IN {p16:Array(String)}
  AND labels['cluster'] NOT IN {p17:Array(String)}
  AND labels['namespace'] IN {p18:Array(String)}
  AND labels['namespace'] NOT IN {p19:Array(String)}
  AND labels['verb'] IN {p20:Array(String)}
  AND labels['verb'] NOT IN {p21:Array(String)})
  AND attrs['user'] IN {p22:Array(String)}
  AND attrs['user'] NOT IN {p23:Array(String)}
  AND attrs['impersonated_user'] IN {p24:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p25:Array(String)}
  AND attrs['source_ip'] IN {p26:Array(String)}
  AND attrs['source_ip'] NOT IN {p27:Array(String)}
  AND attrs['user_agent'] IN {p28:Array(String)}
  AND attrs['user_agent'] NOT IN {p29:Array(String)}
  AND attrs['resource'] IN {p30:Array(String)}
  AND attrs['resource'] NOT IN {p31:Array(String)}
  AND attrs['api_group'] IN {p32:Array(String)}
  AND attrs['api_group'] NOT IN {p33:Array(String)}
  AND attrs['subresource'] IN {p34:Array(String)}
  AND attrs['subresource'] NOT IN {p35:Array(String)}
  AND attrs['name'] IN {p36:Array(String)}
  AND attrs['name'] NOT IN {p37:Array(String)}
  AND attrs['code'] IN {p38:Array(String)}
  AND attrs['code'] NOT IN {p39:Array(String)}
  AND attrs['decision'] IN {p40:Array(String)}
  AND attrs['decision'] NOT IN {p41:Array(String)}
  AND ts >= fromUnixTimestamp64Nano({p42:Int64}, 'UTC') AND (ts > fromUnixTimestamp64Nano({p42:Int64}, 'UTC') OR id <= {p43:String}) AND id IN {p44:Array(String)}
-- p0 = 1778976060000
-- p1 = 1778979600000
-- p2 = 1778976060000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = 1778976060000000000
-- p13 = 1778979599999999999
-- p14 = signal
-- p15 = audit
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
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
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = 1778976060000000000
-- p43 = of it's
-- p44 = ['it\'s','b']

-- records, tied
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String})
  AND ts <= fromUnixTimestamp64Nano({p10:Int64}, 'UTC') AND (ts < fromUnixTimestamp64Nano({p10:Int64}, 'UTC') OR id > {p11:String})
  AND ts = fromUnixTimestamp64Nano({p12:Int64}, 'UTC')
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
LIMIT {p13:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p14:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p15:Int64}, 'UTC'))
  AND labels[{p16:String}] = {p17:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 1778976000000000000
-- p7 = 1778979599999999999
-- p8 = signal
-- p9 = audit
-- p10 = 1778976000000000000
-- p11 = of it's
-- p12 = 1778976000000000000
-- p13 = 16
-- p14 = 1778976000000000000
-- p15 = 1778979599999999999
-- p16 = signal
-- p17 = audit

-- records, writes
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN {p6:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
  AND labels['verb'] IN {p11:Array(String)})
ORDER BY ts DESC
LIMIT {p12:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p14:Int64}, 'UTC'))
  AND labels[{p15:String}] = {p16:String}
  AND labels['verb'] IN {p17:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['create','update','patch','delete','deletecollection']
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit
-- p11 = ['create','update','patch','delete','deletecollection']
-- p12 = 4
-- p13 = 1778976000000000000
-- p14 = 1778979599999999999
-- p15 = signal
-- p16 = audit
-- p17 = ['create','update','patch','delete','deletecollection']

-- writes
SELECT ts, id, stage, uri, why, body, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, body, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND grp IN (SELECT name FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND fp IN (SELECT fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p12:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p13:Int64}, 'UTC'))
  AND labels[{p14:String}] = {p15:String}
  AND labels['cluster'] IN {p16:Array(String)}
  AND labels['cluster'] NOT IN {p17:Array(String)}
  AND labels['namespace'] IN {p18:Array(String)}
  AND labels['namespace'] NOT IN {p19:Array(String)}
  AND labels['verb'] IN {p20:Array(String)}
  AND labels['verb'] NOT IN {p21:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p22:Array(String)}
  AND attrs['user'] NOT IN {p23:Array(String)}
  AND attrs['impersonated_user'] IN {p24:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p25:Array(String)}
  AND attrs['source_ip'] IN {p26:Array(String)}
  AND attrs['source_ip'] NOT IN {p27:Array(String)}
  AND attrs['user_agent'] IN {p28:Array(String)}
  AND attrs['user_agent'] NOT IN {p29:Array(String)}
  AND attrs['resource'] IN {p30:Array(String)}
  AND attrs['resource'] NOT IN {p31:Array(String)}
  AND attrs['api_group'] IN {p32:Array(String)}
  AND attrs['api_group'] NOT IN {p33:Array(String)}
  AND attrs['subresource'] IN {p34:Array(String)}
  AND attrs['subresource'] NOT IN {p35:Array(String)}
  AND attrs['name'] IN {p36:Array(String)}
  AND attrs['name'] NOT IN {p37:Array(String)}
  AND attrs['code'] IN {p38:Array(String)}
  AND attrs['code'] NOT IN {p39:Array(String)}
  AND attrs['decision'] IN {p40:Array(String)}
  AND attrs['decision'] NOT IN {p41:Array(String)}
ORDER BY ts DESC
LIMIT {p42:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p43:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p44:Int64}, 'UTC'))
  AND labels[{p45:String}] = {p46:String}
  AND labels['cluster'] IN {p47:Array(String)}
  AND labels['cluster'] NOT IN {p48:Array(String)}
  AND labels['namespace'] IN {p49:Array(String)}
  AND labels['namespace'] NOT IN {p50:Array(String)}
  AND labels['verb'] IN {p51:Array(String)}
  AND labels['verb'] NOT IN {p52:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['it\'s','b']
-- p7 = ['it\'s']
-- p8 = ['it\'s','b']
-- p9 = ['it\'s']
-- p10 = ['it\'s','b']
-- p11 = ['it\'s']
-- p12 = 1778976000000000000
-- p13 = 1778979599999999999
-- p14 = signal
-- p15 = audit
-- p16 = ['it\'s','b']
-- p17 = ['it\'s']
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
-- p34 = ['it\'s','b']
-- p35 = ['it\'s']
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = 11
-- p43 = 1778976000000000000
-- p44 = 1778979599999999999
-- p45 = signal
-- p46 = audit
-- p47 = ['it\'s','b']
-- p48 = ['it\'s']
-- p49 = ['it\'s','b']
-- p50 = ['it\'s']
-- p51 = ['it\'s','b']
-- p52 = ['it\'s']

