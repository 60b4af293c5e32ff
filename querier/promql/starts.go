package promql

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// noStarts implements promql.QueryEngine. Its queries find no start timestamps with the function start_timestamp, as those of a
// Prometheus with its default options: the engine behind it knows them so that rates of deltas are right, and would answer 0
// for all other series.
type noStarts struct{ promql.QueryEngine }

// NewInstantQuery implements promql.QueryEngine.
func (e noStarts) NewInstantQuery(ctx context.Context, data storage.Queryable, opts promql.QueryOpts, query string, at time.Time) (promql.Query, error) {
	return withoutStarts(e.QueryEngine.NewInstantQuery(ctx, data, opts, query, at))
}

// NewRangeQuery implements promql.QueryEngine.
func (e noStarts) NewRangeQuery(ctx context.Context, data storage.Queryable, opts promql.QueryOpts, query string, start, end time.Time, step time.Duration) (promql.Query, error) { //nolint:revive // Prometheus' signature
	return withoutStarts(e.QueryEngine.NewRangeQuery(ctx, data, opts, query, start, end, step))
}

// withoutStarts puts the selectors that start_timestamp is asked of in parentheses. The function has an answer for bare
// selectors alone.
func withoutStarts(q promql.Query, err error) (promql.Query, error) {
	if err != nil {
		return nil, err
	}
	if stmt, ok := q.Statement().(*parser.EvalStmt); ok {
		parser.Inspect(stmt.Expr, func(node parser.Node, _ []parser.Node) error {
			if call, ok := node.(*parser.Call); ok && call.Func.Name == "start_timestamp" {
				call.Args[0] = &parser.ParenExpr{Expr: call.Args[0], PosRange: call.Args[0].PositionRange()}
			}
			return nil
		})
	}
	return q, nil
}
