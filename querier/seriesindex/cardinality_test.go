package seriesindex_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

func dayTime(day int64) time.Time { return time.UnixMilli(day*24*3600_000 + 7*3600_000) }

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

func TestCardinality(t *testing.T) {
	x, _ := newIndex(t, filledTwin())
	c, err := x.Cardinality(t.Context(), tenantA, seriesindex.CardinalityOptions{Day: dayTime(monday + 7), Limit: 10})
	require.NoError(t, err)
	up, down := seriesindex.Count{Series: 4, Earlier: 3, Appeared: 1}, seriesindex.Count{Series: 2, Earlier: 4, Vanished: 2}
	require.Equal(t, seriesindex.Count{Series: 6, Earlier: 7, Appeared: 1, Vanished: 2}, c.Total)
	require.Equal(t, []seriesindex.MetricCount{{"up", up}, {"down", down}}, c.Metrics)
	require.Equal(t, []seriesindex.LabelCount{
		{Name: "pod", Count: c.Total, Values: 4, EarlierValues: 3}, {Name: "zone", Count: up, Values: 2, EarlierValues: 1},
	}, c.Labels)
	one := seriesindex.Count{Series: 1, Earlier: 1}
	require.Equal(t, []seriesindex.PairCount{
		{"pod", "p0", seriesindex.Count{Series: 3, Earlier: 5, Vanished: 2}}, {"zone", "a", seriesindex.Count{Series: 3, Earlier: 3}},
		{"pod", "p1", one}, {"pod", "p2", one}, {"pod", "p3", seriesindex.Count{Series: 1, Appeared: 1}}, {"zone", "b", seriesindex.Count{Series: 1, Appeared: 1}},
	}, c.Pairs)
	require.Equal(t, 1, up.Growth())
	require.Equal(t, 2, down.Churn())
}

func TestCardinalityOrderAndLimit(t *testing.T) {
	x, _ := newIndex(t, filledTwin())
	for order, want := range map[seriesindex.Order]string{seriesindex.BySeries: "up", seriesindex.ByGrowth: "up", seriesindex.ByChurn: "down"} {
		c, err := x.Cardinality(t.Context(), tenantA, seriesindex.CardinalityOptions{Day: dayTime(monday + 7), Order: order, Limit: 1})
		require.NoError(t, err)
		require.Len(t, c.Metrics, 1)
		require.Equal(t, want, c.Metrics[0].Metric)
		require.Len(t, c.Pairs, 1)
	}
	c, err := x.Cardinality(t.Context(), tenantA, seriesindex.CardinalityOptions{
		Day: dayTime(monday + 6), Against: dayTime(monday + 7), Limit: 5, Match: []store.MetricMatcher{{Name: "zone", Op: store.MetricNotEquals}},
	})
	require.NoError(t, err)
	require.Equal(t, seriesindex.Count{Series: 3, Earlier: 4, Vanished: 1}, c.Total)
	require.Len(t, c.Metrics, 1)
}

func TestCardinalityFaults(t *testing.T) {
	w := newTwin()
	fill(w, tenantA, 3000, monday)
	x, _ := newIndex(t, w, func(o *seriesindex.Options) { o.MaxBytes = 4 * 500_000 })
	fps(t, x, tenantA, onDays(monday, monday))
	for id, o := range map[string]seriesindex.CardinalityOptions{
		"seamark-cardinality-limit": {Day: dayTime(monday), Limit: seriesindex.MaxCardinalityLimit + 1},
		"seamark-query-regexp":      {Day: dayTime(monday), Limit: 1, Match: []store.MetricMatcher{{Name: "a", Op: store.MetricMatches, Value: "("}}},
		"seamark-cardinality-size":  {Day: dayTime(monday), Limit: 1},
	} {
		_, err := x.Cardinality(t.Context(), tenantA, o)
		fault, ok := errors.AsType[*seamark.Error](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, id, fault.ID)
	}
}

func TestCardinalityCountsSamples(t *testing.T) {
	s := openStore(t, 66)
	x, _ := openIndex(t, s)
	b := &seamark.Batch{}
	for i, n := range []int{3, 9} {
		one := series(uint64(i), fmt.Sprint("m", i))
		ref := b.Samples.AddSeries(&seamark.Series{Kind: seamark.MetricSeries, FP: one.FP, Name: one.Metric, Labels: one.Labels})
		for k := range n {
			b.Samples.Append(ref, monday*24*3600_000+int64(k), 1)
		}
	}
	encoded, err := store.NewEncoder().Encode(b, dayTime(monday))
	require.NoError(t, err)
	for i, seg := range encoded.Segments {
		require.NoError(t, s.Insert(t.Context(), tenantA, &store.Block{Table: seg.Table, Day: seg.Day, BatchID: uint64(i) + 1, Segments: []store.Segment{seg}}))
	}
	c, err := x.Cardinality(t.Context(), tenantA, seriesindex.CardinalityOptions{Day: dayTime(monday), Limit: 5, Samples: true})
	require.NoError(t, err)
	require.Equal(t, []store.MetricSampleCount{{Metric: "m1", Samples: 9}, {Metric: "m0", Samples: 3}}, c.Samples)
	require.Equal(t, 2, c.Total.Series)
	require.Equal(t, 2, c.Total.Appeared)
}
