package engine

import (
	"math"
	"slices"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// part is what a range function keeps of the values of one bucket. Parts of neighbouring buckets merge, so that the
// values of overlapping windows are looked at once.
type part struct {
	n       uint64
	a, b    float64   // by function: sum and its lost low bits; extreme; value; mean and sum of squared distances
	at      int64     // first and last: the value's time; rate_counter: the window's end
	samples []float64 // quantile
	times   []int64   // rate_counter: of samples
}

// fold is how a range function adds a value to a part, merges the part that follows in time, and ends.
type fold struct {
	add   func(p *part, at int64, v float64)
	merge func(p *part, next *part) // nil: the function needs all values, see gather
	value func(p *part) float64
}

// foldOf returns the fold of a function over unwrapped values; window is in seconds.
func foldOf(a *logql.RangeAggregation) fold {
	seconds := a.Range.Seconds()
	sum := fold{
		add:   func(p *part, _ int64, v float64) { p.n++; p.sum(v) },
		merge: func(p, next *part) { p.n += next.n; p.sum(next.a); p.sum(next.b) },
		value: (*part).total,
	}
	switch a.Op {
	case logql.RangeRate:
		sum.value = func(p *part) float64 { return p.total() / seconds }
	case logql.RangeAvg:
		sum.value = func(p *part) float64 { return p.total() / float64(p.n) }
	case logql.RangeMin:
		return extreme(func(a, b float64) bool { return a < b })
	case logql.RangeMax:
		return extreme(func(a, b float64) bool { return a > b })
	case logql.RangeFirst:
		return pick(func(at, than int64, v, other float64) bool { return at < than || at == than && v < other })
	case logql.RangeLast:
		return pick(func(at, than int64, v, other float64) bool { return at > than || at == than && v > other })
	case logql.RangeStdvar:
		return spread(func(variance float64) float64 { return variance })
	case logql.RangeStddev:
		return spread(math.Sqrt)
	case logql.RangeCounter:
		return fold{
			add: func(p *part, at int64, v float64) {
				p.n++
				p.samples, p.times = append(p.samples, v), append(p.times, at)
			},
			value: func(p *part) float64 { return increase(p, a.Range) / seconds },
		}
	case logql.RangeQuantile:
		return fold{
			add:   func(p *part, _ int64, v float64) { p.n++; p.samples = append(p.samples, v) },
			value: func(p *part) float64 { return quantile(a.Param, p.samples) },
		}
	case logql.RangeCount, logql.RangeBytes, logql.RangeBytesRate, logql.RangeAbsent, logql.RangeSum:
	}
	return sum
}

// sum adds v by Neumaier's summation: a holds the sum, b what a lost.
func (p *part) sum(v float64) {
	t := p.a + v
	switch {
	case math.IsInf(t, 0):
		p.b = 0
	case math.Abs(p.a) >= math.Abs(v):
		p.b += (p.a - t) + v
	default:
		p.b += (v - t) + p.a
	}
	p.a = t
}

func (p *part) total() float64 { return p.a + p.b }

// extreme folds to the value that is better than all others; NaN gives way to any number.
func extreme(better func(a, b float64) bool) fold {
	take := func(p *part, n uint64, v float64) {
		if p.n == 0 || better(v, p.a) || math.IsNaN(p.a) {
			p.a = v
		}
		p.n += n
	}
	return fold{
		add:   func(p *part, _ int64, v float64) { take(p, 1, v) },
		merge: func(p, next *part) { take(p, next.n, next.a) },
		value: func(p *part) float64 { return p.a },
	}
}

// pick folds to the value whose time is preferred. Of values at the same time it takes a fixed one, so that the answer
// does not depend on the order in which the storage returns them.
func pick(prefer func(at, than int64, v, other float64) bool) fold {
	take := func(p *part, n uint64, at int64, v float64) {
		if p.n == 0 || prefer(at, p.at, v, p.a) {
			p.a, p.at = v, at
		}
		p.n += n
	}
	return fold{
		add:   func(p *part, at int64, v float64) { take(p, 1, at, v) },
		merge: func(p, next *part) { take(p, next.n, next.at, next.a) },
		value: func(p *part) float64 { return p.a },
	}
}

// spread folds to a function of the population variance, by Welford's and Chan's updates.
func spread(of func(variance float64) float64) fold {
	return fold{
		add: func(p *part, _ int64, v float64) {
			p.n++
			delta := v - p.a
			p.a += delta / float64(p.n)
			p.b += delta * (v - p.a)
		},
		merge: func(p, next *part) {
			n := p.n + next.n
			delta := next.a - p.a
			p.b += next.b + delta*delta*float64(p.n)*float64(next.n)/float64(n)
			p.a += delta * float64(next.n) / float64(n)
			p.n = n
		},
		value: func(p *part) float64 { return of(p.b / float64(p.n)) },
	}
}

// quantile returns the q-quantile with linear interpolation between the nearest ranks, as Prometheus does. It sorts
// samples.
func quantile(q float64, samples []float64) float64 {
	switch {
	case math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	slices.Sort(samples)
	rank := q * float64(len(samples)-1)
	low := int(rank)
	high := min(low+1, len(samples)-1)
	weight := rank - math.Floor(rank)
	return samples[low]*(1-weight) + samples[high]*weight
}

// slide stores the function's value over every window of the grid that has any. It keeps the merge of the newer buckets,
// and for the older ones that of each with all older ones behind it, so a bucket is merged twice, however much the
// windows overlap.
func (f *fold) slide(grid store.LogGrid, buckets []part, out *series) {
	var newer part
	var older []part // the last covers all older buckets, the one before it all but the oldest, and so on
	oldest, next := 0, 0
	for k := range grid.Steps {
		from, to := grid.Span(k)
		if next <= from { // nothing of the last window is in this one
			older, newer = older[:0], part{}
			oldest, next = from, from
		}
		for ; oldest < from; oldest++ {
			if len(older) == 0 {
				older, newer = f.suffixes(older, buckets[oldest:next]), part{}
			}
			older = older[:len(older)-1]
		}
		for ; next < to; next++ {
			f.mergeInto(&newer, &buckets[next])
		}
		var window part
		if len(older) > 0 {
			window = older[len(older)-1]
		}
		f.mergeInto(&window, &newer)
		if window.n > 0 {
			out.set(k, f.value(&window))
		}
	}
}

// gather does what slide does for a function that needs the window's values themselves: it copies them per window, which
// takes time but no memory that grows with the overlap.
func (f *fold) gather(grid store.LogGrid, buckets []part, out *series) {
	var window part
	for k := range grid.Steps {
		from, to := grid.Span(k)
		window.n, window.samples, window.times = 0, window.samples[:0], window.times[:0]
		window.at = grid.First + int64(k)*grid.Step
		for i := from; i < to; i++ {
			window.n += buckets[i].n
			window.samples = append(window.samples, buckets[i].samples...)
			window.times = append(window.times, buckets[i].times...)
		}
		if window.n > 0 {
			out.set(k, f.value(&window))
		}
	}
}

// suffixes returns for each bucket the merge of it and all that follow, the last bucket first.
func (f *fold) suffixes(into []part, buckets []part) []part {
	var merged part
	for i := len(buckets) - 1; i >= 0; i-- {
		head := part{}
		f.mergeInto(&head, &buckets[i])
		f.mergeInto(&head, &merged)
		merged = head
		into = append(into, merged)
	}
	return into
}

func (f *fold) mergeInto(p, next *part) {
	switch {
	case next.n == 0:
	case p.n == 0:
		*p = *next
	default:
		f.merge(p, next)
	}
}
