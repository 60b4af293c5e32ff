package admit

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Recent is how far back a tenant that is over its budget may still read, so that it sees what goes on right now.
const Recent = 15 * time.Minute

// recentSlack is what a range may begin earlier than Recent: clocks differ, and dashboards align their ranges to steps.
const recentSlack = time.Minute

// Want is what a query is about to read, as far as it is known before it reads.
type Want struct {
	Signals    []seamark.Signal
	Start, End time.Time // of the rows, look-back included; zero is not known
	// Light says that the answer comes from memory or from small tables: lists of names and values.
	Light bool
	// Narrow, when set, returns the most that the query itself can read, by index analysis. It is asked only where that decides
	// something: all of the tenant's rows in the range may be too much.
	Narrow func(ctx context.Context) (Estimate, error)
}

// recent reports whether the whole range lies within the last minutes.
func (w *Want) recent(now time.Time) bool {
	return w.Light || !w.Start.IsZero() && !w.Start.Before(now.Add(-Recent-recentSlack))
}

// estimate returns the most that a query can read, as far as it must be known.
func (q *Query) estimate(ctx context.Context, want *Want) Estimate {
	a := q.owner
	if want.Light || a.opts.Estimate == nil {
		return Estimate{}
	}
	e := a.opts.Estimate(ctx, q.Request.Tenant, want)
	if want.Narrow == nil || e.Bytes < a.opts.ScanBytes && !over(e.Bytes, q.limits.QueryMaxBytes) {
		return e
	}
	narrowed, err := want.Narrow(ctx)
	if err != nil {
		return e // what is wrong with the query, the engine says
	}
	return Estimate{Rows: min(e.Rows, narrowed.Rows), Bytes: min(e.Bytes, narrowed.Bytes), Narrowed: true}
}

// Estimate is the most that a query can read.
type Estimate struct {
	Rows, Bytes uint64
	Narrowed    bool // by index analysis of the query itself; else it is all that the tenant has of the signals in the range
}
