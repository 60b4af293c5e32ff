package guard_test

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/sql/guard"
)

func newGuard(t testing.TB) *guard.Guard {
	t.Helper()
	g, err := guard.New(guard.DefaultLimits(), map[string][]string{
		"logs":    {"timestamp", "body", "namespace", "labels", "user"},
		"metrics": {"timestamp", "name", "value", "labels"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// rendered checks a statement and writes it with `view <name>` for each view.
func rendered(g *guard.Guard, sql string) (string, error) {
	s, err := g.Check(sql)
	if err != nil {
		return "", err
	}
	text, err := s.Render(func(view string) (string, error) { return "view " + view, nil })
	return strings.TrimSpace(text), err
}

func TestCheckRewrites(t *testing.T) {
	g := newGuard(t)
	for sql, want := range map[string]string{
		"select 1":                                                      "SELECT 1",
		"SELECT body FROM logs":                                         "SELECT `body` FROM (view logs) AS `logs`",
		"select l.body b from logs l;":                                  "SELECT `l` . `body` AS `b` FROM (view logs) AS `l`",
		`SELECT "body" FROM "logs" -- all of them`:                      "SELECT `body` FROM (view logs) AS `logs`",
		"SELECT 'it''s\\n\\d' /* why */":                                `SELECT 'it\'s\x0A\\d'`,
		"SELECT COUNT(*) FROM logs":                                     "SELECT count ( * ) FROM (view logs) AS `logs`",
		"SELECT {n:UInt8} + {m : array(string)}":                        "SELECT {n:UInt8} + {m:Array ( String )}",
		"WITH x AS (SELECT 1 AS a) SELECT a FROM x":                     "WITH `x` AS ( SELECT 1 AS `a` ) SELECT `a` FROM `x`",
		"SELECT 1 UNION SELECT 2":                                       "SELECT 1 UNION DISTINCT SELECT 2",
		"SELECT CAST(value, 'UInt8') FROM metrics m":                    "SELECT CAST ( `value` AS UInt8 ) FROM (view metrics) AS `m`",
		"SELECT t.1.2, quantileTDigestIf(0.5)(value, 1) FROM metrics t": "SELECT `t` .1 .2 , quantileTDigestIf ( 0.5 ) ( `value` , 1 ) FROM (view metrics) AS `t`",
		"SELECT uniq(user) FROM logs":                                   "SELECT uniq ( `user` ) FROM (view logs) AS `logs`",
	} {
		if got, err := rendered(g, sql); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", sql, got, err, want)
		}
	}
}

func TestCheckAllows(t *testing.T) {
	g := newGuard(t)
	for _, sql := range []string{
		"SELECT DISTINCT ON (namespace) namespace, body FROM logs ORDER BY namespace, timestamp DESC",
		"SELECT * EXCEPT (body) REPLACE (upper(namespace) AS namespace) APPLY(toString) FROM logs LIMIT 3",
		"SELECT COLUMNS('^na') FROM logs",
		"SELECT toStartOfInterval(timestamp, INTERVAL 5 MINUTE) AS t, count() FROM logs GROUP BY t WITH TOTALS HAVING count() > 1 ORDER BY t WITH FILL FROM 1 TO 2 STEP 1",
		"SELECT namespace, count() FROM logs WHERE timestamp > now() - INTERVAL '1 hour' AND body NOT ILIKE '%x%' GROUP BY ALL ORDER BY ALL",
		"SELECT count() FILTER (WHERE body LIKE '%a%'), countIf(body = 'a') FROM logs GROUP BY GROUPING SETS ((namespace), ())",
		"SELECT row_number() OVER (PARTITION BY namespace ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM logs",
		"SELECT sum(value) OVER w FROM metrics WINDOW w AS (PARTITION BY name) QUALIFY sum(value) OVER w > 3",
		"SELECT arrayMap(x -> x + 1, [1, 2])[1], arrayFold((a, x) -> a + x, [1], 0), tuple(1, 'a').2, map('a', 1)['a'], (1, 2).1",
		"SELECT CASE WHEN value > 1 THEN 'a' ELSE 'b' END, CASE name WHEN 'x' THEN 1 END, if(value IS NULL, 1, 2), value BETWEEN 1 AND 2 FROM metrics",
		"SELECT a.body FROM logs AS a ANY LEFT JOIN (SELECT DISTINCT namespace FROM logs) AS b ON a.namespace = b.namespace CROSS JOIN metrics ARRAY JOIN [1, 2] AS n",
		"SELECT body FROM logs ASOF JOIN metrics USING (timestamp), metrics AS n",
		"SELECT body FROM logs WHERE namespace IN ('a', 'b') AND (namespace, body) NOT IN (SELECT namespace, body FROM logs) AND EXISTS (SELECT 1)",
		"WITH ['a'] AS names, x AS (SELECT 1) SELECT 1 IN x, 'a' IN names, 2 IN (x)",
		"(SELECT 1) UNION ALL (SELECT 2 INTERSECT SELECT 2) EXCEPT SELECT 3",
		"SELECT value::Nullable(Float64), CAST(name AS Enum8('a' = 1, 'b' = -2)), ('a', 1)::Tuple(a String, b UInt8), name::DateTime64(3, 'UTC') FROM metrics",
		"SELECT EXTRACT(HOUR FROM timestamp), TRIM(BOTH 'x' FROM body), SUBSTRING(body FROM 1 FOR 2), substring(body, 1, 2), DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00' FROM logs",
		"SELECT body FROM logs ORDER BY timestamp DESC NULLS LAST LIMIT 2 BY namespace LIMIT 10 OFFSET 5",
		"SELECT 0x1F, 0b11, 1e3, .5, 1., -1, NULL, TRUE, inf, body IS DISTINCT FROM 'x' FROM logs",
		"SELECT [1, 2, 3] AS a, a[1] ? 1 : 2, not(1), and(1, 0), date, \"ünïcode\" FROM (SELECT 1 AS date, 2 AS \"ünïcode\")",
		"SELECT first_value(body) IGNORE NULLS OVER (ORDER BY timestamp) FROM logs WHERE labels['app'] = 'x' GROUP BY ROLLUP(namespace)",
	} {
		if _, err := rendered(g, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	g := newGuard(t)
	for sql, want := range map[string]string{
		"":                                                "Line 1, column 1: The statement is empty.",
		"SELECT * FROM users":                             `Line 1, column 15: "users" is not a view. There are: logs, metrics.`,
		"SELECT *\n FROM system.users":                    "Line 2, column 7: Views are named without a database",
		"SELECT * FROM url('x')":                          "Table functions such as url() are not allowed",
		"SELECT file('/etc/passwd')":                      "The function file is not allowed",
		"SELECT arrayMap(file, ['a'])":                    `"file" is the name of a function that is not allowed`,
		"SELECT arrayMap(`file`, ['a'])":                  `"file" is the name of a function that is not allowed`,
		"WITH file AS f SELECT arrayMap(f,1)":             `"file" is the name of a function that is not allowed`,
		"SELECT * APPLY(file) FROM logs":                  "The function file is not allowed",
		"SELECT sumState(value) FROM metrics":             "There is no function sumState that is allowed",
		"SELECT SUMIF(1, 1)":                              "There is no function SUMIF",
		"SELECT 1 IN system.users":                        "IN is followed by values or a query",
		"SELECT 1 IN (users)":                             "IN is followed by values or a query",
		"SELECT 1 IN ((users))":                           "IN is followed by values or a query",
		"SELECT 1 SETTINGS readonly = 0":                  "SETTINGS is not allowed",
		"SELECT 1 FORMAT JSON":                            "FORMAT is not allowed",
		"SELECT 1 INTO OUTFILE 'x'":                       "INTO OUTFILE is not allowed",
		"SELECT 1; SELECT 2":                              "One statement is allowed",
		"SELECT {t:Identifier}":                           "is not a type that is allowed",
		"SELECT * FROM {t:String}":                        "A parameter is a value",
		"SELECT $$a$$":                                    "'$' is not allowed",
		"SELECT 1 /*! 2 */":                               "Comments inside comments",
		"SELECT \x00":                                     "control character U+0000",
		"SELECT ｆile('x')":                                "is not allowed outside of quotes",
		"SELECT CAST(x, 'AggregateFunction(sum, UInt8)')": "is not a type that is allowed",
		"SELECT CAST(x AS AggregateFunction(sum, UInt8))": `The type "AggregateFunction" is not allowed`,
		"WITH logs AS (SELECT 1) SELECT * FROM logs":      `"logs" is a view and cannot be given another meaning`,
		"WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x":  "WITH RECURSIVE is not allowed",
		"SELECT * FROM logs FINAL":                        "FINAL is not allowed",
		"SELECT * FROM logs PREWHERE 1":                   "PREWHERE is not allowed",
		"WITH system.users AS x SELECT * FROM x":          `"x" is not a view`,
		"SELECT * APPLY('file') FROM logs":                "A string stands where a function",
		"SHOW TABLES":                                     "SHOW is not allowed: GET /api/v1/sql/schema",
		"DROP TABLE logs":                                 "DROP is not allowed: a statement is one SELECT",
		"EXPLAIN SELECT 1":                                "POST the query to /api/v1/sql/explain",
		"FROM logs SELECT body":                           "FROM is not allowed: a statement is one SELECT",
		"SELECT `a``b`":                                   "has no quotes and backslashes in it",
		"SELECT 'a":                                       "The string has no end",
		"SELECT 12abc":                                    "is not a number",
		"SELECT " + strings.Repeat("(", 100) + "1":        "deep",
		"SELECT " + strings.Repeat("1 +", 40_000) + "1":   "at most 65536 are allowed",
		"SELECT 1" + strings.Repeat(" UNION ALL SELECT 1 FROM logs", 40): "names views more than 32 times",
	} {
		got, err := rendered(g, sql)
		if err == nil || !strings.Contains(err.Error(), want) || seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%.80s:\n got %q, %v\nwant %s", sql, got, err, want)
		}
	}
}
