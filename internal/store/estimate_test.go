package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestEstimates looks at what a tenant has without reading it: of logs in the groups that are asked for, and of the days.
func TestEstimates(t *testing.T) {
	s := open(t, 108)
	const lines = 30_000
	b := manyStreams(t, lines)
	insertLogs(t, s, b)
	sizes, err := s.ListDaySizes(t.Context(), tenantA)
	require.NoError(t, err)
	var rows, bytes uint64
	for _, d := range sizes {
		if d.Signal == seamark.Logs {
			rows, bytes = rows+d.Rows, bytes+d.Bytes
			require.Equal(t, 24*time.Hour, d.End.Sub(d.Start))
			require.Zero(t, d.Start.Unix()%86400)
		}
	}
	require.EqualValues(t, lines, rows)
	require.Greater(t, bytes, uint64(lines*8))

	all := store.LogScope{Start: base.Add(-3 * time.Hour).UnixNano(), End: base.Add(time.Hour).UnixNano()}
	for _, one := range b.Logs.Streams {
		all.Streams = append(all.Streams, store.LogStream{FP: one.FP, Group: one.Name})
	}
	n, err := s.EstimateLogRows(t.Context(), tenantA, &all)
	require.NoError(t, err)
	require.EqualValues(t, lines, n)
	one := all
	one.Streams = one.Streams[:1]
	n, err = s.EstimateLogRows(t.Context(), tenantA, &one)
	require.NoError(t, err)
	require.Less(t, n, uint64(lines), "one group of four")
	require.GreaterOrEqual(t, n, uint64(lines/5))
	n, err = s.EstimateLogRows(t.Context(), tenantA, &store.LogScope{})
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = s.EstimateSampleRows(t.Context(), tenantA, []string{"up"}, 0, base.UnixMilli())
	require.NoError(t, err)
	require.Zero(t, n)
}
