package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func tenantNumber(n uint32) seamark.TenantNumber { return seamark.TenantNumber(n) }

// daysOfLogs stores one line of each of three streams, and one sample of two metrics, for each of some days back from now.
func daysOfLogs(t *testing.T, s *store.Store, now time.Time, days int) {
	t.Helper()
	b := &seamark.Batch{}
	var streams, series []uint32
	for i := range 3 {
		streams = append(streams, b.Logs.AddStream(&seamark.Series{
			Kind: seamark.LogStream, FP: uint64(100 + i), Name: "ns/app",
			Labels: []seamark.Label{{Name: "app", Value: "app"}, {Name: "namespace", Value: []string{"debug", "prod", "debug-2"}[i]}},
		}))
	}
	for i := range 2 {
		name := []string{"noisy", "calm"}[i]
		series = append(series, b.Samples.AddSeries(&seamark.Series{Kind: seamark.MetricSeries, FP: uint64(200 + i), Name: name, Labels: []seamark.Label{{Name: "__name__", Value: name}}}))
	}
	for day := range days {
		at := now.AddDate(0, 0, -day)
		for _, stream := range streams {
			b.Logs.Append(&seamark.LogRow{Stream: stream, TimeNano: at.UnixNano(), Body: fmt.Sprint("day ", day)})
		}
		for _, one := range series {
			b.Samples.Append(one, at.UnixMilli(), float64(day))
		}
	}
	encoded, err := store.NewEncoder().Encode(b, now)
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, 1<<8) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
	}
}

// rowsByDay counts rows of a table, by `<days back>` and what of is.
func rowsByDay(t *testing.T, n uint32, table, of string, now time.Time) map[string]uint64 {
	t.Helper()
	sql := fmt.Sprintf("SELECT concat(toString(dateDiff('day', toDate(ts), toDate('%s'))), ' ', toString(%s)) AS k, count() FROM t%04d.%s GROUP BY k",
		now.Format(time.DateOnly), of, n, table)
	rows, err := adminConn(t).Query(t.Context(), sql)
	require.NoError(t, err)
	counts := map[string]uint64{}
	for rows.Next() {
		var key string
		var count uint64
		require.NoError(t, rows.Scan(&key, &count))
		counts[key] = count
	}
	require.NoError(t, rows.Close())
	return counts
}

func days(logs, metrics int) map[seamark.Signal]int {
	return map[seamark.Signal]int{seamark.Logs: logs, seamark.Metrics: metrics, seamark.Events: 30, seamark.Traces: 30}
}

// TestTableDays changes the life of rows and reads it back; what did not change is left alone.
func TestTableDays(t *testing.T) {
	const n = 98
	s, now := open(t, n), time.Now().UTC()
	daysOfLogs(t, s, now, 1)
	before, err := s.ListTableDays(t.Context())
	require.NoError(t, err)
	require.Equal(t, 30, before[n][store.TableLogs])
	require.Equal(t, 37, before[n][store.TableSeries])
	changed, err := s.SetTableDays(t.Context(), tenantA, before[n], days(7, 90))
	require.NoError(t, err)
	require.ElementsMatch(t, []store.Table{store.TableLogs, store.TableSamples, store.TableSeries, store.TableMetadata}, changed)
	after, err := s.ListTableDays(t.Context())
	require.NoError(t, err)
	require.Equal(t, store.TableDays{
		store.TableLogs: 7, store.TableSamples: 90, store.TableSeries: 97, store.TableMetadata: 97, store.TableEvents: 30,
	}, after[n])
	changed, err = s.SetTableDays(t.Context(), tenantA, after[n], days(7, 90))
	require.NoError(t, err)
	require.Empty(t, changed)
}

// TestDropDays drops what is older than its signal's days, by whole days, and nothing else.
func TestDropDays(t *testing.T) {
	const n = 99
	s, now := open(t, n), time.Now().UTC().Truncate(24*time.Hour).Add(12*time.Hour)
	daysOfLogs(t, s, now, 10)
	oldest, err := s.OldestRows(t.Context(), tenantA)
	require.NoError(t, err)
	require.Equal(t, map[seamark.Signal]time.Time{seamark.Logs: now.AddDate(0, 0, -9), seamark.Metrics: now.AddDate(0, 0, -9)}, oldest)
	dropped, err := s.DropDays(t.Context(), tenantA, days(3, 6), now)
	require.NoError(t, err)
	var rows uint64
	for _, d := range dropped {
		rows += d.Rows
	}
	// The days 4 to 9 back ended more than 3 days ago, and 7 to 9 back more than 6 days ago.
	require.Equal(t, uint64(6*3+3*2), rows, "%v", dropped)
	oldest, err = s.OldestRows(t.Context(), tenantA)
	require.NoError(t, err)
	require.Equal(t, map[seamark.Signal]time.Time{seamark.Logs: now.AddDate(0, 0, -3), seamark.Metrics: now.AddDate(0, 0, -6)}, oldest)
	again, err := s.DropDays(t.Context(), tenantA, days(3, 6), now)
	require.NoError(t, err)
	require.Empty(t, again)
}

// TestEndStreams deletes the rows of matching streams from old days, and no other row.
func TestEndStreams(t *testing.T) {
	const n = 100
	s, now := open(t, n), time.Now().UTC().Truncate(24*time.Hour).Add(12*time.Hour)
	daysOfLogs(t, s, now, 5)
	debug := store.StreamsEnd{
		Signal: seamark.Logs, Days: 1, MaxPartitions: 1,
		Matchers: []store.LogMatcher{{Name: "namespace", Op: store.LogMatches, Value: "debug.*"}, {Name: "namespace", Op: store.LogEquals, Value: "debug-2", Not: true}},
	}
	looked := map[string]string{}
	end := func(e store.StreamsEnd) (rows uint64) {
		t.Helper()
		deleted, err := s.EndStreams(t.Context(), tenantA, e, now, looked)
		require.NoError(t, err)
		for _, d := range deleted {
			rows += d.Rows
		}
		return rows
	}
	quiet := debug
	quiet.Quiet = 24 * time.Hour
	require.Zero(t, end(quiet), "a partition that was written just now is left alone")
	require.Equal(t, uint64(1), end(debug), "one partition in one call")
	debug.MaxPartitions = 100
	require.Equal(t, uint64(2), end(debug), "days 2 to 4 back are old enough; 4 is done")
	require.Zero(t, end(debug))
	got := rowsByDay(t, n, "logs", "fp", now)
	require.Len(t, got, 12)
	require.NotContains(t, got, "4 100")
	require.NotContains(t, got, "3 100")
	require.NotContains(t, got, "2 100")
	require.Contains(t, got, "1 100", "a day that ended half a day ago")

	metrics := store.StreamsEnd{Signal: seamark.Metrics, Days: 0, MaxPartitions: 100, Matchers: []store.LogMatcher{{Name: "__name__", Op: store.LogEquals, Value: "noisy"}}}
	require.Equal(t, uint64(4), end(metrics))
	require.Len(t, rowsByDay(t, n, "samples", "fp", now), 6)
}
