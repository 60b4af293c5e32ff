package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenant  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	cluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

func open(t *testing.T, change func(*bus.Options)) (*bus.Bus, jetstream.JetStream) {
	t.Helper()
	nc, err := testkit.NATS(t).Connect()
	require.NoError(t, err)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return openOn(t, js, change)
}

// openOn opens another bus on the same server.
func openOn(t *testing.T, js jetstream.JetStream, change func(*bus.Options)) (*bus.Bus, jetstream.JetStream) {
	t.Helper()
	o := bus.DefaultOptions()
	o.Conn, o.JS, o.Logger, o.Registerer, o.Shards, o.MaxStreamBytes = js.Conn(), js, slog.New(slog.DiscardHandler), prometheus.NewRegistry(), 1, 32<<20
	if change != nil {
		change(&o)
	}
	b, err := bus.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b, js
}

func message(id string, size int) *bus.Message {
	return &bus.Message{Tenant: tenant, Cluster: cluster, Signal: seamark.Logs, ID: id, Data: append(make([]byte, size), id...)}
}

// TestPublishOnce publishes small and large messages side by side, each from three senders at once as a retry would, and
// reads every one back once.
func TestPublishOnce(t *testing.T) {
	b, _ := open(t, nil)
	const n = 300
	var wait sync.WaitGroup
	for i := range n {
		for range 3 {
			wait.Go(func() {
				if err := b.Publish(t.Context(), message(fmt.Sprint("m", i), (i%10)*5000)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wait.Wait()
	shard, err := b.ShardOf(tenant, cluster, seamark.Logs)
	require.NoError(t, err)
	got, last := map[string]int{}, uint64(0)
	done := errors.New("read enough")
	err = b.Read(t.Context(), shard, 1, func(m bus.Received) error {
		if m.Sequence != last+1 {
			t.Errorf("sequence %d follows %d", m.Sequence, last)
		}
		last = m.Sequence
		start := 0
		for start < len(m.Data) && m.Data[start] == 0 {
			start++
		}
		if got[string(m.Data[start:])]++; last == n {
			return done
		}
		return nil
	})
	require.ErrorIs(t, err, done)
	require.Len(t, got, n)
	state, err := b.State(t.Context(), shard)
	require.NoError(t, err)
	require.Equal(t, uint64(n), state.Last, "no message was stored twice")
}

// TestPublishRefusesWhenFull fills a stream; further messages are refused as retryable, and room makes it take them again.
func TestPublishRefusesWhenFull(t *testing.T) {
	b, _ := open(t, func(o *bus.Options) { o.MaxStreamBytes = 16 << 20 })
	var refused error
	stored := 0
	for ; refused == nil; stored++ {
		refused = b.Publish(t.Context(), message(fmt.Sprint("m", stored), 1<<20))
	}
	require.Equal(t, seamark.Unavailable, seamark.KindOf(refused))
	require.Greater(t, stored, 10)
	shard, err := b.ShardOf(tenant, cluster, seamark.Logs)
	require.NoError(t, err)
	require.NoError(t, b.Purge(t.Context(), shard, uint64(stored-2)))
	require.NoError(t, b.Publish(t.Context(), message("after", 1<<20)))
	state, err := b.State(t.Context(), shard)
	require.NoError(t, err)
	require.Equal(t, uint64(stored-2), state.First)
}

// TestReadGoesOn starts reading before there is anything and sees messages as they come.
func TestReadGoesOn(t *testing.T) {
	b, _ := open(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan uint64, 16)
	ended := make(chan error, 1)
	go func() {
		shard, _ := b.ShardOf(tenant, cluster, seamark.Logs)
		ended <- b.Read(ctx, shard, 1, func(m bus.Received) error { seen <- m.Sequence; return nil })
	}()
	for i := range uint64(5) {
		require.NoError(t, b.Publish(t.Context(), message(fmt.Sprint(i), 10)))
		require.Equal(t, i+1, <-seen)
	}
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestDocsCompareAndSet(t *testing.T) {
	_, js := open(t, nil)
	docs, err := bus.OpenDocs[map[string]int](t.Context(), js, "docs", 1)
	require.NoError(t, err)
	_, rev, err := docs.Find(t.Context(), "a")
	require.NoError(t, err)
	require.Zero(t, rev)
	first, err := docs.Save(t.Context(), "a", map[string]int{"n": 1}, 0)
	require.NoError(t, err)
	_, err = docs.Save(t.Context(), "a", map[string]int{"n": 2}, 0)
	require.ErrorIs(t, err, bus.ErrConflict)
	second, err := docs.Save(t.Context(), "a", map[string]int{"n": 3}, first)
	require.NoError(t, err)
	_, err = docs.Save(t.Context(), "a", map[string]int{"n": 4}, first)
	require.ErrorIs(t, err, bus.ErrConflict)
	doc, rev, err := docs.Find(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, second, rev)
	require.Equal(t, map[string]int{"n": 3}, doc)
}

// TestLeaseHasOneHolder lets candidates fight for a lease; a holder that ends hands over at once, and a holder that dies
// without a word is followed after the TTL.
func TestLeaseHasOneHolder(t *testing.T) {
	_, js := open(t, nil)
	docs, err := bus.OpenLeases(t.Context(), js, "leases", 1)
	require.NoError(t, err)
	var mu sync.Mutex
	holders, turns := 0, 0
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			lease := bus.NewLease(docs, "one", fmt.Sprint("node-", i), 2*time.Second, slog.New(slog.DiscardHandler))
			err := lease.Hold(t.Context(), func(context.Context) error {
				mu.Lock()
				holders++
				turns++
				if holders != 1 {
					t.Errorf("%d holders at once", holders)
				}
				mu.Unlock()
				mu.Lock()
				holders--
				mu.Unlock()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 4, turns)
}

// TestLeaseFollowsTheDead takes a lease whose holder was last seen alive and never comes back.
func TestLeaseFollowsTheDead(t *testing.T) {
	_, js := open(t, nil)
	docs, err := bus.OpenLeases(t.Context(), js, "leases", 1)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "$KV.leases.one", []byte(`{"owner":"dead","beat":7}`))
	require.NoError(t, err)
	const ttl = 400 * time.Millisecond
	begin := time.Now()
	lease := bus.NewLease(docs, "one", "heir", ttl, slog.New(slog.DiscardHandler))
	require.NoError(t, lease.Hold(t.Context(), func(context.Context) error { return nil }))
	require.GreaterOrEqual(t, time.Since(begin), ttl)
}

// TestLeaseLossEndsTheWork takes the document away from a holder, whose work must end.
func TestLeaseLossEndsTheWork(t *testing.T) {
	_, js := open(t, nil)
	docs, err := bus.OpenLeases(t.Context(), js, "leases", 1)
	require.NoError(t, err)
	lease := bus.NewLease(docs, "one", "first", 400*time.Millisecond, slog.New(slog.DiscardHandler))
	err = lease.Hold(t.Context(), func(ctx context.Context) error {
		if _, err := js.Publish(ctx, "$KV.leases.one", []byte(`{"owner":"thief","beat":1}`)); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.ErrorContains(t, err, "lease was lost")
}
