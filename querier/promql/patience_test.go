package promql_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// crowding returns the context of a query whose tenant crowds the node, on which such work runs by patiently.
func crowding(t *testing.T, patiently func(func() error) error) context.Context {
	t.Helper()
	a, err := admit.New(admit.Options{
		MaxConcurrent: 10, ScanBytes: 1 << 40, MaxInflightBytes: 1 << 40, MaxQueued: 10, Patience: time.Minute, Patiently: patiently,
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

// TestCrowdingQueriesAreComputedPatiently: an execution has a goroutine of its own, which goes behind others all the same, and so does what
// reads ahead for it.
func TestCrowdingQueriesAreComputedPatiently(t *testing.T) {
	var runs atomic.Int64
	ctx := crowding(t, func(work func() error) error {
		runs.Add(1)
		return work()
	})
	engine := newEngine(t, filledTwin())
	for query, want := range map[string]int64{"vector(1)": 1, "sum by (zone) (rate(up[2m]))": 2} {
		runs.Store(0)
		q, _, err := engine.Range(ctx, tenantA, query, minute(10), minute(20), time.Minute, nil)
		require.NoError(t, err)
		q.Close()
		require.GreaterOrEqual(t, runs.Load(), want, query)
	}

	fault := errors.New("no patience")
	ctx = crowding(t, func(func() error) error { return fault })
	_, _, err := engine.Range(ctx, tenantA, "vector(2)", minute(10), minute(20), time.Minute, nil)
	require.ErrorIs(t, err, fault)
}
