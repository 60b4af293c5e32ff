package grid

import (
	"math"

	"github.com/prometheus/prometheus/model/value"
)

// Func is a function of one series' samples in a window of time.
type Func uint8

// The functions. Instant is no function but a plain selector: the newest sample within the look-back.
const (
	Instant Func = iota
	Rate
	Increase
	Delta
	Irate
	Idelta
	Deriv
	Resets
	Changes
	SumOverTime
	AvgOverTime
	MinOverTime
	MaxOverTime
	CountOverTime
	LastOverTime
	FirstOverTime
	PresentOverTime
	StddevOverTime
	StdvarOverTime
	funcCount
)

var funcNames = [funcCount]string{
	"", "rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes", "sum_over_time", "avg_over_time", "min_over_time",
	"max_over_time", "count_over_time", "last_over_time", "first_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time",
}

// ParseFunc returns the function with a name of PromQL, and whether there is one here.
func ParseFunc(name string) (Func, bool) {
	for f := Rate; f < funcCount; f++ {
		if funcNames[f] == name {
			return f, true
		}
	}
	return 0, false
}

// KeepsName reports whether the result is still the metric and keeps its name: what the function returns is a sample of it.
func (f Func) KeepsName() bool { return f == Instant || f == LastOverTime || f == FirstOverTime }

// missing returns what stands where a step has no value: Prometheus' stale marker, which no function returns.
func missing() float64 { return math.Float64frombits(value.StaleNaN) }

// IsMissing reports whether v stands for no value.
func IsMissing(v float64) bool { return value.IsStaleNaN(v) }

// Plan says what is evaluated when. All times are in milliseconds.
type Plan struct {
	Func        Func
	Start, Step int64 // the first step, and the time between two; Step is not 0
	Steps       int
	// Range is the width of the window, which lacks its left end; of Instant it is the look-back.
	Range  int64
	Offset int64 // how far the window lies behind its step
}

// Worker holds what one goroutine needs to evaluate series after series. The zero value is not usable.
type Worker struct {
	plan *Plan
	// Samples counts by step the samples in the windows, and Read those that no window before held, as Prometheus' query
	// statistics do.
	Samples, Read []int64
	samples       Samples // of the series at hand, without stale markers
	marks         []int   // where the series was reset or changed
	times, starts []int64
	values        []float64
}

// NewWorker returns a worker for the plan, which stays unchanged.
func (p *Plan) NewWorker() *Worker {
	return &Worker{plan: p, Samples: make([]int64, p.Steps), Read: make([]int64, p.Steps)}
}

// Samples are the columns of one series.
type Samples struct {
	Times  []int64 // milliseconds, rising strictly
	Values []float64
	// Starts says for each sample when the counter that it belongs to was zero, as Prometheus' start timestamps do; 0 is unknown.
	// nil says so of all.
	Starts []int64
}

// Eval evaluates one series into out, one value per step, IsMissing where there is none, and returns how many there are.
// Values may hold stale markers.
func (w *Worker) Eval(s Samples, out []float64) int {
	if w.plan.Func == Instant {
		return w.instant(s.Times, s.Values, out)
	}
	w.samples = w.withoutStale(s)
	times, values := w.samples.Times, w.samples.Values
	if len(times) == 0 {
		for k := range out {
			out[k] = missing()
		}
		return 0
	}
	switch w.plan.Func {
	case Rate, Increase, Delta:
		return w.slide(times, out, w.extrapolated())
	case Resets:
		w.markResets()
		return w.slide(times, out, w.countMarks())
	case Changes:
		w.markChanges(values)
		return w.slide(times, out, w.countMarks())
	case Irate, Idelta:
		return w.slide(times, out, w.lastTwo())
	case Deriv:
		return w.slide(times, out, func(from, to int, _ int64) (float64, bool) {
			return slope(times[from:to], values[from:to]), to-from > 1
		})
	case CountOverTime:
		return w.slide(times, out, func(from, to int, _ int64) (float64, bool) { return float64(to - from), true })
	case LastOverTime:
		return w.slide(times, out, func(_, to int, _ int64) (float64, bool) { return values[to-1], true })
	case FirstOverTime:
		return w.slide(times, out, func(from, _ int, _ int64) (float64, bool) { return values[from], true })
	case PresentOverTime:
		return w.slide(times, out, func(int, int, int64) (float64, bool) { return 1, true })
	}
	aggregate := aggregateOverTime(w.plan.Func)
	return w.slide(times, out, func(from, to int, _ int64) (float64, bool) { return aggregate(values[from:to]), true })
}

// windowFunc returns the value of the window of samples [from, to), which is not empty and ends at the time end, and whether
// it has one. It is called with rising windows.
type windowFunc func(from, to int, end int64) (v float64, ok bool)

// slide moves the window over the series.
func (w *Worker) slide(times []int64, out []float64, f windowFunc) int {
	p := w.plan
	points, from, to := 0, 0, 0
	end := p.Start - p.Offset
	for k := range out {
		before := to
		for to < len(times) && times[to] <= end {
			to++
		}
		for from < to && times[from] <= end-p.Range {
			from++
		}
		out[k] = missing()
		if from < to {
			w.Samples[k] += int64(to - from)
			if k == 0 {
				before = from
			}
			w.Read[k] += int64(to - max(before, from))
			if v, ok := f(from, to, end); ok {
				out[k] = v
				points++
			}
		}
		end += p.Step
	}
	return points
}

// instant takes the newest sample at each step. A stale marker hides those before.
func (w *Worker) instant(times []int64, values, out []float64) int {
	p := w.plan
	points, to := 0, 0
	end := p.Start - p.Offset
	for k := range out {
		for to < len(times) && times[to] <= end {
			to++
		}
		out[k] = missing()
		if to > 0 && times[to-1] > end-p.Range && !value.IsStaleNaN(values[to-1]) {
			out[k] = values[to-1]
			w.Samples[k]++
			w.Read[k]++
			points++
		}
		end += p.Step
	}
	return points
}

// withoutStale returns the columns without stale markers, which no window holds. It copies only when there are some.
func (w *Worker) withoutStale(s Samples) Samples {
	i := 0
	for i < len(s.Values) && !value.IsStaleNaN(s.Values[i]) {
		i++
	}
	if i == len(s.Values) {
		return s
	}
	w.times, w.values, w.starts = append(w.times[:0], s.Times[:i]...), append(w.values[:0], s.Values[:i]...), w.starts[:0]
	if s.Starts != nil {
		w.starts = append(w.starts, s.Starts[:i]...)
	}
	for ; i < len(s.Values); i++ {
		if value.IsStaleNaN(s.Values[i]) {
			continue
		}
		w.times, w.values = append(w.times, s.Times[i]), append(w.values, s.Values[i])
		if s.Starts != nil {
			w.starts = append(w.starts, s.Starts[i])
		}
	}
	kept := Samples{Times: w.times, Values: w.values}
	if s.Starts != nil {
		kept.Starts = w.starts
	}
	return kept
}
