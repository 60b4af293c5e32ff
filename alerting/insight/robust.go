package insight

import (
	"math"
	"slices"
)

// madScale makes the median absolute deviation of normal numbers their standard deviation.
const madScale = 1.4826

// quantile returns the q-quantile of sorted numbers, NaN of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// median sorts the numbers and returns their median, NaN of none.
func median(values []float64) float64 {
	slices.Sort(values)
	return quantile(values, 0.5)
}

// spread returns the median of the numbers and a scale that half of them may spoil: the median absolute deviation, as a standard
// deviation. It sorts the numbers.
func spread(values []float64) (mid, scale float64) {
	mid = median(values)
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v - mid)
	}
	return mid, madScale * median(away)
}

// line is a straight line through points, found by Theil and Sen: the median of the slopes between pairs, which three points of
// ten may spoil.
type line struct {
	level float64 // at the last point
	slope float64 // per step
	noise float64 // scale of what the points are away from the line
	err   float64 // standard error of the slope
	n     int
}

// maxPairs bounds the pairs of a line. With more points pairs are taken at larger distances alone, which tell the slope best.
const maxPairs = 2000

// fit lays a line through the values that are there. ok is false with fewer than eight of them.
func fit(values []float64) (l line, ok bool) {
	var x, y []float64
	for i, v := range values {
		if !math.IsNaN(v) {
			x, y = append(x, float64(i)), append(y, v)
		}
	}
	const fewest = 8
	if len(x) < fewest {
		return l, false
	}
	slopes := pairSlopes(x, y)
	l.n, l.slope = len(x), median(slopes)
	last := float64(len(values) - 1)
	levels := make([]float64, len(x))
	meanX, sxx := 0.0, 0.0
	for i := range x {
		levels[i] = y[i] + l.slope*(last-x[i])
		meanX += x[i] / float64(len(x))
	}
	for i := range x {
		sxx += (x[i] - meanX) * (x[i] - meanX)
	}
	l.level, l.noise = spread(levels)
	// Values beside each other are alike, so that they tell less than as many that are not: the error is twice what it would be.
	l.err = 2 * l.noise / math.Sqrt(sxx)
	return l, true
}

func pairSlopes(x, y []float64) []float64 {
	n := len(x)
	nearest := 1
	for pairs := n * (n - 1) / 2; pairs > maxPairs; nearest++ {
		pairs -= n - nearest
	}
	slopes := make([]float64, 0, min(n*n/2, maxPairs))
	for i := range x {
		for k := i + nearest; k < n; k++ {
			slopes = append(slopes, (y[k]-y[i])/(x[k]-x[i]))
		}
	}
	return slopes
}
