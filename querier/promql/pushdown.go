package promql

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/stats"
)

// errFallback ends a query that package grid cannot answer as Prometheus would. It is then evaluated by Prometheus' engine
// alone, which also finds the words for what is wrong with it.
var errFallback = errors.New("promql: left to Prometheus' engine")

// pushdown implements promql.QueryEngine. It replaces the parts of a query that package grid evaluates by selectors of their
// results and leaves the rest, and so the meaning of the language, to Prometheus' engine.
type pushdown struct {
	engine promql.QueryEngine
	// maxSamples is how many samples of 16 bytes a part may hold; larger ones are left to the engine, which tells the limit.
	maxSamples int
	// workers is how many goroutines evaluate one part.
	workers int
	// delayedNames says that the engine drops names at the end of a query instead of where a function does.
	delayedNames bool
}

// NewInstantQuery implements promql.QueryEngine.
func (p *pushdown) NewInstantQuery(ctx context.Context, data storage.Queryable, opts promql.QueryOpts, query string, at time.Time) (promql.Query, error) {
	return p.newQuery(ctx, data, func(ctx context.Context, data storage.Queryable) (promql.Query, error) {
		return p.engine.NewInstantQuery(ctx, data, opts, query, at)
	})
}

// NewRangeQuery implements promql.QueryEngine.
func (p *pushdown) NewRangeQuery(ctx context.Context, data storage.Queryable, opts promql.QueryOpts, query string, start, end time.Time, step time.Duration) (promql.Query, error) { //nolint:revive // Prometheus' signature
	return p.newQuery(ctx, data, func(ctx context.Context, data storage.Queryable) (promql.Query, error) {
		return p.engine.NewRangeQuery(ctx, data, opts, query, start, end, step)
	})
}

func (p *pushdown) newQuery(ctx context.Context, data storage.Queryable, prepare func(context.Context, storage.Queryable) (promql.Query, error)) (promql.Query, error) {
	leaves := &leafQueryable{Queryable: data, pushdown: p, leaves: map[*labels.Matcher]*leaf{}}
	q, err := prepare(ctx, leaves)
	if err != nil {
		return nil, err
	}
	stmt, ok := q.Statement().(*parser.EvalStmt)
	if !ok {
		return q, nil
	}
	// The statement is the one that Exec evaluates, with offsets and invariant parts resolved.
	leaves.rewriteStatement(stmt)
	if len(leaves.leaves) == 0 {
		return q, nil
	}
	for _, l := range leaves.leaves {
		l.stats = q.Stats().Samples
	}
	return &rewrittenQuery{query: q, plain: func(ctx context.Context) (promql.Query, error) { return prepare(ctx, data) }}, nil
}

// rewrittenQuery implements promql.Query. It is evaluated again without the rewriting when that fails with errFallback.
type rewrittenQuery struct {
	plain func(context.Context) (promql.Query, error)

	mu       sync.Mutex // guards what follows
	query    promql.Query
	canceled bool
	fellBack bool // query is the plain one
}

func (r *rewrittenQuery) current() promql.Query {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.query
}

// Exec implements promql.Query.
func (r *rewrittenQuery) Exec(ctx context.Context) *promql.Result {
	result := r.current().Exec(ctx)
	if !errors.Is(result.Err, errFallback) {
		return result
	}
	q, err := r.plain(ctx)
	if err != nil {
		return &promql.Result{Err: err}
	}
	r.mu.Lock()
	r.query.Close()
	r.query, r.fellBack = q, true
	canceled := r.canceled
	r.mu.Unlock()
	if canceled {
		return &promql.Result{Err: promql.ErrQueryCanceled("query execution")}
	}
	return q.Exec(ctx)
}

// Close implements promql.Query.
func (r *rewrittenQuery) Close() { r.current().Close() }

// Statement implements promql.Query.
func (r *rewrittenQuery) Statement() parser.Statement { return r.current().Statement() }

// Stats implements promql.Query.
func (r *rewrittenQuery) Stats() *stats.Statistics { return r.current().Stats() }

// String implements promql.Query.
func (r *rewrittenQuery) String() string { return r.current().String() }

// Cancel implements promql.Query.
func (r *rewrittenQuery) Cancel() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.canceled = true
	r.query.Cancel()
}
