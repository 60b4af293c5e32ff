package grid

import (
	"math"

	"github.com/prometheus/prometheus/util/kahansum"
)

// Op is an aggregation of series.
type Op uint8

// The aggregations.
const (
	Sum Op = iota + 1
	Avg
	Min
	Max
	Count
	Group
)

// Fold aggregates rows of values, one value per step, by groups. Rows are added in the order in which Prometheus' engine
// would see their series, because a sum of floats depends on it.
type Fold struct {
	op     Op
	groups []cells
}

// cells are the steps of one group. Only those that the aggregation needs are there.
type cells struct {
	value       []float64 // IsMissing until a row has a value; of an average that overflowed, the mean
	c           []float64 // compensation of value
	n           []float64 // how many values were added
	overflowing []bool    // which averages are running means; nil while none is
}

// NewFold returns an empty aggregation.
func NewFold(op Op) *Fold { return &Fold{op: op} }

// Groups returns how many groups there are.
func (f *Fold) Groups() int { return len(f.groups) }

// CellBytes returns how much memory one step of one group takes.
func (op Op) CellBytes() int {
	switch op {
	case Sum:
		return 16
	case Avg:
		return 24
	}
	return 8
}

// AddGroup makes a group of so many steps; it has the next number from zero.
func (f *Fold) AddGroup(steps int) {
	g := cells{value: make([]float64, steps)}
	for k := range g.value {
		g.value[k] = missing()
	}
	switch f.op {
	case Avg:
		g.n = make([]float64, steps)
		g.overflowing = make([]bool, steps)
		fallthrough
	case Sum:
		g.c = make([]float64, steps)
	}
	f.groups = append(f.groups, g)
}

// Add adds the steps [from, to) of a row to its group. Calls for disjoint steps may run at once.
func (f *Fold) Add(group int, row []float64, from, to int) {
	g := &f.groups[group]
	switch f.op {
	case Sum:
		g.sum(row, from, to)
	case Avg:
		g.average(row, from, to)
	case Count:
		g.each(row, from, to, func(float64) float64 { return 1 }, func(n, _ float64) float64 { return n + 1 })
	case Group:
		g.each(row, from, to, func(float64) float64 { return 1 }, func(one, _ float64) float64 { return one })
	case Min:
		g.each(row, from, to, same, func(least, v float64) float64 {
			if least > v || math.IsNaN(least) {
				return v
			}
			return least
		})
	case Max:
		g.each(row, from, to, same, func(largest, v float64) float64 {
			if largest < v || math.IsNaN(largest) {
				return v
			}
			return largest
		})
	}
}

func same(v float64) float64 { return v }

// each sets a cell from its first value and changes it with every further one.
func (g *cells) each(row []float64, from, to int, first func(float64) float64, next func(cell, v float64) float64) {
	for k := from; k < to; k++ {
		switch v := row[k]; {
		case IsMissing(v):
		case IsMissing(g.value[k]):
			g.value[k] = first(v)
		default:
			g.value[k] = next(g.value[k], v)
		}
	}
}

func (g *cells) sum(row []float64, from, to int) {
	for k := from; k < to; k++ {
		v := row[k]
		if IsMissing(v) {
			continue
		}
		if IsMissing(g.value[k]) {
			g.value[k] = v
			continue
		}
		g.value[k], g.c[k] = kahansum.Inc(v, g.value[k], g.c[k])
	}
}

func (g *cells) average(row []float64, from, to int) {
	for k := from; k < to; k++ {
		v := row[k]
		if IsMissing(v) {
			continue
		}
		g.n[k]++
		n := g.n[k]
		if n == 1 {
			g.value[k] = v
			continue
		}
		if !g.overflowing[k] {
			total, c := kahansum.Inc(v, g.value[k], g.c[k])
			if !math.IsInf(total, 0) {
				g.value[k], g.c[k] = total, c
				continue
			}
			g.overflowing[k] = true
			g.value[k] /= n - 1
			g.c[k] /= n - 1
		}
		q := (n - 1) / n
		g.value[k], g.c[k] = kahansum.Inc(v/n, q*g.value[k], q*g.c[k])
	}
}

// Row ends a group and returns its values, one per step. Nothing may be added to it afterwards.
func (f *Fold) Row(group int) []float64 {
	g := &f.groups[group]
	for k, v := range g.value {
		switch {
		case IsMissing(v):
		case f.op == Sum, f.op == Avg && g.overflowing[k]:
			g.value[k] = v + g.c[k]
		case f.op == Avg:
			g.value[k] = v/g.n[k] + g.c[k]/g.n[k]
		}
	}
	return g.value
}
