package pushgateway_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestGroupsStayVisible lets an hour pass in which every sample older than five minutes goes out of sight.
func TestGroupsStayVisible(t *testing.T) {
	g := newGateway(t, nil)
	r := g.reemitter(t)
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j/instance/i", "a 1\nb{x=\"y\"} 2\n")))
	want := map[string]float64{`a{instance="i",job="j"}`: 1, `b{instance="i",job="j",x="y"}`: 2}
	for range 60 {
		require.NoError(t, r.Round(t.Context()))
		require.Equal(t, want, g.recorder.at(g.clock.Now()))
		g.clock.Advance(time.Minute)
	}
	require.Len(t, g.recorder.rows[`a{instance="i",job="j"}`], 60)
	g.clock.Advance(10 * time.Minute)
	require.Empty(t, g.recorder.at(g.clock.Now()), "the recorder forgets as PromQL does")
	require.NoError(t, r.Round(t.Context()))
	require.Equal(t, want, g.recorder.at(g.clock.Now()))
}

// TestDeletionSurvivesACrash deletes and replaces with a node whose samples never arrive: the reemitter ends the series.
func TestDeletionSurvivesACrash(t *testing.T) {
	g := newGateway(t, nil)
	r := g.reemitter(t)
	ctx := t.Context()
	require.NoError(t, g.service.Put(ctx, principal(), text(t, "/metrics/job/gone", "a 1\n")))
	require.NoError(t, g.service.Put(ctx, principal(), text(t, "/metrics/job/new", "a 1\nb 2\n")))
	require.NoError(t, r.Round(ctx))
	g.clock.Advance(time.Second)
	died := errors.New("the node died")
	g.recorder.fail = died
	require.ErrorIs(t, g.service.Delete(ctx, principal(), key(t, "/metrics/job/gone")), died)
	require.ErrorIs(t, g.service.Put(ctx, principal(), text(t, "/metrics/job/new", "b 3\n")), died)
	require.ErrorIs(t, r.Round(ctx), died)
	g.recorder.fail = nil
	g.clock.Advance(time.Second)
	require.NoError(t, r.Round(ctx))
	require.Equal(t, map[string]float64{`b{job="new"}`: 3}, g.recorder.at(g.clock.Now()))
	groups, err := g.groups.List(ctx, tenantA)
	require.NoError(t, err)
	require.Len(t, groups, 1, "the deleted group is gone from the store")
	require.Empty(t, groups[0].Ended)
	rows := len(g.recorder.rows[`a{job="gone"}`])
	g.clock.Advance(time.Minute)
	require.NoError(t, r.Round(ctx))
	require.Len(t, g.recorder.rows[`a{job="gone"}`], rows, "its markers are written once")
}

// racing is a store in which something happens between a round's reading and its writing.
type racing struct {
	pushgateway.Groups
	after func()
}

func (s *racing) List(ctx context.Context, tenant seamark.TenantID) ([]*pushgateway.Group, error) {
	list, err := s.Groups.List(ctx, tenant)
	if s.after != nil {
		s.after()
		s.after = nil
	}
	return list, err
}

// TestRoundRacesWithPushes changes groups while a round is under way that has read them as they were.
func TestRoundRacesWithPushes(t *testing.T) {
	g := newGateway(t, nil)
	ctx := t.Context()
	put := func(job, body string) {
		t.Helper()
		require.NoError(t, g.service.Put(ctx, principal(), text(t, "/metrics/job/"+job, body)))
	}
	put("deleted", "a 1\n")
	put("changed", "a 1\n")
	put("back", "a 1\n")
	g.clock.Advance(time.Second)
	require.NoError(t, g.service.Delete(ctx, principal(), key(t, "/metrics/job/back")))
	o := g.options()
	o.Groups = &racing{Groups: g.groups, after: func() {
		g.clock.Advance(time.Millisecond)
		require.NoError(t, g.service.Delete(ctx, principal(), key(t, "/metrics/job/deleted")))
		put("changed", "a 2\n")
		put("back", "a 3\n")
	}}
	r, err := pushgateway.NewReemitter(o)
	require.NoError(t, err)
	g.clock.Advance(time.Second)
	require.NoError(t, r.Round(ctx))
	want := map[string]float64{`a{job="changed"}`: 2, `a{job="back"}`: 3}
	require.Equal(t, want, g.recorder.at(g.clock.Now()))
	for range 3 {
		g.clock.Advance(time.Minute)
		require.NoError(t, r.Round(ctx))
		require.Equal(t, want, g.recorder.at(g.clock.Now()))
	}
}

// TestClocksApart deletes with a node whose clock is ahead of the reemitter's, and behind.
func TestClocksApart(t *testing.T) {
	for _, ahead := range []time.Duration{3 * time.Second, -3 * time.Second} {
		g := newGateway(t, nil)
		r := g.reemitter(t)
		g.clock.Advance(ahead)
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", "a 1\n")))
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", "b 1\n")))
		require.NoError(t, g.service.Delete(t.Context(), principal(), key(t, "/metrics/job/j")))
		g.clock.Advance(-ahead)
		require.NoError(t, r.Round(t.Context()))
		g.clock.Advance(5 * time.Second)
		require.Empty(t, g.recorder.at(g.clock.Now()))
	}
}

func TestTTL(t *testing.T) {
	g := newGateway(t, func(o *pushgateway.Options) {
		o.DefaultTTL = func(tenant seamark.TenantID) time.Duration {
			if tenant == tenantA {
				return 20 * time.Minute
			}
			return 0
		}
	})
	r := g.reemitter(t)
	put := func(p seamark.Principal, job string, ttl time.Duration) {
		t.Helper()
		push := text(t, "/metrics/job/"+job, "a 1\n")
		push.TTL = ttl
		require.NoError(t, g.service.Put(t.Context(), p, push))
	}
	other := principal()
	other.Tenant, other.ClusterName = tenantB, "b"
	put(principal(), "short", 10*time.Minute)
	put(principal(), "default", 0)
	put(principal(), "never", pushgateway.Never)
	put(other, "other", 0)
	visible := func(want ...string) {
		t.Helper()
		require.NoError(t, r.Round(t.Context()))
		var got []string
		for name := range g.recorder.at(g.clock.Now()) {
			got = append(got, name)
		}
		require.ElementsMatch(t, want, got)
	}
	g.clock.Advance(10*time.Minute - time.Millisecond)
	visible(`a{job="short"}`, `a{job="default"}`, `a{job="never"}`, `a{job="other"}`)
	g.clock.Advance(time.Millisecond)
	visible(`a{job="default"}`, `a{job="never"}`, `a{job="other"}`)
	g.clock.Advance(5 * time.Minute)
	put(principal(), "default", 0) // every push begins a new life
	put(principal(), "short", 10*time.Minute)
	g.clock.Advance(6 * time.Minute)
	visible(`a{job="short"}`, `a{job="default"}`, `a{job="never"}`, `a{job="other"}`)
	g.clock.Advance(24 * time.Hour)
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, groups, 1, "expired groups are not listed, even before the reemitter has ended them")
	visible(`a{job="never"}`, `a{job="other"}`)
	kept, err := g.groups.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, kept, 1)
}

// TestExpiredGroupIsNotMerged posts to a group that has expired and is still in the store.
func TestExpiredGroupIsNotMerged(t *testing.T) {
	g := newGateway(t, nil)
	first := text(t, "/metrics/job/j", "a 1\n")
	first.TTL = time.Minute
	require.NoError(t, g.service.Put(t.Context(), principal(), first))
	g.clock.Advance(2 * time.Minute)
	require.NoError(t, g.service.Post(t.Context(), principal(), text(t, "/metrics/job/j", "b 1\n")))
	require.Equal(t, map[string]float64{`b{job="j"}`: 1}, g.recorder.at(g.clock.Now()))
}

// TestOneTenantFails pushes to two tenants of whom one is over its quota.
func TestOneTenantFails(t *testing.T) {
	g := newGateway(t, nil)
	other := principal()
	other.Tenant = tenantB
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/a", "a 1\n")))
	require.NoError(t, g.service.Put(t.Context(), other, text(t, "/metrics/job/b", "a 1\n")))
	o := g.options()
	quota := seamark.Errorf(seamark.RateLimited, "seamark-quota-rows", "Too many rows.")
	o.Push = func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error {
		if p.Tenant == tenantA {
			return quota
		}
		return g.recorder.push(ctx, p, signal, id, b)
	}
	r, err := pushgateway.NewReemitter(o)
	require.NoError(t, err)
	g.clock.Advance(6 * time.Minute)
	require.ErrorIs(t, r.Round(t.Context()), quota)
	require.Equal(t, map[string]float64{`a{job="b"}`: 1}, g.recorder.at(g.clock.Now()))
}

// TestTheGoneAreForgotten takes a cluster away from under its groups.
func TestTheGoneAreForgotten(t *testing.T) {
	g := newGateway(t, nil)
	gone := principal()
	gone.Cluster, gone.ClusterName = "01ARZ3NDEKTSV4RRFFQ69G5FAZ", "test"
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/a", "a 1\n")))
	require.NoError(t, g.service.Put(t.Context(), gone, text(t, "/metrics/job/b", "a 1\n")))
	o := g.options()
	o.Exists = func(p seamark.Principal) bool { return p.Tenant == tenantA && p.Cluster != gone.Cluster }
	r, err := pushgateway.NewReemitter(o)
	require.NoError(t, err)
	g.clock.Advance(6 * time.Minute)
	require.NoError(t, r.Round(t.Context()))
	require.Equal(t, map[string]float64{`a{job="a"}`: 1}, g.recorder.at(g.clock.Now()))
	groups, err := g.groups.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, groups, 1)
}

// TestManyRows pushes more than one batch holds.
func TestManyRows(t *testing.T) {
	g := newGateway(t, func(o *pushgateway.Options) { o.Limits.MaxGroupBytes = 3 << 20 })
	const groups, rows = 3, 12_000
	for n := range groups {
		var body []byte
		for i := range rows {
			body = fmt.Appendf(body, "a{x=\"%d\"} %d\n", i, i)
		}
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, fmt.Sprint("/metrics/job/j", n), string(body))))
	}
	g.clock.Advance(10 * time.Minute)
	require.NoError(t, g.reemitter(t).Round(t.Context()))
	require.Len(t, g.recorder.at(g.clock.Now()), groups*rows)
}

// TestReemittersUnderALease runs two with a real lease and a clock that ticks by hand: one works, and when it ends the
// other goes on at once.
func TestReemittersUnderALease(t *testing.T) {
	g := newGateway(t, nil)
	js := testkit.JetStream(t)
	leases, err := bus.OpenLeases(t.Context(), js, "leases", 1)
	require.NoError(t, err)
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", "a 1\n")))
	start := func(name string) (ticks chan time.Time, stop func()) {
		ticks = make(chan time.Time)
		o := g.options()
		o.Hold = bus.NewLease(leases, "pushgateway", name, 2*time.Second, slog.New(slog.DiscardHandler)).Hold
		o.Ticks = func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }
		r, err := pushgateway.NewReemitter(o)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		return ticks, sync.OnceFunc(func() {
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	rounds := func(want int) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			g.recorder.mu.Lock()
			defer g.recorder.mu.Unlock()
			if n := len(g.recorder.rows[`a{job="j"}`]); n != want {
				return fmt.Errorf("%d samples, want %d", n, want)
			}
			return nil
		})
	}
	g.clock.Advance(time.Minute)
	ticks, stopFirst := start("first")
	t.Cleanup(stopFirst)
	rounds(2)
	g.clock.Advance(time.Minute)
	ticks <- g.clock.Now()
	rounds(3)
	_, stopSecond := start("second")
	t.Cleanup(stopSecond)
	g.clock.Advance(time.Minute)
	stopFirst()
	rounds(4)
}

// TestStoreAway makes every way in fail as retryable when the store does not answer.
func TestStoreAway(t *testing.T) {
	js := testkit.JetStream(t)
	docs, err := bus.OpenDocs[pushgateway.Doc](t.Context(), js, "pushgateway", 1)
	require.NoError(t, err)
	g := newGateway(t, nil)
	s := g.node(t, func(o *pushgateway.Options) { o.Groups = pushgateway.NewShelves(docs) })
	require.NoError(t, s.Ready(t.Context()))
	js.Conn().Close()
	_, err = s.List(t.Context(), tenantA)
	for _, err := range []error{
		err, s.Ready(t.Context()), s.Delete(t.Context(), principal(), key(t, "/metrics/job/j")), s.Wipe(t.Context(), principal()),
		s.Put(t.Context(), principal(), text(t, "/metrics/job/j", "a 1\n")),
	} {
		requireError(t, err, seamark.Unavailable, "seamark-pushgroup-store")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	g := newGateway(t, nil)
	_, err := pushgateway.New(pushgateway.Options{})
	require.ErrorContains(t, err, "required")
	full := pushgateway.Options{
		Groups: g.groups, Push: g.recorder.push, Now: g.clock.Now, Catalog: func(seamark.Principal) seamark.Catalog { return g.recorder.catalog },
	}
	_, err = pushgateway.New(full)
	require.ErrorContains(t, err, "limits must be positive")
	full.Limits = pushgateway.Limits{MaxGroupBytes: 4 << 20, MaxTenantBytes: 8 << 20, MaxGroups: 1}
	_, err = pushgateway.New(full)
	require.ErrorContains(t, err, "at most 3145728")
	_, err = pushgateway.NewReemitter(pushgateway.ReemitterOptions{})
	require.ErrorContains(t, err, "required")
	o := g.options()
	o.Interval = 3 * time.Minute
	_, err = pushgateway.NewReemitter(o)
	require.ErrorContains(t, err, "looks back 5 minutes")
}
