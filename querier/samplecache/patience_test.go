package samplecache_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/admit/admittest"
)

// TestCrowdingQueriesHaveOneWorker: the goroutine that asks goes behind others, and workers beside it would not. What one worker unpacks lies
// in memory as it comes.
func TestCrowdingQueriesHaveOneWorker(t *testing.T) {
	const series, samples = 4000, 8
	w := newTwin()
	var rows []row
	for fp := range uint64(series) {
		for i := range int64(samples) {
			rows = append(rows, row{fp + 1, start - hourMilli/2 + 1000*i, float64(i)})
		}
	}
	w.insert(tenantA, 1<<8, rows...)
	c, _ := openCache(t, w, 1<<30)
	requireTwin(t, w, c, lastHours(series, 1))
	list, _, err := c.ListMetricSamples(admittest.Crowding(t, tenantA, tenantB, nil), tenantA, lastHours(series, 1))
	require.NoError(t, err)
	require.Len(t, list, series)
	for i := 1; i < len(list); i++ {
		before, here := unsafe.SliceData(list[i-1].Times), unsafe.SliceData(list[i].Times)
		require.Equal(t, unsafe.Add(unsafe.Pointer(before), samples*8), unsafe.Pointer(here), "series %d lies elsewhere", i)
	}
}
