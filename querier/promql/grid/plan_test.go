package grid_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

var functions = []string{
	"rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes", "sum_over_time", "avg_over_time", "min_over_time",
	"max_over_time", "count_over_time", "last_over_time", "first_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time",
}

// randomSeries returns samples with gaps, resets and every kind of number.
func randomSeries(r *rand.Rand) (times []int64, values []float64) {
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.Float64frombits(value.StaleNaN)}
	rare := 2 + r.IntN(40)
	for at := r.Int64N(60_000); at < 900_000; at += 1 + r.Int64N(30_000) {
		v := r.NormFloat64() * 100
		if r.IntN(rare) == 0 {
			v = special[r.IntN(len(special))]
		}
		times, values = append(times, at), append(values, v)
	}
	return times, values
}

// prometheus evaluates one step with Prometheus' own function.
func prometheus(name string, p *grid.Plan, times []int64, values []float64, at int64) (float64, bool) {
	var window []promql.FPoint
	for i, t := range times {
		if end := at - p.Offset; t <= end && t > end-p.Range && !value.IsStaleNaN(values[i]) {
			window = append(window, promql.FPoint{T: t, F: values[i]})
		}
	}
	if len(window) == 0 {
		return 0, false
	}
	offset := time.Duration(p.Offset) * time.Millisecond
	args := parser.Expressions{&parser.MatrixSelector{
		Range:          time.Duration(p.Range) * time.Millisecond,
		VectorSelector: &parser.VectorSelector{Offset: offset, OriginalOffset: offset},
	}}
	out, _ := promql.FunctionCalls[name](nil, promql.Matrix{{Floats: window}}, args, &promql.EvalNodeHelper{Ts: at})
	if len(out) == 0 {
		return 0, false
	}
	return out[0].F, true
}

// TestEvalEqualsPrometheus compares every function with Prometheus' own, step by step and bit by bit.
func TestEvalEqualsPrometheus(t *testing.T) {
	for _, name := range functions {
		t.Run(name, func(t *testing.T) {
			f, ok := grid.ParseFunc(name)
			require.True(t, ok)
			for seed := range uint64(300) {
				r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same data every time
				times, values := randomSeries(r)
				p := &grid.Plan{Func: f, Start: r.Int64N(100_000), Step: 1 + r.Int64N(60_000), Steps: 30, Range: 1 + r.Int64N(200_000), Offset: r.Int64N(120_000) - 60_000}
				out := make([]float64, p.Steps)
				points := p.NewWorker().Eval(grid.Samples{Times: times, Values: values}, out)
				for k, got := range out {
					want, ok := prometheus(name, p, times, values, p.Start+int64(k)*p.Step)
					require.Equal(t, ok, !grid.IsMissing(got), "seed %d step %d", seed, k)
					if !ok {
						continue
					}
					points--
					if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
						t.Fatalf("seed %d step %d: got %v, want %v", seed, k, got, want)
					}
				}
				require.Zero(t, points)
			}
		})
	}
}

func TestParseFuncRefuses(t *testing.T) {
	for _, name := range []string{"", "absent_over_time", "quantile_over_time", "sum"} {
		_, ok := grid.ParseFunc(name)
		require.False(t, ok, name)
	}
}

func TestInstantLooksBack(t *testing.T) {
	stale := math.Float64frombits(value.StaleNaN)
	p := &grid.Plan{Func: grid.Instant, Start: 0, Step: 10, Steps: 8, Range: 25}
	out := make([]float64, p.Steps)
	w := p.NewWorker()
	require.Equal(t, 5, w.Eval(grid.Samples{Times: []int64{5, 20, 41, 60}, Values: []float64{1, 2, 3, stale}}, out))
	text := ""
	for _, v := range out {
		if grid.IsMissing(v) {
			text += "_ "
			continue
		}
		text += fmt.Sprint(v, " ")
	}
	require.Equal(t, "_ 1 2 2 2 3 _ _ ", text)
	require.Equal(t, []int64{0, 1, 1, 1, 1, 1, 0, 0}, w.Samples)
}

// TestWorkerCountsWindows counts what each window holds and what of it is new.
func TestWorkerCountsWindows(t *testing.T) {
	var times []int64
	for at := range int64(10) {
		times = append(times, at*10)
	}
	for _, c := range []struct {
		step, width   int64
		samples, read []int64
	}{
		{10, 30, []int64{3, 3, 3}, []int64{3, 1, 1}},
		{20, 10, []int64{1, 1, 1}, []int64{1, 1, 1}},
	} {
		p := &grid.Plan{Func: grid.CountOverTime, Start: 40, Step: c.step, Steps: 3, Range: c.width}
		w := p.NewWorker()
		w.Eval(grid.Samples{Times: times, Values: make([]float64, len(times))}, make([]float64, 3))
		require.Equal(t, c.samples, w.Samples)
		require.Equal(t, c.read, w.Read)
	}
}
