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
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/promql"
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

// brokenStore panics where samples are read.
type brokenStore struct{ *twin }

func (brokenStore) ListMetricSamples(context.Context, seamark.TenantID, store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	panic("the samples make no sense")
}

// TestPanicsWhileReadingAreAnError: a part is read on a goroutine of its own, patiently or not, where a panic would end the process of all
// tenants. The error tells where it was.
func TestPanicsWhileReadingAreAnError(t *testing.T) {
	patient := crowding(t, func(work func() error) error {
		done := make(chan error)
		go func() { done <- work() }()
		return <-done
	})
	for name, ctx := range map[string]context.Context{"patiently": patient, "at once": t.Context()} {
		engine := newEngine(t, brokenStore{filledTwin()})
		_, _, err := engine.Range(ctx, tenantA, "sum by (zone) (rate(up[2m]))", minute(10), minute(20), time.Minute, nil)
		require.ErrorIs(t, err, promql.ErrPanic, name)
		require.ErrorContains(t, err, "brokenStore", name)
		_, shown := errors.AsType[*seamark.Error](err)
		require.False(t, shown, "%s: a customer is told %v", name, err)
	}
}
