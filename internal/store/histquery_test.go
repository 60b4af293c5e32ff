package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestListMetricHistograms reads native histograms and exemplars back: nothing while there are no tables, then each once.
func TestListMetricHistograms(t *testing.T) {
	ctx, s := t.Context(), open(t, 9)
	_, err := s.EnsureTenant(ctx, tenantA)
	require.NoError(t, err)
	at := time.Now().UTC().Truncate(time.Minute).UnixMilli()
	q := store.MetricSamplesQuery{Metrics: []string{"h"}, StartMilli: at - 60_000, EndMilli: at + 60_000, Limit: 100}
	list, n, err := s.ListMetricHistograms(ctx, tenantA, q)
	require.NoError(t, err, "the table comes with the first histogram")
	require.Empty(t, list)
	require.Zero(t, n)
	exemplars, err := s.ListMetricExemplars(ctx, tenantA, q)
	require.NoError(t, err)
	require.Empty(t, exemplars)

	b := &seamark.Batch{}
	for fp := range uint64(2) {
		b.Samples.AddSeries(&seamark.Series{Kind: seamark.MetricSeries, FP: fp + 1, Name: "h", Labels: []seamark.Label{{Name: "__name__", Value: "h"}}})
	}
	for i, data := range []string{"first", "", "third", "a repeat, shorter", "a repeat, the longest"} {
		b.Histograms.Append(&seamark.HistogramRow{Series: 0, TimeMilli: at + int64(min(i, 3))*1000, Data: data})
	}
	b.Histograms.Append(&seamark.HistogramRow{Series: 1, TimeMilli: at, Data: "other"})
	b.Exemplars = []seamark.Exemplar{{Series: 0, TimeMilli: at, Value: 1.5, TraceID: [16]byte{7}, Labels: []seamark.Label{{Name: "span_id", Value: "x"}}}}
	encoded, err := store.NewEncoder().Encode(b, time.Now())
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, 91) {
		require.NoError(t, s.Insert(ctx, tenantA, block))
	}
	list, n, err = s.ListMetricHistograms(ctx, tenantA, q)
	require.NoError(t, err)
	require.Equal(t, 6, n)
	require.Len(t, list, 2)
	for _, one := range list {
		if one.FP == 1 {
			require.Equal(t, []int64{at, at + 1000, at + 2000, at + 3000}, one.Times)
			require.Equal(t, []string{"first", "", "third", "a repeat, the longest"}[:3], one.Data[:3])
			require.Equal(t, max("a repeat, shorter", "a repeat, the longest"), one.Data[3])
		} else {
			require.Equal(t, []string{"other"}, one.Data)
		}
	}
	q.FPs = []uint64{1}
	exemplars, err = s.ListMetricExemplars(ctx, tenantA, q)
	require.NoError(t, err)
	require.Equal(t, []store.MetricExemplar{{FP: 1, TimeMS: at, Value: 1.5, TraceID: [16]byte{7}, LabelSet: map[string]string{"span_id": "x"}}}, exemplars)
}
