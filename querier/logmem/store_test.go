package logmem_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/logmem"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// texts mean something to SQL, LIKE or a regular expression. All are UTF-8: a dot of ClickHouse's RE2 matches no other byte, one
// of Go's does.
var texts = []string{
	"", "plain", "it's", `back\slash`, "tab\tline\nend", "100%", "under_score", "ünï 世界", "[1,2]", `\'`, "$1", "a.b*c", "aXbbc", "Plain", "(x|y)",
}

// TestStoreAgrees asks package store and rows in memory the same about the same rows: both must select the same.
func TestStoreAgrees(t *testing.T) {
	batch := &seamark.Batch{}
	at := time.Now().UTC().Truncate(24 * time.Hour).Add(-12 * time.Hour) // not long ago, or the store's retention takes the rows
	for i, text := range texts {
		ref := batch.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: "ns/app",
			Labels: []seamark.Label{{Name: "all", Value: "1"}, {Name: "text", Value: "<" + text}}})
		row := seamark.LogRow{Stream: ref, TimeNano: at.UnixNano() + int64(i), Body: text, Level: seamark.Level(i % 7)}
		if i%2 == 0 {
			row.TraceID, row.SpanID = [16]byte{0xab, byte(i)}, [8]byte{0xcd, byte(i)}
			row.Attrs = []seamark.Label{{Name: "attr", Value: text}}
		}
		batch.Logs.Append(&row)
	}
	s, streams, block := open(t, batch)
	rows := logmem.New()
	rows.Set(streams, block)
	span := store.LogStreamsQuery{Start: at.UnixNano(), End: at.Add(time.Hour).UnixNano(), Limit: 100}
	for _, text := range append(slices.Clone(texts), "ab?", "a.b", "^p", "(?i)plain", ".*", "[0-9]+", "\\s", "line.end", "") {
		for _, op := range []store.LogOp{store.LogContains, store.LogSearch, store.LogEquals, store.LogMatches} {
			for _, not := range []bool{false, true} {
				if op == store.LogEquals || op == store.LogMatches {
					q := span
					q.Matchers = []store.LogMatcher{{Name: "text", Op: op, Not: not, Value: "<" + text}}
					compareStreams(t, s, rows, q)
				}
				for _, field := range []store.LogField{store.LogBody, store.LogLevel, store.LogTraceID, store.LogSpanID, store.LogAttr} {
					f := store.LogFilter{Field: field, Attr: "attr", Op: op, Not: not, Texts: []string{text, "nothing"}}
					compareRows(t, s, rows, store.LogRowsQuery{LogScope: store.LogScope{Streams: streams, Start: span.Start, End: span.End, Filters: []store.LogFilter{f}}})
				}
			}
		}
	}
}

// open stores a batch and returns it in the two forms in which a tail gets it: streams and rows from segments.
func open(t *testing.T, b *seamark.Batch) (*store.Store, []store.LogStream, *store.LogBlock) {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Dial:           engine.DialClickHouse,
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return 1, nil },
		MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	encoded, err := store.NewEncoder().Encode(b, time.Now())
	require.NoError(t, err)
	var streams []store.LogStream
	var block *store.LogBlock
	for i := range encoded.Segments {
		segment := &encoded.Segments[i]
		require.NoError(t, s.Insert(t.Context(), tenant, &store.Block{Table: segment.Table, Day: segment.Day, BatchID: 1, Segments: []store.Segment{*segment}}))
		if segment.Table == store.TableSeries {
			streams, err = store.DecodeLogStreams(segment)
		} else {
			block, err = store.DecodeLogs(segment)
		}
		require.NoError(t, err)
	}
	return s, streams, block
}

func compareStreams(t *testing.T, s *store.Store, rows *logmem.Rows, q store.LogStreamsQuery) {
	t.Helper()
	fps := func(list []store.LogStream, err error) string {
		var found []uint64
		for _, one := range list {
			found = append(found, one.FP)
		}
		slices.Sort(found)
		return fmt.Sprint(found, err != nil)
	}
	want, got := fps(s.LogStreams(t.Context(), tenant, q)), fps(rows.LogStreams(t.Context(), tenant, q))
	if want != got {
		t.Errorf("%+v: the store has %s, the rows %s", q.Matchers, want, got)
	}
}

func compareRows(t *testing.T, s *store.Store, rows *logmem.Rows, q store.LogRowsQuery) {
	t.Helper()
	ask := func(from rowStorage) string {
		var fps []uint64
		_, err := from.LogRows(t.Context(), tenant, q, func(b *store.LogBlock) error {
			fps = append(fps, b.FP...)
			return nil
		})
		slices.Sort(fps)
		return fmt.Sprint(fps, err != nil)
	}
	if want, got := ask(s), ask(rows); want != got {
		t.Errorf("%+v: the store has %s, the rows %s", q.Filters, want, got)
	}
}

// rowStorage is what both are asked.
type rowStorage interface {
	LogRows(ctx context.Context, tenant seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error)
}
