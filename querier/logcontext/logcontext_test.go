package logcontext_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/logcontext"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// base is some seconds before midnight, so that the lines cross days; not long ago, or the store's retention takes them.
var base = time.Now().UTC().Truncate(24 * time.Hour).Add(-10 * time.Second)

// databases counts the databases of this test process, so that tests keep apart also when they run again.
var databases atomic.Uint32

// row is a line as it was stored.
type row struct {
	time  int64
	fp    uint64
	batch uint64
	text  string
}

// world is a store with the streams of two pods, and all that was put into it.
type world struct {
	t       *testing.T
	store   *store.Store
	reader  *logcontext.Reader
	random  *rand.Rand
	streams []*seamark.Series
	rows    []row
	batch   uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	number := seamark.TenantNumber(databases.Add(1))
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:   engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &world{t: t, store: s, random: testkit.Seed(t)}
	w.reader, err = logcontext.New(logcontext.Options{Storage: s})
	require.NoError(t, err)
	for i := range 6 {
		w.streams = append(w.streams, &seamark.Series{Kind: seamark.LogStream, FP: w.random.Uint64(), Name: fmt.Sprint("ns/app-", i%3), Labels: []seamark.Label{
			{Name: "container", Value: fmt.Sprint("c", i)}, {Name: "namespace", Value: "ns"}, {Name: "pod", Value: fmt.Sprint("pod-", i/4)},
		}})
	}
	w.streams = append(w.streams, &seamark.Series{Kind: seamark.LogStream, FP: 7, Name: "host", Labels: []seamark.Label{{Name: "node", Value: "n1"}}})
	return w
}

// insert stores n lines as one batch. Times are few, so most are shared; some lines say the same as others.
func (w *world) insert(n int, at func() time.Duration, text string) {
	w.t.Helper()
	w.batch++
	b := &seamark.Batch{}
	for _, s := range w.streams {
		b.Logs.AddStream(s)
	}
	for i := range n {
		line := fmt.Sprint(text, " ", i)
		if i%5 == 0 {
			line = text + " again"
		}
		r := row{time: base.Add(at()).UnixNano(), batch: w.batch, text: line}
		stream := w.random.IntN(len(w.streams))
		r.fp = w.streams[stream].FP
		b.Logs.Append(&seamark.LogRow{Stream: uint32(stream), TimeNano: r.time, Body: r.text, Attrs: []seamark.Label{{Name: "k", Value: "v"}}})
		w.rows = append(w.rows, r)
	}
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(w.t, err)
	blocks := map[string]*store.Block{}
	for _, seg := range encoded.Segments {
		key := fmt.Sprint(seg.Table, seg.Day)
		if blocks[key] == nil {
			blocks[key] = &store.Block{Table: seg.Table, Day: seg.Day, BatchID: w.batch}
		}
		blocks[key].Segments = append(blocks[key].Segments, seg)
	}
	for _, block := range blocks {
		require.NoError(w.t, w.store.Insert(w.t.Context(), tenant, block))
	}
}

// sorted returns the rows that keep lets through, in the order of pages as far as it is told: rows of one time, stream and
// batch stand in an order of the store's own, here in that of their text.
func sorted(rows []row, keep func(row) bool) []row {
	var list []row
	for _, r := range rows {
		if keep(r) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.fp, b.fp), cmp.Compare(a.batch, b.batch), cmp.Compare(a.text, b.text))
	})
	return list
}

// rowsOf turns lines into rows. The text tells the batch.
func rowsOf(lines []logcontext.Line) []row {
	list := make([]row, len(lines))
	for i, l := range lines {
		list[i] = row{time: l.Time, fp: l.Stream.FP, text: l.Text}
		_, _ = fmt.Sscanf(l.Text, "batch%d", &list[i].batch)
	}
	return list
}

// page walks from a line in both directions until there is no more; between pages, lines of other times are inserted.
func (w *world) walk(q logcontext.Query) []row {
	w.t.Helper()
	ctx := w.t.Context()
	noise := func() {
		w.insert(40, func() time.Duration { return time.Duration(w.random.IntN(200))*100*time.Millisecond + time.Millisecond }, "noise")
	}
	page, err := w.reader.Around(ctx, tenant, q)
	require.NoError(w.t, err)
	lines := page.Lines
	before, after := page.Before, page.After
	for more, n := page.MoreBefore, 1; more; n++ {
		page, err := w.reader.Continue(ctx, tenant, before, 1+w.random.IntN(60))
		require.NoError(w.t, err)
		require.NotEmpty(w.t, page.Lines)
		require.Empty(w.t, page.After)
		lines = slices.Concat(page.Lines, lines)
		before, more = page.Before, page.MoreBefore
		if n%8 == 0 {
			noise()
		}
	}
	for more, n := page.MoreAfter, 1; more; n++ {
		page, err := w.reader.Continue(ctx, tenant, after, 1+w.random.IntN(60))
		require.NoError(w.t, err)
		require.NotEmpty(w.t, page.Lines)
		require.Empty(w.t, page.Before)
		lines = slices.Concat(lines, page.Lines)
		after, more = page.After, page.MoreAfter
		if n%8 == 0 {
			noise()
		}
	}
	lines = slices.DeleteFunc(lines, func(l logcontext.Line) bool { return strings.HasPrefix(l.Text, "noise") })
	got := rowsOf(lines)
	ordered := func(a, b row) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.fp, b.fp), cmp.Compare(a.batch, b.batch))
	}
	require.True(w.t, slices.IsSortedFunc(got, ordered), "lines are in the total order")
	return sorted(got, func(row) bool { return true })
}

// TestPagesHaveEveryLineOnce pages through lines of which many share their time, in a stream and in a pod.
func TestPagesHaveEveryLineOnce(t *testing.T) {
	w := newWorld(t)
	for i := range 8 {
		w.insert(200, func() time.Duration { return time.Duration(w.random.IntN(20)) * time.Second }, fmt.Sprint("batch", i+1))
	}
	all := slices.Clone(w.rows)
	for i := range 4 {
		line := all[w.random.IntN(len(all))]
		for w.seriesOf(line.fp).Name == "host" { // it is in no pod
			line = all[w.random.IntN(len(all))]
		}
		q := logcontext.Query{Fingerprint: line.fp, Time: line.time, Line: &line.text, Before: i * 3, After: 7 - i}
		inStream := func(r row) bool { return r.fp == line.fp }
		require.Equal(t, sorted(all, inStream), w.walk(q), "stream of %+v", line)
		q.Pod = true
		require.Equal(t, sorted(all, func(r row) bool { return podOf(w.seriesOf(r.fp)) == podOf(w.seriesOf(line.fp)) }), w.walk(q), "pod of %+v", line)
	}
}

func (w *world) seriesOf(fp uint64) *seamark.Series {
	return w.streams[slices.IndexFunc(w.streams, func(s *seamark.Series) bool { return s.FP == fp })]
}

func podOf(s *seamark.Series) string { return s.Label("pod") }

// TestAroundALine asks for a line by all its labels, and by a time at which there is none.
func TestAroundALine(t *testing.T) {
	w := newWorld(t)
	w.streams = w.streams[:1]
	next := 0
	w.insert(20, func() time.Duration { next++; return time.Duration(next) * time.Second }, "batch1")
	all := w.rows
	stream := `{container="c0", namespace="ns", pod="pod-0"}`
	page, err := w.reader.Around(t.Context(), tenant, logcontext.Query{Stream: stream, Time: all[10].time, Before: 3, After: 2})
	require.NoError(t, err)
	require.Equal(t, all[7:13], rowsOf(page.Lines))
	for i, l := range page.Lines {
		require.Equal(t, i == 3, l.Anchor)
		require.Equal(t, []seamark.Label{{Name: "k", Value: "v"}}, l.Metadata)
		require.Equal(t, "pod-0", l.Stream.Labels[2].Value)
	}
	require.True(t, page.MoreBefore && page.MoreAfter)

	page, err = w.reader.Around(t.Context(), tenant, logcontext.Query{Stream: stream, Time: all[10].time + 1, Before: 3, After: 9})
	require.NoError(t, err)
	require.Equal(t, all[8:], rowsOf(page.Lines))
	require.False(t, page.MoreAfter)
	w.insert(3, func() time.Duration { next++; return time.Duration(next) * time.Second }, "batch2")
	page, err = w.reader.Continue(t.Context(), tenant, page.After, 0)
	require.NoError(t, err)
	require.Equal(t, w.rows[20:], rowsOf(page.Lines), "a cursor at the end shows what came since")

	page, err = w.reader.Around(t.Context(), tenant, logcontext.Query{Stream: stream, Time: all[10].time, Before: 20, Span: 3 * time.Second})
	require.NoError(t, err)
	require.Equal(t, all[7:11], rowsOf(page.Lines), "the span ends it")
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.insert(100, func() time.Duration { return 0 }, "batch1")
	at := base.UnixNano()
	for want, q := range map[string]logcontext.Query{
		"seamark-context-lines":   {Fingerprint: 7, Time: at, Before: logcontext.MaxLines + 1},
		"seamark-context-time":    {Fingerprint: 7, Time: 1 << 62},
		"seamark-context-span":    {Fingerprint: 7, Time: at, Span: time.Millisecond},
		"seamark-context-stream":  {Fingerprint: 8, Time: at},
		"seamark-context-streams": {Stream: `{namespace="ns"}`, Time: at},
		"seamark-context-pod":     {Fingerprint: 7, Time: at, Pod: true},
		"seamark-logql-syntax":    {Stream: `{`, Time: at},
	} {
		_, err := w.reader.Around(t.Context(), tenant, q)
		requireID(t, err, want)
	}
	_, err := w.reader.Around(t.Context(), "", logcontext.Query{Fingerprint: 7, Time: at})
	requireID(t, err, "seamark-tenant-malformed")
	_, err = w.reader.Around(t.Context(), tenant, logcontext.Query{Fingerprint: 7, Time: at, After: -1})
	requireID(t, err, "seamark-context-lines")
	_, err = w.reader.Continue(t.Context(), tenant, "AQ", logcontext.MaxLines+1)
	require.ErrorContains(t, err, "1000 lines on a side are not between 0 and the limit of 999 (--query.max-context-lines).")
	_, err = w.reader.Continue(t.Context(), tenant, "AQ", 0)
	requireID(t, err, "seamark-context-cursor")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.reader.Around(ctx, tenant, logcontext.Query{Fingerprint: 7, Time: at})
	require.Equal(t, seamark.Canceled, seamark.KindOf(err))
}

func requireID(t *testing.T, err error, id string) {
	t.Helper()
	var e *seamark.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, id, e.ID, "%v", err)
}
