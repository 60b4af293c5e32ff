package promql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// flights lets callers that ask the same at the same time share one execution. Nothing is kept for those who ask later.
type flights struct {
	shared  prometheus.Counter
	running sync.WaitGroup // executions, those that nobody waits for included

	mu    sync.Mutex // guards byKey, and the users and the outcome of every flight
	byKey map[flightKey]*flight
}

func newFlights(reg prometheus.Registerer) *flights {
	f := &flights{byKey: map[flightKey]*flight{}, shared: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seamark_querier_queries_shared_total", Help: "PromQL queries that were answered by the execution of an equal one.",
	})}
	reg.MustRegister(f.shared)
	return f
}

// flightKey is everything that an answer depends on.
type flightKey struct {
	tenant       seamark.TenantID
	only         *seamark.Restriction // what part of the tenant is read
	expr         string               // the query as the parser writes it
	instant      bool
	start, end   time.Time
	step         time.Duration
	lookback     time.Duration
	perStepStats bool
}

// newFlightKey leaves the query open.
func newFlightKey(tenant seamark.TenantID, start, end time.Time, opts promql.QueryOpts) flightKey {
	plain := func(t time.Time) time.Time { return t.Round(0).UTC() } // equal times are the same value
	k := flightKey{tenant: tenant, start: plain(start), end: plain(end)}
	if opts != nil {
		k.lookback, k.perStepStats = opts.LookbackDelta(), opts.EnablePerStepStats()
	}
	return k
}

// flight is one execution.
type flight struct {
	key    flightKey
	text   string // the query as the first caller wrote it
	cancel context.CancelFunc
	done   chan struct{} // closed after the outcome is there

	users  int // callers who wait, or who have not closed the result
	landed bool
	query  promql.Query
	result *promql.Result
	err    error
}

// execution evaluates a query. It bounds its own time.
type execution func(context.Context) (promql.Query, *promql.Result, error)

// do returns the outcome of run, or of an execution under way with the same key. When ctx ends the caller leaves with its
// error; an execution that the last caller has left is cancelled. The result is shared and only read; the query that is
// returned is the caller's own, who closes it.
func (f *flights) do(ctx context.Context, key flightKey, text string, run execution) (promql.Query, *promql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	one := f.board(ctx, key, text, run)
	select {
	case <-one.done:
	case <-ctx.Done():
		f.leave(one)
		return nil, nil, ctx.Err()
	}
	switch {
	case one.err != nil:
		f.leave(one)
		return nil, nil, one.err
	case one.text != text && len(one.result.Warnings) > 0:
		f.leave(one)
		return run(ctx) // notes point to places in the text
	}
	result := *one.result
	result.Warnings = maps.Clone(result.Warnings) // the API adds to them
	return &sharedQuery{Query: one.query, result: &result, leave: sync.OnceFunc(func() { f.leave(one) })}, &result, nil
}

// board joins the execution with the key, or starts it.
func (f *flights) board(ctx context.Context, key flightKey, text string, run execution) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.byKey[key]; one != nil {
		one.users++
		f.shared.Inc()
		return one
	}
	// Whoever asked first may leave before the others. What the execution takes is that one's all the same, as is the limit that
	// ends it.
	ctx, cancel := admit.Bind(context.WithoutCancel(ctx))
	one := &flight{key: key, text: text, cancel: cancel, done: make(chan struct{}), users: 1}
	f.byKey[key] = one
	f.running.Go(func() {
		defer cancel()
		q, result, err := guarded(ctx, run)
		if limit, ok := errors.AsType[*seamark.Error](context.Cause(ctx)); ok && err != nil {
			err = limit
		}
		f.land(one, q, result, err)
	})
	return one
}

// guarded runs an execution behind others while its tenant crowds the node.
func guarded(ctx context.Context, run execution) (q promql.Query, result *promql.Result, err error) {
	err = admit.From(ctx).Run(caught(func() error {
		q, result, err = run(ctx)
		return err
	}))
	return q, result, err
}

// caught has work return an error where it panics, with the stack of the goroutine that it panics on. A request's own goroutine is the
// HTTP server's to guard; a panic on any other ends the process.
func caught(work func() error) func() error {
	return func() (err error) {
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("%w: %v\n%s", ErrPanic, fault, debug.Stack())
			}
		}()
		return work()
	}
}

// land publishes the outcome.
func (f *flights) land(one *flight, q promql.Query, result *promql.Result, err error) {
	f.mu.Lock()
	f.forgetLocked(one)
	one.query, one.result, one.err, one.landed = q, result, err, true
	abandoned := one.users == 0
	f.mu.Unlock()
	close(one.done)
	if abandoned && q != nil {
		q.Close()
	}
}

// leave is called once by every user.
func (f *flights) leave(one *flight) {
	f.mu.Lock()
	one.users--
	last, landed := one.users == 0, one.landed
	if last {
		f.forgetLocked(one)
	}
	f.mu.Unlock()
	if last {
		one.cancel()
	}
	if last && landed && one.query != nil {
		one.query.Close()
	}
}

// forgetLocked keeps new callers from joining.
func (f *flights) forgetLocked(one *flight) {
	if f.byKey[one.key] == one {
		delete(f.byKey, one.key)
	}
}

// sharedQuery implements promql.Query for one of the callers of an execution.
type sharedQuery struct {
	promql.Query
	result *promql.Result
	leave  func()
}

// Exec implements promql.Query.
func (q *sharedQuery) Exec(context.Context) *promql.Result { return q.result }

// Cancel implements promql.Query. The query has ended.
func (*sharedQuery) Cancel() {}

// Close implements promql.Query. The memory of the result is reused when every caller has closed it.
func (q *sharedQuery) Close() { q.leave() }
