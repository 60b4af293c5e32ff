package seriesindex_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// filledTwin has on the second Monday 4 series of up, one of them new, and 2 of down; the Sunday before had 3 and 4.
func filledTwin() *twin {
	w := newTwin()
	for i := range uint64(3) {
		s := series(i, "up", "pod", fmt.Sprint("p", i), "zone", "a")
		w.insert(tenantA, s, monday+6)
		w.insert(tenantA, s, monday+7)
	}
	w.insert(tenantA, series(3, "up", "pod", "p3", "zone", "b"), monday+7)
	for i := range uint64(4) {
		s := series(10+i, "down", "pod", "p0")
		w.insert(tenantA, s, monday+6)
		if i < 2 {
			w.insert(tenantA, s, monday+7)
		}
	}
	return w
}

func TestCountCardinality(t *testing.T) {
	x, _ := newIndex(t, filledTwin())
	count := func(change func(*store.CardinalityQuery)) *store.Cardinality {
		t.Helper()
		q := store.CardinalityQuery{FirstDay: monday + 7, LastDay: monday + 7, Limit: 10, Samples: true}
		change(&q)
		c, err := x.CountCardinality(t.Context(), tenantA, q)
		require.NoError(t, err)
		return c
	}
	// The twin says that each series has a sample more than its fingerprint's number.
	total := store.CardinalityCount{Series: 6, Before: 7, Appeared: 1, Vanished: 2, Samples: 1 + 2 + 3 + 4 + 11 + 12}
	up, down := store.CardinalityCount{Series: 4, Before: 3, Appeared: 1, Samples: 10}, store.CardinalityCount{Series: 2, Before: 4, Vanished: 2, Samples: 23}
	require.Equal(t, &store.Cardinality{Total: total, Entries: 2, List: []store.CardinalityEntry{
		{Name: "up", CardinalityCount: up}, {Name: "down", CardinalityCount: down},
	}}, count(func(*store.CardinalityQuery) {}))
	require.Equal(t, &store.Cardinality{Total: total, Entries: 3, Values: 8, List: []store.CardinalityEntry{
		{Name: "__name__", CardinalityCount: total, Values: 2, ValueBytes: 16}, {Name: "pod", CardinalityCount: total, Values: 4, ValueBytes: 12},
		{Name: "zone", CardinalityCount: up, Values: 2, ValueBytes: 4},
	}}, count(func(q *store.CardinalityQuery) { q.By = store.ByLabel }))
	c := count(func(q *store.CardinalityQuery) {
		q.By, q.Label, q.Order, q.Limit = store.ByLabelValue, "pod", store.OrderChurn, 1
	})
	require.Equal(t, &store.Cardinality{Total: total, Entries: 4, List: []store.CardinalityEntry{
		{Name: "pod", Value: "p0", CardinalityCount: store.CardinalityCount{Series: 3, Before: 5, Vanished: 2, Samples: 1 + 11 + 12}},
	}}, c)
	c = count(func(q *store.CardinalityQuery) {
		q.Samples, q.FirstDay, q.LastDay = false, monday+6, monday+7
		q.Sets = [][]store.MetricMatcher{{{Name: "zone", Value: "b"}}, {{Name: "zone", Op: store.MetricNotEquals}, {Name: "pod", Value: "p3"}}, {{Name: "pod", Value: "p1"}}}
	})
	require.Equal(t, store.CardinalityCount{Series: 2, Appeared: 2}, c.Total)
}

// TestCountCardinalityAsksTheStore for what the index cannot answer, and refuses what nobody can.
func TestCountCardinalityAsksTheStore(t *testing.T) {
	w := newTwin()
	fill(w, tenantA, 3000, monday)
	x, _ := newIndex(t, w, func(o *seriesindex.Options) { o.MaxBytes = 4 * 500_000 })
	fps(t, x, tenantA, onDays(monday, monday))
	q := store.CardinalityQuery{FirstDay: monday, LastDay: monday, Limit: 1}
	for reason, sets := range map[string][][]store.MetricMatcher{"size": nil, "query": {{{Name: "a", Op: store.MetricMatches, Value: "("}}}} {
		q.Sets = sets
		before := seriesindex.Fallthroughs(x, reason)
		c, err := x.CountCardinality(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Same(t, ofStore, c)
		require.Equal(t, before+1, seriesindex.Fallthroughs(x, reason))
	}
	q.Limit = 0
	_, err := x.CountCardinality(t.Context(), tenantA, q)
	require.Equal(t, seamark.Invalid, seamark.KindOf(err))

	w, cause := filledTwin(), errors.New("no samples today")
	x, _ = newIndex(t, w)
	w.samplesErr = cause
	_, err = x.CountCardinality(t.Context(), tenantA, store.CardinalityQuery{FirstDay: monday + 7, LastDay: monday + 7, Limit: 1, Samples: true})
	require.ErrorIs(t, err, cause)
}

func randomCardinality(r *rand.Rand) store.CardinalityQuery {
	q := store.CardinalityQuery{FirstDay: storeMonday - 12 + r.Int32N(29), By: store.CardinalityBy(r.IntN(4)), Limit: 1 + r.IntN(30), Order: store.CardinalityOrder(r.IntN(6))}
	q.LastDay = q.FirstDay + r.Int32N(9)
	if q.Order >= store.OrderValues {
		q.By = store.ByLabel
	}
	q.Samples = r.IntN(2) == 0 || q.Order == store.OrderSamples
	if q.By == store.ByLabelValue {
		q.Label = pick(r, append(randomNames, "__name__", "absent"))
	}
	for range r.IntN(3) {
		var set []store.MetricMatcher
		for range r.IntN(3) {
			set = append(set, randomMatcher(r))
		}
		q.Sets = append(q.Sets, set)
	}
	return q
}
