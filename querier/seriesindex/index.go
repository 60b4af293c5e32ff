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
	// MaxBytes bounds the memory of all tenants' indexes; the one that was used longest ago goes first. An index that would
	// take more than a quarter is none: the store answers. Without it one tenant's label values take all memory.
	MaxBytes int64
	// Refresh is how old a listing may be that a query relies on. It bounds how late a series is found whose announcement
	// was lost.
	Refresh time.Duration
	// Answered is told of the series, names and values that a query has found in memory, by their text; nil is for who does not want
	// to know.
	Answered   func(ctx context.Context, bytes uint64)
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
	metricSource
	logSource
	ListSeriesIndexParts(ctx context.Context, tenant seamark.TenantID) ([]store.SeriesIndexPart, error)
	ScanSeriesIndex(ctx context.Context, tenant seamark.TenantID, q store.SeriesIndexQuery, fn func(*store.IndexedSeries) error) error
}

// metricSource answers what the index cannot of metrics.
type metricSource interface {
	ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error)
	ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error)
	ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error)
	CountCardinality(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error)
	ScanSeriesSamples(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery, fn func(fp, samples uint64)) error
}

// key names one index. Metric series and log streams of a tenant are asked for by different people at different times, so that
// one may be dropped and the other stay.
type key struct {
	tenant seamark.TenantID
	kind   seamark.SeriesKind
}

// kinds are all that are indexed.
func kinds() []seamark.SeriesKind {
	return []seamark.SeriesKind{seamark.MetricSeries, seamark.LogStream}
}

// Index is a store whose look-ups of metric series, log streams and their labels are answered from memory. It is safe for
// concurrent use.
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
	indexes map[key]*tenantIndex
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
		indexes: map[key]*tenantIndex{},
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
		defer x.outrun(key{tenant, seamark.MetricSeries})
		return x.source.ListMetricSeries(ctx, tenant, q)
	}
	list := sc.metrics(sc.series(conditions, q.Limit))
	x.answeredSeries(ctx, len(list), func(i int) []seamark.Label { return list[i].Labels })
	return list, nil
}

// ListMetricLabelNames returns the label names of the series that match, sorted, as the store does.
func (x *Index) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error) {
	sc, conditions := x.plan(ctx, tenant, &q)
	if sc == nil {
		defer x.outrun(key{tenant, seamark.MetricSeries})
		return x.source.ListMetricLabelNames(ctx, tenant, q)
	}
	return x.answeredTexts(ctx, sc.labelNames(conditions, q.Limit)), nil
}

// ListMetricLabelValues returns the values that the label has in the series that match, sorted, as the store does.
func (x *Index) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error) {
	sc, conditions := x.plan(ctx, tenant, &q)
	if sc == nil {
		defer x.outrun(key{tenant, seamark.MetricSeries})
		return x.source.ListMetricLabelValues(ctx, tenant, name, q)
	}
	return x.answeredTexts(ctx, sc.labelValues(name, conditions, q.Limit)), nil
}

// plan prepares a query, or returns nil when it is the store's.
func (x *Index) plan(ctx context.Context, tenant seamark.TenantID, q *store.MetricSeriesQuery) (*scope, []condition) {
	return x.scope(ctx, key{tenant, seamark.MetricSeries}, q.Limit, daysOf(q.StartMilli, q.EndMilli), q.Matchers)
}

// scope returns the days of an index and the matchers in its form, or nil when the query is the store's.
func (x *Index) scope(ctx context.Context, k key, limit int, days dayRange, matchers []store.MetricMatcher) (*scope, []condition) {
	conditions, err := newConditions(matchers)
	if err != nil || limit < 1 {
		x.metrics.fallthroughs.WithLabelValues("query").Inc()
		return nil, nil
	}
	s, reason := x.snapshot(ctx, k, days)
	if s == nil {
		x.metrics.fallthroughs.WithLabelValues(reason).Inc()
		return nil, nil
	}
	return s.scope(days), conditions
}

// outrun notes that the store has answered a query that the index could not. What it answered may be newer than the refresh
// under way: a later query must not find less, so that what is shown from now on is no older than this.
func (x *Index) outrun(k key) {
	x.mu.Lock()
	t := x.indexes[k]
	x.mu.Unlock()
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outrunAt = x.opts.Now()
}

// Changed says that series rows of the tenant were stored. Queries that begin 250 ms later find them. It returns at once.
func (x *Index) Changed(tenant seamark.TenantID) {
	for _, kind := range kinds() {
		x.mu.Lock()
		t := x.indexes[key{tenant, kind}]
		x.mu.Unlock()
		if t != nil {
			t.changed()
		}
	}
}

// Forget drops what is held of the tenant, which was deleted.
func (x *Index) Forget(tenant seamark.TenantID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, kind := range kinds() {
		if t := x.indexes[key{tenant, kind}]; t != nil {
			x.dropLocked(t)
		}
	}
}

// dropLocked lets go of a tenant's index. Queries that hold its snapshot end with it.
func (x *Index) dropLocked(t *tenantIndex) {
	delete(x.indexes, t.key)
	x.bytes -= t.bytes
	t.bytes, t.dropped = 0, true
	x.metrics.bytes.Set(float64(x.bytes))
	x.metrics.indexes.Set(float64(len(x.indexes)))
}

// tenant returns the tenant's index, a new one when there is none; nil after Close.
func (x *Index) tenant(k key) *tenantIndex {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.indexes[k]
	if t == nil && !x.closed {
		t = newTenantIndex(x, k)
		x.indexes[k] = t
		x.metrics.indexes.Set(float64(len(x.indexes)))
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
		for _, other := range x.indexes {
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
