// Package admit decides when each query runs and what it may take, so that no tenant's queries slow down another's: queues per
// tenant that are served by weight and class, budgets of bytes, limits of a single query, and the list of what waits and runs.
// It knows no query language and no store: whoever serves a query begins it here, and the store reports what it reads.
package admit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Class says who waits for a query's answer. Of one tenant's queries a lower class goes first.
type Class uint8

// The classes, from the first to the last.
const (
	RuleQuery      Class = iota + 1 // an alert depends on it
	DashboardQuery                  // a panel that a person looks at, refreshed again and again
	AdHocQuery                      // a person asks, or a tool that says nothing of itself
	ExportQuery                     // a file, a background job: nobody looks
)

// String returns the class as it stands in the API.
func (c Class) String() string {
	switch c {
	case RuleQuery:
		return "rule"
	case DashboardQuery:
		return "dashboard"
	case AdHocQuery:
		return "adhoc"
	case ExportQuery:
		return "export"
	}
	return "unknown"
}

// Request is what is known of a query before it runs.
type Request struct {
	Tenant   seamark.TenantID
	Class    Class
	Language string // promql, logql, events, audit or sql
	Text     string // as it was sent; of what has no text, the path
	Actor    string // login of a person, else the credential's id; of rules empty
	Source   string // "dashboard:<uid>/<panel>", "rule:<namespace>/<group>/<name>", "job:<id>" or empty
	Streamed bool   // its answer is a file, whose size has limits of its own
	Job      string // id of the background job that it works for, "" where somebody waits for the answer
}

// Cost is what a query has taken so far.
type Cost struct {
	Rows, Bytes uint64 // read by the store
	CPUMicros   uint64 // of the store
	ResultBytes uint64 // of the answer's body
	CacheBytes  uint64 // that this node's memory gave in the store's place
}

// Query is one that waits or runs. It is safe for concurrent use. The methods of a nil Query do nothing: what works for no query
// is never held up.
type Query struct {
	ID      string // a ULID, shown to the tenant
	Request Request
	Begun   time.Time // when it came in

	rows, bytes, cpuMicros, resultBytes, cacheBytes atomic.Uint64

	owner  *Admission
	limits Limits // as they were when the query came in
	fault  context.Context
	fail   context.CancelCauseFunc // ends fault, and the query's context with it
	enter  sync.Mutex              // held while the query waits, so that it waits once
	state  state                   // guarded by owner.mu
}

// Cost returns what the query has taken so far.
func (q *Query) Cost() Cost {
	if q == nil {
		return Cost{}
	}
	return Cost{
		Rows: q.rows.Load(), Bytes: q.bytes.Load(), CPUMicros: q.cpuMicros.Load(),
		ResultBytes: q.resultBytes.Load(), CacheBytes: q.cacheBytes.Load(),
	}
}

// Waited returns how long the query has waited for its places so far, the present wait left out.
func (q *Query) Waited() time.Duration {
	if q == nil {
		return 0
	}
	q.owner.mu.Lock()
	defer q.owner.mu.Unlock()
	return q.state.waited
}

// Limits returns what the query may take.
func (q *Query) Limits() Limits {
	if q == nil {
		return Limits{}
	}
	return q.limits
}

// MaxSeries returns how many series or streams one of the query's selectors may match: at most as many as most, which holds for all.
func (q *Query) MaxSeries(most int) int {
	if q == nil || q.limits.QueryMaxSeries <= 0 {
		return most
	}
	return int(min(int64(most), q.limits.QueryMaxSeries))
}

// Take adds to what the query has taken, charges its tenant, and ends the query when it goes over one of its limits.
func (q *Query) Take(c Cost) {
	if q == nil {
		return
	}
	rows, bytes := q.rows.Add(c.Rows), q.bytes.Add(c.Bytes)
	q.cpuMicros.Add(c.CPUMicros)
	q.cacheBytes.Add(c.CacheBytes)
	result := q.resultBytes.Add(c.ResultBytes)
	q.check(rows, bytes, result)
	if c.Rows|c.Bytes|c.CPUMicros != 0 {
		q.owner.charge(q, c)
	}
}

// Fault returns why the query was ended from here: it went over a limit or was cancelled. Engines tell of it as a context that has
// ended, which says nothing to a customer. It is nil while the query may go on.
func (q *Query) Fault() error {
	if q == nil {
		return nil
	}
	return context.Cause(q.fault)
}

// Bind returns a context that ends with the query's fault, for work that outlives the request which began it: other callers may
// wait for the same answer. The caller calls stop when the work is done.
func Bind(ctx context.Context) (bound context.Context, stop func()) {
	q := From(ctx)
	bound, cancel := context.WithCancelCause(ctx)
	if q == nil {
		return bound, func() { cancel(context.Canceled) }
	}
	release := context.AfterFunc(q.fault, func() { cancel(context.Cause(q.fault)) })
	return bound, func() { release(); cancel(context.Canceled) }
}

type contextKey struct{}

// With returns a context that carries the query to whatever works for it.
func With(ctx context.Context, q *Query) context.Context {
	return context.WithValue(ctx, contextKey{}, q)
}

// From returns the query that ctx works for, or nil: background work of the product itself is none.
func From(ctx context.Context) *Query {
	q, _ := ctx.Value(contextKey{}).(*Query)
	return q
}
