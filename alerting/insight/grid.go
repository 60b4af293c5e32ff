// Package insight holds the arithmetic of detectors: what a series usually is at an hour of a week, where it is going, whether
// something fell silent, and the words that say so. It is pure: it reads no clock, asks no store and keeps no state, so that the
// same code judges live data, a preview of the past and the seeded incidents it is scored with. Package detect feeds it.
package insight

import (
	"math"
	"time"
)

// Grid is the values of one series at equal steps, NaN where there is none.
type Grid struct {
	Start  time.Time
	Step   time.Duration
	Values []float64
}

// Series is a grid with the labels it belongs to.
type Series struct {
	Labels map[string]string
	Grid
}

// NewGrid returns an empty grid of the steps from start to end, both included.
func NewGrid(start, end time.Time, step time.Duration) Grid {
	n := 0
	if !end.Before(start) {
		n = int(end.Sub(start)/step) + 1
	}
	g := Grid{Start: start, Step: step, Values: make([]float64, n)}
	for i := range g.Values {
		g.Values[i] = math.NaN()
	}
	return g
}

// Time returns the time of step i.
func (g *Grid) Time(i int) time.Time { return g.Start.Add(time.Duration(i) * g.Step) }

// Set puts a value at the step that t lies in; what lies outside of the grid is left out.
func (g *Grid) Set(t time.Time, v float64) {
	if t.Before(g.Start) {
		return
	}
	if i := int(t.Sub(g.Start) / g.Step); i < len(g.Values) {
		g.Values[i] = v
	}
}

// Between returns the part of the grid with start <= time <= end. It shares the values.
func (g *Grid) Between(start, end time.Time) Grid {
	first := 0
	if start.After(g.Start) {
		first = int((start.Sub(g.Start) + g.Step - 1) / g.Step)
	}
	last := -1
	if !end.Before(g.Start) {
		last = int(end.Sub(g.Start) / g.Step)
	}
	first, last = min(first, len(g.Values)), min(last, len(g.Values)-1)
	if last < first {
		return Grid{Start: start, Step: g.Step}
	}
	return Grid{Start: g.Time(first), Step: g.Step, Values: g.Values[first : last+1]}
}

// Present counts the steps that have a value.
func (g *Grid) Present() int {
	n := 0
	for _, v := range g.Values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

// span returns the time from the first value to the last.
func (g *Grid) span() time.Duration {
	first, last := -1, -1
	for i, v := range g.Values {
		if math.IsNaN(v) {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	if first < 0 {
		return 0
	}
	return time.Duration(last-first) * g.Step
}
