package quota

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Limiter.
type Options struct {
	// Node names this process among the ingest nodes; a name that is kept over a restart takes its old part at once.
	Node     string
	Presence Docs[Presence]
	Usage    Docs[Usage]
	// Set returns what was set for a tenant and for one of its clusters, zero where nothing was. It is asked about every
	// scope that is in use at every refresh, so it answers from memory.
	Set func(tenant seamark.TenantID, cluster seamark.ClusterID) (ofTenant, ofCluster Limits)
	// Changes counts the changes of what Set answers, of all tenants. A request that finds another count than the one before
	// it asks Set again, so that a change holds from the next request on; nil leaves that to the refreshes. It is asked for
	// every request.
	Changes func() uint64
	// Defaults are a tenant's limits where nothing else was set.
	Defaults Limits
	// Request bounds one request where nothing else was set.
	Request seamark.Limits
	// Refresh is how often the nodes share the limits anew; 1 s unless told.
	Refresh time.Duration
	// Flush is how often the day's bytes are written; 5 s unless told. So much of them a killed process forgets, and by so
	// much the nodes together may pass a day's limit.
	Flush time.Duration
	// Timeout bounds one refresh; 2 s unless told. Past it the node keeps the part that it has.
	Timeout    time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *Options) validate() error {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.Refresh, time.Second}, {&o.Flush, 5 * time.Second}, {&o.Timeout, 2 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	switch {
	case o.Node == "" || o.Presence == nil || o.Usage == nil || o.Set == nil:
		return errors.New("quota: Node, Presence, Usage and Set are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("quota: Logger, Registerer and Now are required")
	case o.Refresh <= 0 || o.Refresh > deadAfter/2:
		return fmt.Errorf("quota: Refresh is %s; it must be positive and at most %s, or nodes take each other for dead", o.Refresh, deadAfter/2)
	case o.Flush < 0 || o.Timeout < 0:
		return errors.New("quota: Flush and Timeout must be positive")
	}
	for _, f := range seamark.QuotaFields() {
		if *f.Of(&o.Defaults) < 0 {
			return fmt.Errorf("quota: %s of Defaults is negative", f.Name)
		}
	}
	return nil
}

// Limiter holds tenants and clusters to their limits. It is safe for concurrent use.
type Limiter struct {
	opts    Options
	metrics metrics
	epoch   atomic.Uint32 // of active series, as of the last refresh

	view atomic.Pointer[view]

	mu     sync.RWMutex // guards scopes; taken before a scope's own lock
	scopes map[scopeKey]*scope

	refreshing sync.Mutex // guards what follows: refreshes go one after the other
	board      board
	usage      usage
	last       time.Time // of the last refresh
	flushed    time.Time // of the last flush
}

// view is what the other nodes have said. It is replaced whole, never changed.
type view struct {
	nodes  int // that are alive, this one included
	stakes map[string][]Stake
}

// New returns a limiter that knows the other nodes, where they can be reached within Timeout, and has the limits to itself
// where not. Run keeps it current.
func New(ctx context.Context, o Options) (*Limiter, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	l := &Limiter{opts: o, metrics: newMetrics(o.Registerer), scopes: map[scopeKey]*scope{}}
	l.view.Store(&view{nodes: 1})
	l.board = board{docs: o.Presence, node: o.Node, mine: -1}
	l.usage = usage{docs: o.Usage, slot: -1}
	l.last = o.Now()
	l.epoch.Store(epochOf(l.last))
	if err := l.Refresh(ctx); err != nil {
		o.Logger.WarnContext(ctx, "quotas are not shared with other nodes yet", slog.Any("error", err))
	}
	return l, nil
}

// Run refreshes until ctx ends.
func (l *Limiter) Run(ctx context.Context) error {
	tick := time.NewTicker(l.opts.Refresh)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := l.Refresh(ctx)
		if (err != nil) != failing && ctx.Err() == nil {
			failing = err != nil
			l.opts.Logger.WarnContext(ctx, "sharing of quotas with other nodes changed", slog.Bool("working", !failing), slog.Any("error", err))
		}
	}
}

// Close hands this node's part to the others and writes the day's bytes.
func (l *Limiter) Close(ctx context.Context) error {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	var flush error
	if l.board.mine >= 0 {
		flush = l.usage.sync(ctx, l.countToday(), len(l.board.rows), l.board.mine)
	}
	return errors.Join(flush, l.board.leave(ctx, l.opts.Now()))
}

// Check refuses a request of a sender that is over a limit already, before its body is read: with a sender at ten times
// its quota, reading and decoding is most of the work. The error is of kind RateLimited with how long to wait.
func (l *Limiter) Check(p seamark.Principal, signal seamark.Signal) error {
	tenant, cluster := l.of(p)
	now := l.opts.Now()
	for _, s := range [...]*scope{tenant, cluster} {
		if s == nil {
			continue
		}
		s.mu.Lock()
		s.wakeLocked(now, l.firstShare)
		r := s.refusalLocked(now)
		s.mu.Unlock()
		if r != nil {
			for _, asking := range [...]*scope{tenant, cluster} {
				asking.guess()
			}
			return l.refuse(r, signal)
		}
	}
	return nil
}

// guess counts a request that nobody has read as one of the usual size, so that what is asked for is known.
func (s *scope) guess() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.asked.requests.rate; n > 0 {
		s.asked.add(int64(s.asked.bytes.rate/n), int64(s.asked.rows.rate/n))
	}
}

// Admit charges a decoded request, of bytes inflated bytes and so many rows, to its tenant and its cluster. The error is
// of kind RateLimited with how long to wait; nothing is charged then.
func (l *Limiter) Admit(p seamark.Principal, signal seamark.Signal, bytes, rows int) error {
	tenant, cluster := l.of(p)
	now := l.opts.Now()
	tenant.mu.Lock()
	defer tenant.mu.Unlock()
	if cluster != nil {
		cluster.mu.Lock()
		defer cluster.mu.Unlock()
	}
	var refused *refusal
	both := [...]*scope{tenant, cluster}
	for _, s := range both {
		if s == nil {
			continue
		}
		s.wakeLocked(now, l.firstShare)
		s.asked.add(int64(bytes), int64(rows))
		if refused == nil {
			refused = s.refusalLocked(now)
		}
	}
	if refused != nil {
		return l.refuse(refused, signal)
	}
	for _, s := range both {
		if s != nil {
			s.takeLocked(int64(bytes), int64(rows))
		}
	}
	return nil
}

// Refund gives back what Admit charged, for a request that was not stored: its sender will send it again.
func (l *Limiter) Refund(p seamark.Principal, bytes, rows int) {
	tenant, cluster := l.of(p)
	for _, s := range [...]*scope{tenant, cluster} {
		if s != nil {
			s.mu.Lock()
			s.takeLocked(-int64(bytes), -int64(rows))
			s.mu.Unlock()
		}
	}
}

func (l *Limiter) refuse(r *refusal, signal seamark.Signal) error {
	l.metrics.refused.WithLabelValues(string(r.limit), r.scope.noun(), signal.String()).Inc()
	return r.error()
}

// Limits returns the limits of one request of p: what was set for the tenant, narrowed by what was set for the cluster.
func (l *Limiter) Limits(p seamark.Principal) seamark.Limits {
	limits := l.opts.Request
	tenant, cluster := l.of(p)
	for _, s := range [...]*scope{tenant, cluster} {
		if s == nil {
			continue
		}
		s.mu.Lock()
		limits = narrow(&s.set, limits, s.parent != nil)
		s.mu.Unlock()
	}
	return limits
}

// of returns the scopes that p's requests count in. A principal without a cluster counts in its tenant alone.
func (l *Limiter) of(p seamark.Principal) (tenant, cluster *scope) {
	tenant = l.scope(scopeKey{tenant: p.Tenant}, nil, "")
	if p.Cluster != "" {
		cluster = l.scope(scopeKey{p.Tenant, p.Cluster}, tenant, p.ClusterName)
	}
	if l.opts.Changes != nil {
		changes := l.opts.Changes() // before Set is asked: a change in between makes the next request ask again
		l.keepUp(tenant, changes)
		l.keepUp(cluster, changes)
	}
	return tenant, cluster
}

// keepUp takes over what was set since the scope's last request.
func (l *Limiter) keepUp(s *scope, changes uint64) {
	if s != nil && s.changes.Load() != changes {
		l.configure(s, l.opts.Now())
		s.changes.Store(changes)
	}
}

func (l *Limiter) scope(key scopeKey, parent *scope, name string) *scope {
	l.mu.RLock()
	s := l.scopes[key]
	l.mu.RUnlock()
	if s != nil {
		return s
	}
	made := &scope{key: key, name: name, parent: parent, last: l.opts.Now(), elsewhere: l.usage.at(key)}
	l.configure(made, made.last)
	v := l.view.Load()
	made.settleActive(&Stake{}, v.stakes[key.String()], nil, v.nodes)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s = l.scopes[key]; s == nil {
		s = made
		l.scopes[key] = s
	}
	return s
}

// configure gives a scope the limits that are set now.
func (l *Limiter) configure(s *scope, now time.Time) {
	ofTenant, ofCluster := l.opts.Set(s.key.tenant, s.key.cluster)
	if s.parent != nil {
		s.configure(now, ofCluster, ofCluster.Or(Limits{}))
		return
	}
	s.configure(now, ofTenant, ofTenant.Or(l.opts.Defaults))
}

// firstShare is the share of a scope that no one at this node has used lately.
func (l *Limiter) firstShare(key scopeKey) float64 {
	v := l.view.Load()
	return firstShare(stakesOf(v.stakes[key.String()]), v.nodes)
}

func stakesOf(list []Stake) []stake {
	out := make([]stake, len(list))
	for i := range list {
		out[i] = stake{demand: list[i].Demand, share: list[i].Share}
	}
	return out
}

func (s *scope) noun() string {
	if s.parent != nil {
		return "cluster"
	}
	return "tenant"
}
