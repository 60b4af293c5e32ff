package promql_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql"
)

// TestTopLetsSamplesGo chooses from more samples than a query may hold, in chunks.
func TestTopLetsSamplesGo(t *testing.T) {
	few := func(o *promql.Options) { o.ChunkSamples, o.MaxSamples = 100, 400 }
	for _, query := range []string{"topk(1, up)", "bottomk by (zone) (2, up)", "topk without (zone, pod) (2, rate(up[5m]))"} {
		want, pushed, err := rangeOf(t.Context(), newEngine(t, filledTwin(), func(o *promql.Options) { o.NoPushdown = true }), query)
		require.NoError(t, err, query)
		require.False(t, pushed, query)
		got, pushed, err := rangeOf(t.Context(), newEngine(t, filledTwin(), few), query)
		require.NoError(t, err, query)
		require.True(t, pushed, query)
		require.Equal(t, want, got, query)
	}
}

// TestManyChosenAreLeftToTheEngine has another largest series at every step, so that the result is larger than what is chosen.
func TestManyChosenAreLeftToTheEngine(t *testing.T) {
	w := newTwin()
	for i := range 10 {
		for m := range 60 {
			w.add(labels.FromStrings("__name__", "wave", "pod", fmt.Sprint("p", i)), int64(m)*60_000, float64((m+i)%10))
		}
	}
	_, pushed, err := rangeOf(t.Context(), newEngine(t, w), "topk(1, wave)")
	require.NoError(t, err)
	require.True(t, pushed)
	_, _, err = rangeOf(t.Context(), newEngine(t, w, func(o *promql.Options) { o.ChunkSamples, o.MaxSamples = 50, 400 }), "topk(1, wave)")
	_, id, _ := kindOf(t, err)
	require.Equal(t, "seamark-query-samples", id)
}
