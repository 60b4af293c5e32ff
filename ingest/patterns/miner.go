// Package patterns finds the template of each log line at ingest. It keeps what it has learned per tenant and group of streams,
// within bounds of memory, and hands templates to the rows that have them; package store counts them as the rows are encoded.
// Package ingest is its caller.
package patterns

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/logpattern"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits bounds what a miner keeps.
type Limits struct {
	logpattern.TreeOptions
	// MaxGroups and MaxBytes bound the groups of streams, of all tenants, whose templates are kept, and the memory that they take.
	// The groups that were seen longest ago are forgotten: their templates are learned again, and under the same ids. Without
	// the bounds a node's memory grows with the number of workloads there ever were.
	MaxGroups int
	MaxBytes  int64
}

// DefaultLimits returns what holds where nothing else is set.
func DefaultLimits() Limits {
	return Limits{TreeOptions: logpattern.DefaultTreeOptions(), MaxGroups: 10_000, MaxBytes: 64 << 20}
}

// Options configures a Miner.
type Options struct {
	Limits
	Registerer prometheus.Registerer
}

func (o *Options) validate() error {
	if o.MaxGroups < 1 || o.MaxBytes < 1 || o.Registerer == nil {
		return errors.New("patterns: MaxGroups and MaxBytes must be positive, and Registerer is required")
	}
	return o.Validate()
}

// Miner gives log rows their templates. It is safe for concurrent use.
type Miner struct {
	opts    Options
	metrics metrics

	mu     sync.RWMutex // guards groups
	groups map[groupKey]*group
	bytes  atomic.Int64 // that all groups take
}

type groupKey struct {
	tenant seamark.TenantID
	name   string
}

// group is what is learned of one group of streams.
type group struct {
	key  groupKey
	used atomic.Int64 // seconds since 1970

	mu    sync.Mutex // guards the fields below; it is taken after Miner.mu, never before
	tree  *logpattern.Tree
	bytes int64 // of the tree that Miner.bytes has
	told  logpattern.TreeStats
	gone  bool // not among the groups any more
}

// New returns a miner that has seen nothing.
func New(o Options) (*Miner, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Miner{opts: o, groups: map[groupKey]*group{}}
	m.metrics = newMetrics(o.Registerer, m)
	return m, nil
}

// Mine sets the pattern of each row that has one. Audit records have none: they are JSON of one shape, and an API of their own
// tells what is in them.
func (m *Miner) Mine(tenant seamark.TenantID, logs *seamark.LogRows, now time.Time) {
	n := logs.Len()
	logs.Patterns = slices.Grow(logs.Patterns[:0], n)[:n]
	mined := 0
	for from := 0; from < n; {
		to := from + 1
		for to < n && logs.Stream[to] == logs.Stream[from] {
			to++
		}
		if stream := logs.Streams[logs.Stream[from]]; stream.Label("signal") == "audit" {
			clear(logs.Patterns[from:to])
		} else {
			m.mineRun(groupKey{tenant, stream.Name}, logs.Body[from:to], logs.Patterns[from:to], now.Unix())
			mined += to - from
		}
		from = to
	}
	m.metrics.lines.Add(float64(mined))
	m.shrink()
}

// mineRun gives consecutive lines of one stream their patterns.
func (m *Miner) mineRun(key groupKey, lines []string, into []*seamark.LogPattern, now int64) {
	g := m.group(key)
	g.used.Store(now)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, line := range lines {
		into[i] = g.tree.Learn(line, now)
	}
	m.account(g)
}

// account brings the miner's counts up to date with a group's, whose lock is held.
func (m *Miner) account(g *group) {
	if g.gone { // it was forgotten meanwhile, and is counted no more
		return
	}
	bytes := int64(g.tree.Bytes())
	m.bytes.Add(bytes - g.bytes)
	g.bytes = bytes
	stats := g.tree.Stats()
	if stats != g.told {
		m.metrics.made.Add(float64(stats.Made - g.told.Made))
		m.metrics.evicted.Add(float64(stats.Evicted - g.told.Evicted))
		m.metrics.overflow.Add(float64(stats.Overflow - g.told.Overflow))
		g.told = stats
	}
}

// group returns what is known of a group of streams.
func (m *Miner) group(key groupKey) *group {
	m.mu.RLock()
	g := m.groups[key]
	m.mu.RUnlock()
	if g != nil {
		return g
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g = m.groups[key]; g == nil {
		g = &group{key: key, tree: logpattern.NewTree(m.opts.TreeOptions)}
		m.groups[key] = g
	}
	return g
}

// shrink forgets the groups that were seen longest ago when there are too many, or when they take too much. It forgets a tenth,
// so that it has nothing to do for a while.
func (m *Miner) shrink() {
	m.mu.RLock()
	fits := len(m.groups) <= m.opts.MaxGroups && m.bytes.Load() <= m.opts.MaxBytes
	m.mu.RUnlock()
	if fits {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*group, 0, len(m.groups))
	for _, g := range m.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *group) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	for _, g := range list {
		if len(m.groups) <= m.opts.MaxGroups-m.opts.MaxGroups/10 && m.bytes.Load() <= m.opts.MaxBytes-m.opts.MaxBytes/10 {
			return
		}
		m.forget(g)
	}
}

// forget drops a group; the miner's lock is held.
func (m *Miner) forget(g *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.account(g)
	g.gone = true
	m.bytes.Add(-g.bytes)
	m.metrics.evicted.Add(float64(g.tree.Len()))
	delete(m.groups, g.key)
}

// kept returns how many templates all groups have.
func (m *Miner) kept() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	for _, g := range m.groups {
		g.mu.Lock()
		n += g.tree.Len()
		g.mu.Unlock()
	}
	return n
}

// known returns how many groups there are.
func (m *Miner) known() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.groups)
}
