package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	onSecond = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FB0")
	onFifth  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FB1")
)

// storeOf knows three tenants, of which one is on a shard of the store that no bus here was told of.
func storeOf(id seamark.TenantID) (seamark.StoreShard, error) {
	at, known := map[seamark.TenantID]seamark.StoreShard{tenant: 0, onSecond: 1, onFifth: 4}[id]
	if !known {
		return 0, errors.New("unknown")
	}
	return at, nil
}

// TestStreamsOfStores wants messages of the tenants of each shard of the store in streams of their own, which the writer and followers
// find, and those of the first where they always were.
func TestStreamsOfStores(t *testing.T) {
	b, js := open(t, func(o *bus.Options) { o.Shards, o.Stores, o.StoreOf = 2, 2, storeOf })
	require.Len(t, b.Shards(), 2*2*len(seamark.Signals()))
	follower := bus.NewFollower(js, seamark.Logs, 2, storeOf)
	names := map[string]bool{}
	for id, store := range map[seamark.TenantID]seamark.StoreShard{tenant: 0, onSecond: 1} {
		m := message("m", 10)
		m.Tenant = id
		require.NoError(t, b.Publish(t.Context(), m))
		shard, err := b.ShardOf(id, cluster, seamark.Logs)
		require.NoError(t, err)
		require.Equal(t, store, shard.Store)
		require.Contains(t, b.Shards(), shard)
		state, err := b.State(t.Context(), shard)
		require.NoError(t, err)
		require.Equal(t, uint64(1), state.Last, "%s", shard)
		followed, err := follower.Shards(id)
		require.NoError(t, err)
		require.Len(t, followed, 2)
		require.Contains(t, followed, shard)
		names[shard.String()] = true
	}
	require.True(t, names["logs.0"] || names["logs.1"], "%v", names)
	require.True(t, names["logs.2-0"] || names["logs.2-1"], "%v", names)
}

// TestTenantsOfOtherStores has tenants whose messages this process can only hand on: to streams that others have made, or to nobody.
func TestTenantsOfOtherStores(t *testing.T) {
	b, js := open(t, func(o *bus.Options) {
		o.StoreOf, o.AckTimeout = storeOf, time.Second
	})
	m := message("m", 10)
	m.Tenant = onSecond
	require.Equal(t, seamark.Unavailable, seamark.KindOf(b.Publish(t.Context(), m)), "nobody has made its streams")
	_, err := js.Stream(t.Context(), "SEAMARK_LOGS_0")
	require.NoError(t, err)
	m.Tenant = "01ARZ3NDEKTSV4RRFFQ69G5FB9"
	require.Equal(t, seamark.Unavailable, seamark.KindOf(b.Publish(t.Context(), m)), "a tenant that was not heard of")

	told, _ := openOn(t, js, func(o *bus.Options) { o.Stores, o.StoreOf = 2, storeOf })
	m.Tenant = onSecond
	require.NoError(t, b.Publish(t.Context(), m))
	shard, err := told.ShardOf(onSecond, cluster, seamark.Logs)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	require.ErrorIs(t, told.Read(ctx, shard, 1, func(bus.Received) error { return enough }), enough)
}

// TestDeadLettersOfStores wants a dead letter to know the shard that it came from.
func TestDeadLettersOfStores(t *testing.T) {
	b, js := open(t, func(o *bus.Options) { o.Stores, o.StoreOf = 2, storeOf })
	letters, err := bus.OpenDeadLetters(t.Context(), js)
	require.NoError(t, err)
	for i, shard := range []bus.Shard{{Signal: seamark.Logs}, {Signal: seamark.Metrics, Store: 1}} {
		require.NoError(t, b.Bury(t.Context(), shard, &bus.DeadLetter{Shard: shard, Sequence: 1, Tenant: tenant, Reason: "r", Data: []byte("d")}))
		l, err := letters.Find(t.Context(), uint64(i+1))
		require.NoError(t, err)
		require.Equal(t, shard, l.Shard)
	}
}
