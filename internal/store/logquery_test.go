package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// hostile texts are values and patterns that mean something to SQL, LIKE, the parameter format or a regular expression.
var hostile = []string{
	"plain", "it's", `"quoted"`, `back\slash`, "tab\tnew\nline\rnul\x00end", "100%", "under_score", "ünï 世界", "{p0:String}", "') OR 1=1 --",
	"[1,2]", `\N`, "NULL", `\'`, "a,b", `trailing\`, "-- comment", "/* c */", "$1", "(paren)", "a.b*c", "x'y\\'z",
}

// insertLogs stores the logs of b.
func insertLogs(t testing.TB, s *store.Store, b *seamark.Batch) {
	t.Helper()
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, 1) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
	}
}

// hostileBatch has one stream and one line per hostile text, which is label, body and attribute.
func hostileBatch() *seamark.Batch {
	b := &seamark.Batch{}
	for i, text := range hostile {
		ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i) + 1<<63, Name: fmt.Sprint("ns/", i%4),
			Labels: []seamark.Label{{Name: "job", Value: "hostile"}, {Name: "text", Value: text}}})
		row := seamark.LogRow{Stream: ref, TimeNano: base.UnixNano() + int64(i), Body: "<" + text + ">", Level: seamark.Level(i % 7),
			Attrs: []seamark.Label{{Name: "attr", Value: text}}}
		if i%2 == 0 {
			row.TraceID, row.SpanID = [16]byte{0xab, byte(i + 1)}, [8]byte{0xcd, byte(i + 1)}
		}
		b.Logs.Append(&row)
	}
	return b
}

func allStreams(t testing.TB, s *store.Store, matchers ...store.LogMatcher) []store.LogStream {
	t.Helper()
	streams, err := s.LogStreams(t.Context(), tenantA, store.LogStreamsQuery{
		Matchers: matchers, Start: base.UnixNano(), End: base.Add(time.Hour).UnixNano(), Limit: 1000,
	})
	require.NoError(t, err)
	return streams
}

// TestLogFiltersTakeAnyText asks for every hostile text in every way that a text can reach a statement.
func TestLogFiltersTakeAnyText(t *testing.T) {
	s := open(t, 21)
	insertLogs(t, s, hostileBatch())
	all := allStreams(t, s)
	require.Len(t, all, len(hostile))
	for i, text := range hostile {
		quoted := regexp.QuoteMeta(text)
		for _, m := range []store.LogMatcher{
			{Name: "text", Op: store.LogEquals, Value: text}, {Name: "text", Op: store.LogMatches, Value: quoted},
		} {
			require.Len(t, allStreams(t, s, m), 1, "matcher %+v", m)
			m.Not = true
			require.Len(t, allStreams(t, s, m), len(hostile)-1, "matcher %+v", m)
		}
		for _, f := range []store.LogFilter{
			{Field: store.LogBody, Op: store.LogContains, Texts: []string{"<" + text + ">"}},
			{Field: store.LogBody, Op: store.LogSearch, Texts: []string{"^<" + quoted + ">$"}},
			{Field: store.LogBody, Op: store.LogSearch, Texts: []string{"<" + quoted + ">|<absent>"}},
			{Field: store.LogAttr, Attr: "attr", Op: store.LogEquals, Texts: []string{text}},
			{Field: store.LogAttr, Attr: "attr", Op: store.LogMatches, Texts: []string{"nothing", quoted}},
		} {
			got := readRows(t, s, store.LogRowsQuery{LogScope: scope(all, f), Columns: store.LogColumns{Body: true}})
			require.Len(t, got, 1, "filter %+v", f)
			require.Equal(t, "<"+text+">", got[0].body, "filter %+v", f)
			f.Not = true
			got = readRows(t, s, store.LogRowsQuery{LogScope: scope(all, f)})
			require.Len(t, got, len(hostile)-1, "filter %+v", f)
		}
		absent := store.LogFilter{Field: store.LogAttr, Attr: text, Op: store.LogEquals, Texts: []string{""}}
		require.Len(t, readRows(t, s, store.LogRowsQuery{LogScope: scope(all, absent)}), len(hostile))
		values, err := s.LogLabelValues(t.Context(), tenantA, text, store.LogStreamsQuery{Start: base.UnixNano(), End: base.UnixNano() + 1, Limit: 10})
		require.NoError(t, err)
		require.Empty(t, values, "label %d", i)
	}
}

func TestLogFiltersOnColumns(t *testing.T) {
	s := open(t, 22)
	insertLogs(t, s, hostileBatch())
	all := allStreams(t, s)
	count := func(f store.LogFilter) int {
		t.Helper()
		return len(readRows(t, s, store.LogRowsQuery{LogScope: scope(all, f)}))
	}
	half := len(hostile) / 2
	trace := "ab030000000000000000000000000000"
	require.Equal(t, 1, count(store.LogFilter{Field: store.LogTraceID, Op: store.LogEquals, Texts: []string{trace}}))
	require.Equal(t, 0, count(store.LogFilter{Field: store.LogTraceID, Op: store.LogEquals, Texts: []string{strings.ToUpper(trace)}}))
	require.Equal(t, half, count(store.LogFilter{Field: store.LogTraceID, Op: store.LogEquals, Texts: []string{""}}))
	require.Equal(t, half, count(store.LogFilter{Field: store.LogTraceID, Op: store.LogMatches, Texts: []string{"ab.*"}}))
	require.Equal(t, 1, count(store.LogFilter{Field: store.LogSpanID, Op: store.LogEquals, Texts: []string{"cd03000000000000"}}))
	require.Equal(t, 3, count(store.LogFilter{Field: store.LogLevel, Op: store.LogEquals, Texts: []string{"error"}}))
	require.Equal(t, 4, count(store.LogFilter{Field: store.LogLevel, Op: store.LogEquals, Texts: []string{""}}), "unknown is no level")
	require.Equal(t, 0, count(store.LogFilter{Field: store.LogLevel, Op: store.LogEquals}), "no text never holds")
	require.Equal(t, len(hostile), count(store.LogFilter{Field: store.LogLevel, Op: store.LogEquals, Not: true}))
}

// TestLogDot tells apart the two dots of LogQL: a line filter's matches line breaks, a label matcher's does not.
func TestLogDot(t *testing.T) {
	s := open(t, 23)
	insertLogs(t, s, hostileBatch())
	all := allStreams(t, s)
	search := store.LogFilter{Op: store.LogSearch, Texts: []string{"tab.new.line"}}
	require.Len(t, readRows(t, s, store.LogRowsQuery{LogScope: scope(all, search)}), 1)
	whole := store.LogFilter{Field: store.LogAttr, Attr: "attr", Op: store.LogMatches, Texts: []string{"tab.*"}}
	require.Empty(t, readRows(t, s, store.LogRowsQuery{LogScope: scope(all, whole)}))
	require.Empty(t, allStreams(t, s, store.LogMatcher{Name: "text", Op: store.LogMatches, Value: "tab.*"}))
	require.Len(t, allStreams(t, s, store.LogMatcher{Name: "text", Op: store.LogMatches, Value: "(?s)tab.*"}), 1)
}

func TestLogLabels(t *testing.T) {
	s := open(t, 24)
	insertLogs(t, s, hostileBatch())
	ctx := t.Context()
	q := store.LogStreamsQuery{Start: base.UnixNano(), End: base.UnixNano() + 1, Limit: 1000}
	names, err := s.LogLabelNames(ctx, tenantA, q)
	require.NoError(t, err)
	require.Equal(t, []string{"job", "text"}, names)
	values, err := s.LogLabelValues(ctx, tenantA, "text", q)
	require.NoError(t, err)
	want := slices.Clone(hostile)
	slices.Sort(want)
	require.Equal(t, want, values)
	q.Matchers = []store.LogMatcher{{Name: "text", Op: store.LogEquals, Value: "it's"}}
	values, err = s.LogLabelValues(ctx, tenantA, "text", q)
	require.NoError(t, err)
	require.Equal(t, []string{"it's"}, values)
	q = store.LogStreamsQuery{Start: base.AddDate(0, 0, 1).UnixNano(), End: base.AddDate(0, 0, 2).UnixNano(), Limit: 1000}
	names, err = s.LogLabelNames(ctx, tenantA, q)
	require.NoError(t, err)
	require.Empty(t, names, "of another day")
}

type logRow struct {
	time  int64
	fp    uint64
	body  string
	level seamark.Level
	trace [16]byte
	span  [8]byte
	attrs string
}

func scope(streams []store.LogStream, filters ...store.LogFilter) store.LogScope {
	return store.LogScope{Streams: streams, Start: base.UnixNano(), End: base.Add(time.Hour).UnixNano(), Filters: filters}
}

func readRows(t testing.TB, s *store.Store, q store.LogRowsQuery) []logRow {
	t.Helper()
	var rows []logRow
	_, err := s.LogRows(t.Context(), tenantA, q, func(b *store.LogBlock) error {
		for i := range b.Len() {
			r := logRow{time: b.Time[i], fp: b.FP[i], attrs: fmt.Sprint(b.AttrsOf(i))}
			if q.Columns.Body {
				r.body = b.Body[i]
			}
			if q.Columns.Level {
				r.level = b.Level[i]
			}
			if q.Columns.Trace {
				r.trace, r.span = b.TraceID[i], b.SpanID[i]
			}
			rows = append(rows, r)
		}
		return nil
	})
	require.NoError(t, err)
	return rows
}

// TestLogRowsReadsEveryValue reads random rows back, over midnight, in both directions, whole and limited.
func TestLogRowsReadsEveryValue(t *testing.T) {
	s, r := open(t, 25), testkit.Seed(t)
	b := randomBatch(r, 3000)
	insertLogs(t, s, b)
	want := make([]logRow, b.Logs.Len())
	for i := range want {
		want[i] = logRow{time: b.Logs.TimeNano[i], fp: b.Logs.Streams[b.Logs.Stream[i]].FP, body: b.Logs.Body[i], level: b.Logs.Level[i],
			trace: b.Logs.TraceID[i], span: b.Logs.SpanID[i], attrs: fmt.Sprint(b.Logs.AttrsOf(i))}
	}
	order := func(a, b logRow) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.body, b.body)) }
	slices.SortFunc(want, order)
	q := store.LogRowsQuery{LogScope: scope(allStreams(t, s)), Order: store.OldestFirst, Columns: store.LogColumns{Body: true, Level: true, Trace: true, Attrs: true}}
	got := readRows(t, s, q)
	require.True(t, slices.IsSortedFunc(got, func(a, b logRow) int { return cmp.Compare(a.time, b.time) }))
	slices.SortFunc(got, order)
	require.Equal(t, want, got)

	q.Order, q.Limit = store.NewestFirst, 100
	got = readRows(t, s, q)
	require.Len(t, got, 100)
	require.True(t, slices.IsSortedFunc(got, func(a, b logRow) int { return cmp.Compare(b.time, a.time) }))
	require.Equal(t, want[len(want)-1].time, got[0].time)
}

// TestLogCountsMatchRows counts random rows on random grids and compares with counting them one by one.
func TestLogCountsMatchRows(t *testing.T) {
	s, r := open(t, 26), testkit.Seed(t)
	b := randomBatch(r, 3000)
	insertLogs(t, s, b)
	streams := allStreams(t, s)
	for round := range 40 {
		grid := randomGrid(r)
		start, end := grid.Range()
		q := store.LogCountsQuery{Grid: grid, Bytes: true, Split: []store.LogSplit{{Field: store.LogLevel}, {Field: store.LogAttr, Attr: "k0"}}}
		q.LogScope = store.LogScope{Streams: streams, Start: start, End: end}
		into := map[uint64]uint64{}
		for i, s := range streams {
			into[s.FP] = s.FP
			if round%2 == 1 {
				into[s.FP] = streams[i%2].FP
				q.Into = append(q.Into, streams[i%2].FP)
			}
		}
		got := map[string]int{}
		_, err := s.LogCounts(t.Context(), tenantA, q, func(c *store.LogCount) error {
			got[fmt.Sprint(c.FP, c.Values, c.Bucket)] += int(c.Lines)*1e6 + int(c.Bytes)
			return nil
		})
		require.NoError(t, err)
		want := map[string]int{}
		for i := range b.Logs.Len() {
			at := b.Logs.TimeNano[i]
			if at < start || at >= end {
				continue
			}
			level := b.Logs.Level[i].String()
			if level == "unknown" {
				level = ""
			}
			value := ""
			for _, a := range b.Logs.AttrsOf(i) {
				if a.Name == "k0" {
					value = a.Value
				}
			}
			want[fmt.Sprint(into[b.Logs.Streams[b.Logs.Stream[i]].FP], []string{level, value}, grid.Bucket(at))] += 1e6 + len(b.Logs.Body[i])
		}
		require.Equal(t, want, got, "grid %+v", grid)
	}
}

func randomGrid(r *rand.Rand) store.LogGrid {
	return store.LogGrid{
		First: base.Add(time.Duration(r.Int64N(int64(2 * time.Minute)))).UnixNano(), Step: 1 + r.Int64N(int64(20*time.Second)),
		Steps: 1 + r.IntN(30), Window: 1 + r.Int64N(int64(90*time.Second)),
	}
}

// TestLogGridWindows checks on small numbers that a time lies in a window exactly if its bucket does.
func TestLogGridWindows(t *testing.T) {
	for step := int64(1); step <= 6; step++ {
		for window := int64(1); window <= 40; window++ {
			for steps := 1; steps <= 5; steps++ {
				g := store.LogGrid{First: 1000, Step: step, Steps: steps, Window: window}
				start, end := g.Range()
				for at := start; at < end; at++ {
					bucket := g.Bucket(at)
					require.True(t, bucket >= 0 && bucket < g.Buckets(), "%+v bucket %d of %d", g, bucket, at)
					for k := range steps {
						last := g.First + int64(k)*g.Step
						from, to := g.Span(k)
						require.Equal(t, at > last-window && at <= last, bucket >= from && bucket < to, "%+v step %d time %d bucket %d", g, k, at, bucket)
					}
				}
				require.LessOrEqual(t, g.Buckets(), 4*steps+2, "%+v", g)
			}
		}
	}
}

func TestLogQueriesEnd(t *testing.T) {
	s := open(t, 27)
	insertLogs(t, s, hostileBatch())
	all := allStreams(t, s)
	failure := seamark.Errorf(seamark.Unprocessable, "seamark-test", "Enough.")
	_, err := s.LogRows(t.Context(), tenantA, store.LogRowsQuery{LogScope: scope(all)}, func(*store.LogBlock) error { return failure })
	require.ErrorIs(t, err, failure)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.LogRows(ctx, tenantA, store.LogRowsQuery{LogScope: scope(all)}, func(*store.LogBlock) error { return nil })
	require.Equal(t, seamark.Canceled, seamark.KindOf(err), "%v", err)
	stats, err := s.LogRows(t.Context(), tenantA, store.LogRowsQuery{LogScope: scope(all)}, func(*store.LogBlock) error { return nil })
	require.NoError(t, err)
	require.Equal(t, uint64(len(hostile)), stats.Rows)
	require.Positive(t, stats.Bytes)
}

// TestLogQueryOfManyStreams sends as many fingerprints as the engine's default limit lets through.
func TestLogQueryOfManyStreams(t *testing.T) {
	s := open(t, 28)
	insertLogs(t, s, hostileBatch())
	all := allStreams(t, s)
	for i := range uint64(50_000) {
		all = append(all, store.LogStream{FP: i * 0x9e3779b97f4a7c15, Group: fmt.Sprint("ns/other-", i%500)})
	}
	require.Len(t, readRows(t, s, store.LogRowsQuery{LogScope: scope(all)}), len(hostile))
	lines := 0
	grid := store.LogGrid{First: base.Add(time.Hour).UnixNano(), Step: int64(time.Hour), Steps: 1, Window: int64(2 * time.Hour)}
	start, end := grid.Range()
	_, err := s.LogCounts(t.Context(), tenantA, store.LogCountsQuery{LogScope: store.LogScope{Streams: all, Start: start, End: end}, Grid: grid, Bytes: true},
		func(c *store.LogCount) error { lines += int(c.Lines); return nil })
	require.NoError(t, err)
	require.Equal(t, len(hostile), lines)
}
