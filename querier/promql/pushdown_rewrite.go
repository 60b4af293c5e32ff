package promql

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/stats"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// leaf is a part of a query that package grid evaluates: a function of a range selector, or an aggregation of that or of a
// plain selector.
type leaf struct {
	plan     grid.Plan
	function *parser.Call // nil for a plain selector
	matchers []*labels.Matcher
	fold     grid.Op  // 0: not added up
	top      int      // how many series of each group are chosen; 0: all
	smallest bool     // those with the smallest values are, not the largest
	grouping []string // sorted
	without  bool
	hints    storage.SelectHints
	stats    *stats.QuerySamples // of the query; only the engine's goroutine writes
}

// leafQueryable implements storage.Queryable over the leaves of one query and, for all other selectors, over its data.
type leafQueryable struct {
	storage.Queryable
	*pushdown
	stmt   *parser.EvalStmt
	leaves map[*labels.Matcher]*leaf // by the only matcher of the selector that took their place
}

// rewriteStatement replaces every leaf of the statement.
func (q *leafQueryable) rewriteStatement(stmt *parser.EvalStmt) {
	if stmt.End.Before(stmt.Start) || stmt.Interval != 0 && stmt.Interval < time.Millisecond {
		return
	}
	q.stmt = stmt
	stmt.Expr = q.rewrite(stmt.Expr)
}

// seesArgument reports whether a function looks at the expression of its argument, not only at its value.
func seesArgument(function string) bool {
	return slices.Contains([]string{"absent", "info", "start_timestamp", "timestamp"}, function)
}

// rewrite returns expr with its leaves replaced. What is evaluated at other steps than the query's, subqueries and invariant
// parts, stays as it is.
func (q *leafQueryable) rewrite(expr parser.Expr) parser.Expr {
	if l := q.find(expr); l != nil {
		return q.replace(expr, l)
	}
	switch e := expr.(type) {
	case *parser.AggregateExpr:
		e.Expr = q.rewrite(e.Expr)
		if e.Param != nil {
			e.Param = q.rewrite(e.Param)
		}
	case *parser.BinaryExpr:
		e.LHS, e.RHS = q.rewrite(e.LHS), q.rewrite(e.RHS)
	case *parser.Call:
		if !seesArgument(e.Func.Name) {
			for i := range e.Args {
				e.Args[i] = q.rewrite(e.Args[i])
			}
		}
	case *parser.ParenExpr:
		e.Expr = q.rewrite(e.Expr)
	case *parser.UnaryExpr:
		e.Expr = q.rewrite(e.Expr)
	}
	return expr
}

// find returns the leaf that expr is, or nil.
func (q *leafQueryable) find(expr parser.Expr) *leaf {
	switch e := expr.(type) {
	case *parser.Call:
		return q.findFunction(e)
	case *parser.AggregateExpr:
		return q.findAggregate(e)
	}
	return nil
}

func (q *leafQueryable) findAggregate(e *parser.AggregateExpr) *leaf {
	op, top := foldOp(e.Op), q.mostOf(e)
	if op == 0 && top == 0 {
		return nil
	}
	var l *leaf
	switch child := e.Expr.(type) {
	case *parser.Call:
		l = q.findFunction(child)
	case *parser.VectorSelector:
		// At one step the store returns one sample of each series, of which nothing is to be gained.
		if q.stmt.Interval > 0 {
			l = q.newLeaf(grid.Instant, child, q.stmt.LookbackDelta)
		}
	}
	if l == nil || top > 0 && l.plan.Steps == 1 { // topk at one step has an order
		return nil
	}
	l.fold, l.top, l.smallest = op, top, e.Op == parser.BOTTOMK
	l.without, l.grouping = e.Without, slices.Sorted(slices.Values(e.Grouping))
	return l
}

// mostOf returns how many series an aggregation chooses, 0 if it chooses none or if they are left to the engine: so many that
// little is saved, or not the same number for certain at every step.
func (*leafQueryable) mostOf(e *parser.AggregateExpr) int {
	const largest = 1000
	number, ok := e.Param.(*parser.NumberLiteral)
	if !ok || e.Op != parser.TOPK && e.Op != parser.BOTTOMK || !(number.Val >= 1 && number.Val <= largest) {
		return 0
	}
	return int(number.Val) // as the engine rounds it
}

func foldOp(op parser.ItemType) grid.Op {
	switch op {
	case parser.SUM:
		return grid.Sum
	case parser.AVG:
		return grid.Avg
	case parser.MIN:
		return grid.Min
	case parser.MAX:
		return grid.Max
	case parser.COUNT:
		return grid.Count
	case parser.GROUP:
		return grid.Group
	}
	return 0
}

func (q *leafQueryable) findFunction(call *parser.Call) *leaf {
	f, ok := grid.ParseFunc(call.Func.Name)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	matrix, ok := call.Args[0].(*parser.MatrixSelector)
	if !ok {
		return nil
	}
	selector, ok := matrix.VectorSelector.(*parser.VectorSelector)
	if !ok {
		return nil
	}
	l := q.newLeaf(f, selector, matrix.Range)
	if l != nil {
		l.function = call
		l.hints.Func, l.hints.Range = call.Func.Name, l.plan.Range
	}
	return l
}

// newLeaf returns a leaf of a selector, nil if package grid does not know how it is modified.
func (q *leafQueryable) newLeaf(f grid.Func, s *parser.VectorSelector, width time.Duration) *leaf {
	if s.Timestamp != nil || s.StartOrEnd != 0 || s.Anchored || s.Smoothed ||
		width <= 0 || width%time.Millisecond != 0 || s.OriginalOffset%time.Millisecond != 0 {
		return nil
	}
	p := grid.Plan{
		Func: f, Start: milliseconds(q.stmt.Start), Step: max(1, q.stmt.Interval.Milliseconds()), Steps: 1,
		Range: width.Milliseconds(), Offset: s.OriginalOffset.Milliseconds(),
	}
	if q.stmt.Interval > 0 {
		p.Steps = int((milliseconds(q.stmt.End)-p.Start)/p.Step) + 1
	}
	first := p.Start - p.Offset
	return &leaf{
		plan: p, matchers: s.LabelMatchers,
		hints: storage.SelectHints{
			Start: first - p.Range + 1, End: first + int64(p.Steps-1)*p.Step, Step: q.stmt.Interval.Milliseconds(),
		},
	}
}

// milliseconds rounds as Prometheus' engine does.
func milliseconds(t time.Time) int64 { return t.UnixNano() / int64(time.Millisecond) }

// replace returns the selector of a leaf's result, which stands in the query where the leaf stood.
func (q *leafQueryable) replace(expr parser.Expr, l *leaf) parser.Expr {
	// The store is not asked for it, and the map knows it by its address, so that no text in a query can name it.
	m := &labels.Matcher{Type: labels.MatchEqual, Name: "leaf"}
	q.leaves[m] = l
	at := expr.PositionRange()
	selector := &parser.VectorSelector{Name: "leaf", LabelMatchers: []*labels.Matcher{m}, PosRange: at}
	if q.delayedNames && l.plan.Func != grid.Instant && !l.plan.Func.KeepsName() {
		return droppingName(selector, at)
	}
	return selector
}

// droppingName returns a function of the selector that gives its values and marks its names as to be dropped.
func droppingName(selector *parser.VectorSelector, at posrange.PositionRange) parser.Expr {
	return &parser.Call{
		Func: parser.Functions["max_over_time"], PosRange: at,
		Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: selector, Range: time.Millisecond, EndPos: at.End}},
	}
}
