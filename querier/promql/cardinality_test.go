package promql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func TestCountCardinality(t *testing.T) {
	w := newTwin()
	e := newEngine(t, w)
	sets, err := e.Parser().ParseMetricSelectors([]string{`up{zone!="a"}`, `{pod=~"p1|p2"}`})
	require.NoError(t, err)
	q := store.CardinalityQuery{FirstDay: 1, LastDay: 2, Limit: 3, By: store.ByLabel, Order: store.OrderChurn}
	c, err := e.CountCardinality(t.Context(), tenantA, sets, q)
	require.NoError(t, err)
	require.Equal(t, uint64(1), c.Total.Series)
	q.Sets = [][]store.MetricMatcher{
		{{Name: "zone", Op: store.MetricNotEquals, Value: "a"}, {Name: seamark.MetricNameLabel, Op: store.MetricEquals, Value: "up"}},
		{{Name: "pod", Op: store.MetricIn, Values: []string{"p1", "p2"}}},
	}
	require.Equal(t, []store.CardinalityQuery{q}, w.counted)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.CountCardinality(gone, tenantA, nil, q)
	require.Equal(t, seamark.Canceled, seamark.KindOf(err))
	require.Nil(t, w.counted[1].Sets)
	w.err = seamark.Errorf(seamark.Unavailable, "seamark-store-away", "The store does not answer.")
	_, err = e.CountCardinality(t.Context(), tenantA, nil, q)
	require.Equal(t, w.err, err)
}
