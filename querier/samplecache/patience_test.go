package samplecache_test

import (
	"context"
	"testing"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// crowding returns the context of a query whose tenant crowds the node.
func crowding(t *testing.T) context.Context {
	t.Helper()
	a, err := admit.New(admit.Options{
		MaxConcurrent: 10, ScanBytes: 1 << 40, MaxInflightBytes: 1 << 40, MaxQueued: 10, Patience: time.Minute,
		Limits:     func(seamark.TenantID) (admit.Limits, func(string) string) { return admit.Limits{}, nil },
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	ctx, other := a.Begin(t.Context(), admit.Request{Tenant: tenantB})
	require.NoError(t, other.Enter(ctx, admit.Want{}))
	for range 5 {
		ctx, _ = a.Begin(t.Context(), admit.Request{Tenant: tenantA})
	}
	require.True(t, admit.From(ctx).Crowds())
	return ctx
}

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
	list, _, err := c.ListMetricSamples(crowding(t), tenantA, lastHours(series, 1))
	require.NoError(t, err)
	require.Len(t, list, series)
	for i := 1; i < len(list); i++ {
		before, here := unsafe.SliceData(list[i-1].Times), unsafe.SliceData(list[i].Times)
		require.Equal(t, unsafe.Add(unsafe.Pointer(before), samples*8), unsafe.Pointer(here), "series %d lies elsewhere", i)
	}
}
