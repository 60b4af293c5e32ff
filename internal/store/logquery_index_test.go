package store_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// pieces are what lines of TestLogBodyIndex are made of: words, ids, characters of every length, and bytes that are none.
var pieces = []string{
	"timeout", "deadlock", "a", " ", "4f4c38b5098561e0", "ünï", "世界人民", "🚀🚀", "%", "_", `\`, "'", "\x00", "\n",
	"\xe2", "\xc3", "\xf0\x9f", "\x80", "\xff", "\xed\xa0\x80", "\xe2\x82", "\uFFFD",
}

func randomLine(r *rand.Rand, n int) string {
	var line strings.Builder
	for range n {
		line.WriteString(pieces[r.IntN(len(pieces))])
	}
	return line.String()
}

// TestLogBodyIndex searches lines, broken ones among them, in a table that has the index, and compares with searching here.
func TestLogBodyIndex(t *testing.T) {
	s, r := open(t, 31), testkit.Seed(t)
	require.NoError(t, s.SetLogBodyIndex(t.Context(), tenantA, true))
	require.NoError(t, s.SetLogBodyIndex(t.Context(), tenantA, true), "it is on already")
	b := &seamark.Batch{}
	ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 7, Name: "ns/a", Labels: []seamark.Label{{Name: "job", Value: "index"}}})
	var bodies []string
	for i := range 400 {
		bodies = append(bodies, randomLine(r, 1+r.IntN(12)))
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: base.UnixNano() + int64(i), Body: bodies[i]})
	}
	insertLogs(t, s, b)
	all := allStreams(t, s)
	check := func(f store.LogFilter, holds func(string) bool) {
		t.Helper()
		var got, want []string
		for _, row := range readRows(t, s, store.LogRowsQuery{LogScope: scope(all, f), Columns: store.LogColumns{Body: true}, Order: store.OldestFirst}) {
			got = append(got, row.body)
		}
		for _, body := range bodies {
			if holds(body) != f.Not {
				want = append(want, body)
			}
		}
		require.Equal(t, want, got, "filter %+q", f.Texts)
	}
	for round := range 120 {
		text := randomLine(r, 1+r.IntN(3))
		if round%2 == 0 { // of a line, cut anywhere
			line := bodies[r.IntN(len(bodies))]
			from := r.IntN(len(line))
			text = line[from : from+1+r.IntN(len(line)-from)]
		}
		f := store.LogFilter{Op: store.LogContains, Texts: []string{text, "deadlocked" + text}, Not: round%5 == 0}
		check(f, func(body string) bool { return strings.Contains(body, text) })
		// Go's expressions take broken bytes for the replacement character; the server's do not.
		if clean := strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\uFFFD", ""); clean != "" {
			expr := regexp.QuoteMeta(clean) + "(timeout|deadlock)"
			re := regexp.MustCompile(expr)
			check(store.LogFilter{Op: store.LogSearch, Texts: []string{expr}}, re.MatchString)
		}
	}
	require.NoError(t, s.SetLogBodyIndex(t.Context(), tenantA, false))
	check(store.LogFilter{Op: store.LogContains, Texts: []string{"timeout"}}, func(body string) bool { return strings.Contains(body, "timeout") })
}

// TestLogBodyIndexSparesReading looks at what is read for a word that no line has.
func TestLogBodyIndexSparesReading(t *testing.T) {
	s := open(t, 32)
	require.NoError(t, s.SetLogBodyIndex(t.Context(), tenantA, true))
	b := manyStreams(t, 3000)
	insertLogs(t, s, b)
	var streams []store.LogStream
	for _, one := range b.Logs.Streams {
		streams = append(streams, store.LogStream{FP: one.FP, Group: one.Name})
	}
	q := store.LogRowsQuery{LogScope: store.LogScope{Streams: streams, Start: base.AddDate(0, 0, -1).UnixNano(), End: base.UnixNano()}, Columns: store.LogColumns{Body: true}}
	for text, reads := range map[string]bool{"line 17": true, "deadlock": false, "line 17x": false} {
		q.Filters = []store.LogFilter{{Op: store.LogContains, Texts: []string{text}}}
		stats, err := s.LogRows(t.Context(), tenantA, q, func(*store.LogBlock) error { return nil })
		require.NoError(t, err)
		require.Equal(t, reads, stats.Rows > 0, "%q reads %d rows", text, stats.Rows)
	}
}
