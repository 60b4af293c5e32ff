# Every line, by expressions that no index helps.
SELECT count() FROM logs WHERE match(body, '(?i)[a-f]{3}RANDOM[0-9]+.*time')
SELECT count() FROM logs WHERE body LIKE '%a%b%c%RANDOM%'
SELECT count() FROM logs WHERE lower(body) LIKE '%never%RANDOM%'
SELECT count() FROM logs WHERE position(reverse(body), 'RANDOM') > 0
SELECT sum(length(replaceRegexpAll(body, '[a-z]', 'RANDOM'))) FROM logs
SELECT sum(length(extractAll(body, '[0-9]+'))) + RANDOM FROM logs
SELECT max(sipHash64(body, RANDOM)) FROM logs
SELECT max(hex(SHA256(concat(body, 'RANDOM')))) FROM logs
SELECT body FROM logs ORDER BY sipHash64(body, RANDOM) LIMIT 100
SELECT DISTINCT substring(body, 1, 200) FROM logs ORDER BY 1 DESC LIMIT 10
# Sets that do not fit.
SELECT uniqExact(body) + RANDOM FROM logs
SELECT body, count() + RANDOM FROM logs GROUP BY body ORDER BY 2 DESC LIMIT 10
SELECT groupArray(body) FROM (SELECT body FROM logs LIMIT 3000000)
SELECT arrayJoin(splitByChar(' ', body)) AS word, count() + RANDOM FROM logs GROUP BY word ORDER BY 2 DESC LIMIT 100
SELECT quantilesExact(0.5, 0.9, 0.99)(length(body) + RANDOM) FROM logs
SELECT topK(1000)(body) FROM logs WHERE length(body) > RANDOM % 10
SELECT count() FROM (SELECT body FROM logs UNION DISTINCT SELECT concat(body, 'RANDOM') FROM logs)
# Joins of all with all.
SELECT count() + RANDOM FROM logs AS a JOIN logs AS b ON substring(a.body, 1, 20) = substring(b.body, 1, 20)
SELECT count() + RANDOM FROM metrics AS a JOIN metrics AS b ON a.value = b.value
SELECT count() + RANDOM FROM logs AS a CROSS JOIN (SELECT 1 FROM logs LIMIT 10000) AS b
SELECT count() FROM logs WHERE body IN (SELECT concat(body, 'RANDOM') FROM logs)
SELECT count() + RANDOM FROM metrics AS a CROSS JOIN (SELECT 1 FROM metrics LIMIT 10000) AS b
# Windows, sorts and arithmetic without end.
SELECT max(x) + RANDOM FROM (SELECT row_number() OVER (ORDER BY body) AS x FROM logs)
SELECT sum(v) + RANDOM FROM (SELECT avg(value) OVER (ORDER BY value ROWS BETWEEN 1000 PRECEDING AND CURRENT ROW) AS v FROM metrics)
SELECT * FROM (SELECT * FROM logs ORDER BY body DESC) ORDER BY body LIMIT 5 BY substring(body, 1, 3)
SELECT sum(cityHash64(arrayMap(x -> x * RANDOM, range(1000)))) FROM logs
SELECT avg(value), quantileExact(0.99)(value) + RANDOM FROM metrics GROUP BY value ORDER BY 1 LIMIT 10
SELECT count() + RANDOM FROM logs WHERE arrayExists(x -> match(x, '[0-9]{4,}'), splitByChar(' ', body))
WITH a AS (SELECT body FROM logs), b AS (SELECT body FROM a UNION ALL SELECT body FROM a), c AS (SELECT body FROM b UNION ALL SELECT body FROM b) SELECT uniqExact(body) + RANDOM FROM c
SELECT arraySort(groupUniqArray(substring(body, 1, 100)))[RANDOM % 100] FROM logs
