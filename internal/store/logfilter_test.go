package store_test

import (
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

// pieces are what lines of TestLogFilters are made of: words, ids, characters of every length, and bytes that are none.
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

// filterCorpus is lines of three days in some groups, of which one writes much, and what they are.
type filterCorpus struct {
	start  time.Time
	bodies []string
	times  []int64
	fps    []uint64
}

// insert stores n lines in blocks of the size given; those of fewer than 50 rows get no filters in the tests' store.
func (c *filterCorpus) insert(t *testing.T, s *store.Store, r *rand.Rand, n, block int, batch uint64) {
	t.Helper()
	for len(c.bodies) < n {
		b := &seamark.Batch{}
		for range block {
			group := min(r.IntN(8), 4)
			ref := b.Logs.AddStream(&seamark.Series{
				Kind: seamark.LogStream, FP: uint64(group + 1), Name: fmt.Sprint("ns/", group), Labels: []seamark.Label{{Name: "job", Value: fmt.Sprint("filters-", group)}},
			})
			at := c.start.Add(time.Duration(len(c.bodies)) * 72 * time.Hour / time.Duration(n)).UnixNano()
			body := randomLine(r, 1+r.IntN(12))
			if r.IntN(20) == 0 {
				body += strings.Repeat("x", r.IntN(3000)) + fmt.Sprintf("id=%016x", r.Uint64())
			}
			c.bodies, c.times, c.fps = append(c.bodies, body), append(c.times, at), append(c.fps, uint64(group+1))
			b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: at, Body: body})
		}
		encoded, err := store.NewEncoder().Encode(b, c.start)
		require.NoError(t, err)
		batch++
		for _, one := range blocks(encoded.Segments, batch) {
			require.NoError(t, s.Insert(t.Context(), tenantA, one))
		}
	}
}

func (c *filterCorpus) scope(filters ...store.LogFilter) store.LogScope {
	scope := store.LogScope{Start: c.start.UnixNano(), End: c.start.Add(72 * time.Hour).UnixNano(), Filters: filters}
	for group := range 5 {
		scope.Streams = append(scope.Streams, store.LogStream{FP: uint64(group + 1), Group: fmt.Sprint("ns/", group)})
	}
	return scope
}

// check compares what a narrowed scope has with searching the lines here.
func (c *filterCorpus) check(t *testing.T, s *store.Store, scope store.LogScope, holds func(string) bool) store.LogScope {
	t.Helper()
	narrowed, _, err := s.NarrowLogs(t.Context(), tenantA, scope)
	require.NoError(t, err)
	var got, want []string
	for _, row := range readRows(t, s, store.LogRowsQuery{LogScope: narrowed, Columns: store.LogColumns{Body: true}}) {
		got = append(got, fmt.Sprint(row.time, row.fp, row.body))
	}
	for i, body := range c.bodies {
		if c.times[i] >= scope.Start && c.times[i] < scope.End && holds(body) {
			want = append(want, fmt.Sprint(c.times[i], c.fps[i], body))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got, "filters %+q, ranges %v", scope.Filters, narrowed.Ranges)
	return narrowed
}

// TestLogFilters searches lines, broken ones among them, with and without filters beside them, before and after merges.
func TestLogFilters(t *testing.T) {
	for name, block := range map[string]int{"all": 400, "none": 40} {
		t.Run(name, func(t *testing.T) {
			s, r := open(t, seamark.TenantNumber(30+len(name))), testkit.Seed(t)
			c := &filterCorpus{start: base.UTC().Truncate(24 * time.Hour)}
			c.insert(t, s, r, 3000, block, 10)
			c.search(t, s, r)
			if block == 400 {
				c.insert(t, s, r, 3400, 40, 1000) // beside filtered blocks
				c.search(t, s, r)
				c.start = c.start.Add(-72 * time.Hour) // what is late
				c.insert(t, s, r, 4000, 300, 2000)
				c.search(t, s, r)
				for _, table := range []string{"logs", "log_filters"} {
					require.NoError(t, adminConn(t).Exec(t.Context(), fmt.Sprintf("OPTIMIZE TABLE t%04d.%s FINAL", 30+len(name), table)))
				}
				c.search(t, s, r)
			}
		})
	}
}

func (c *filterCorpus) search(t *testing.T, s *store.Store, r *rand.Rand) {
	t.Helper()
	for round := range testkit.Rounds(t, 20) {
		text := randomLine(r, 1+r.IntN(3))
		if round%2 == 0 { // of a line, cut anywhere
			line := c.bodies[r.IntN(len(c.bodies))]
			from := r.IntN(len(line))
			text = line[from : from+1+r.IntN(len(line)-from)]
		}
		f := store.LogFilter{Op: store.LogContains, Texts: []string{text, "deadlocked" + text}, Not: round%5 == 0}
		scope := c.scope(f)
		if round%3 == 0 {
			scope.Start += r.Int64N(int64(50 * time.Hour))
			scope.End = scope.Start + 1 + r.Int64N(int64(20*time.Hour))
		}
		c.check(t, s, scope, func(body string) bool { return strings.Contains(body, text) != f.Not })
		// Go's expressions take broken bytes for the replacement character; the server's do not.
		if clean := strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\uFFFD", ""); clean != "" {
			expr := regexp.QuoteMeta(clean) + "(timeout|deadlock)"
			re := regexp.MustCompile(expr)
			c.check(t, s, c.scope(store.LogFilter{Op: store.LogSearch, Texts: []string{expr}}), re.MatchString)
		}
	}
}

// TestLogFiltersSpareReading looks at what is read for words that no line has, or one.
func TestLogFiltersSpareReading(t *testing.T) {
	s, r := open(t, 31), testkit.Seed(t)
	c := &filterCorpus{start: base.UTC().Truncate(24 * time.Hour)}
	c.insert(t, s, r, 3000, 400, 10)
	at := slices.IndexFunc(c.bodies, func(body string) bool { return strings.Contains(body, "id=") })
	_, id, _ := strings.Cut(c.bodies[at], "id=")
	for text, has := range map[string]bool{id: true, "quicksilver": false, id[:len(id)-1] + "x": false} {
		scope := c.scope(store.LogFilter{Op: store.LogContains, Texts: []string{text}})
		narrowed := c.check(t, s, scope, func(body string) bool { return strings.Contains(body, text) })
		require.Equal(t, !has, narrowed.Empty(), text)
		if has {
			require.Len(t, narrowed.Ranges, 1)
		}
	}
	for _, useless := range []store.LogFilter{
		{Op: store.LogContains, Texts: []string{"abc"}}, {Op: store.LogContains, Texts: []string{"timeout"}, Not: true}, {Op: store.LogSearch, Texts: []string{".*"}},
		{Op: store.LogContains, Texts: []string{"timeout", ""}}, {Field: store.LogAttr, Attr: "timeout", Op: store.LogContains, Texts: []string{"timeout"}},
	} {
		narrowed, _, err := s.NarrowLogs(t.Context(), tenantA, c.scope(useless))
		require.NoError(t, err)
		require.False(t, narrowed.Narrowed, "%+v", useless)
	}
}

func TestLogFiltersOfAbsentTable(t *testing.T) {
	s := open(t, 32)
	c := &filterCorpus{start: base.UTC().Truncate(24 * time.Hour)}
	c.insert(t, s, testkit.Seed(t), 120, 40, 10)
	narrowed := c.check(t, s, c.scope(store.LogFilter{Op: store.LogContains, Texts: []string{"timeout"}}), func(body string) bool { return strings.Contains(body, "timeout") })
	require.False(t, narrowed.Narrowed)
}
