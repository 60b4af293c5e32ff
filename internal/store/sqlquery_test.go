package store_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// statement is one that was checked: its text has each view as @name.
type statement string

func (s statement) Render(define func(view string) (string, error)) (string, error) {
	text := strings.ReplaceAll(string(s), "{day}", yesterday())
	for _, v := range store.SQLViews() {
		definition, err := define(v.Name)
		if err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, "@"+v.Name+" ", "("+definition+") AS "+v.Name+" ")
	}
	return text, nil
}

func (s statement) Mentions(column string) bool { return strings.Contains(string(s), column) }

// yesterday is recent enough that no row of it ends.
func yesterday() string { return time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly) }

// sqlData has a day of lines and samples in rows that lie as merges leave them.
func sqlData(t *testing.T, s *store.Store, db string) {
	t.Helper()
	_, err := s.EnsureTenant(t.Context(), tenantA)
	require.NoError(t, err)
	admin := adminConn(t)
	for _, sql := range []string{
		"INSERT INTO {db}.series SELECT 'log', 'shop/' || toString(number % 4), toDate('{day}'), number, map('namespace', 'shop', 'cluster', if(number < 20, 'a', 'b'), 'pod', 'p' || toString(number)), now() FROM numbers(40)",
		"INSERT INTO {db}.series SELECT 'metric', 'm' || toString(number % 10), toDate('{day}'), number, map('namespace', if(number < 100, 'shop', 'bank'), 'pod', 'p' || toString(number)), now() FROM numbers(200)",
		"INSERT INTO {db}.logs (grp, ts, fp, level, body) SELECT 'shop/' || toString(number % 4), toDateTime64('{day} 00:00:00', 9, 'UTC') + number % 86400, number % 40, 'info', 'line ' || toString(number) FROM numbers(400000)",
		"INSERT INTO {db}.samples (metric, fp, ts, v) SELECT 'm' || toString(number % 10), number % 200, toDateTime64('{day} 00:00:00', 3, 'UTC') + intDiv(number, 200) * 15, number FROM numbers(200000)",
		"OPTIMIZE TABLE {db}.logs FINAL", "OPTIMIZE TABLE {db}.samples FINAL",
	} {
		require.NoError(t, admin.Exec(t.Context(), strings.NewReplacer("{db}", db, "{day}", yesterday()).Replace(sql)))
	}
}

func answerOf(t *testing.T, q *store.SQL, only *seamark.Restriction, sql string) string {
	t.Helper()
	answer, err := q.Open(t.Context(), tenantA, store.SQLQuery{Statement: statement(sql), Only: only, Format: store.SQLNDJSON, Limits: store.SQLLimits{Timeout: time.Minute}})
	require.NoError(t, err, sql)
	text, err := io.ReadAll(answer)
	require.NoError(t, err, sql)
	require.NoError(t, answer.Close())
	return strings.TrimSpace(string(text))
}

func TestSQLViews(t *testing.T) {
	s := open(t, 191)
	sqlData(t, s, "t0191")
	q := store.NewSQL(s)
	t.Run("types", func(t *testing.T) {
		for _, v := range store.SQLViews() {
			var shown, want []string
			for _, c := range v.Columns {
				shown = append(shown, fmt.Sprintf("any(toTypeName(%s))", c.Name))
				want = append(want, c.Type)
			}
			// A view whose table has not been made answers, too.
			got := answerOf(t, q, nil, "SELECT arrayStringConcat(["+strings.Join(shown, ", ")+"], '; ') AS types FROM (SELECT * FROM @"+v.Name+" LIMIT 1)")
			if v.Name == "logs" || v.Name == "metrics" || v.Name == "series" { // the others have no rows here
				require.JSONEq(t, fmt.Sprintf(`{"types": %q}`, strings.Join(want, "; ")), got, v.Name)
			}
		}
	})
	t.Run("pruning", func(t *testing.T) { testPruning(t, q) })
	t.Run("restriction", func(t *testing.T) {
		for _, c := range []struct {
			only      *seamark.Restriction
			sql, want string
		}{
			{&seamark.Restriction{Clusters: []string{"a"}}, "SELECT count() AS n FROM @logs ", `{"n":200000}`},
			{&seamark.Restriction{Clusters: []string{"a"}, Namespaces: []string{"bank"}}, "SELECT count() AS n FROM @logs ", `{"n":0}`},
			{&seamark.Restriction{Namespaces: []string{"bank"}}, "SELECT uniq(series_id) AS n, groupUniqArray(namespace) AS of FROM @metrics ", `{"n":100,"of":["bank"]}`},
			{&seamark.Restriction{Namespaces: []string{"bank"}}, "SELECT count() AS n FROM @series ", `{"n":100}`},
			{&seamark.Restriction{Clusters: []string{"!"}}, "SELECT count() AS n FROM @series ", `{"n":0}`},
			{&seamark.Restriction{Clusters: []string{"a"}}, "SELECT count() AS n FROM @events ", `{"n":0}`},
		} {
			require.Equal(t, c.want, answerOf(t, q, c.only, c.sql), c.sql)
		}
	})
	t.Run("nothing else", func(t *testing.T) {
		for _, sql := range []string{"SELECT * FROM logs", "SELECT * FROM t0192.logs", "SELECT * FROM system.users", "SELECT 1 SETTINGS max_memory_usage = 0"} {
			_, err := q.Open(t.Context(), tenantA, store.SQLQuery{Statement: statement(sql)})
			require.Equal(t, seamark.Invalid, seamark.KindOf(err), "%s: %v", sql, err)
			fault, ok := errors.AsType[*seamark.Error](err)
			require.True(t, ok, "%s: %v", sql, err)
			require.NotContains(t, fault.Message, "t0191", sql)
		}
	})
}

// testPruning shows that the conditions which people write reach the tables' indexes.
func testPruning(t *testing.T, q *store.SQL) {
	const hour = "timestamp >= toDateTime('{day} 02:00:00', 'UTC') AND timestamp < toDateTime('{day} 03:00:00', 'UTC')"
	for _, c := range []struct {
		sql, table string
		most       uint64 // rows, of 400,000 lines or 200,000 samples
	}{
		{"SELECT count() FROM @logs WHERE " + hour + " AND body LIKE '%7%' ", "logs", 100_000},
		{"SELECT pod, count() FROM @logs WHERE " + hour + " GROUP BY pod", "logs", 100_000},
		{"SELECT timestamp, labels, body FROM @logs WHERE " + hour + " AND pod = 'p1' ORDER BY timestamp DESC LIMIT 10 ", "logs", 100_000},
		{"SELECT max(value) FROM @metrics WHERE name = 'm1' AND " + hour, "samples", 40_000},
		{"SELECT pod, avg(value) FROM @metrics WHERE name = 'm1' AND " + hour + " GROUP BY pod", "samples", 40_000},
	} {
		plan, err := q.Explain(t.Context(), tenantA, store.SQLQuery{Statement: statement(c.sql)})
		require.NoError(t, err, c.sql)
		require.NotContains(t, plan.Plan, "t0191", c.sql)
		found := false
		for _, e := range plan.Estimates {
			if e.Table == c.table {
				found = true
				require.Less(t, e.Rows, c.most, "%s\n%s", c.sql, plan.Plan)
				require.NotZero(t, e.Bytes, c.sql)
			}
			if e.Table == "series" {
				require.LessOrEqual(t, e.Rows, uint64(300), c.sql)
			}
		}
		require.True(t, found, "%s: %+v", c.sql, plan.Estimates)
		if !strings.Contains(c.sql, "pod") {
			require.NotContains(t, plan.Plan, "Join", c.sql) // labels that nobody asks for are not joined
		}
	}
}
