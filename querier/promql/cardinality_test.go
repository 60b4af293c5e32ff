package promql_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

func TestCountSeries(t *testing.T) {
	c, err := newEngine(t, filledTwin()).CountSeries(t.Context(), tenantA, 0, 1, 3)
	require.NoError(t, err)
	require.Equal(t, 11, c.Series)
	require.Equal(t, 2+10+2, c.LabelPairs)
	require.Equal(t, []index.Stat{{Name: "up", Count: 10}, {Name: "other", Count: 1}}, c.SeriesByMetric)
	require.Equal(t, []index.Stat{{Name: "pod", Count: 10}, {Name: "__name__", Count: 2}, {Name: "zone", Count: 2}}, c.ValuesByLabel)
	require.Equal(t, []index.Stat{{Name: "__name__", Count: 25}, {Name: "pod", Count: 22}, {Name: "zone", Count: 10}}, c.BytesByLabel)
	require.Equal(t, []index.Stat{{Name: "__name__=up", Count: 10}, {Name: "zone=a", Count: 5}, {Name: "zone=b", Count: 5}}, c.SeriesByPair)

	c, err = newEngine(t, newTwin()).CountSeries(t.Context(), tenantA, 0, 1, 3)
	require.NoError(t, err)
	require.Zero(t, c.Series)
}

// TestCountSeriesInParts has more series than may be read at once: they are read in parts, and counted once.
func TestCountSeriesInParts(t *testing.T) {
	const maxSeries = 20
	limited := func(o *promql.Options) { o.MaxSeries = maxSeries }
	w := newTwin()
	for i := range maxSeries {
		w.add(labels.FromStrings("__name__", fmt.Sprint("m", i%7), "i", fmt.Sprint(i)), 0, 1)
	}
	w.add(labels.FromStrings("__name__", "one_more"), 0, 1)
	c, err := newEngine(t, w, limited).CountSeries(t.Context(), tenantA, 0, 1, 1)
	require.NoError(t, err)
	require.Equal(t, maxSeries+1, c.Series)
	require.Equal(t, 8+maxSeries, c.LabelPairs)

	for i := range maxSeries + 1 {
		w.add(labels.FromStrings("__name__", "large", "i", fmt.Sprint(i)), 0, 1)
	}
	_, err = newEngine(t, w, limited).CountSeries(t.Context(), tenantA, 0, 1, 1)
	kind, id, message := kindOf(t, err)
	require.Equal(t, seamark.Unprocessable, kind)
	require.Equal(t, "seamark-query-series", id)
	require.Contains(t, message, "large")
}
