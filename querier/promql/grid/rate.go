package grid

import (
	"math"
	"time"
)

// markResets notes every sample that is less than the one before, or whose counter began after it. A window then costs as much
// as it has resets, mostly nothing, instead of as much as it has samples.
func (w *Worker) markResets() {
	w.marks = w.marks[:0]
	values := w.samples.Values
	for i := 1; i < len(values); i++ {
		if values[i] < values[i-1] || w.samples.startsAnew(i) {
			w.marks = append(w.marks, i)
		}
	}
}

// startsAnew reports whether the counter of a sample is another than that of the sample before. One that began with the sample
// before is another if that sample's own start is known.
func (s *Samples) startsAnew(i int) bool {
	if s.Starts == nil {
		return false
	}
	before, prevStart, start := s.Times[i-1], s.Starts[i-1], s.Starts[i]
	if start == prevStart || start == 0 || start >= s.Times[i] || start < before {
		return false
	}
	return start > before || prevStart != 0 && prevStart < before
}

// markChanges notes every sample that differs from the one before. All NaNs are the same.
func (w *Worker) markChanges(values []float64) {
	w.marks = w.marks[:0]
	for i := 1; i < len(values); i++ {
		a, b := values[i-1], values[i]
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
			w.marks = append(w.marks, i)
		}
	}
}

// countMarks counts the marks between two samples of a window.
func (w *Worker) countMarks() windowFunc {
	first, last := 0, 0
	return func(from, to int, _ int64) (float64, bool) {
		for first < len(w.marks) && w.marks[first] <= from {
			first++
		}
		last = max(last, first)
		for last < len(w.marks) && w.marks[last] < to {
			last++
		}
		return float64(last - first), true
	}
}

// extrapolated returns rate, increase and delta: the difference of the last and the first sample, with what resets took away,
// stretched to the window's ends where samples come close to them
// (https://prometheus.io/docs/prometheus/latest/querying/functions/#rate).
func (w *Worker) extrapolated() windowFunc {
	p, times, values, starts := w.plan, w.samples.Times, w.samples.Values, w.samples.Starts
	counter := p.Func != Delta
	if w.marks = w.marks[:0]; counter {
		w.markResets()
	}
	perSecond := 0.0
	if p.Func == Rate {
		perSecond = (time.Duration(p.Range) * time.Millisecond).Seconds()
	}
	first := 0
	return func(from, to int, end int64) (float64, bool) {
		begin, begins := int64(0), false // of the counter, within the window
		if counter && starts != nil {
			begin = starts[from]
			begins = begin != 0 && begin > end-p.Range && begin < times[from]
		}
		if to-from < 2 && !begins {
			return 0, false
		}
		result := values[to-1] - values[from]
		for first < len(w.marks) && w.marks[first] <= from {
			first++
		}
		for _, at := range w.marks[first:] {
			if at >= to {
				break
			}
			result += values[at-1]
		}
		s := stretch{
			covered: float64(times[to-1]-times[from]) / 1000,
			left:    float64(times[from]-(end-p.Range)) / 1000,
			right:   float64(end-times[to-1]) / 1000,
		}
		var factor float64
		if begins {
			result += values[from]
			factor = s.factorSince(to-from-1, float64(times[to-1]-begin)/1000)
		} else {
			toZero := math.Inf(1)
			if counter && result > 0 && values[from] >= 0 {
				toZero = s.covered * (values[from] / result)
			}
			factor = s.factor(to-from-1, toZero)
		}
		if perSecond != 0 {
			factor /= perSecond
		}
		return result * factor, true
	}
}

// stretch holds, in seconds, how much of a window its samples cover and what is left on both sides.
type stretch struct{ covered, left, right float64 }

// factor returns by how much the covered part is to be extended. Samples that lie further from an end than they mostly lie
// from each other say that the series began or ended there; half of that distance is added then. A counter reaches back no
// further than toZero seconds, where it would have been zero.
func (s stretch) factor(intervals int, toZero float64) float64 {
	average := s.covered / float64(intervals)
	far := average * 1.1
	if s.left >= far {
		s.left = average / 2
	}
	if toZero < s.left {
		s.left = toZero
	}
	if s.right >= far {
		s.right = average / 2
	}
	return (s.covered + s.left + s.right) / s.covered
}

// factorSince is factor for a counter that is known to have been zero so many seconds before the last sample.
func (s stretch) factorSince(intervals int, since float64) float64 {
	average := 0.0
	if intervals > 0 {
		average = s.covered / float64(intervals)
	}
	if s.right >= average*1.1 {
		s.right = average / 2
	}
	return (since + s.right) / since
}

// lastTwo returns irate and idelta: the difference of the last two samples; of a counter that was reset between them, the last.
func (w *Worker) lastTwo() windowFunc {
	times, values := w.samples.Times, w.samples.Values
	perSecond := w.plan.Func == Irate
	return func(from, to int, _ int64) (float64, bool) {
		if to-from < 2 {
			return 0, false
		}
		a, b := values[to-2], values[to-1]
		if !perSecond {
			return b - a, true
		}
		if !(b < a || w.samples.startsAnew(to-1)) { // not b >= a: a NaN is no reset
			b -= a
		}
		return b / (float64(times[to-1]-times[to-2]) / 1000), true
	}
}
