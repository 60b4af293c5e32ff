package grid

import (
	"math"

	"github.com/prometheus/prometheus/util/kahansum"
)

// aggregateOverTime returns the function over a window's values. Each starts afresh with every window: a sum that is carried
// along has other bits.
func aggregateOverTime(f Func) func([]float64) float64 {
	switch f {
	case SumOverTime:
		return sum
	case AvgOverTime:
		return average
	case MinOverTime:
		return least
	case MaxOverTime:
		return largest
	case StddevOverTime:
		return func(values []float64) float64 { return math.Sqrt(variance(values)) }
	}
	return variance
}

func sum(values []float64) float64 {
	var total, c float64
	for _, v := range values {
		total, c = kahansum.Inc(v, total, c)
	}
	if math.IsInf(total, 0) {
		return total
	}
	return total + c
}

// average divides the sum, and carries a running mean from where the sum would be infinite.
func average(values []float64) float64 {
	total, c := values[0], 0.0
	for i, v := range values[1:] {
		nextTotal, nextC := kahansum.Inc(v, total, c)
		if math.IsInf(nextTotal, 0) {
			return runningMean(values[i+1:], float64(i+1), total, c)
		}
		total, c = nextTotal, nextC
	}
	n := float64(len(values))
	return total/n + c/n
}

// runningMean adds values to the mean of n others, given by their compensated sum.
func runningMean(values []float64, n, total, c float64) float64 {
	mean := total / n
	c /= n
	for _, v := range values {
		n++
		q := (n - 1) / n
		mean, c = kahansum.Inc(v/n, q*mean, q*c)
	}
	return mean + c
}

func least(values []float64) float64 {
	result := values[0]
	for _, v := range values[1:] {
		if v < result || math.IsNaN(result) {
			result = v
		}
	}
	return result
}

func largest(values []float64) float64 {
	result := values[0]
	for _, v := range values[1:] {
		if v > result || math.IsNaN(result) {
			result = v
		}
	}
	return result
}

// variance is Welford's, with compensated sums.
func variance(values []float64) float64 {
	var n, mean, cMean, squares, cSquares float64
	for _, v := range values {
		n++
		delta := v - (mean + cMean)
		mean, cMean = kahansum.Inc(delta/n, mean, cMean)
		squares, cSquares = kahansum.Inc(delta*(v-(mean+cMean)), squares, cSquares)
	}
	return (squares + cSquares) / n
}

// slope is that of the line with the least squares through the samples, per second. Times count from the first, which keeps
// them exact.
func slope(times []int64, values []float64) float64 {
	var n, x, cx, y, cy, xy, cxy, xx, cxx float64
	constant := true
	for i, v := range values {
		constant = constant && (i == 0 || v == values[0])
		n++
		t := float64(times[i]-times[0]) / 1e3
		x, cx = kahansum.Inc(t, x, cx)
		y, cy = kahansum.Inc(v, y, cy)
		xy, cxy = kahansum.Inc(t*v, xy, cxy)
		xx, cxx = kahansum.Inc(t*t, xx, cxx)
	}
	if constant {
		if math.IsInf(values[0], 0) {
			return math.NaN()
		}
		return 0
	}
	x, y, xy, xx = x+cx, y+cy, xy+cxy, xx+cxx
	return (xy - x*y/n) / (xx - x*x/n)
}
