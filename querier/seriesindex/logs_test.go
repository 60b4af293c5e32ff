package seriesindex_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// sortedStreams returns the streams that the index finds, by fingerprint.
func sortedStreams(t testing.TB, x *seriesindex.Index, q store.LogStreamsQuery) []store.LogStream {
	t.Helper()
	list, err := x.LogStreams(t.Context(), tenantA, q)
	require.NoError(t, err)
	slices.SortFunc(list, byStreamFP)
	return list
}

func byStreamFP(a, b store.LogStream) int { return cmp.Compare(a.FP, b.FP) }

func TestIndexFindsStreamsOnTheirDays(t *testing.T) {
	w := newTwin()
	a, b := stream(1, "namespace", "shop", "service_name", "cart", "pod", "a"), stream(2, "namespace", "shop", "service_name", "pay")
	w.insertStream(tenantA, a, monday, monday+2)
	w.insertStream(tenantA, b, monday+7)
	w.insert(tenantA, series(1, "up", "pod", "a"), monday) // the fingerprint of a stream, and a metric
	x, _ := newIndex(t, w)
	fromIndex(t, x, func() {
		require.Equal(t, []store.LogStream{a}, sortedStreams(t, x, logsOn(monday, monday)))
		require.Empty(t, sortedStreams(t, x, logsOn(monday+1, monday+1)))
		require.Equal(t, []store.LogStream{a, b}, sortedStreams(t, x, logsOn(monday, monday+7)))
		require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday+7)), "metrics have an index of their own")
		names, err := x.LogLabelNames(t.Context(), tenantA, logsOn(monday, monday+7))
		require.NoError(t, err)
		require.Equal(t, []string{"namespace", "pod", "service_name"}, names)
		values, err := x.LogLabelValues(t.Context(), tenantA, "service_name", logsOn(monday, monday+7))
		require.NoError(t, err)
		require.Equal(t, []string{"cart", "pay"}, values)
	})
	midnight := logsOn(monday+1, monday+1)
	midnight.End = midnight.Start + 24*3600_000_000_000 // is the first moment of the next day, which is not asked for
	require.Empty(t, sortedStreams(t, x, midnight))
	midnight.End++
	require.Equal(t, []store.LogStream{a}, sortedStreams(t, x, midnight))
}

// TestMemoryTellsWhatItAnswered looks up streams and their labels, which count by their text.
func TestMemoryTellsWhatItAnswered(t *testing.T) {
	w := newTwin()
	w.insertStream(tenantA, stream(1, "app", "old"), monday-30)
	w.insertStream(tenantA, stream(2, "app", "today"), monday)
	var answered uint64
	x, _ := newIndex(t, w, func(o *seriesindex.Options) { o.Answered = func(_ context.Context, bytes uint64) { answered += bytes } })
	list := sortedStreams(t, x, logsOn(monday, monday))
	want := uint64(8)
	for _, l := range list[0].Labels {
		want += uint64(len(l.Name) + len(l.Value))
	}
	require.Equal(t, want, answered)
	answered = 0
	_, err := x.LogLabelValues(t.Context(), tenantA, "app", logsOn(monday, monday))
	require.NoError(t, err)
	require.EqualValues(t, len("today"), answered)
	answered = 0
	_, err = x.LogStreamsByFP(t.Context(), tenantA, []uint64{1})
	require.NoError(t, err)
	require.Zero(t, answered, "the store has answered")
}

func TestStreamsByFingerprint(t *testing.T) {
	w := newTwin()
	old, today := stream(1, "app", "old"), stream(2, "app", "today")
	w.insertStream(tenantA, old, monday-14)
	w.insertStream(tenantA, today, monday)
	x, _ := newIndex(t, w)
	find := func(fps ...uint64) []store.LogStream {
		t.Helper()
		list, err := x.LogStreamsByFP(t.Context(), tenantA, fps)
		require.NoError(t, err)
		slices.SortFunc(list, byStreamFP)
		return list
	}
	require.Empty(t, find())
	require.Equal(t, []store.LogStream{today}, find(2, 2))
	require.Empty(t, w.asked, "what is in memory is not looked up")
	require.Equal(t, []store.LogStream{old, today}, find(2, 1, 3))
	require.Equal(t, [][]uint64{{1, 3}}, w.asked)
	sortedStreams(t, x, logsOn(monday-14, monday))
	require.Equal(t, []store.LogStream{old, today}, find(2, 1))
	require.Len(t, w.asked, 1, "the week is in memory now")
	x, _ = newIndex(t, w)
	require.NoError(t, x.Close())
	require.Equal(t, []store.LogStream{old, today}, find(1, 2))
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "closed"))
}

// TestAnnouncedStreamsAreFound announces streams as the writer does, and has the store away meanwhile.
func TestAnnouncedStreamsAreFound(t *testing.T) {
	w := newTwin()
	w.insertStream(tenantA, stream(1, "app", "a"), monday)
	x, clock := newIndex(t, w)
	sortedStreams(t, x, logsOn(monday, monday))
	for i := uint64(2); i < 50; i++ {
		w.insertStream(tenantA, stream(i, "app", fmt.Sprint(i)), monday)
		x.Changed(tenantA)
		clock.Advance(250 * time.Millisecond)
		fromIndex(t, x, func() { require.Len(t, sortedStreams(t, x, logsOn(monday, monday)), int(i)) })
	}
	w.fail(errAway)
	w.insertStream(tenantA, stream(50, "app", "z"), monday)
	x.Changed(tenantA)
	clock.Advance(250 * time.Millisecond)
	require.Len(t, sortedStreams(t, x, logsOn(monday, monday)), 50, "what is stale is not shown")
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "failure"))
	w.fail(nil)
	w.dropWeek(tenantA, monday)
	clock.Advance(seriesindex.DefaultRefresh)
	fromIndex(t, x, func() { require.Empty(t, sortedStreams(t, x, logsOn(monday, monday))) })
}

// TestKindsAreForgottenTogether deletes a tenant whose metrics and logs are in memory.
func TestKindsAreForgottenTogether(t *testing.T) {
	w := newTwin()
	w.insertStream(tenantA, stream(1, "app", "a"), monday)
	w.insert(tenantA, series(1, "up"), monday)
	x, _ := newIndex(t, w)
	sortedStreams(t, x, logsOn(monday, monday))
	fps(t, x, tenantA, onDays(monday, monday))
	require.Positive(t, seriesindex.Bytes(x))
	x.Forget(tenantA)
	require.Zero(t, seriesindex.Bytes(x))
}

func TestFlawedExpressionsAreTheStores(t *testing.T) {
	w := newTwin()
	x, _ := newIndex(t, w)
	_, err := x.LogStreams(t.Context(), tenantA, logsOn(monday, monday, store.LogMatcher{Name: "a", Op: store.LogMatches, Value: "("}))
	require.Equal(t, seamark.Invalid, seamark.KindOf(err))
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "query"))
}

// TestStreamIndexIsTheStore asks the index and the store thousands of random questions while streams arrive and parts merge.
func TestStreamIndexIsTheStore(t *testing.T) {
	s, r := openStore(t, 66), testkit.Seed(t)
	x, clock := openIndex(t, s)
	const rounds = 24
	questions := testkit.Rounds(t, 12)
	var known []uint64
	for round := range uint64(rounds) {
		var list []streamDays
		for range 1 + r.IntN(60) {
			list = append(list, randomStream(r))
			known = append(known, list[len(list)-1].FP)
		}
		insertStreams(t, s, round+1, list)
		clock.Advance(seriesindex.DefaultRefresh)
		for range questions {
			compareLogs(t, s, x, r, known)
		}
	}
	require.Equal(t, "query 0 closed 0 size 0 wait 0 failure 0 ", storeLookups(x), "the index answers every question")
}

// streamDays is what insertStreams stores.
type streamDays struct {
	store.LogStream
	days []int32
}

func randomStream(r *rand.Rand) streamDays {
	one := randomSeries(r)
	s := streamDays{LogStream: store.LogStream{FP: one.FP, Group: one.Metric, Labels: one.Labels}, days: one.days}
	return s
}

func insertStreams(t testing.TB, s *store.Store, batch uint64, list []streamDays) {
	t.Helper()
	b := &seamark.Batch{}
	for i := range list {
		one := &list[i]
		ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: one.FP, Name: one.Group, Labels: one.Labels})
		for _, day := range one.days {
			b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: int64(day) * 24 * 3600_000_000_000})
		}
	}
	insertSeriesRows(t, s, tenantA, batch, b)
}

func randomLogsQuery(r *rand.Rand) store.LogStreamsQuery {
	metric := randomQuery(r)
	q := store.LogStreamsQuery{Start: metric.StartMilli, End: metric.EndMilli, Limit: metric.Limit}
	if q.Start == math.MinInt64 {
		// All that package engine lets through.
		q.Start, q.End = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	q.Start, q.End = q.Start*1_000_000, q.End*1_000_000+r.Int64N(2)
	for _, m := range metric.Matchers {
		one := store.LogMatcher{Name: m.Name, Op: store.LogEquals, Not: r.IntN(2) == 0, Value: m.Value}
		if m.Op == store.MetricMatches || m.Op == store.MetricNotMatches {
			one.Op = store.LogMatches
		}
		q.Matchers = append(q.Matchers, one)
	}
	return q
}

// compareLogs asks one random question.
func compareLogs(t *testing.T, s *store.Store, x *seriesindex.Index, r *rand.Rand, known []uint64) {
	t.Helper()
	q, name := randomLogsQuery(r), pick(r, append(randomNames, "__name__", "absent"))
	switch r.IntN(4) {
	case 0:
		want, err := s.LogLabelNames(t.Context(), tenantA, q)
		require.NoError(t, err, "%+v", q)
		got, err := x.LogLabelNames(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, want, got, "label names of %+v", q)
	case 1:
		want, err := s.LogLabelValues(t.Context(), tenantA, name, q)
		require.NoError(t, err, "%+v", q)
		got, err := x.LogLabelValues(t.Context(), tenantA, name, q)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got, "values of %q of %+v", name, q)
		require.True(t, slices.IsSorted(got))
	case 2:
		ask := []uint64{known[r.IntN(len(known))], known[r.IntN(len(known))], r.Uint64()}
		want, err := s.LogStreamsByFP(t.Context(), tenantA, ask)
		require.NoError(t, err)
		got, err := x.LogStreamsByFP(t.Context(), tenantA, ask)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got)
	default:
		compareStreams(t, s, x, q)
	}
}

func compareStreams(t *testing.T, s *store.Store, x *seriesindex.Index, q store.LogStreamsQuery) {
	t.Helper()
	limit := q.Limit
	q.Limit = 1 << 20
	want, err := s.LogStreams(t.Context(), tenantA, q)
	require.NoError(t, err, "%+v", q)
	slices.SortFunc(want, byStreamFP)
	q.Limit = limit
	got := sortedStreams(t, x, q)
	if len(want) <= limit {
		require.Equal(t, want, got, "streams of %+v", q)
		return
	}
	require.Len(t, got, limit, "streams of %+v", q)
	for _, one := range got {
		require.Contains(t, want, one)
	}
}
