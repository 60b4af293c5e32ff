package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// addUpdate appends the log line that ingest writes for each event that arrives.
func addUpdate(t testing.TB, b *seamark.Batch, e *seamark.Event) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"cluster": e.Cluster, "namespace": e.Namespace, "kind": e.Kind, "name": e.Object, "type": e.Type, "reason": e.Reason, "message": e.Message,
		"source": e.Source, "node": e.Node, "count": e.Count, "first": e.First, "last": e.Last,
	})
	require.NoError(t, err)
	labels := []seamark.Label{{Name: "cluster", Value: e.Cluster}, {Name: "namespace", Value: e.Namespace}, {Name: "service_name", Value: "k8s-events"}, {Name: "signal", Value: "events"}, {Name: "type", Value: e.Type}}
	fp := uint64(14695981039346656037)
	for _, l := range labels {
		for _, c := range []byte(l.Name + "\xff" + l.Value + "\xff") {
			fp = (fp ^ uint64(c)) * 1099511628211
		}
	}
	stream := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: fp, Name: e.Namespace + "/k8s-events", Labels: labels})
	b.Logs.Append(&seamark.LogRow{Stream: stream, TimeNano: e.Last.UnixNano(), Level: seamark.LevelInfo, Body: string(body)})
}

// randomEvents makes events of a few days, each as its updates tell it.
func randomEvents(r *rand.Rand, n int, from time.Time) [][]seamark.Event {
	histories := make([][]seamark.Event, n)
	for i := range histories {
		first := from.Add(time.Duration(r.IntN(4*24*3600)) * time.Second)
		e := event(i, first, first, 1)
		e.Cluster, e.Namespace, e.Reason = fmt.Sprint("c", r.IntN(2)), []string{"", "shop", "bank"}[r.IntN(3)], fmt.Sprint("Reason", r.IntN(4))
		e.Type, e.Object, e.Message = []string{"Normal", "Warning"}[r.IntN(2)], fmt.Sprint("pod-", r.IntN(10)), fmt.Sprintf("message %d \"quoted\"\n", i)
		if r.IntN(3) == 0 { // heard of late
			e.Count, e.Last = uint32(1+r.IntN(20)), first.Add(time.Duration(r.IntN(40*3600))*time.Second)
		}
		for range 1 + r.IntN(6) {
			histories[i] = append(histories[i], e)
			if r.IntN(8) > 0 { // else another count within the same second
				e.Last = e.Last.Add(time.Duration(1+r.IntN([]int{600, 30 * 3600}[r.IntN(2)])) * time.Second)
			}
			e.Count += uint32(r.IntN(9)) // some senders tell no counts
		}
	}
	return histories
}

// occurrence is what an update adds.
type occurrence struct {
	event *seamark.Event
	at    time.Time
	n     uint64
}

// naive counts an event's history from its definition, update by update.
func naive(history []seamark.Event) []occurrence {
	var list []occurrence
	for i := range history {
		if i+1 < len(history) && history[i+1].Last.Equal(history[i].Last) {
			continue // a later update has the same time and a larger count
		}
		e := &history[i]
		var before *seamark.Event
		for k := i - 1; k >= 0 && before == nil; k-- {
			if history[k].Last.Before(e.Last) {
				before = &history[k]
			}
		}
		n := uint64(1)
		switch {
		case before != nil && e.Last.Sub(before.Last) <= store.EventMemory:
			n = max(n, uint64(e.Count-before.Count))
		case e.Last.Sub(e.First) <= store.EventMemory:
			n = uint64(e.Count)
		}
		list = append(list, occurrence{e, e.Last, n})
	}
	return list
}

// storeShuffled stores all updates in random order, some of them again, in some batches.
func storeShuffled(t *testing.T, s *store.Store, r *rand.Rand, histories [][]seamark.Event) {
	t.Helper()
	var told []seamark.Event
	for _, h := range histories {
		told = append(told, h...)
		for range r.IntN(4) { // re-sent, by a retry or by an agent that starts again
			told = append(told, h[r.IntN(len(h))])
		}
	}
	r.Shuffle(len(told), func(i, k int) { told[i], told[k] = told[k], told[i] })
	for id := uint64(1); len(told) > 0; id++ {
		n := min(len(told), 1+r.IntN(len(told)/3+1))
		batch := &seamark.Batch{Events: slices.Clone(told[:n])}
		for i := range n {
			addUpdate(t, batch, &told[i])
		}
		insertBatch(t, s, id, batch)
		told = told[n:]
	}
}

// TestEventHistoryEqualsNaiveCounts compares trends, series and the list with what is computed of the raw updates.
func TestEventHistoryEqualsNaiveCounts(t *testing.T) {
	r := testkit.Seed(t)
	for round := range 2 {
		s := open(t, seamark.TenantNumber(72+round))
		from := time.Now().UTC().Truncate(time.Second).Add(-9 * 24 * time.Hour)
		histories := randomEvents(r, 60, from)
		storeShuffled(t, s, r, histories)
		var all []occurrence
		newest := map[string]seamark.Event{}
		for _, h := range histories {
			all = append(all, naive(h)...)
			newest[h[0].UID] = h[len(h)-1]
		}
		got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: store.EventFilter{Range: seamark.TimeRange{Start: from, End: from.Add(20 * 24 * time.Hour)}}, Limit: 1000})
		require.NoError(t, err)
		require.Len(t, got, len(newest))
		for _, e := range got {
			require.Equal(t, newest[e.UID], e)
		}
		for range testkit.Rounds(t, 4) {
			window := func() seamark.TimeRange {
				start := from.Add(time.Duration(r.IntN(6*24*3600)) * time.Second)
				return seamark.TimeRange{Start: start, End: start.Add(time.Duration(1+r.IntN(3*24*3600)) * time.Second)}
			}
			f := store.EventFilter{Range: window()}
			if r.IntN(2) == 0 {
				f.Conditions = append(f.Conditions, store.EventCondition{Field: store.EventNamespace, Values: []string{"shop", "bank"}, Not: r.IntN(2) == 0})
			}
			if r.IntN(3) == 0 {
				f.Conditions = append(f.Conditions, store.EventCondition{Field: store.EventType, Values: []string{"Warning"}})
			}
			compareTrend(t, s, all, f, window(), []store.EventField{store.EventReason, store.EventObject, store.EventNamespace, store.EventCluster}[r.IntN(4)])
			compareSeries(t, s, all, f, time.Duration(1+r.IntN(24*3600))*time.Second)
		}
	}
}

func matches(f *store.EventFilter, e *seamark.Event) bool {
	for _, c := range f.Conditions {
		if slices.Contains(c.Values, fieldOf(c.Field, e)) == c.Not {
			return false
		}
	}
	return true
}

func fieldOf(f store.EventField, e *seamark.Event) string {
	return map[store.EventField]string{
		store.EventReason: e.Reason, store.EventObject: e.Object, store.EventNamespace: e.Namespace, store.EventCluster: e.Cluster, store.EventType: e.Type,
	}[f]
}

func contains(r seamark.TimeRange, at time.Time) bool { return !at.Before(r.Start) && at.Before(r.End) }

func compareTrend(t *testing.T, s *store.Store, all []occurrence, f store.EventFilter, before seamark.TimeRange, by store.EventField) {
	t.Helper()
	entries := map[string]*store.EventTrendEntry{}
	seen := map[string]bool{}
	for _, o := range all {
		for i, r := range []seamark.TimeRange{f.Range, before} {
			if !contains(r, o.at) || !matches(&f, o.event) {
				continue
			}
			value := fieldOf(by, o.event)
			if entries[value] == nil {
				entries[value] = &store.EventTrendEntry{Value: value}
			}
			side := []*store.EventTrendCount{&entries[value].Now, &entries[value].Before}[i]
			side.Occurrences += o.n
			if id := fmt.Sprint(i, o.event.UID); !seen[id] {
				seen[id] = true
				side.Events++
			}
		}
	}
	want := &store.EventTrend{Entries: uint64(len(entries))}
	for _, e := range entries {
		want.List = append(want.List, *e)
		for _, side := range []struct{ sum, part *store.EventTrendCount }{{&want.Now, &e.Now}, {&want.Before, &e.Before}} {
			side.sum.Occurrences += side.part.Occurrences
			side.sum.Events += side.part.Events
		}
	}
	difference := func(e store.EventTrendEntry) int64 {
		d := int64(e.Now.Occurrences) - int64(e.Before.Occurrences)
		return max(d, -d)
	}
	slices.SortFunc(want.List, func(a, b store.EventTrendEntry) int {
		return cmp.Or(cmp.Compare(difference(b), difference(a)), cmp.Compare(b.Now.Occurrences, a.Now.Occurrences), cmp.Compare(a.Value, b.Value))
	})
	got, err := s.EventTrend(t.Context(), tenantA, store.EventTrendQuery{EventFilter: f, Before: before, By: by, Limit: 100})
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func compareSeries(t *testing.T, s *store.Store, all []occurrence, f store.EventFilter, step time.Duration) {
	t.Helper()
	counts := make([]uint64, (f.Range.Duration()+step-1)/step)
	total := uint64(0)
	for _, o := range all {
		if contains(f.Range, o.at) && matches(&f, o.event) {
			counts[o.at.Sub(f.Range.Start)/step] += o.n
			total += o.n
		}
	}
	got, err := s.EventSeries(t.Context(), tenantA, store.EventSeriesQuery{EventFilter: f, Whole: true, Step: step, Limit: 1})
	require.NoError(t, err)
	require.Equal(t, total, got.Total)
	if total > 0 {
		require.Equal(t, []store.EventSeries{{Total: total, Counts: counts}}, got.Series)
	}
	by, err := s.EventSeries(t.Context(), tenantA, store.EventSeriesQuery{EventFilter: f, By: store.EventReason, Step: step, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, total, by.Total)
	sum := uint64(0)
	for i, series := range by.Series {
		sum += series.Total
		require.True(t, i == 0 || series.Total <= by.Series[i-1].Total, "the largest first")
	}
	require.Equal(t, total, sum)
}
