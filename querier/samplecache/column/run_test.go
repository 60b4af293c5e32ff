package column_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/samplecache/column"
)

// naive is what a Run stands for.
type naive struct {
	times  []int64
	values []float64
}

func (n *naive) window(from, to int64) (times []int64, values []float64) {
	for i, t := range n.times {
		if t >= from && t <= to {
			times, values = append(times, t), append(values, n.values[i])
		}
	}
	return times, values
}

// sameSamples compares bits; require.Equal would take any NaN for unequal.
func sameSamples(t *testing.T, wantTimes, gotTimes []int64, wantValues, gotValues []float64) {
	t.Helper()
	if len(wantTimes) != len(gotTimes) || len(gotTimes) != len(gotValues) {
		t.Fatalf("got %d times and %d values, want %d", len(gotTimes), len(gotValues), len(wantTimes))
	}
	for i := range wantTimes {
		if want, got := wantTimes[i], gotTimes[i]; want != got {
			t.Fatalf("time %d of %d is %d, want %d", i, len(wantTimes), got, want)
		}
		if want, got := math.Float64bits(wantValues[i]), math.Float64bits(gotValues[i]); want != got {
			t.Fatalf("value %d of %d has bits %x, want %x", i, len(wantTimes), got, want)
		}
	}
}

// sameRun compares all of a run, and windows between random samples and times.
func sameRun(t *testing.T, rnd *rand.Rand, times []int64, values []float64, windows int) {
	t.Helper()
	run, want := column.Encode(times, values), naive{times, values}
	require.Equal(t, len(times), run.Len())
	gotTimes, gotValues := run.AppendTo(nil, nil, math.MinInt64, math.MaxInt64)
	sameSamples(t, times, gotTimes, values, gotValues)
	if len(times) == 0 {
		return
	}
	require.Equal(t, times[0], run.First())
	require.Equal(t, times[len(times)-1], run.Last())
	edge := func() int64 { return times[rnd.IntN(len(times))] + rnd.Int64N(3) - 1 }
	for range windows {
		sameWindow(t, run, &want, edge(), edge())
	}
}

func sameWindow(t *testing.T, run column.Run, want *naive, from, to int64) {
	t.Helper()
	wantTimes, wantValues := want.window(from, to)
	// What is there already stays.
	gotTimes, gotValues := run.AppendTo([]int64{7}, []float64{8}, from, to)
	sameSamples(t, append([]int64{7}, wantTimes...), gotTimes, append([]float64{8}, wantValues...), gotValues)
	time, value, ok := run.Newest(from, to)
	if ok != (len(wantTimes) > 0) {
		t.Fatalf("newest of [%d, %d] is %t, want %d samples", from, to, ok, len(wantTimes))
	}
	if ok {
		last := len(wantTimes) - 1
		sameSamples(t, wantTimes[last:], []int64{time}, wantValues[last:], []float64{value})
	}
}

func TestRunOfEveryKind(t *testing.T) {
	for _, k := range append(kinds(), wildKinds()...) {
		t.Run(k.name, func(t *testing.T) {
			rnd := random(k.name)
			for _, count := range []int{1, 2, 3, 7, 8, 9, 60, 127, 128, 129, 240, 256, 257, 1000} {
				for range 8 {
					times, values := k.make(rnd, count)
					sameRun(t, rnd, times, values, 20)
				}
			}
		})
	}
}

func TestLongRun(t *testing.T) {
	for _, k := range kinds() {
		rnd := random(k.name)
		times, values := k.make(rnd, 70_000)
		sameRun(t, rnd, times, values, 3)
	}
}

func TestEmptyRun(t *testing.T) {
	var zero column.Run
	for _, run := range []column.Run{zero, column.Encode(nil, nil), column.Encode([]int64{}, []float64{})} {
		require.Zero(t, run.Len())
		times, values := run.AppendTo(nil, nil, math.MinInt64, math.MaxInt64)
		require.Empty(t, times)
		require.Empty(t, values)
		_, _, ok := run.Newest(math.MinInt64, math.MaxInt64)
		require.False(t, ok)
	}
}

func TestEncodePanicsOnUnequalLengths(t *testing.T) {
	require.Panics(t, func() { column.Encode([]int64{1}, nil) })
}

func TestExtremeTimes(t *testing.T) {
	rnd := random("extreme")
	for _, times := range [][]int64{
		{math.MinInt64}, {math.MaxInt64}, {math.MinInt64, math.MaxInt64}, {math.MinInt64, 0, math.MaxInt64}, {-1, 0, 1}, {math.MaxInt64 - 1, math.MaxInt64},
	} {
		sameRun(t, rnd, times, make([]float64, len(times)), 50)
	}
	// Blocks on both sides of what 4 bytes index.
	for _, jump := range []int64{math.MaxUint32 - 256, math.MaxUint32 - 255, math.MaxUint32, math.MaxInt64 / 2} {
		var times []int64
		for i := range int64(256) {
			times = append(times, i+i/128*jump)
		}
		sameRun(t, rnd, times, make([]float64, len(times)), 50)
	}
}

// TestRandomRun puts together blocks of unlike kinds.
func TestRandomRun(t *testing.T) {
	rnd := random("mixed")
	all := append(kinds(), wildKinds()...)
	for range 300 {
		var values []float64
		for range 1 + rnd.IntN(6) {
			_, some := all[rnd.IntN(len(all))].make(rnd, 1+rnd.IntN(150))
			values = append(values, some...)
		}
		times := all[rnd.IntN(len(all))].times(rnd, len(values))
		sameRun(t, rnd, times, values, 10)
	}
}

// TestSize holds what samples take, so that a change of the form that costs room shows. Each kind has four hours at 15 s, and
// a tenth more than was measured; a Run's own 24 bytes and what the allocator rounds up are counted.
func TestSize(t *testing.T) {
	const count = 960
	most := map[string]float64{
		"constant": 0.23, "constant-jitter": 0.77, "counter": 1.2, "counter-aligned": 1.2, "counter-jitter": 1.65, "counter-fast": 2.4,
		"counter-rare": 0.55, "counter-resets": 1.8, "counter-stale": 2.1, "cpu-seconds": 1.35, "cpu-nanoseconds": 4.7, "sum-seconds": 6.2,
		"gauge-zero-one": 0.4, "gauge-integer": 1.5, "gauge-quarter": 0.91, "gauge-decimal": 1.2, "gauge-percent": 3.1, "gauge-bytes": 1.65,
		"full-precision": 8.6, "rate": 8.6, "irregular": 4.7,
	}
	for _, k := range kinds() {
		times, values := k.make(random(k.name), count)
		got := float64(column.Encode(times, values).Bytes()) / count
		require.LessOrEqual(t, got, most[k.name], k.name)
	}
}

// TestSmallRuns holds the bytes of what a cache has the most of.
func TestSmallRuns(t *testing.T) {
	times := regular(nil, 240)
	require.LessOrEqual(t, column.Encode(times, make([]float64, 240)).Bytes(), 24+64, "an hour of zeros")
	require.LessOrEqual(t, column.Encode(times[:1], []float64{12.7}).Bytes(), 24+32, "one sample")
}

func TestAllocations(t *testing.T) {
	for _, k := range kinds() {
		times, values := k.make(random(k.name), 480)
		require.LessOrEqual(t, testing.AllocsPerRun(10, func() { column.Encode(times, values) }), 1.0, "Encode %s", k.name)
		run := column.Encode(times, values)
		gotTimes, gotValues := make([]int64, 0, 480), make([]float64, 0, 480)
		require.Zero(t, testing.AllocsPerRun(10, func() {
			run.AppendTo(gotTimes, gotValues, run.First(), run.Last())
			run.AppendTo(gotTimes, gotValues, times[100], times[300])
			run.Newest(times[100], times[300])
		}), "AppendTo and Newest of %s", k.name)
	}
}
