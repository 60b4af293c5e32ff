package store_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func TestConditionsOfAServer(t *testing.T) {
	s := open(t, 781)
	list := s.Conditions(t.Context())
	require.Len(t, list, 1)
	c := list[0]
	require.NoError(t, c.Err)
	require.Equal(t, 1, c.Shard)
	require.NotEmpty(t, c.Version)
	require.Positive(t, c.Memory)
	require.NotEmpty(t, c.Disks)
	require.Positive(t, c.Disks[0].Total)
}

// TestConditionsOfServersThatAreAway has no shard answer: each says so under its own number.
func TestConditionsOfServersThatAreAway(t *testing.T) {
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := closed.Addr().String()
	require.NoError(t, closed.Close())
	away := store.Shard{NativeAddrs: []string{addr}, HTTPAddrs: []string{addr}, User: "x", TenantPassword: func(string) string { return "" }}
	s, err := store.Open(store.Options{
		Shards: []store.Shard{away, away}, Number: func(seamark.TenantID) (seamark.TenantNumber, error) { return 1, nil },
		MaxTenantConns: 1, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	list := s.Conditions(ctx)
	require.Len(t, list, 2)
	for i, c := range list {
		require.Error(t, c.Err)
		require.Equal(t, i+1, c.Shard)
	}
}
