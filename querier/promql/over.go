package promql

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// InstantOver evaluates a rule's expression at one moment over q: a tenant's series together with some that are not stored yet,
// or in a backtest never will be. Scalars become vectors, as in QueryFunc, and errors are the same. The caller owns the vector.
func (e *Engine) InstantOver(ctx context.Context, q storage.Queryable, query string, at time.Time) (promql.Vector, error) {
	prepared, result, err := e.run(ctx, func(ctx context.Context) (promql.Query, error) {
		return noStarts{e.engine}.NewInstantQuery(ctx, q, nil, query, at)
	})
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	return ruleVector(result)
}

// RangeOver evaluates a rule's expression at every step over q. The caller owns the matrix.
func (e *Engine) RangeOver(ctx context.Context, q storage.Queryable, query string, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	prepared, result, err := e.run(ctx, func(ctx context.Context) (promql.Query, error) {
		return noStarts{e.engine}.NewRangeQuery(ctx, q, nil, query, r.Start, r.End, step)
	})
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	return ownMatrix(result)
}

// RuleRange evaluates a rule's expression at every step over what the tenant has stored. The caller owns the matrix.
func (e *Engine) RuleRange(ctx context.Context, tenant seamark.TenantID, query string, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	prepared, result, err := e.Range(ctx, tenant, query, r.Start, r.End, step, nil)
	if err != nil {
		return nil, err
	}
	defer prepared.Close()
	return ownMatrix(result)
}

// ownMatrix copies a result out of the memory that its query takes back.
func ownMatrix(result *promql.Result) (promql.Matrix, error) {
	m, err := result.Matrix()
	if err != nil {
		return nil, err
	}
	own := make(promql.Matrix, len(m))
	for i, s := range m {
		named := recorded(promql.Vector{{Metric: s.Metric}})
		own[i] = promql.Series{Metric: named[0].Metric, Floats: slices.Clone(s.Floats), Histograms: slices.Clone(s.Histograms)}
	}
	return own, nil
}
