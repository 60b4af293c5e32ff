package logfilter

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Source is what the cache stands before; *store.Store implements it.
type Source interface {
	// NarrowLogs answers without the cache.
	NarrowLogs(ctx context.Context, tenant seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error)
	ListLogFilterParts(ctx context.Context, tenant seamark.TenantID, scope store.LogScope) (store.LogFilterParts, store.LogStats, error)
	ReadLogFilters(ctx context.Context, tenant seamark.TenantID, q store.LogFiltersQuery, fn func(*store.LogRunFilter) error) (store.LogStats, error)
}

// Options configures a Cache.
type Options struct {
	Source Source
	// MaxBytes bounds the memory of all tenants' filters; the days that were used longest ago go first. A query whose days have
	// more filters than half of it asks the source.
	MaxBytes int64
	// Answered is told of a query's filters that were in memory, by what they take there; nil is for who does not want to know.
	Answered   func(ctx context.Context, bytes uint64)
	Registerer prometheus.Registerer
}

// DefaultMaxBytes holds the filters of some 40 million lines.
const DefaultMaxBytes = 256 << 20

func (o *Options) validate() error {
	switch {
	case o.Source == nil || o.Registerer == nil:
		return errors.New("logfilter: Source and Registerer are required")
	case o.MaxBytes < 1:
		return errors.New("logfilter: MaxBytes must be positive")
	}
	return nil
}

// Cache narrows scopes of logs. It is safe for concurrent use. Tenants share nothing in it but the bound on memory.
type Cache struct {
	opts    Options
	metrics metrics

	mu    sync.Mutex // guards the fields below; no lock of a day is taken while it is held
	days  map[dayKey]*day
	bytes int64
	clock uint64 // rises with every use
}

type dayKey struct {
	tenant seamark.TenantID
	day    int32
}

// New returns a cache that holds nothing yet.
func New(o Options) (*Cache, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &Cache{opts: o, days: map[dayKey]*day{}}
	c.metrics = newMetrics(o.Registerer, c.size)
	return c, nil
}

func (c *Cache) size() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(c.bytes)
}

// NarrowLogs returns the scope with the ranges that its rows can lie in, as store.Store's does.
func (c *Cache) NarrowLogs(ctx context.Context, tenant seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	wanted, ok := scope.Grams()
	if !ok {
		return scope, store.LogStats{}, nil
	}
	list, stats, err := c.opts.Source.ListLogFilterParts(ctx, tenant, scope)
	if err != nil {
		return scope, stats, err
	}
	newest := map[int32]int64{}
	filters := int64(0)
	for _, p := range list.Parts {
		newest[p.Day] = max(newest[p.Day], p.MaxBlock)
		filters += p.Filters
	}
	if filters*setBytes > c.opts.MaxBytes/2 {
		c.metrics.queries.WithLabelValues("too_many").Inc()
		narrowed, more, err := c.opts.Source.NarrowLogs(ctx, tenant, scope)
		return narrowed, add(stats, more), err
	}
	c.metrics.queries.WithLabelValues("memory").Inc()
	ranges, groups := list.Uncovered, groupsOf(scope.Streams)
	var read uint64
	for number, block := range newest {
		key := dayKey{tenant, number}
		d := c.use(key)
		more, err := d.refresh(ctx, c.opts.Source, key, groups, block)
		stats, read = add(stats, more), read+more.Rows
		if err != nil {
			return scope, stats, err
		}
		ranges = d.find(groups, &scope, wanted, ranges)
		c.settle(key, d)
	}
	if c.opts.Answered != nil && uint64(filters) > read {
		c.opts.Answered(ctx, (uint64(filters)-read)*setBytes)
	}
	scope.Narrow(ranges)
	return scope, stats, nil
}

func add(a, b store.LogStats) store.LogStats {
	return store.LogStats{Rows: a.Rows + b.Rows, Bytes: a.Bytes + b.Bytes}
}

func groupsOf(streams []store.LogStream) []string {
	groups := make([]string, 0, len(streams))
	for i := range streams {
		groups = append(groups, streams[i].Group)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// use returns a tenant's day.
func (c *Cache) use(key dayKey) *day {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.days[key]
	if d == nil {
		d = &day{groups: map[string]*group{}}
		c.days[key] = d
	}
	c.clock++
	d.used = c.clock
	return d
}

// settle counts what a day holds now, and lets go of the days used longest ago while all hold too much.
func (c *Cache) settle(key dayKey, d *day) {
	size := d.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.days[key] != d {
		return // let go of meanwhile
	}
	c.bytes += size - d.counted
	d.counted = size
	if c.bytes <= c.opts.MaxBytes {
		return
	}
	keys := make([]dayKey, 0, len(c.days))
	for k := range c.days {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b dayKey) int { return cmp.Compare(c.days[a].used, c.days[b].used) })
	for _, k := range keys {
		if c.bytes <= c.opts.MaxBytes {
			return
		}
		c.drop(k)
	}
}

func (c *Cache) drop(key dayKey) {
	c.bytes -= c.days[key].counted
	delete(c.days, key)
	c.metrics.evicted.Inc()
}

// Forget lets go of a tenant's filters.
func (c *Cache) Forget(tenant seamark.TenantID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.days {
		if key.tenant == tenant {
			c.drop(key)
		}
	}
}
