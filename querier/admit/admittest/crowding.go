// Package admittest has queries in the states that tests of those who compute for them want.
package admittest

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// Crowding returns the context of a query of a tenant that crowds the node, beside one of another. Its work is run by patiently, or as any
// when that is nil.
func Crowding(t testing.TB, tenant, beside seamark.TenantID, patiently func(work func() error) error) context.Context {
	t.Helper()
	a, err := admit.New(admit.Options{
		MaxConcurrent: 10, ScanBytes: 1 << 40, MaxInflightBytes: 1 << 40, MaxQueued: 10, Patience: time.Minute, Patiently: patiently,
		Limits:     func(seamark.TenantID) (admit.Limits, func(string) string) { return admit.Limits{}, nil },
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	ctx, other := a.Begin(t.Context(), admit.Request{Tenant: beside})
	require.NoError(t, other.Enter(ctx, admit.Want{}))
	for range 5 {
		ctx, _ = a.Begin(t.Context(), admit.Request{Tenant: tenant})
	}
	require.True(t, admit.From(ctx).Crowds())
	return ctx
}
