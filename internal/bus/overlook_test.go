package bus_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestOverlookTellsOfEachShard(t *testing.T) {
	b, js := open(t, func(o *bus.Options) { o.Shards = 2 })
	require.NoError(t, b.Publish(t.Context(), message("overlooked", 1000)))
	all, err := bus.Overlook(t.Context(), js)
	require.NoError(t, err)
	require.Zero(t, all.DeadLetters)
	found := map[bus.Shard]bus.ShardState{}
	for _, s := range all.Shards {
		found[s.Shard] = s
	}
	require.Len(t, found, len(b.Shards()))
	full := 0
	for _, shard := range b.Shards() {
		s, ok := found[shard]
		require.True(t, ok, "%s", shard)
		require.Equal(t, int64(32<<20), s.MaxBytes)
		state, err := b.State(t.Context(), shard)
		require.NoError(t, err)
		require.Equal(t, state, s.State)
		if s.Last > 0 {
			full++
			require.Equal(t, seamark.Logs, shard.Signal)
			require.Greater(t, s.Bytes, uint64(1000))
		}
	}
	require.Equal(t, 1, full)
}

func TestHolderOfALease(t *testing.T) {
	_, js := open(t, nil)
	leases, err := bus.OpenLeases(t.Context(), js, "holders", 1)
	require.NoError(t, err)
	holder, err := bus.HolderOf(t.Context(), leases, "writer.x")
	require.NoError(t, err)
	require.Empty(t, holder)
	lease := bus.NewLease(leases, "writer.x", "one", time.Second, slog.New(slog.DiscardHandler))
	require.NoError(t, lease.Hold(t.Context(), func(ctx context.Context) error {
		holder, err := bus.HolderOf(ctx, leases, "writer.x")
		require.NoError(t, err)
		require.Equal(t, "one", holder)
		return nil
	}))
	holder, err = bus.HolderOf(t.Context(), leases, "writer.x")
	require.NoError(t, err)
	require.Empty(t, holder, "it was handed over")
}
