package promql_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit/admittest"
	"github.com/seamarkhq/seamark/querier/promql"
)

// TestCrowdingQueriesAreComputedPatiently: an execution has a goroutine of its own, which goes behind others all the same, and so does what
// reads ahead for it.
func TestCrowdingQueriesAreComputedPatiently(t *testing.T) {
	var runs atomic.Int64
	ctx := admittest.Crowding(t, tenantA, tenantB, func(work func() error) error {
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
	ctx = admittest.Crowding(t, tenantA, tenantB, func(func() error) error { return fault })
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
	patient := admittest.Crowding(t, tenantA, tenantB, func(work func() error) error {
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
