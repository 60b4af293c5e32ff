package crash

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// stored counts how often each row id is found.
type stored map[uint64]int

// tally is the outcome of holding a store against the ledger.
type tally struct{ acked, stored, lost, twice, foreign int }

// compare holds what is stored against a sender's ledger: an acknowledged row is there exactly once, another at most once.
func (s *sender) compare(rows stored) tally {
	var n tally
	for batch, acked := range s.acked {
		for i := range batchRows {
			times := rows[uint64(s.number)*clientIDs+uint64(batch*batchRows+i)]
			n.stored += times
			if acked {
				n.acked++
			}
			if acked && times == 0 {
				n.lost++
			}
			if times > 1 {
				n.twice++
			}
		}
	}
	for _, times := range rows {
		n.foreign += times
	}
	n.foreign -= n.stored
	return n
}

// check waits until every sender's acknowledged rows can be queried, through the product's own API.
func (f *fleet) check(s *harness.Server) {
	f.t.Helper()
	for _, sender := range f.senders {
		if sender.signal == "spans" {
			continue // there is no query language for them yet; their table is counted
		}
		testkit.Eventually(f.t, 2*time.Minute, func() error {
			rows, err := sender.query(s.URL)
			if err != nil {
				return err
			}
			if n := sender.compare(rows); n.lost > 0 {
				return fmt.Errorf("sender %d (%s): %+v", sender.number, sender.signal, n)
			}
			return nil
		})
		rows, err := sender.query(s.URL)
		if err != nil {
			f.t.Fatal(err)
		}
		f.judge("queried", sender, rows)
	}
}

// verdict prints the figures of the whole run, for people and as one line of JSON for machines.
func (f *fleet) verdict(cycles int, figures map[string]any) {
	f.t.Helper()
	doc, all := map[string]any{"test": f.t.Name(), "cycles": cycles, "kept": !f.t.Failed()}, tally{}
	for signal, n := range f.totals {
		all.add(n)
		doc[signal] = map[string]int{"acked": n.acked, "found": n.stored, "lost": n.lost, "twice": n.twice}
	}
	doc["patterns"] = map[string]uint64{"counted": f.counted}
	doc["acked"], doc["found"], doc["lost"], doc["twice"] = all.acked, all.stored, all.lost, all.twice
	maps.Copy(doc, figures)
	f.t.Logf("verdict %s", encodeJSON(doc))
}

func (n *tally) add(m tally) {
	n.acked, n.stored, n.lost, n.twice, n.foreign = n.acked+m.acked, n.stored+m.stored, n.lost+m.lost, n.twice+m.twice, n.foreign+m.foreign
}

// judge fails the test for rows that are lost or there twice, and prints the figures.
func (f *fleet) judge(how string, s *sender, rows stored) {
	f.t.Helper()
	n := s.compare(rows)
	if how == "counted" {
		sum := f.totals[s.signal]
		sum.add(n)
		f.totals[s.signal] = sum
	}
	f.t.Logf("%-8s sender %d %-7s batches %d retries %d: rows acked %d, found %d, lost %d, twice %d", how, s.number, s.signal,
		len(s.acked), s.retries, n.acked, n.stored, n.lost, n.twice)
	if n.acked == 0 || n.lost > 0 || n.twice > 0 || n.foreign > 0 {
		f.t.Errorf("%s sender %d (%s): %+v; want each acknowledged row once and nothing else", how, s.number, s.signal, n)
	}
}

// query finds the sender's rows through the query languages. A row without its series' labels is not found.
func (s *sender) query(url string) (stored, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const day = "26h"
	if s.signal == "samples" {
		list, err := harness.PromQL(ctx, url, s.account.Query, fmt.Sprintf(`crash_value{sender="%d",lane=~".+",round=~".+",cluster=%q}[%s]`, s.number, s.account.Slug, day))
		return points(list), err
	}
	rows := stored{}
	for n := range len(s.acked)*batchRows/pageRows + 1 {
		query, label := fmt.Sprintf(`sum by (id) (count_over_time({app="crash",sender="%d",page="%d",round=~".+"} | logfmt [%s]))`, s.number, n, day), "id"
		if s.signal == "events" {
			query, label = fmt.Sprintf(`sum by (name) (count_over_time({signal="events",cluster=%q,namespace="page-%d"} | json [%s]))`, s.account.Slug, n, day), "name"
		}
		list, err := harness.LogQL(ctx, url, s.account.Query, query)
		if err != nil {
			return nil, err
		}
		maps.Copy(rows, counts(list, label))
	}
	return rows, nil
}

// points reads ids from samples' values.
func points(list []harness.Series) stored {
	rows := stored{}
	for _, series := range list {
		for _, p := range series.Points {
			rows[uint64(p.Value)]++
		}
	}
	return rows
}

// counts reads ids from a label; its value is how often the row was found.
func counts(list []harness.Series, label string) stored {
	rows := stored{}
	for _, series := range list {
		id, err := strconv.ParseUint(series.Labels[label], 10, 64)
		if err != nil {
			id = 0 // nobody's: it counts as a row that should not be there
		}
		rows[id] += int(series.Point.Value)
	}
	return rows
}

// inspect counts the rows of the tables themselves, which shows repeats that a query language would fold together. It
// waits for rows that a writer may still be storing.
func (f *fleet) inspect(e *harness.Engine) {
	f.t.Helper()
	conn := openEngine(f.t, e)
	defer func() { _ = conn.Close() }()
	for _, s := range f.senders {
		for _, sql := range tableCounts[s.signal] {
			var rows stored
			testkit.Eventually(f.t, 2*time.Minute, func() error {
				var err error
				if rows, err = s.count(conn, sql); err != nil {
					return err
				}
				if n := s.compare(rows); n.lost > 0 {
					return fmt.Errorf("sender %d (%s): %+v", s.number, s.signal, n)
				}
				return nil
			})
			f.judge("counted", s, rows)
		}
	}
	f.inspectCounts(conn)
}

// inspectCounts wants each stored line to be counted by its pattern, once. The store has the lines of events, too. Counts may
// come after their lines.
func (f *fleet) inspectCounts(conn driver.Conn) {
	f.t.Helper()
	seen := map[string]bool{}
	for _, s := range f.senders {
		db := s.account.Database()
		if seen[db] {
			continue
		}
		seen[db] = true
		var lines, counted uint64
		testkit.Eventually(f.t, time.Minute, func() error {
			sql := fmt.Sprintf("SELECT (SELECT count() FROM %s.logs), (SELECT sum(lines) FROM %s.log_patterns)", db, db)
			if err := conn.QueryRow(context.Background(), sql).Scan(&lines, &counted); err != nil {
				return err
			}
			if lines != counted {
				return fmt.Errorf("%s has %d lines, %d are counted by their patterns", db, lines, counted)
			}
			return nil
		})
		f.counted += counted
		f.t.Logf("counted  %s: %d lines, each once by its pattern", db, lines)
	}
}

// openEngine connects to an engine beside the server.
func openEngine(t *testing.T, e *harness.Engine) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{e.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: e.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// rows counts the rows of all senders, each signal's in one of its tables.
func (f *fleet) rows(conn driver.Conn) (int64, error) {
	var sum int64
	for _, s := range f.senders {
		rows, err := s.count(conn, tableCounts[s.signal][0])
		if err != nil {
			return 0, err
		}
		for _, n := range rows {
			sum += int64(n)
		}
	}
	return sum, nil
}

func (s *sender) count(conn driver.Conn, sql string) (stored, error) {
	result, err := conn.Query(context.Background(), fmt.Sprintf(sql, s.account.Database(), s.number*clientIDs, (s.number+1)*clientIDs))
	if err != nil {
		return nil, err
	}
	defer func() { _ = result.Close() }()
	rows := stored{}
	for result.Next() {
		var id, n uint64
		if err := result.Scan(&id, &n); err != nil {
			return nil, err
		}
		rows[id] = int(n)
	}
	return rows, result.Err()
}

// tableCounts are the statements that count each signal's rows by id: of a database, from one id to another. Events are
// stored twice over: as rows that replace each other by key, and as log lines.
var tableCounts = map[string][]string{
	"logs":    {"SELECT toUInt64OrZero(extract(body, 'id=([0-9]+)')) AS id, count() FROM %s.logs WHERE NOT endsWith(grp, '/k8s-events') AND id >= %d AND id < %d GROUP BY id"},
	"samples": {"SELECT toUInt64(v) AS id, count() FROM %s.samples WHERE metric = 'crash_value' AND id >= %d AND id < %d GROUP BY id"},
	"spans":   {"SELECT reinterpretAsUInt64(reverse(span_id)) AS id, count() FROM %s.spans WHERE id >= %d AND id < %d GROUP BY id"},
	"events": {
		"SELECT toUInt64OrZero(object) AS id, count() FROM %s.events FINAL WHERE id >= %d AND id < %d GROUP BY id",
		"SELECT toUInt64OrZero(JSONExtractString(body, 'name')) AS id, count() FROM %s.logs WHERE endsWith(grp, '/k8s-events') AND id >= %d AND id < %d GROUP BY id",
	},
}
