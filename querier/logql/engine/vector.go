package engine

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// vectorAggregation evaluates sum, avg, topk and the others.
func (q *query) vectorAggregation(ctx context.Context, a *logql.VectorAggregation, at *steps) (matrix, error) {
	if inner, ok := a.Inner.(*logql.RangeAggregation); ok && a.Op == logql.VectorSum && counts(inner) {
		// A sum of counts is the count of the sum: the leaf sums while it counts, in one series per group.
		group := a.Grouping
		if group == nil {
			group = &logql.Grouping{}
		}
		return q.rangeAggregation(ctx, inner, at, group)
	}
	m, err := q.eval(ctx, a.Inner, at)
	if err != nil {
		return nil, err
	}
	switch a.Op {
	case logql.VectorSort, logql.VectorSortDesc:
		return m, nil
	case logql.VectorTopK, logql.VectorBottomK, logql.VectorApprox:
		return best(a, m, at.count), nil
	}
	var out matrix
	for _, g := range groups(a.Grouping, m) {
		s := newSeries(g.labels, at.count)
		if err := q.grow(at.count * bytesPerStep); err != nil {
			return nil, err
		}
		for k := range at.count {
			if v, ok := aggregate(a.Op, g.members, k); ok {
				s.set(k, v)
			}
		}
		out = append(out, s)
	}
	return out.trim(), nil
}

// counts reports whether a yields counts of lines or bytes, or a fixed share of them.
func counts(a *logql.RangeAggregation) bool {
	switch a.Op {
	case logql.RangeCount, logql.RangeBytes, logql.RangeBytesRate:
		return true
	case logql.RangeRate:
		return a.Unwrap == nil
	}
	return false
}

type group struct {
	labels  []seamark.Label
	members matrix
}

// groups sorts the series of m into groups, in the order of their first members.
func groups(g *logql.Grouping, m matrix) []*group {
	keep := func(string) bool { return false }
	if g != nil {
		keep = func(name string) bool { return slices.Contains(g.Labels, name) != g.Without }
	}
	index := map[string]*group{}
	var list []*group
	for _, s := range m {
		key, labels := matchKey(s.labels, keep)
		found := index[key]
		if found == nil {
			found = &group{labels: labels}
			index[key] = found
			list = append(list, found)
		}
		found.members = append(found.members, s)
	}
	return list
}

// aggregate folds the members' values at step k; ok is false when none has one.
func aggregate(op logql.VectorOp, members matrix, k int) (v float64, ok bool) {
	var p part
	f := vectorFold(op)
	for _, s := range members {
		if s.has[k] {
			f.add(&p, 0, s.values[k])
		}
	}
	if p.n == 0 {
		return 0, false
	}
	return f.value(&p), true
}

// vectorFold returns the fold of an aggregation; they are those of the range functions of the same name.
func vectorFold(op logql.VectorOp) fold {
	over := logql.RangeSum
	switch op {
	case logql.VectorAvg:
		over = logql.RangeAvg
	case logql.VectorMin:
		over = logql.RangeMin
	case logql.VectorMax:
		over = logql.RangeMax
	case logql.VectorStddev:
		over = logql.RangeStddev
	case logql.VectorStdvar:
		over = logql.RangeStdvar
	case logql.VectorCount:
		return fold{add: func(p *part, _ int64, _ float64) { p.n++ }, value: func(p *part) float64 { return float64(p.n) }}
	case logql.VectorSum, logql.VectorTopK, logql.VectorBottomK, logql.VectorApprox, logql.VectorSort, logql.VectorSortDesc:
	}
	return foldOf(&logql.RangeAggregation{Op: over})
}

// best keeps at every step the k largest or smallest values of each group. Of equal values those of the first labels stay.
func best(a *logql.VectorAggregation, m matrix, count int) matrix {
	var out matrix
	for _, g := range groups(a.Grouping, m) {
		chosen := make(matrix, len(g.members))
		candidates := make([]int, 0, len(g.members))
		for k := range count {
			candidates = candidates[:0]
			for i, s := range g.members {
				if s.has[k] {
					candidates = append(candidates, i)
				}
			}
			slices.SortStableFunc(candidates, func(x, y int) int {
				return rank(g.members[x].values[k], g.members[y].values[k], a.Op != logql.VectorBottomK)
			})
			for _, i := range candidates[:min(a.Param, len(candidates))] {
				if chosen[i] == nil {
					chosen[i] = newSeries(g.members[i].labels, count)
				}
				chosen[i].set(k, g.members[i].values[k])
			}
		}
		out = append(out, slices.DeleteFunc(chosen, func(s *series) bool { return s == nil })...)
	}
	return out.trim()
}

// rank orders values, NaN last in either direction: it is never best.
func rank(a, b float64, falling bool) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	case falling:
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
