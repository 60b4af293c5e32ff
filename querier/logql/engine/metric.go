package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// metric evaluates a metric query at all its steps.
func (q *query) metric(ctx context.Context, expr logql.Expr) (*Result, error) {
	at, err := q.newSteps()
	if err != nil {
		return nil, err
	}
	q.names = names{}
	collectNames(expr, q.names)
	result := &Result{Kind: Matrix}
	if logql.IsScalar(expr) {
		s := newSeries(nil, at.count)
		v := scalar(expr)
		for k := range at.count {
			s.set(k, v)
		}
		result.Series = at.result(matrix{s})
		if at.step == 0 {
			result.Kind = Scalar
		}
		return result, nil
	}
	m, err := q.eval(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	m = m.trim()
	if at.step == 0 {
		result.Kind = Vector
		sortVector(expr, m)
	}
	result.Series = at.result(m)
	for i := range result.Series {
		q.stats.Entries += len(result.Series[i].Points)
	}
	return result, nil
}

// collectNames adds the labels that clauses of the query name.
func collectNames(e logql.Expr, to names) {
	switch e := e.(type) {
	case *logql.RangeAggregation:
		addGroup(e.Grouping, to)
	case *logql.VectorAggregation:
		addGroup(e.Grouping, to)
		collectNames(e.Inner, to)
	case *logql.LabelReplace:
		to.add(e.Source)
		collectNames(e.Inner, to)
	case *logql.Binary:
		if e.Matching != nil {
			to.add(e.Matching.Include...)
			if e.Matching.On {
				to.add(e.Matching.Labels...)
			}
		}
		collectNames(e.Left, to)
		collectNames(e.Right, to)
	}
}

func addGroup(g *logql.Grouping, to names) {
	if g != nil && !g.Without {
		to.add(g.Labels...)
	}
}

// scalar evaluates an expression that is a number.
func scalar(e logql.Expr) float64 {
	switch e := e.(type) {
	case *logql.Number:
		return e.Value
	case *logql.Binary:
		v, keep := operate(e.Op, scalar(e.Left), scalar(e.Right))
		if e.Op.Compares() {
			return boolean(keep)
		}
		return v
	}
	return 0
}

// eval evaluates an expression that yields series.
func (q *query) eval(ctx context.Context, e logql.Expr, at *steps) (matrix, error) {
	switch e := e.(type) {
	case *logql.RangeAggregation:
		return q.rangeAggregation(ctx, e, at, nil)
	case *logql.VectorAggregation:
		return q.vectorAggregation(ctx, e, at)
	case *logql.Binary:
		return q.binary(ctx, e, at)
	case *logql.LabelReplace:
		m, err := q.eval(ctx, e.Inner, at)
		if err != nil {
			return nil, err
		}
		return labelReplace(e, m)
	case *logql.Vector:
		s := newSeries(nil, at.count)
		for k := range at.count {
			s.set(k, e.Value)
		}
		return matrix{s}, nil
	}
	return nil, fmt.Errorf("logql expression %T has no implementation", e)
}

// sortVector orders an instant's series as the outermost operator promises; else they stay sorted by labels.
func sortVector(e logql.Expr, m matrix) {
	a, ok := e.(*logql.VectorAggregation)
	if !ok {
		return
	}
	switch a.Op {
	case logql.VectorTopK, logql.VectorApprox, logql.VectorSortDesc:
		slices.SortStableFunc(m, func(a, b *series) int { return rank(a.values[0], b.values[0], true) })
	case logql.VectorBottomK, logql.VectorSort:
		slices.SortStableFunc(m, func(a, b *series) int { return rank(a.values[0], b.values[0], false) })
	}
}

// matchKey returns the key of the labels that count for a match or a group, and those labels.
func matchKey(labels []seamark.Label, keep func(string) bool) (string, []seamark.Label) {
	kept := make([]seamark.Label, 0, len(labels))
	for _, l := range labels {
		if keep(l.Name) {
			kept = append(kept, l)
		}
	}
	return string(appendKey(nil, kept)), kept
}
