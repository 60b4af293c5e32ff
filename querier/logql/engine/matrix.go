package engine

import (
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// series is one row of a matrix: a value, or none, at every step.
type series struct {
	labels []seamark.Label // sorted, without empty values
	values []float64
	has    []bool
}

func newSeries(labels []seamark.Label, steps int) *series {
	return &series{labels: labels, values: make([]float64, steps), has: make([]bool, steps)}
}

func (s *series) set(k int, v float64) {
	s.values[k], s.has[k] = v, true
}

// empty reports whether s has no value at all.
func (s *series) empty() bool { return !slices.Contains(s.has, true) }

// matrix is the value of an expression at every step: series with distinct labels.
type matrix []*series

// trim drops series without values and sorts the rest by labels.
func (m matrix) trim() matrix {
	m = slices.DeleteFunc(m, (*series).empty)
	slices.SortFunc(m, func(a, b *series) int { return compareLabels(a.labels, b.labels) })
	return m
}

// bytesPerStep is the memory of a series per step.
const bytesPerStep = 9
