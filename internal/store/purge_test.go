package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestDropTenant removes a tenant whose data and connections are in use, and finds nothing left; the one beside it stays.
func TestDropTenant(t *testing.T) {
	const gone, stays = 95, 96
	s, other := open(t, gone), open(t, stays)
	ctx := t.Context()
	for _, x := range []*store.Store{s, other} {
		encoded, err := store.NewEncoder().Encode(randomBatch(rand.New(rand.NewPCG(1, 2)), 200), base)
		require.NoError(t, err)
		for _, b := range blocks(encoded.Segments, 1<<8) {
			require.NoError(t, x.Insert(ctx, tenantA, b))
		}
	}
	_, err := s.OldestRows(ctx, tenantA) // opens the tenant's own connection
	require.NoError(t, err)
	left, err := s.TenantRemains(ctx, gone)
	require.NoError(t, err)
	require.NotZero(t, left["clickhouse database"])
	require.NotZero(t, left["clickhouse parts"])

	purged, err := s.DropTenant(ctx, gone)
	require.NoError(t, err)
	rows := map[string]uint64{}
	for _, p := range purged {
		rows[p.Place] = p.Rows
	}
	require.NotZero(t, rows["clickhouse table t0095.logs"])
	left, err = s.TenantRemains(ctx, gone)
	require.NoError(t, err)
	require.Empty(t, left)
	purged, err = s.DropTenant(ctx, gone)
	require.NoError(t, err)
	require.Empty(t, purged, "there was nothing left to remove")

	kept, err := other.TenantRemains(ctx, stays)
	require.NoError(t, err)
	require.NotZero(t, kept["clickhouse parts"])
}

// TestDropPlatform must be impossible: the shared tables are no tenant's.
func TestDropPlatform(t *testing.T) {
	s := open(t, 97)
	for _, n := range []uint32{0, 1<<31 | 97} {
		_, err := s.DropTenant(t.Context(), tenantNumber(n))
		require.Error(t, err)
	}
}
