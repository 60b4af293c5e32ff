package quota_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenantA  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBV")
	clusterA = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	clusterB = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FBW")
)

var prod = seamark.Principal{Tenant: tenantA, Cluster: clusterA, ClusterName: "prod", Kind: seamark.IngestToken}

// memory is a bucket of documents in memory, as *bus.Docs is one in NATS. It fails while it is told to.
type memory[T any] struct {
	mu   sync.Mutex // guards all fields
	docs map[string][]byte
	revs map[string]uint64
	last uint64
	err  error
}

func newMemory[T any]() *memory[T] {
	return &memory[T]{docs: map[string][]byte{}, revs: map[string]uint64{}}
}

func (m *memory[T]) Find(_ context.Context, key string) (doc T, revision uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || m.revs[key] == 0 {
		return doc, 0, m.err
	}
	err = json.Unmarshal(m.docs[key], &doc)
	return doc, m.revs[key], err
}

func (m *memory[T]) Save(_ context.Context, key string, doc T, revision uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		return 0, m.err
	case m.revs[key] != revision:
		return 0, errors.New("the document was changed by somebody else")
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return 0, err
	}
	m.last++
	m.docs[key], m.revs[key] = text, m.last
	return m.last, nil
}

func (m *memory[T]) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// wipe loses everything, as a bucket that is made anew.
func (m *memory[T]) wipe() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.docs)
	clear(m.revs)
}

// world is ingest nodes that share a bucket and a clock.
type world struct {
	clock    *testkit.Clock
	presence quota.Docs[quota.Presence]
	usage    quota.Docs[quota.Usage]

	mu       sync.Mutex // guards what follows
	changes  uint64
	tenants  map[seamark.TenantID]quota.Limits
	clusters map[seamark.ClusterID]quota.Limits
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newWorld() *world {
	return &world{
		clock: testkit.NewClock(noon), presence: newMemory[quota.Presence](), usage: newMemory[quota.Usage](),
		tenants: map[seamark.TenantID]quota.Limits{}, clusters: map[seamark.ClusterID]quota.Limits{},
	}
}

// node starts an ingest node.
func (w *world) node(t testing.TB, name string, defaults quota.Limits) *quota.Limiter {
	t.Helper()
	l, err := quota.New(t.Context(), quota.Options{
		Node: name, Presence: w.presence, Usage: w.usage, Defaults: defaults, Request: seamark.DefaultLimits(), Now: w.clock.Now,
		Set: func(tenant seamark.TenantID, cluster seamark.ClusterID) (quota.Limits, quota.Limits) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.tenants[tenant], w.clusters[cluster]
		},
		Changes: func() uint64 {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.changes
		},
		Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	return l
}

func (w *world) setTenant(l quota.Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tenants[tenantA] = l
	w.changes++
}

func (w *world) setCluster(l quota.Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clusters[clusterA] = l
	w.changes++
}

// run lets time pass: every 10 ms do is called, and every second each node refreshes.
func (w *world) run(t testing.TB, d time.Duration, nodes []*quota.Limiter, do func()) {
	t.Helper()
	for step := range int(d / (10 * time.Millisecond)) {
		w.clock.Advance(10 * time.Millisecond)
		do()
		for i, n := range nodes {
			if step%100 == (7*i+50)%100 {
				if err := n.Refresh(t.Context()); err != nil {
					t.Fatalf("refresh node %d: %v", i, err)
				}
			}
		}
	}
}

func refresh(t testing.TB, nodes ...*quota.Limiter) {
	t.Helper()
	for i, n := range nodes {
		if err := n.Refresh(t.Context()); err != nil {
			t.Fatalf("refresh node %d: %v", i, err)
		}
	}
}

// wantRefusal checks a refusal's kind and id and returns it.
func wantRefusal(t testing.TB, err error, id string) *seamark.Error {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.RateLimited || e.ID != id || e.RetryAfter <= 0 {
		t.Fatalf("got error %v, want %s of kind rate_limited with a time to wait", err, id)
	}
	return e
}

// metricBatch has one sample each of the series with the given numbers.
func metricBatch(numbers ...int) *seamark.Batch {
	b := &seamark.Batch{}
	for _, n := range numbers {
		b.Samples.Append(b.Samples.AddSeries(metricSeries(n)), noon.UnixMilli(), float64(n))
	}
	return b
}

func metricSeries(n int) *seamark.Series {
	return &seamark.Series{Kind: seamark.MetricSeries, Name: "requests_total", FP: fingerprint(n), Labels: []seamark.Label{
		{Name: "__name__", Value: "requests_total"}, {Name: "path", Value: fmt.Sprint("/", n)},
	}}
}

// fingerprint spreads numbers over all bits as a hash does.
func fingerprint(n int) uint64 {
	x := uint64(n+1) * 0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// upTo returns the numbers from lo below hi.
func upTo(lo, hi int) []int {
	list := make([]int, 0, hi-lo)
	for n := lo; n < hi; n++ {
		list = append(list, n)
	}
	return list
}
