package admit

import (
	"container/heap"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures an Admission.
type Options struct {
	// MaxConcurrent bounds the queries of all tenants that run at once. Without it queries that start together share the machine
	// until all of them time out.
	MaxConcurrent int
	// MaxScans bounds those of them that read much, see ScanBytes: each takes whole processors. 0 is as many as there are
	// processors, and at least two.
	MaxScans int
	// ScanBytes is from how many bytes on, estimated or read, a query is a scan.
	ScanBytes uint64
	// MaxInflightBytes bounds the estimates of the scans that run, together; one runs whatever it is estimated at.
	MaxInflightBytes uint64
	// MaxQueued bounds a tenant's queries of one class that wait. Without it a tenant that asks faster than it is answered fills
	// the memory with questions that nobody waits for any more.
	MaxQueued int
	// Patience bounds how long a query waits: less than the time after which browsers and proxies give up. Exports and background
	// jobs wait as long as their context lets them.
	Patience time.Duration
	// Off leaves one queue for all and no limit beside MaxConcurrent, for measurements of what the rest is worth.
	Off bool
	// Limits returns what holds for a tenant now, the defaults included, and where a limit comes from: tenant, plan or default. It
	// answers from memory.
	Limits func(seamark.TenantID) (Limits, func(field string) string)
	// Estimate returns the most that any query of what want names can read, from what is known without asking the store; zero where
	// nothing is. It may be nil.
	Estimate func(ctx context.Context, tenant seamark.TenantID, want *Want) Estimate
	// Refuse are asked in turn about each query before it waits; the first error is the answer.
	Refuse []func(q *Query) error
	// Ended are told of each query that has ended, with the error that it was answered with. It is on the list until they know: whoever
	// looks at both, as at the death of an engine, misses none.
	Ended []func(ctx context.Context, q *Query, err error)
	// Patiently runs the work of a query whose tenant crowds the node behind all other work, and returns its error; nil runs it as any.
	Patiently func(work func() error) error
	// Nodes returns how many queriers are alive, this one included, which budgets are shared over; nil is one.
	Nodes      func() int
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// Defaults of Options.
const (
	DefaultScanBytes        = 256 << 20
	DefaultMaxInflightBytes = 256 << 30
	DefaultMaxQueued        = 100
	DefaultPatience         = 30 * time.Second
)

func (o *Options) validate() error {
	switch {
	case o.MaxConcurrent < 1 || o.MaxScans < 0 || o.MaxQueued < 1:
		return errors.New("admit: MaxConcurrent and MaxQueued must be at least 1, MaxScans not negative")
	case o.ScanBytes == 0 || o.MaxInflightBytes == 0 || o.Patience <= 0:
		return errors.New("admit: ScanBytes, MaxInflightBytes and Patience must be positive")
	case o.Limits == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("admit: Limits, Registerer and Now are required")
	}
	if o.MaxScans == 0 {
		o.MaxScans = max(runtime.GOMAXPROCS(0), 2)
	}
	o.MaxScans = min(o.MaxScans, o.MaxConcurrent)
	if o.Nodes == nil {
		o.Nodes = func() int { return 1 }
	}
	return nil
}

// Admission decides when each query of a node runs. It is safe for concurrent use; no operation costs more than a search in the
// queues.
type Admission struct {
	opts    Options
	metrics metrics
	places  int // of all queries that run
	calm    int // of them that no scan takes

	mu       sync.Mutex // guards what follows, each query's state and all that hangs on tenants
	tenants  map[seamark.TenantID]*tenant
	lanes    [lanes]line
	clock    float64 // virtual time, in seconds of a place: the start tag of what was let in last
	newest   float64 // the highest tag
	seq      uint64
	listed   int // queries that wait, run or are about to
	present  int // tenants that have some
	waiting  int
	running  int
	scans    int
	inflight uint64               // estimates of the scans that run
	held     [lanes]time.Duration // how long a place is held, of late
	visits   [2]visit
	waking   bool // a look at the queues is due, as company may be gone
}

// New returns an admission.
func New(o Options) (*Admission, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	a := &Admission{opts: o, places: o.MaxConcurrent, tenants: map[seamark.TenantID]*tenant{}}
	if a.places > 1 {
		a.calm = max(1, a.places/4)
	}
	for i := range a.lanes {
		a.lanes[i].lane = lane(i)
	}
	a.metrics = newMetrics(o.Registerer, a)
	return a, nil
}

// Begin puts a query on the list and returns the context that it works under, which ends when the query is cancelled or goes over a
// limit. It waits for nothing: Enter does. The caller calls End.
func (a *Admission) Begin(ctx context.Context, r Request) (context.Context, *Query) {
	now := a.opts.Now()
	q := &Query{ID: ulid.MustNew(ulid.Timestamp(now), rand.Reader).String(), Request: r, Begun: now, owner: a}
	if !a.opts.Off {
		if q.limits, q.state.origin = a.opts.Limits(r.Tenant); r.Job != "" {
			q.limits = forJob(q.limits)
		}
	}
	q.fault, q.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	ctx, cancel := context.WithCancelCause(ctx)
	unbind := context.AfterFunc(q.fault, func() { cancel(context.Cause(q.fault)) })
	q.state.unbind = func() { unbind(); cancel(errEnded) }
	a.mu.Lock()
	a.listLocked(a.tenantLocked(r.Tenant), q)
	a.mu.Unlock()
	return With(ctx, q), q
}

// End takes a query off the list and gives back the place that it may still hold. err is what it was answered with.
func (a *Admission) End(ctx context.Context, q *Query, err error) {
	a.mu.Lock()
	if q.state.ended {
		a.mu.Unlock()
		return
	}
	q.state.ended = true
	a.leaveLocked(q, true)
	a.mu.Unlock()
	q.state.unbind() // work that others wait for, too, goes on: see Bind
	a.metrics.ended(q, err)
	for _, tell := range a.opts.Ended {
		tell(ctx, q, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unlistLocked(a.tenantLocked(q.Request.Tenant), q)
}

// errEnded is why the context of a query that has ended ends.
var errEnded = errors.New("admit: the query has ended")

// Running says whether a query waits or runs.
type Running string

// The states of a query on the list.
const (
	StateQueued  Running = "queued"
	StateRunning Running = "running"
)

// Info is a query on the list.
type Info struct {
	ID       string
	Request  Request
	State    Running
	Position int       // among the tenant's queries that wait, from 1 on; 0 of one that runs
	Scan     bool      // it reads much, and runs or waits among such
	Begun    time.Time // when it came in
	Waited   time.Duration
	Ran      time.Duration // while it had a place
	Cost     Cost
	Estimate Estimate // zero where there is none
	Over     bool     // its tenant is over its budget, so that it waits behind others
}

// List returns a tenant's queries that wait or run, the oldest first.
func (a *Admission) List(tenant seamark.TenantID) []Info {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[tenant]
	if t == nil {
		return nil
	}
	positions := t.positionsLocked()
	list := make([]Info, 0, len(t.queries))
	now := a.opts.Now()
	for _, q := range t.queries {
		list = append(list, q.infoLocked(now, positions[q]))
	}
	slices.SortFunc(list, func(x, y Info) int {
		if c := x.Begun.Compare(y.Begun); c != 0 {
			return c
		}
		if x.ID < y.ID {
			return -1
		}
		return 1
	})
	return list
}

func (q *Query) infoLocked(now time.Time, position int) Info {
	s := &q.state
	i := Info{
		ID: q.ID, Request: q.Request, State: StateRunning, Position: position, Scan: s.lane == scanLane, Begun: q.Begun, Waited: s.waited,
		Cost: q.Cost(), Estimate: s.estimate, Over: s.over,
	}
	if s.ticket != nil {
		i.State, i.Waited = StateQueued, s.waited+now.Sub(s.ticket.queued)
	}
	if i.Ran = s.ran; s.held > 0 {
		i.Ran += now.Sub(s.entered)
	}
	return i
}

// Cancel ends one of a tenant's queries, and reports whether there was such a one.
func (a *Admission) Cancel(tenant seamark.TenantID, id string) bool {
	a.mu.Lock()
	t := a.tenants[tenant]
	var q *Query
	if t != nil {
		q = t.queries[id]
	}
	a.mu.Unlock()
	if q == nil {
		return false
	}
	q.fail(seamark.Errorf(seamark.Canceled, "seamark-query-canceled", "The query was cancelled over the API."))
	return true
}

// Enter waits until the query may run, and fails when it may not. A query that has a place keeps it; each Enter is answered by one
// Leave. Errors are of kind Unavailable when the node has no place in time, RateLimited where the tenant's own limit or budget is
// in the way, Unprocessable for a query that would read more than its tenant lets it, Canceled and Timeout.
func (q *Query) Enter(ctx context.Context, want Want) error {
	if q == nil {
		return nil
	}
	q.enter.Lock() // those that come while the query waits have what it waits for
	defer q.enter.Unlock()
	a := q.owner
	a.mu.Lock()
	if q.state.held > 0 {
		q.state.held++
		a.mu.Unlock()
		return nil
	}
	a.mu.Unlock()
	if err := q.Fault(); err != nil {
		return err
	}
	if !a.opts.Off {
		if err := q.consider(ctx, &want); err != nil {
			a.metrics.refuse(err)
			return err
		}
	}
	err := a.wait(ctx, q, a.patience(q))
	if err != nil {
		a.metrics.refuse(err)
	}
	return err
}

// patience returns how long a query waits at most, 0 for as long as its context lets it.
func (a *Admission) patience(q *Query) time.Duration {
	if q.Request.Job != "" || q.Request.Class == ExportQuery {
		return 0
	}
	return a.opts.Patience
}

// Resume takes back the place that Leave gave back in the midst of a query, without being considered anew. It waits as long as ctx
// lets it: the answer was begun.
func (q *Query) Resume(ctx context.Context) error {
	if q == nil {
		return nil
	}
	if err := q.Fault(); err != nil {
		return err
	}
	return q.owner.wait(ctx, q, 0)
}

// consider refuses a query that may not run at all, and says in which lane it waits.
func (q *Query) consider(ctx context.Context, want *Want) error {
	a := q.owner
	for _, refuse := range a.opts.Refuse {
		if err := refuse(q); err != nil {
			return err
		}
	}
	e := q.estimate(ctx, want)
	over, err := q.checkBudget(want)
	if err == nil {
		err = q.checkEstimate(want, e)
	}
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q.state.estimate, q.state.over, q.state.lane = e, over, lightLane
	if e.Bytes >= a.opts.ScanBytes || over {
		q.state.lane = scanLane
	}
	return nil
}

// Leave gives back what Enter took. The query may still write its answer.
func (q *Query) Leave() {
	if q == nil {
		return
	}
	a := q.owner
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaveLocked(q, false)
}

// wait queues the query and returns when it was let in, or has waited for as long as it may; 0 is for ever.
func (a *Admission) wait(ctx context.Context, q *Query, most time.Duration) error {
	a.mu.Lock()
	t := a.tenantLocked(q.Request.Tenant)
	if q.state.ended {
		a.mu.Unlock()
		return errEnded
	}
	begun := !q.state.entered.IsZero() // its answer, too, so that it is not refused any more
	if n := t.queued[q.Request.Class]; n >= a.opts.MaxQueued && !begun {
		err := a.queueFullLocked(q, n)
		a.mu.Unlock()
		return err
	}
	k := a.pushLocked(t, q)
	a.dispatchLocked()
	let := k.let
	a.mu.Unlock()
	if let {
		a.metrics.waited(q, 0)
		return nil
	}
	return a.stand(ctx, k, most)
}

// stand waits in the queue.
func (a *Admission) stand(ctx context.Context, k *ticket, most time.Duration) error {
	q := k.query
	var patience <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		patience = timer.C
	}
	var cause error
	select {
	case <-k.ready:
	case <-patience:
	case <-q.fault.Done():
		cause = context.Cause(q.fault)
	case <-ctx.Done():
		cause = context.Cause(ctx)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	waited := a.opts.Now().Sub(k.queued)
	if k.let {
		a.metrics.waited(q, waited)
		return nil
	}
	err := a.giveUpLocked(k, waited, cause)
	a.removeLocked(k)
	a.dispatchLocked() // the one behind may be let in where this one was not
	a.metrics.waited(q, waited)
	return err
}

// pushLocked queues a query.
func (a *Admission) pushLocked(t *tenant, q *Query) *ticket {
	a.seq++
	k := &ticket{query: q, tenant: t, seq: a.seq, queued: a.opts.Now(), ready: make(chan struct{})}
	k.order = k.queued.Add(delays[q.Request.Class])
	if q.state.over {
		k.order = k.queued.Add(overDelay)
	}
	t.limits, t.tag = q.limits, max(t.tag, a.clock)
	t.queued[q.Request.Class]++
	a.waiting++
	q.state.ticket = k
	heap.Push(&t.tickets[q.state.lane], k)
	a.lanes[q.state.lane].fix(t)
	return k
}

// removeLocked takes a query out of its queue.
func (a *Admission) removeLocked(k *ticket) {
	q, t := k.query, k.tenant
	heap.Remove(&t.tickets[q.state.lane], k.index)
	t.queued[q.Request.Class]--
	a.waiting--
	q.state.ticket = nil
	q.state.waited += a.opts.Now().Sub(k.queued)
	a.lanes[q.state.lane].fix(t)
	a.restLocked()
}
