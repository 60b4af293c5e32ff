package sql_test

import (
	"net/http"
	"testing"
)

func TestSQL(t *testing.T) {
	w := newWorld(t)
	t.Run("queries", w.testQueries)
	t.Run("formats", w.testFormats)
	t.Run("parameters", w.testParameters)
	t.Run("faults", w.testFaults)
	t.Run("schema", w.testSchema)
	t.Run("explain", w.testExplain)
	t.Run("limits", w.testLimits)
	t.Run("cancel", w.testCancel)
	t.Run("escapes", w.testEscapes)
	t.Run("engine wall", w.testEngineWall)
}

// question is a statement and its answer as lines of CSV.
type question struct{ sql, want string }

func (w *world) testQueries(t *testing.T) {
	from := w.start.Format("2006-01-02 15:04:05")
	for _, list := range [][]question{logQuestions(), logTableQuestions(), metricQuestions(), otherQuestions()} {
		for _, q := range list {
			parameters := map[string]any{"from": from}
			sql := "WITH {from:DateTime64(3, 'UTC')} AS t0 " + q.sql
			if status, got := w.csv(t, w.Account, sql, parameters); status != http.StatusOK || got != q.want {
				t.Errorf("%s:\n got %d %s\nwant %s", q.sql, status, got, q.want)
			}
		}
	}
}

// The lines are 1000, one a second from t0, by turns of the pods web-0, web-1, api-0 and db-0; each tenth is an error.
func logQuestions() []question {
	const from = " FROM logs WHERE labels['app'] != '' "
	return []question{
		{"SELECT count() FROM logs WHERE namespace = 'bank'", "250"},
		{"SELECT count() FROM logs WHERE level = 'error'", "100"},
		{"SELECT namespace, count() AS n" + from + "GROUP BY namespace ORDER BY n DESC", "\"shop\",750\n\"bank\",250"},
		{"SELECT pod, countIf(level = 'error') AS errors" + from + "GROUP BY pod ORDER BY pod", "\"api-0\",50\n\"db-0\",0\n\"web-0\",50\n\"web-1\",0"},
		{"SELECT uniqExact(pod), uniqExact(node), uniqExact(cluster)" + from, "4,2,1"},
		{"SELECT cluster" + from + "LIMIT 1", `"acme"`},
		{"SELECT count()" + from + "AND timestamp >= t0 AND timestamp < t0 + INTERVAL 1 MINUTE", "60"},
		{"SELECT dateDiff('minute', t0, toStartOfMinute(timestamp)) AS m, count()" + from + "GROUP BY m ORDER BY m LIMIT 2", "0,60\n1,60"},
		{"SELECT body" + from + "ORDER BY timestamp LIMIT 2", "\"request 0 failed: timeout\"\n\"request 1 done in 1ms\""},
		{"SELECT body" + from + "ORDER BY timestamp DESC LIMIT 1 OFFSET 9", `"request 990 failed: timeout"`},
		{"SELECT count()" + from + "AND body LIKE '%timeout%'", "100"},
		{"SELECT count()" + from + "AND body ILIKE '%TIMEOUT'", "100"},
		{`SELECT count() FROM logs WHERE match(body, '^request \d+ done in 9\dms$')`, "90"},
		{`SELECT sum(toUInt32OrZero(extract(body, 'in (\d+)ms')))` + from, "45000"},
		{"SELECT attributes['request']" + from + "ORDER BY timestamp LIMIT 1 OFFSET 7", `"7"`},
		{"SELECT max(toUInt32(attributes['request']))" + from, "999"},
		{"SELECT pod, body" + from + "ORDER BY timestamp LIMIT 1 BY pod LIMIT 2", "\"web-0\",\"request 0 failed: timeout\"\n\"web-1\",\"request 1 done in 1ms\""},
		{"SELECT DISTINCT namespace" + from + "ORDER BY 1", "\"bank\"\n\"shop\""},
		{"SELECT DISTINCT ON (namespace) namespace, pod" + from + "ORDER BY namespace, timestamp", "\"bank\",\"db-0\"\n\"shop\",\"web-0\""},
		{"SELECT argMax(body, timestamp)" + from, `"request 999 done in 99ms"`},
		{"SELECT arraySort(groupUniqArray(pod))" + from + "AND namespace = 'shop'", `"['api-0','web-0','web-1']"`},
		{"SELECT mapKeys(labels) = arraySort(mapKeys(labels)), labels['app']" + from + "ORDER BY timestamp LIMIT 1", `1,"web"`},
		{"SELECT length(stream_id), stream_id = lower(stream_id)" + from + "LIMIT 1", "16,1"},
	}
}

func logTableQuestions() []question {
	const from = " FROM logs WHERE labels['app'] != '' "
	return []question{
		{"SELECT count() FROM logs AS l WHERE l.namespace IN ('bank', 'x') AND l.labels['app'] != ''", "250"},
		{"SELECT count() FROM logs WHERE (namespace, pod) IN (('shop', 'web-0'), ('shop', 'api-0'))", "500"},
		{"SELECT count() FROM logs WHERE pod IN (SELECT pod FROM logs WHERE level = 'error')", "500"},
		{"SELECT count() FROM logs WHERE pod NOT IN (SELECT pod FROM logs WHERE level = 'error') AND labels['app'] != ''", "500"},
		{"SELECT count() FROM (SELECT pod, count() AS n" + from + "GROUP BY pod) WHERE n = 250", "4"},
		{"SELECT a.pod, a.n - b.n FROM (SELECT pod, count() AS n" + from + "GROUP BY pod) AS a LEFT JOIN (SELECT pod, count() AS n" + from + "AND level = 'error' GROUP BY pod) AS b ON a.pod = b.pod ORDER BY 1 LIMIT 2", "\"api-0\",200\n\"db-0\",250"},
		{"SELECT pod, n, rank() OVER (ORDER BY n DESC) FROM (SELECT pod, countIf(level = 'error') + (pod = 'api-0') AS n" + from + "GROUP BY pod) ORDER BY n DESC LIMIT 2", "\"api-0\",51,1\n\"web-0\",50,2"},
		{"SELECT sum(n) FROM (SELECT count() AS n" + from + "AND namespace = 'bank' UNION ALL SELECT count()" + from + "AND namespace = 'shop')", "1000"},
		{"SELECT (SELECT count()" + from + ") - 1", "999"},
		{"SELECT namespace, count()" + from + "GROUP BY ROLLUP(namespace) ORDER BY namespace", "\"\",1000\n\"bank\",250\n\"shop\",750"},
		{"SELECT namespace, pod, count()" + from + "GROUP BY GROUPING SETS ((namespace), (pod)) ORDER BY namespace, pod LIMIT 1", "\"\",\"api-0\",250"},
		{"SELECT CASE WHEN level = 'error' THEN 'bad' ELSE 'good' END AS k, count()" + from + "GROUP BY k ORDER BY k", "\"bad\",100\n\"good\",900"},
		{"SELECT quantileExact(0.5)(toUInt32(attributes['request']))" + from, "500"},
		{"SELECT arrayJoin([1, 2]) AS x, count()" + from + "GROUP BY x ORDER BY x", "1,1000\n2,1000"},
		{"SELECT arrayMap(x -> x * 2, arrayFilter(x -> x > 1, [1, 2, 3]))", `"[4,6]"`},
		{"SELECT number FROM (SELECT arrayJoin(range(3)) AS number) ORDER BY number DESC", "2\n1\n0"},
		{"SELECT count() FILTER (WHERE level = 'error'), avg(length(body)) > 10" + from, "100,1"},
		{"SELECT toDayOfWeek(toDate('2026-11-21')), formatDateTime(toDateTime('2026-11-21 10:00:00', 'UTC'), '%H')", `6,"10"`},
		{"SELECT x.1, x.2 FROM (SELECT (1, 'a') AS x)", `1,"a"`},
		{"SELECT n, n - lagInFrame(n) OVER (ORDER BY n) FROM (SELECT arrayJoin([1, 4, 9]) AS n) ORDER BY n", "1,1\n4,3\n9,5"},
		{"SELECT pod, count() AS n" + from + "GROUP BY pod HAVING n > 1 AND pod LIKE 'web%' ORDER BY pod", "\"web-0\",250\n\"web-1\",250"},
		{"SELECT toStartOfInterval(timestamp, INTERVAL 10 MINUTE) AS t, count()" + from + "GROUP BY t HAVING count() > 1000 ORDER BY t WITH FILL STEP INTERVAL 10 MINUTE", ""},
	}
}

// The samples are 60 of each pod, 15 seconds apart, that count up by 1 (web-0), 2 (web-1) and 3 (api-0).
func metricQuestions() []question {
	return []question{
		{"SELECT count(), min(value), max(value) FROM metrics WHERE name = 'requests'", "180,0,177"},
		{"SELECT pod, max(value) FROM metrics WHERE name = 'requests' GROUP BY pod ORDER BY pod", "\"api-0\",177\n\"web-0\",59\n\"web-1\",118"},
		{"SELECT sum(value) FROM metrics WHERE name = 'requests' AND timestamp = t0 + INTERVAL 15 SECOND", "6"},
		{"SELECT pod, (max(value) - min(value)) / dateDiff('second', min(timestamp), max(timestamp)) AS rate FROM metrics GROUP BY pod ORDER BY rate", "\"web-0\",0.06666666666666667\n\"web-1\",0.13333333333333333\n\"api-0\",0.2"},
		{"SELECT labels['pod'], count() FROM metrics GROUP BY 1 ORDER BY 1 LIMIT 1", `"api-0",60`},
		{"SELECT uniqExact(series_id) FROM metrics", "3"},
		{"SELECT dateDiff('minute', t0, toStartOfFiveMinutes(timestamp)) < 15, count() FROM metrics GROUP BY 1", "1,180"},
		{"SELECT avg(value) FROM metrics WHERE pod = 'web-0'", "29.5"},
		{"SELECT uniqExact(series_id), groupUniqArray(name) FROM series WHERE signal = 'metric'", `3,"['requests']"`},
		{"SELECT uniqExact(series_id) FROM series WHERE signal = 'log' AND labels['app'] != ''", "4"},
		{"SELECT m.pod, m.v, l.n FROM (SELECT pod, max(value) AS v FROM metrics GROUP BY pod) AS m JOIN (SELECT pod, count() AS n FROM logs GROUP BY pod) AS l USING (pod) ORDER BY m.v LIMIT 1", `"web-0",59,250`},
	}
}

func otherQuestions() []question {
	return []question{
		{"SELECT reason, count, type, name, kind, namespace, cluster FROM events ORDER BY count", "\"Pulled\",1,\"Normal\",\"web-0\",\"Pod\",\"shop\",\"acme\"\n\"BackOff\",7,\"Warning\",\"web-0\",\"Pod\",\"shop\",\"acme\""},
		{"SELECT sum(count) FROM events", "8"},
		{"SELECT dateDiff('minute', first_timestamp, timestamp), node, source FROM events WHERE reason = 'BackOff'", `7,"n1","kubelet"`},
		{"SELECT count() FROM events WHERE timestamp >= t0 + INTERVAL 7 MINUTE", "1"},
		{"SELECT user, count() FROM audit GROUP BY user ORDER BY user", "\"alice\",2\n\"bob\",1"},
		{"SELECT verb, resource, code FROM audit ORDER BY code", "\"list\",\"pods\",200\n\"list\",\"pods\",300\n\"list\",\"pods\",400"},
		{"SELECT uniq(user), any(source_ip) FROM audit WHERE stage = 'ResponseComplete' AND namespace = 'shop'", `2,"10.0.0.1"`},
		{"SELECT JSONExtractString(body, 'auditID') FROM audit WHERE user = 'bob'", `"a-bob-1"`},
		{"SELECT name, duration, status, service, namespace FROM traces ORDER BY timestamp LIMIT 2", "\"step 0\",1000000,\"unset\",\"checkout\",\"shop\"\n\"step 1\",2000000,\"error\",\"checkout\",\"shop\""},
		{"SELECT count(), sum(duration) FROM traces WHERE trace_id = '0af7651916cd43dd8448eb211c80319c'", "4,10000000"},
		{"SELECT c.name FROM traces AS p JOIN traces AS c ON p.span_id = c.parent_span_id WHERE p.name = 'step 1'", `"step 2"`},
		{"SELECT count() FROM traces WHERE parent_span_id = ''", "1"},
		{"SELECT sum(lines) FROM log_patterns WHERE pod = 'db-0'", "250"},
		{"SELECT pattern LIKE 'request <_> failed%', sum(lines) FROM log_patterns WHERE level = 'error' AND pod != '' GROUP BY 1", "1,100"},
	}
}
