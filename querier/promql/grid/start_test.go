package grid_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// TestStartTimestamps evaluates one window of a minute that ends at 60 s.
func TestStartTimestamps(t *testing.T) {
	stale := math.Float64frombits(value.StaleNaN)
	for _, c := range []struct {
		name   string
		f      grid.Func
		times  []int64
		values []float64
		starts []int64
		want   string
	}{
		{"alone, begun in the window", grid.Increase, []int64{50_000}, []float64{7}, []int64{20_000}, "7"},
		{"alone, begun before the window", grid.Increase, []int64{50_000}, []float64{7}, []int64{-1}, "NaN"},
		{"alone, begun at the window's open end", grid.Increase, []int64{50_000}, []float64{7}, []int64{0}, "NaN"},
		{"alone, begun with itself", grid.Increase, []int64{50_000}, []float64{7}, []int64{50_000}, "NaN"},
		{"alone, unknown", grid.Increase, []int64{50_000}, []float64{7}, nil, "NaN"},
		{"changes", grid.Increase, []int64{-10_000, 20_000, 60_000}, []float64{9, 3, 4}, []int64{-40_000, 10_000, 20_000}, "7"},
		{"a new counter that is larger", grid.Resets, []int64{10_000, 20_000, 30_000}, []float64{1, 2, 3}, []int64{5_000, 15_000, 15_000}, "1"},
		{"overlapping starts are no resets", grid.Resets, []int64{10_000, 20_000, 30_000}, []float64{1, 2, 3}, []int64{5_000, 6_000, 7_000}, "0"},
		{"a start that becomes known with the sample before", grid.Resets, []int64{10_000, 20_000}, []float64{1, 2}, []int64{0, 10_000}, "0"},
		{"the starts of what is stale go with it", grid.Resets, []int64{10_000, 20_000, 30_000}, []float64{1, stale, 3}, []int64{5_000, 15_000, 5_000}, "0"},
		{"irate of a new counter", grid.Irate, []int64{10_000, 20_000}, []float64{1, 5}, []int64{5_000, 15_000}, "0.5"},
		{"gauges have no start", grid.Delta, []int64{10_000, 60_000}, []float64{1, 5}, []int64{5_000, 15_000}, "4.8"},
	} {
		p := &grid.Plan{Func: c.f, Start: 60_000, Step: 1, Steps: 1, Range: 60_000}
		out := make([]float64, 1)
		p.NewWorker().Eval(grid.Samples{Times: c.times, Values: c.values, Starts: c.starts}, out)
		require.Equal(t, c.want, fmt.Sprint(out[0]), c.name)
	}
}

func TestDayStart(t *testing.T) {
	for milli, want := range map[int64]int64{
		1: 0, 0: -grid.DayMilli, -1: -grid.DayMilli, -grid.DayMilli: -2 * grid.DayMilli, grid.DayMilli: 0, grid.DayMilli + 1: grid.DayMilli,
	} {
		require.Equal(t, want, grid.DayStart(milli), milli)
	}
}
