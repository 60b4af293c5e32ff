package hadedup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/hadedup"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBV")
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func openDocs(t testing.TB) hadedup.Docs {
	t.Helper()
	docs, err := bus.OpenDocs[hadedup.Election](t.Context(), testkit.JetStream(t), "seamark_ha", 1)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func newTracker(t testing.TB, docs hadedup.Docs, clock *testkit.Clock, change ...func(*hadedup.Options)) *hadedup.Tracker {
	t.Helper()
	o := hadedup.Options{
		Docs: docs, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: clock.Now,
	}
	for _, c := range change {
		c(&o)
	}
	tracker, err := hadedup.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

// want checks what is decided about one request.
func want(t testing.TB, tracker *hadedup.Tracker, cluster, replica string, accept bool) {
	t.Helper()
	got, err := tracker.Admit(t.Context(), tenantA, cluster, replica)
	if err != nil || got != accept {
		t.Fatalf("cluster %s, replica %s: got %v, %v, want %v", cluster, replica, got, err, accept)
	}
}

func syncAll(t testing.TB, trackers ...*hadedup.Tracker) {
	t.Helper()
	for _, tracker := range trackers {
		if err := tracker.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFirstReplicaIsElected(t *testing.T) {
	clock := testkit.NewClock(noon)
	tracker := newTracker(t, openDocs(t), clock)
	want(t, tracker, "prod", "a", true)
	want(t, tracker, "prod", "b", false)
	want(t, tracker, "prod", "a", true)
	want(t, tracker, "dev", "b", true)
	if got, err := tracker.Admit(t.Context(), tenantB, "prod", "b"); !got || err != nil {
		t.Errorf("another tenant's replica: got %v, %v, want it taken", got, err)
	}
}

// TestSilentReplicaIsReplaced lets the elected one fall silent: the other takes over after 30 s, once, and for good.
func TestSilentReplicaIsReplaced(t *testing.T) {
	clock := testkit.NewClock(noon)
	tracker := newTracker(t, openDocs(t), clock)
	want(t, tracker, "prod", "a", true)
	clock.Advance(29 * time.Second)
	want(t, tracker, "prod", "b", false)
	want(t, tracker, "prod", "a", true)
	clock.Advance(29 * time.Second)
	want(t, tracker, "prod", "b", false)
	clock.Advance(time.Second)
	want(t, tracker, "prod", "b", true)
	want(t, tracker, "prod", "a", false)
	clock.Advance(29 * time.Second)
	want(t, tracker, "prod", "b", true)
	want(t, tracker, "prod", "a", false)
}

// TestReplicasAtDifferentNodes sends the elected replica to one node and the other to a second: it must hear that the first
// one lives, and that it does not.
func TestReplicasAtDifferentNodes(t *testing.T) {
	docs, clock := openDocs(t), testkit.NewClock(noon)
	one, two := newTracker(t, docs, clock), newTracker(t, docs, clock)
	want(t, one, "prod", "a", true)
	want(t, two, "prod", "b", false)
	for range 24 { // two minutes
		clock.Advance(5 * time.Second)
		want(t, one, "prod", "a", true)
		want(t, two, "prod", "b", false)
		syncAll(t, one, two)
	}
	taken := 0
	for range 8 { // a is gone
		clock.Advance(5 * time.Second)
		if got, err := two.Admit(t.Context(), tenantA, "prod", "b"); err != nil {
			t.Fatal(err)
		} else if got {
			taken++
		}
		syncAll(t, one, two)
	}
	if taken != 3 { // after 30, 35 and 40 s
		t.Errorf("got %d of 8 requests taken after the elected replica was gone, want 3", taken)
	}
	want(t, one, "prod", "a", false)
}

// TestRace elects at many nodes at once, over one real bucket: one replica wins everywhere.
func TestRace(t *testing.T) {
	docs, clock := openDocs(t), testkit.NewClock(noon)
	const nodes = 6
	trackers := make([]*hadedup.Tracker, nodes)
	for i := range trackers {
		trackers[i] = newTracker(t, docs, clock)
	}
	for round := range 20 {
		winners := make([]bool, nodes)
		var all sync.WaitGroup
		for i, tracker := range trackers {
			all.Go(func() {
				var err error
				if winners[i], err = tracker.Admit(t.Context(), tenantA, "prod", fmt.Sprint("replica-", i)); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			})
		}
		all.Wait()
		won := 0
		for _, w := range winners {
			if w {
				won++
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d replicas were taken at once, want 1", round, won)
		}
		clock.Advance(31 * time.Second) // all fall silent
	}
}

// slowDocs stands for a store that hangs, or fails.
type slowDocs struct {
	hadedup.Docs
	err error // nil hangs until the caller gives up
}

func (s slowDocs) Find(ctx context.Context, _ string) (hadedup.Election, uint64, error) {
	if s.err == nil {
		<-ctx.Done()
		return hadedup.Election{}, 0, ctx.Err()
	}
	return hadedup.Election{}, 0, s.err
}

// TestStoreAwayTakesEverything asks while the store hangs or fails: nothing is lost.
func TestStoreAwayTakesEverything(t *testing.T) {
	for name, docs := range map[string]hadedup.Docs{"hangs": slowDocs{}, "fails": slowDocs{err: errors.New("no answer")}} {
		t.Run(name, func(t *testing.T) {
			tracker := newTracker(t, docs, testkit.NewClock(noon), func(o *hadedup.Options) { o.Timeout = time.Millisecond })
			for range 3 {
				want(t, tracker, "prod", "a", true)
				want(t, tracker, "prod", "b", true)
			}
		})
	}
}

// TestElectedStaysWhileTheStoreIsAway decides from memory as long as the elected replica sends.
func TestElectedStaysWhileTheStoreIsAway(t *testing.T) {
	docs, clock := &switchedDocs{Docs: openDocs(t)}, testkit.NewClock(noon)
	tracker := newTracker(t, docs, clock)
	want(t, tracker, "prod", "a", true)
	docs.away = true
	for range 10 {
		clock.Advance(20 * time.Second)
		want(t, tracker, "prod", "a", true)
		want(t, tracker, "prod", "b", false)
		if err := tracker.Sync(t.Context()); err == nil {
			t.Fatal("a round without a store did not tell that it failed")
		}
	}
	clock.Advance(31 * time.Second)
	want(t, tracker, "prod", "b", true) // nobody knows better
	docs.away = false
	want(t, tracker, "prod", "b", true)
	want(t, tracker, "prod", "a", false)
}

// switchedDocs is a store that can be taken away.
type switchedDocs struct {
	hadedup.Docs
	away bool
}

func (s *switchedDocs) Find(ctx context.Context, key string) (hadedup.Election, uint64, error) {
	if s.away {
		return hadedup.Election{}, 0, errors.New("no answer")
	}
	return s.Docs.Find(ctx, key)
}

// TestClustersAreBounded sends from more pairs than a tenant may have; one that has been silent for an hour makes room.
func TestClustersAreBounded(t *testing.T) {
	clock := testkit.NewClock(noon)
	tracker := newTracker(t, openDocs(t), clock)
	for i := range 100 {
		want(t, tracker, fmt.Sprint("c", i), "a", true)
	}
	clock.Advance(59 * time.Minute)
	for i := 1; i < 100; i++ {
		want(t, tracker, fmt.Sprint("c", i), "a", true)
	}
	_, err := tracker.Admit(t.Context(), tenantA, "one-more", "a")
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.RateLimited || e.ID != "seamark-ha-clusters" || !strings.Contains(e.Message, "--quota.ha-clusters") {
		t.Fatalf("got %v, want a refusal that names the limit", err)
	}
	clock.Advance(time.Minute)
	want(t, tracker, "one-more", "a", true)
	want(t, tracker, "c99", "a", true)
	_, err = tracker.Admit(t.Context(), tenantA, "c0", "a")
	if seamark.KindOf(err) != seamark.RateLimited {
		t.Errorf("the cluster that made room: got %v, want it refused like any new one", err)
	}
}

func TestLongLabelsAreRefused(t *testing.T) {
	tracker := newTracker(t, openDocs(t), testkit.NewClock(noon))
	_, err := tracker.Admit(t.Context(), tenantA, "prod", strings.Repeat("r", 257))
	if e, ok := errors.AsType[*seamark.Error](err); !ok || e.Kind != seamark.Invalid || e.ID != "seamark-ha-label" {
		t.Errorf("got %v, want seamark-ha-label", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*hadedup.Options){
		"no documents":      func(o *hadedup.Options) { o.Docs = nil },
		"impatient":         func(o *hadedup.Options) { o.FailAfter = 10 * time.Second },
		"negative clusters": func(o *hadedup.Options) { o.MaxClusters = -1 },
		"no clock":          func(o *hadedup.Options) { o.Now = nil },
		"negative time-out": func(o *hadedup.Options) { o.Timeout = -1 },
	} {
		o := hadedup.Options{Docs: slowDocs{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now}
		change(&o)
		if _, err := hadedup.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// BenchmarkAdmit is the answer from memory.
func BenchmarkAdmit(b *testing.B) {
	tracker := newTracker(b, openDocs(b), testkit.NewClock(noon))
	want(b, tracker, "prod", "a", true)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if ok, err := tracker.Admit(b.Context(), tenantA, "prod", "b"); ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
