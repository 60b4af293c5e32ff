package seriesindex

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Options configures an Index.
type Options struct {
	Store *store.Store
	// MaxBytes bounds the memory of all tenants' indexes; the one that was used longest ago goes first. A tenant whose index
	// would take more than a quarter is answered by the store. Without it one tenant's label values take all memory.
	MaxBytes int64
	// Refresh is how old a listing may be that a query relies on. It bounds how late a series is found whose announcement
	// was lost.
	Refresh    time.Duration
	Now        func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// DefaultMaxBytes and DefaultRefresh fit a node of 8 GiB.
const (
	DefaultMaxBytes = 256 << 20
	DefaultRefresh  = 5 * time.Second
)

func (o *Options) validate() error {
	switch {
	case o.Store == nil || o.Now == nil || o.Logger == nil || o.Registerer == nil:
		return errors.New("seriesindex: Store, Now, Logger and Registerer are required")
	case o.MaxBytes < 1 || o.Refresh <= 0:
		return errors.New("seriesindex: MaxBytes and Refresh must be positive")
	}
	return nil
}

const (
	// tenantShare is the part of MaxBytes that one tenant may have.
	tenantShare = 4
	// maxWait bounds how long a query waits for the index before it asks the store. A load of a large tenant takes longer;
	// its first queries cost what they cost without an index.
	maxWait = 250 * time.Millisecond
	// changeGrace is how long after an announcement queries may still be answered without it. It leaves the refresh that
	// the announcement starts time to end, so that a tenant whose series come and go all the time never waits.
	changeGrace = 200 * time.Millisecond
	// changePause is how long announcements are gathered before one refresh covers them all. Without it a tenant whose
	// series rows come in from several shards costs the server a look for each.
	changePause = changeGrace / 2
	// hotFor is how long after its last query a tenant is refreshed in the background when a change is announced.
	hotFor = 5 * time.Minute
	// idleAfter is how long a week stays that no query asks for.
	idleAfter = time.Hour
	// refuseFor is how long a tenant that is too large is not tried again.
	refuseFor = 10 * time.Minute
	// refreshTimeout bounds a refresh. Without it one that hangs holds its tenant to the store for ever.
	refreshTimeout = time.Minute
)

// source is what the index reads.
type source interface {
	ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error)
	ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error)
	ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error)
	ListMetricIndexParts(ctx context.Context, tenant seamark.TenantID) ([]store.MetricIndexPart, error)
	ScanMetricIndex(ctx context.Context, tenant seamark.TenantID, q store.MetricIndexQuery, fn func(*store.MetricIndexSeries) error) error
	CountCardinality(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error)
	ScanSeriesSamples(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery, fn func(fp, samples uint64)) error
}

// Index is a store whose look-ups of metric series and labels are answered from memory. It is safe for concurrent use.
// Tenants share nothing in it but the bound on memory.
type Index struct {
	*store.Store
	opts    Options
	source  source
	metrics metrics
	maxWait time.Duration   // maxWait, but for tests
	ctx     context.Context // of refreshes, which outlive the queries that start them
	cancel  context.CancelFunc
	flights sync.WaitGroup

	mu      sync.Mutex // guards the fields below; may be taken while a tenant's is held
	tenants map[seamark.TenantID]*tenantIndex
	bytes   int64
	closed  bool
}

// New returns an index that holds nothing yet.
func New(o Options) (*Index, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Index{
		Store: o.Store, opts: o, source: o.Store, metrics: newMetrics(o.Registerer), ctx: ctx, cancel: cancel, maxWait: maxWait,
		tenants: map[seamark.TenantID]*tenantIndex{},
	}, nil
}

// Close ends the refreshes under way and waits for them. Queries go to the store from then on. The store stays open.
func (x *Index) Close() error {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.cancel()
	x.flights.Wait()
	return nil
}

// ListMetricSeries returns the series that match, as the store does, in the order of their labels, as Prometheus compares them.
func (x *Index) ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	sc, conditions := x.plan(ctx, tenant, &q)
	if sc == nil {
		return x.source.ListMetricSeries(ctx, tenant, q)
	}
	return sc.materialize(sc.series(conditions, q.Limit)), nil
}

// ListMetricLabelNames returns the label names of the series that match, sorted, as the store does.
func (x *Index) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error) {
	sc, conditions := x.plan(ctx, tenant, &q)
	if sc == nil {
		return x.source.ListMetricLabelNames(ctx, tenant, q)
	}
	return sc.labelNames(conditions, q.Limit), nil
}

// ListMetricLabelValues returns the values that the label has in the series that match, sorted, as the store does.
func (x *Index) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error) {
	sc, conditions := x.plan(ctx, tenant, &q)
	if sc == nil {
		return x.source.ListMetricLabelValues(ctx, tenant, name, q)
	}
	return sc.labelValues(name, conditions, q.Limit), nil
}

// plan prepares a query, or returns nil when it is the store's.
func (x *Index) plan(ctx context.Context, tenant seamark.TenantID, q *store.MetricSeriesQuery) (*scope, []condition) {
	conditions, err := newConditions(q.Matchers)
	if err != nil || q.Limit < 1 {
		x.metrics.fallthroughs.WithLabelValues("query").Inc()
		return nil, nil
	}
	days := daysOf(q.StartMilli, q.EndMilli)
	s, reason := x.snapshot(ctx, tenant, days)
	if s == nil {
		x.metrics.fallthroughs.WithLabelValues(reason).Inc()
		return nil, nil
	}
	return s.scope(days), conditions
}

// Changed says that series rows of the tenant were stored. Queries that begin 250 ms later find them. It returns at once.
func (x *Index) Changed(tenant seamark.TenantID) {
	x.mu.Lock()
	t := x.tenants[tenant]
	x.mu.Unlock()
	if t != nil {
		t.changed()
	}
}

// Forget drops what is held of the tenant, which was deleted.
func (x *Index) Forget(tenant seamark.TenantID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t := x.tenants[tenant]; t != nil {
		x.dropLocked(t)
	}
}

// dropLocked lets go of a tenant's index. Queries that hold its snapshot end with it.
func (x *Index) dropLocked(t *tenantIndex) {
	delete(x.tenants, t.id)
	x.bytes -= t.bytes
	t.bytes, t.dropped = 0, true
	x.metrics.bytes.Set(float64(x.bytes))
	x.metrics.tenants.Set(float64(len(x.tenants)))
}

// tenant returns the tenant's index, a new one when there is none; nil after Close.
func (x *Index) tenant(id seamark.TenantID) *tenantIndex {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.tenants[id]
	if t == nil && !x.closed {
		t = newTenantIndex(x, id)
		x.tenants[id] = t
		x.metrics.tenants.Set(float64(len(x.tenants)))
	}
	if t != nil {
		t.usedAt = x.opts.Now()
	}
	return t
}

// account notes a tenant's new size and makes room. It reports whether the tenant is still held.
func (x *Index) account(t *tenantIndex, bytes int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t.dropped {
		return false
	}
	x.bytes += bytes - t.bytes
	t.bytes = bytes
	for x.bytes > x.opts.MaxBytes {
		oldest := t
		for _, other := range x.tenants {
			if other != t && other.bytes > 0 && (oldest == t || other.usedAt.Before(oldest.usedAt)) {
				oldest = other
			}
		}
		if oldest == t {
			break // alone it has a quarter at most
		}
		x.dropLocked(oldest)
		x.metrics.evictions.Inc()
	}
	x.metrics.bytes.Set(float64(x.bytes))
	return true
}

// launch runs a refresh beside its caller; after Close it does not.
func (x *Index) launch(fn func()) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.flights.Go(fn)
	}
	return !x.closed
}
