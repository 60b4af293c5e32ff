package samplecache

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
)

// Samples is how samples are read, from the cache as from the store. Returned slices belong to the caller.
type Samples interface {
	ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error)
	ListMetricHistograms(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error)
}

// Scanner is how the cache reads what it keeps. What a callback is given is reused when it returns.
type Scanner interface {
	ListSampleParts(ctx context.Context, tenant seamark.TenantID) ([]store.SamplePart, error)
	ScanMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.SampleScanQuery, fn func(*store.MetricSamples) error) error
	ScanSampleNews(ctx context.Context, tenant seamark.TenantID, q store.SampleNewsQuery, fn func(*store.SampleNews) error) error
	ListHistogramParts(ctx context.Context, tenant seamark.TenantID) ([]store.SamplePart, error)
	ListHistogramMetrics(ctx context.Context, tenant seamark.TenantID, after int64) ([]string, error)
}

// Source is what the cache stands before; *store.Store implements it.
type Source interface {
	Samples
	Scanner
}

// Options configures a Cache.
type Options struct {
	Source Source
	// MaxBytes bounds the memory of all tenants' samples; what was used longest ago goes first. One tenant has half of it at
	// most. Without it a few wide queries take all memory.
	MaxBytes int64
	// Refresh is how old a listing may be that a query relies on. It bounds how late a sample is seen whose announcement was
	// lost.
	Refresh time.Duration
	// Grace is how long after an announcement queries may still be answered without it; one that begins later waits for a
	// refresh. Where samples come all the time, a refresh begins every changePause while a tenant is queried: with a grace
	// longer than that no query waits, with a shorter one nearly all do, some milliseconds.
	Grace time.Duration
	// Answered is told of a query's samples that were in memory, sixteen bytes each; nil is for who does not want to know.
	Answered   func(ctx context.Context, bytes uint64)
	Now        func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// The defaults fit a node of 8 GiB: its cache holds some 300 million samples at 2 to 4 bytes each.
const (
	DefaultMaxBytes = 1 << 30
	DefaultRefresh  = 5 * time.Second
	DefaultGrace    = 250 * time.Millisecond
)

func (o *Options) validate() error {
	switch {
	case o.Source == nil || o.Now == nil || o.Logger == nil || o.Registerer == nil:
		return errors.New("samplecache: Source, Now, Logger and Registerer are required")
	case o.MaxBytes < 1 || o.Refresh <= 0 || o.Grace <= 0:
		return errors.New("samplecache: MaxBytes, Refresh and Grace must be positive")
	}
	return nil
}

const (
	// tenantShare is the part of MaxBytes that one tenant may have.
	tenantShare = 2
	// forgetAfter is how long a tenant stays that nobody queries, sweepEvery how often such tenants are looked for.
	forgetAfter = time.Hour
	sweepEvery  = time.Minute
)

// Cache is a store whose samples are answered from memory. It is safe for concurrent use. Tenants share nothing in it but
// the bound on memory.
type Cache struct {
	opts    Options
	metrics metrics
	maxWait time.Duration // maxWait, but for tests
	share   int64         // shareRows, but for tests
	began   time.Time
	ctx     context.Context // of refreshes and loads, which outlive the queries that start them
	cancel  context.CancelFunc
	flights sync.WaitGroup
	bytes   atomic.Int64
	evictMu sync.Mutex // one eviction at a time; taken before any other lock

	mu      sync.Mutex // guards the fields below; no other lock is taken while it is held
	tenants map[seamark.TenantID]*tenant
	sweptAt time.Time
	closed  bool
}

// New returns a cache that holds nothing yet.
func New(o Options) (*Cache, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Cache{
		opts: o, metrics: newMetrics(o.Registerer), maxWait: maxWait, share: shareRows, began: o.Now(), ctx: ctx, cancel: cancel,
		tenants: map[seamark.TenantID]*tenant{},
	}, nil
}

// Close ends the loads and refreshes under way and waits for them. Queries go to the source from then on, which stays open.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.flights.Wait()
	return nil
}

// Changed says that samples or histograms of the tenant were stored. Queries that begin a little later see them. It
// returns at once.
func (c *Cache) Changed(id seamark.TenantID) {
	c.mu.Lock()
	t := c.tenants[id]
	c.mu.Unlock()
	if t != nil {
		t.changed()
	}
}

// Forget drops what is held of the tenant, which was deleted.
func (c *Cache) Forget(id seamark.TenantID) {
	c.mu.Lock()
	t := c.tenants[id]
	delete(c.tenants, id)
	c.mu.Unlock()
	if t != nil {
		t.drop()
	}
}

// ListMetricSamples returns the samples by series, as the store does; the rows it has read are those it returns. Each
// fingerprint must be of one of the metrics: what is read of another metric is taken for empty.
func (c *Cache) ListMetricSamples(ctx context.Context, id seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error) {
	if len(q.Metrics) == 0 || q.StartMilli > q.EndMilli || q.FPs != nil && len(q.FPs) == 0 {
		return nil, 0, nil
	}
	g, reason, err := c.gather(ctx, id, &q)
	if err != nil {
		return nil, 0, err
	}
	if reason != "" {
		c.metrics.bypasses.WithLabelValues(reason).Inc()
		return c.opts.Source.ListMetricSamples(ctx, id, q)
	}
	if q.Last {
		list, rowsRead = g.newest()
	} else {
		workers := runtime.GOMAXPROCS(0)
		if admit.From(ctx).Crowds() {
			workers = 1 // others wait for the processors, and this goroutine alone goes behind them
		}
		list, rowsRead = g.samples(workers)
	}
	c.answered(ctx, g, rowsRead)
	return list, rowsRead, nil
}

// sampleBytes is what the store reads of a sample: its time and its value.
const sampleBytes = 16

// answered tells how much of a query's samples was in memory. Of one that lacked some of its windows it is their part of the windows.
func (c *Cache) answered(ctx context.Context, g *gathered, rows int) {
	windows := g.windows()
	if c.opts.Answered == nil || rows == 0 || windows <= g.lacked {
		return
	}
	c.opts.Answered(ctx, uint64(rows)*sampleBytes*uint64(windows-g.lacked)/uint64(windows))
}

// ListMetricHistograms returns the native histograms by series, as the store does. Those of metrics that have any are read
// from the store.
func (c *Cache) ListMetricHistograms(ctx context.Context, id seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error) {
	if t := c.tenant(id); t != nil && t.fresh(ctx) == "" && !t.hasHistograms(q.Metrics) {
		return nil, 0, nil
	}
	return c.opts.Source.ListMetricHistograms(ctx, id, q)
}

// tenant returns what is held of the tenant, which may be nothing yet; nil after Close.
func (c *Cache) tenant(id seamark.TenantID) *tenant {
	now := c.opts.Now()
	c.mu.Lock()
	t := c.tenants[id]
	if t == nil && !c.closed {
		t = newTenant(c, id)
		c.tenants[id] = t
	}
	if t != nil {
		t.usedAt = now
	}
	var idle []*tenant
	if now.Sub(c.sweptAt) >= sweepEvery {
		c.sweptAt = now
		for id, other := range c.tenants {
			if now.Sub(other.usedAt) >= forgetAfter {
				delete(c.tenants, id)
				idle = append(idle, other)
			}
		}
	}
	c.mu.Unlock()
	for _, other := range idle {
		other.drop()
	}
	return t
}

// list returns the tenants that are held.
func (c *Cache) list() []*tenant {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*tenant, 0, len(c.tenants))
	for _, t := range c.tenants {
		list = append(list, t)
	}
	return list
}

// launch runs a load or a refresh beside its caller; after Close it does not.
func (c *Cache) launch(fn func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.flights.Go(fn)
	}
	return !c.closed
}

// tick is the unit of the times of use.
const tick = 100 * time.Millisecond

// tickNow returns the time as ticks since the cache began, at least 1.
func (c *Cache) tickNow() uint32 { return uint32(max(0, c.opts.Now().Sub(c.began)/tick)) + 1 }
