package engine

import (
	"context"
	"math"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// binary evaluates an operation with at least one vector. Its meaning is that of PromQL, which LogQL's documentation
// points to.
func (q *query) binary(ctx context.Context, b *logql.Binary, at *steps) (matrix, error) {
	if logql.IsScalar(b.Left) {
		m, err := q.eval(ctx, b.Right, at)
		return withScalar(b, m, scalar(b.Left), true), err
	}
	left, err := q.eval(ctx, b.Left, at)
	if err != nil {
		return nil, err
	}
	if logql.IsScalar(b.Right) {
		return withScalar(b, left, scalar(b.Right), false), nil
	}
	right, err := q.eval(ctx, b.Right, at)
	if err != nil {
		return nil, err
	}
	if b.Op.Sets() {
		return sets(b, left, right), nil
	}
	if err := q.grow((len(left) + len(right)) * at.count * bytesPerStep); err != nil {
		return nil, err
	}
	j := &join{binary: b, keep: matchRule(b.Matching), count: at.count, out: map[string]*series{}}
	return j.run(left, right)
}

// operate applies an operator to two values. For comparisons keep is their answer and v the left value.
func operate(op logql.BinaryOp, a, b float64) (v float64, keep bool) {
	switch op {
	case logql.OpAdd:
		return a + b, true
	case logql.OpSub:
		return a - b, true
	case logql.OpMul:
		return a * b, true
	case logql.OpDiv:
		if b == 0 {
			return math.NaN(), true // as Loki has it, unlike PromQL
		}
		return a / b, true
	case logql.OpMod:
		return math.Mod(a, b), true
	case logql.OpPow:
		return math.Pow(a, b), true
	}
	return a, compare(op, a, b)
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// withScalar operates on every value of m and a number, which stands on the left if first is set. Comparisons keep the
// vector's values.
func withScalar(b *logql.Binary, m matrix, number float64, first bool) matrix {
	for _, s := range m {
		for k, has := range s.has {
			if !has {
				continue
			}
			x, y := s.values[k], number
			if first {
				x, y = y, x
			}
			v, keep := operate(b.Op, x, y)
			switch {
			case b.Bool:
				s.values[k] = boolean(keep)
			case b.Op.Compares():
				s.has[k] = keep
			default:
				s.values[k] = v
			}
		}
	}
	return m
}

// matchRule returns which labels two series must share to match.
func matchRule(m *logql.Matching) func(string) bool {
	if m == nil {
		return func(string) bool { return true }
	}
	return func(name string) bool { return slices.Contains(m.Labels, name) == m.On }
}

// sets evaluates and, or, unless: series of one side by the presence of a match on the other, step by step.
func sets(b *logql.Binary, left, right matrix) matrix {
	keep := matchRule(b.Matching)
	by := func(m matrix) map[string]matrix {
		index := map[string]matrix{}
		for _, s := range m {
			key, _ := matchKey(s.labels, keep)
			index[key] = append(index[key], s)
		}
		return index
	}
	filter := func(m matrix, other map[string]matrix, wanted bool) {
		for _, s := range m {
			key, _ := matchKey(s.labels, keep)
			for k, has := range s.has {
				s.has[k] = has && slices.ContainsFunc(other[key], func(o *series) bool { return o.has[k] }) == wanted
			}
		}
	}
	if b.Op != logql.OpOr {
		filter(left, by(right), b.Op == logql.OpAnd)
		return left.trim()
	}
	filter(right, by(left), false)
	return merge(left, right)
}

// merge unites two matrices of which no two series of equal labels have values at the same step.
func merge(left, right matrix) matrix {
	index := map[string]*series{}
	for _, s := range left {
		index[string(appendKey(nil, s.labels))] = s
	}
	for _, s := range right {
		same := index[string(appendKey(nil, s.labels))]
		if same == nil {
			left = append(left, s)
			continue
		}
		for k, has := range s.has {
			if has {
				same.set(k, s.values[k])
			}
		}
	}
	return left.trim()
}

// join matches the series of two vectors.
type join struct {
	binary *logql.Binary
	keep   func(string) bool
	count  int
	out    map[string]*series
}

func (j *join) run(left, right matrix) (matrix, error) {
	many, one := left, right
	if j.group() == logql.GroupRight {
		many, one = right, left
	}
	partners := map[string]matrix{}
	for _, s := range one {
		key, _ := matchKey(s.labels, j.keep)
		partners[key] = append(partners[key], s)
	}
	taken := map[string]*claims{}
	for _, s := range many {
		key, shared := matchKey(s.labels, j.keep)
		if len(partners[key]) == 0 {
			continue
		}
		if taken[key] == nil {
			taken[key] = newClaims(j.count)
		}
		if err := j.match(s, partners[key], shared, taken[key]); err != nil {
			return nil, err
		}
	}
	m := make(matrix, 0, len(j.out))
	for _, s := range j.out {
		m = append(m, s)
	}
	return m.trim(), nil
}

func (j *join) group() logql.Group {
	if j.binary.Matching == nil {
		return logql.OneToOne
	}
	return j.binary.Matching.Group
}

// claims remembers at which steps a match was made, for matches that may be made once.
type claims struct{ at []bool }

func newClaims(count int) *claims { return &claims{at: make([]bool, count)} }

// match operates on a series of the "many" side and its partner at every step.
func (j *join) match(s *series, partners matrix, shared []seamark.Label, taken *claims) error {
	for k, has := range s.has {
		if !has {
			continue
		}
		var partner *series
		for _, o := range partners {
			if !o.has[k] {
				continue
			}
			if partner != nil {
				return seamark.Errorf(seamark.Unprocessable, "seamark-logql-match",
					"In %s the series %s matches both %s and %s on the other side. Match on more labels, or aggregate that side first.",
					j.binary, formatLabels(s.labels), formatLabels(partner.labels), formatLabels(o.labels))
			}
			partner = o
		}
		if partner == nil {
			continue
		}
		if j.group() == logql.OneToOne && taken.at[k] {
			return seamark.Errorf(seamark.Unprocessable, "seamark-logql-match",
				"In %s several series of the left side match %s. Say group_left, match on more labels, or aggregate the left side first.",
				j.binary, formatLabels(partner.labels))
		}
		taken.at[k] = true
		if err := j.store(k, s, partner, shared); err != nil {
			return err
		}
	}
	return nil
}

// store puts the operation's value at step k into the series of its labels.
func (j *join) store(k int, s, partner *series, shared []seamark.Label) error {
	x, y := s.values[k], partner.values[k]
	if j.group() == logql.GroupRight {
		x, y = y, x
	}
	v, keep := operate(j.binary.Op, x, y)
	switch {
	case j.binary.Bool:
		v = boolean(keep)
	case !keep:
		return nil
	}
	labels := shared
	if j.group() != logql.OneToOne {
		labels = include(s.labels, partner.labels, j.binary.Matching.Include)
	}
	key := string(appendKey(nil, labels))
	out := j.out[key]
	if out == nil {
		out = newSeries(labels, j.count)
		j.out[key] = out
	}
	if out.has[k] {
		return seamark.Errorf(seamark.Unprocessable, "seamark-logql-match",
			"In %s several results have the labels %s. Include a label that tells them apart.", j.binary, formatLabels(labels))
	}
	out.set(k, v)
	return nil
}

// include returns the labels of a "many" series with the named ones taken from the "one" side.
func include(many, one []seamark.Label, named []string) []seamark.Label {
	labels := slices.Clone(many)
	for _, name := range named {
		labels = slices.DeleteFunc(labels, func(l seamark.Label) bool { return l.Name == name })
		for _, l := range one {
			if l.Name == name {
				labels = append(labels, l)
			}
		}
	}
	seamark.SortLabels(labels)
	return labels
}
