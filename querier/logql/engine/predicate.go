package engine

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/linematch"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// predicate is a condition on a line's labels. It may set __error__.
type predicate func(*lineLabels) bool

type predicateStage struct{ holds predicate }

// process implements stage.
func (s predicateStage) process(line string, labels *lineLabels) (string, bool) {
	return line, s.holds(labels)
}

func compilePredicate(p logql.Predicate) (predicate, error) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		test, err := compileMatcher(p.Matcher)
		if err != nil {
			return nil, err
		}
		return func(l *lineLabels) bool { return test(l.get(p.Matcher.Name)) }, nil
	case *logql.QuantityPredicate:
		return quantityPredicate(p), nil
	case *logql.IPPredicate:
		return ipPredicate(p)
	case *logql.Logical:
		left, err := compilePredicate(p.Left)
		if err != nil {
			return nil, err
		}
		right, err := compilePredicate(p.Right)
		if err != nil {
			return nil, err
		}
		if p.Or {
			return func(l *lineLabels) bool { return left(l) || right(l) }, nil
		}
		return func(l *lineLabels) bool { return left(l) && right(l) }, nil
	}
	return nil, fmt.Errorf("logql predicate %T has no implementation", p)
}

// quantityPredicate compares a label as a quantity. Lines with an error pass, as do those whose label does not convert,
// which get one: only a filter on __error__ drops them. A line without the label is dropped.
func quantityPredicate(p *logql.QuantityPredicate) predicate {
	return func(l *lineLabels) bool {
		if l.failed {
			return true
		}
		text, ok := l.find(p.Name)
		if !ok {
			return false
		}
		order, ok := compareQuantity(p, text)
		if !ok {
			l.fail(errorFilter, "the label "+p.Name+" does not convert: "+strconv.Quote(text))
			return true
		}
		return order
	}
}

// ipPredicate looks for addresses in a label. Lines with an error pass, and those without the label are dropped, as with
// quantities.
func ipPredicate(p *logql.IPPredicate) (predicate, error) {
	ip, err := linematch.ParseIP(p.Range)
	if err != nil {
		return nil, err
	}
	return func(l *lineLabels) bool {
		if l.failed {
			return true
		}
		text, ok := l.find(p.Name)
		return ok && ip.Contains(text) != p.Not
	}, nil
}

// compareQuantity compares text with p's quantity; ok is false when it does not convert.
func compareQuantity(p *logql.QuantityPredicate, text string) (holds, ok bool) {
	switch p.Kind {
	case logql.DurationQuantity:
		v, err := quantity.ParseDuration(text)
		return compare(p.Op, v, p.Time), err == nil
	case logql.BytesQuantity:
		v, err := quantity.ParseBytes(text)
		return compare(p.Op, v, p.Bytes), err == nil
	case logql.NumberQuantity:
	}
	v, err := strconv.ParseFloat(text, 64)
	return compare(p.Op, v, p.Number), err == nil
}

// compare applies a comparison.
func compare[T cmp.Ordered](op logql.BinaryOp, a, b T) bool {
	switch op {
	case logql.OpEqual:
		return a == b
	case logql.OpNot:
		return a != b
	case logql.OpGreater:
		return a > b
	case logql.OpAtLeast:
		return a >= b
	case logql.OpLess:
		return a < b
	case logql.OpAtMost:
		return a <= b
	}
	return false
}
