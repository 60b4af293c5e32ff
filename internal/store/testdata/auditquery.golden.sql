-- clients
SELECT requests, denied, failed, began, ended, count() OVER (), sum(requests) OVER (), sum(denied) OVER (), sum(failed) OVER (), a0
FROM (
SELECT sum(n) AS requests, sum(nd) AS denied, sum(nf) AS failed, min(first) AS began, max(last) AS ended, a0
FROM (
SELECT fp, count() AS n, countIf(level = 'warn') AS nd, countIf(level IN ('error', 'critical')) AS nf, min(ts) AS first, max(ts) AS last
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
GROUP BY fp
) AS rows
INNER JOIN (SELECT fp, labels['verb'] AS a0 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p6:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC'))
  AND labels[{p8:String}] = {p9:String}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY a0
)
ORDER BY requests DESC, requests DESC, a0
LIMIT {p10:Int64}
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
-- p10 = 1

-- clients, filtered
SELECT requests, denied, failed, began, ended, count() OVER (), sum(requests) OVER (), sum(denied) OVER (), sum(failed) OVER (), a0, a1, a2
FROM (
SELECT sum(n) AS requests, sum(nd) AS denied, sum(nf) AS failed, min(first) AS began, max(last) AS ended, a0, a1, a2
FROM (
SELECT fp, count() AS n, countIf(level = 'warn') AS nd, countIf(level IN ('error', 'critical')) AS nf, min(ts) AS first, max(ts) AS last, attrs['user'] AS a0, attrs['resource'] AS a2
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p12:Array(String)}
  AND attrs['user'] NOT IN {p13:Array(String)}
  AND attrs['impersonated_user'] IN {p14:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p15:Array(String)}
  AND attrs['source_ip'] IN {p16:Array(String)}
  AND attrs['source_ip'] NOT IN {p17:Array(String)}
  AND attrs['user_agent'] IN {p18:Array(String)}
  AND attrs['user_agent'] NOT IN {p19:Array(String)}
  AND attrs['resource'] IN {p20:Array(String)}
  AND attrs['resource'] NOT IN {p21:Array(String)}
  AND attrs['api_group'] IN {p22:Array(String)}
  AND attrs['api_group'] NOT IN {p23:Array(String)}
  AND attrs['subresource'] IN {p24:Array(String)}
  AND attrs['subresource'] NOT IN {p25:Array(String)}
  AND attrs['name'] IN {p26:Array(String)}
  AND attrs['name'] NOT IN {p27:Array(String)}
  AND attrs['code'] IN {p28:Array(String)}
  AND attrs['code'] NOT IN {p29:Array(String)}
  AND attrs['decision'] IN {p30:Array(String)}
  AND attrs['decision'] NOT IN {p31:Array(String)}
GROUP BY fp, a0, a2
) AS rows
INNER JOIN (SELECT fp, labels['verb'] AS a1 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p32:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p33:Int64}, 'UTC'))
  AND labels[{p34:String}] = {p35:String}
  AND labels['cluster'] IN {p36:Array(String)}
  AND labels['cluster'] NOT IN {p37:Array(String)}
  AND labels['namespace'] IN {p38:Array(String)}
  AND labels['namespace'] NOT IN {p39:Array(String)}
  AND labels['verb'] IN {p40:Array(String)}
  AND labels['verb'] NOT IN {p41:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY a0, a1, a2
)
ORDER BY denied DESC, requests DESC, a0, a1, a2
LIMIT {p42:Int64}
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
-- p32 = 1778976000000000000
-- p33 = 1778979599999999999
-- p34 = signal
-- p35 = audit
-- p36 = ['it\'s','b']
-- p37 = ['it\'s']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = 5

-- lists
SELECT toString(a0) AS cluster, toString(a1) AS namespace, user, agent, api, resource, count() AS n, countIf(unpaged), countIf(unpaged AND NOT cached), sum(took) AS total, toInt64(quantileExactIf(0.5)(took, took > 0)), toInt64(quantileExactIf(0.95)(took, took > 0)), max(took) AS slowest, max(answered) AS items, max(size) AS bytes, argMax(uri, took), max(ts) AS last, count() OVER ()
FROM (
SELECT ts, fp, attrs['user'] AS user, attrs['user_agent'] AS agent, attrs['api_group'] AS api, attrs['resource'] AS resource, attrs['uri'] AS uri, toUInt64OrZero(extractURLParameter(uri, 'limit')) = 0 AS unpaged, extractURLParameter(uri, 'resourceVersion') = '0' AS cached, parseDateTime64BestEffortOrZero(simpleJSONExtractString(body, 'requestReceivedTimestamp'), 6, 'UTC') AS received, if(received > toDateTime64(0, 6, 'UTC'), greatest(dateDiff('microsecond', received, ts), 0), 0) AS took, if(position(body, '"responseObject":{') > 0, toUInt64(JSONLength(body, 'responseObject', 'items')), 0) AS answered, toUInt64(length(body)) AS size
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN {p6:Array(String)}
  AND labels['cluster'] IN {p7:Array(String)}
  AND labels['cluster'] NOT IN {p8:Array(String)}
  AND labels['namespace'] IN {p9:Array(String)}
  AND labels['namespace'] NOT IN {p10:Array(String)}
  AND labels['verb'] IN {p11:Array(String)}
  AND labels['verb'] NOT IN {p12:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p13:Array(String)}
  AND attrs['user'] NOT IN {p14:Array(String)}
  AND attrs['impersonated_user'] IN {p15:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p16:Array(String)}
  AND attrs['source_ip'] IN {p17:Array(String)}
  AND attrs['source_ip'] NOT IN {p18:Array(String)}
  AND attrs['user_agent'] IN {p19:Array(String)}
  AND attrs['user_agent'] NOT IN {p20:Array(String)}
  AND attrs['resource'] IN {p21:Array(String)}
  AND attrs['resource'] NOT IN {p22:Array(String)}
  AND attrs['api_group'] IN {p23:Array(String)}
  AND attrs['api_group'] NOT IN {p24:Array(String)}
  AND attrs['subresource'] IN {p25:Array(String)}
  AND attrs['subresource'] NOT IN {p26:Array(String)}
  AND attrs['name'] IN {p27:Array(String)}
  AND attrs['name'] NOT IN {p28:Array(String)}
  AND attrs['code'] IN {p29:Array(String)}
  AND attrs['code'] NOT IN {p30:Array(String)}
  AND attrs['decision'] IN {p31:Array(String)}
  AND attrs['decision'] NOT IN {p32:Array(String)}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p33:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p34:Int64}, 'UTC'))
  AND labels[{p35:String}] = {p36:String}
  AND labels['verb'] IN {p37:Array(String)}
  AND labels['cluster'] IN {p38:Array(String)}
  AND labels['cluster'] NOT IN {p39:Array(String)}
  AND labels['namespace'] IN {p40:Array(String)}
  AND labels['namespace'] NOT IN {p41:Array(String)}
  AND labels['verb'] IN {p42:Array(String)}
  AND labels['verb'] NOT IN {p43:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
GROUP BY cluster, namespace, user, agent, api, resource
ORDER BY items DESC, bytes DESC, n DESC, user, agent, resource, namespace, cluster
LIMIT {p44:Int64}
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
-- p13 = ['it\'s','b']
-- p14 = ['it\'s']
-- p15 = ['it\'s','b']
-- p16 = ['it\'s']
-- p17 = ['it\'s','b']
-- p18 = ['it\'s']
-- p19 = ['it\'s','b']
-- p20 = ['it\'s']
-- p21 = ['it\'s','b']
-- p22 = ['it\'s']
-- p23 = ['it\'s','b']
-- p24 = ['it\'s']
-- p25 = ['it\'s','b']
-- p26 = ['it\'s']
-- p27 = ['it\'s','b']
-- p28 = ['it\'s']
-- p29 = ['it\'s','b']
-- p30 = ['it\'s']
-- p31 = ['it\'s','b']
-- p32 = ['it\'s']
-- p33 = 1778976000000000000
-- p34 = 1778979599999999999
-- p35 = signal
-- p36 = audit
-- p37 = ['list']
-- p38 = ['it\'s','b']
-- p39 = ['it\'s']
-- p40 = ['it\'s','b']
-- p41 = ['it\'s']
-- p42 = ['it\'s','b']
-- p43 = ['it\'s']
-- p44 = 5

-- records
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
ORDER BY ts DESC
LIMIT {p6:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 3
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit

-- records, denied
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND level = 'warn'
ORDER BY ts DESC
LIMIT {p6:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 3
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit

-- records, exec
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND attrs['resource'] = 'pods' AND attrs['subresource'] IN ('exec', 'attach', 'portforward')
ORDER BY ts DESC
LIMIT {p6:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 3
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit

-- records, failed
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String})
  AND level IN ('error', 'critical')
ORDER BY ts DESC
LIMIT {p6:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 3
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit

-- records, filtered
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND attrs['user'] IN {p12:Array(String)}
  AND attrs['user'] NOT IN {p13:Array(String)}
  AND attrs['impersonated_user'] IN {p14:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p15:Array(String)}
  AND attrs['source_ip'] IN {p16:Array(String)}
  AND attrs['source_ip'] NOT IN {p17:Array(String)}
  AND attrs['user_agent'] IN {p18:Array(String)}
  AND attrs['user_agent'] NOT IN {p19:Array(String)}
  AND attrs['resource'] IN {p20:Array(String)}
  AND attrs['resource'] NOT IN {p21:Array(String)}
  AND attrs['api_group'] IN {p22:Array(String)}
  AND attrs['api_group'] NOT IN {p23:Array(String)}
  AND attrs['subresource'] IN {p24:Array(String)}
  AND attrs['subresource'] NOT IN {p25:Array(String)}
  AND attrs['name'] IN {p26:Array(String)}
  AND attrs['name'] NOT IN {p27:Array(String)}
  AND attrs['code'] IN {p28:Array(String)}
  AND attrs['code'] NOT IN {p29:Array(String)}
  AND attrs['decision'] IN {p30:Array(String)}
  AND attrs['decision'] NOT IN {p31:Array(String)}
ORDER BY ts DESC
LIMIT {p32:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p33:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p34:Int64}, 'UTC'))
  AND labels[{p35:String}] = {p36:String}
  AND labels['cluster'] IN {p37:Array(String)}
  AND labels['cluster'] NOT IN {p38:Array(String)}
  AND labels['namespace'] IN {p39:Array(String)}
  AND labels['namespace'] NOT IN {p40:Array(String)}
  AND labels['verb'] IN {p41:Array(String)}
  AND labels['verb'] NOT IN {p42:Array(String)}
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
-- p32 = 15
-- p33 = 1778976000000000000
-- p34 = 1778979599999999999
-- p35 = signal
-- p36 = audit
-- p37 = ['it\'s','b']
-- p38 = ['it\'s']
-- p39 = ['it\'s','b']
-- p40 = ['it\'s']
-- p41 = ['it\'s','b']
-- p42 = ['it\'s']

-- records, secrets
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN ('get', 'list', 'watch'))
  AND attrs['resource'] = 'secrets'
ORDER BY ts DESC
LIMIT {p6:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  AND labels[{p9:String}] = {p10:String}
  AND labels['verb'] IN ('get', 'list', 'watch')
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = 3
-- p7 = 1778976000000000000
-- p8 = 1778979599999999999
-- p9 = signal
-- p10 = audit

-- records, writes
SELECT ts, id, stage, uri, why, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['verb'] IN {p6:Array(String)})
ORDER BY ts DESC
LIMIT {p7:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p8:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p9:Int64}, 'UTC'))
  AND labels[{p10:String}] = {p11:String}
  AND labels['verb'] IN {p12:Array(String)}
LIMIT 1 BY fp) AS streams USING fp
ORDER BY ts DESC, id, stage = 'ResponseComplete' DESC
-- p0 = 1778976000000
-- p1 = 1778979600000
-- p2 = 1778976000000000000
-- p3 = 1778979599999999999
-- p4 = signal
-- p5 = audit
-- p6 = ['create','update','patch','delete','deletecollection']
-- p7 = 3
-- p8 = 1778976000000000000
-- p9 = 1778979599999999999
-- p10 = signal
-- p11 = audit
-- p12 = ['create','update','patch','delete','deletecollection']

-- writes
SELECT ts, id, stage, uri, why, body, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12
FROM (
SELECT ts, fp, body, attrs['audit_id'] AS id, attrs['stage'] AS stage, attrs['uri'] AS uri, attrs['reason'] AS why, attrs['user'] AS a3, attrs['impersonated_user'] AS a4, attrs['source_ip'] AS a5, attrs['user_agent'] AS a6, attrs['resource'] AS a7, attrs['api_group'] AS a8, attrs['subresource'] AS a9, attrs['name'] AS a10, attrs['code'] AS a11, attrs['decision'] AS a12
FROM logs
WHERE ts >= fromUnixTimestamp64Milli({p0:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({p1:Int64}, 'UTC')
  AND (grp, fp) IN (SELECT name, fp FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p2:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p3:Int64}, 'UTC'))
  AND labels[{p4:String}] = {p5:String}
  AND labels['cluster'] IN {p6:Array(String)}
  AND labels['cluster'] NOT IN {p7:Array(String)}
  AND labels['namespace'] IN {p8:Array(String)}
  AND labels['namespace'] NOT IN {p9:Array(String)}
  AND labels['verb'] IN {p10:Array(String)}
  AND labels['verb'] NOT IN {p11:Array(String)})
  AND attrs['stage'] IN ('ResponseComplete', 'Panic')
  AND attrs['user'] IN {p12:Array(String)}
  AND attrs['user'] NOT IN {p13:Array(String)}
  AND attrs['impersonated_user'] IN {p14:Array(String)}
  AND attrs['impersonated_user'] NOT IN {p15:Array(String)}
  AND attrs['source_ip'] IN {p16:Array(String)}
  AND attrs['source_ip'] NOT IN {p17:Array(String)}
  AND attrs['user_agent'] IN {p18:Array(String)}
  AND attrs['user_agent'] NOT IN {p19:Array(String)}
  AND attrs['resource'] IN {p20:Array(String)}
  AND attrs['resource'] NOT IN {p21:Array(String)}
  AND attrs['api_group'] IN {p22:Array(String)}
  AND attrs['api_group'] NOT IN {p23:Array(String)}
  AND attrs['subresource'] IN {p24:Array(String)}
  AND attrs['subresource'] NOT IN {p25:Array(String)}
  AND attrs['name'] IN {p26:Array(String)}
  AND attrs['name'] NOT IN {p27:Array(String)}
  AND attrs['code'] IN {p28:Array(String)}
  AND attrs['code'] NOT IN {p29:Array(String)}
  AND attrs['decision'] IN {p30:Array(String)}
  AND attrs['decision'] NOT IN {p31:Array(String)}
ORDER BY ts DESC
LIMIT {p32:Int64}
) AS rows
INNER JOIN (SELECT fp, labels['cluster'] AS a0, labels['namespace'] AS a1, labels['verb'] AS a2 FROM series WHERE kind = 'log'
  AND day >= toDate(fromUnixTimestamp64Nano({p33:Int64}, 'UTC')) AND day <= toDate(fromUnixTimestamp64Nano({p34:Int64}, 'UTC'))
  AND labels[{p35:String}] = {p36:String}
  AND labels['cluster'] IN {p37:Array(String)}
  AND labels['cluster'] NOT IN {p38:Array(String)}
  AND labels['namespace'] IN {p39:Array(String)}
  AND labels['namespace'] NOT IN {p40:Array(String)}
  AND labels['verb'] IN {p41:Array(String)}
  AND labels['verb'] NOT IN {p42:Array(String)}
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
-- p32 = 11
-- p33 = 1778976000000000000
-- p34 = 1778979599999999999
-- p35 = signal
-- p36 = audit
-- p37 = ['it\'s','b']
-- p38 = ['it\'s']
-- p39 = ['it\'s','b']
-- p40 = ['it\'s']
-- p41 = ['it\'s','b']
-- p42 = ['it\'s']

