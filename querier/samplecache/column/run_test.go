package column_test

import (
	"fmt"
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

// TestSize holds what a sample of each kind takes, so that a change of the form that costs room shows.
func TestSize(t *testing.T) {
	const count = 960
	for _, k := range kinds() {
		times, values := k.make(random(k.name), count)
		t.Log(fmt.Sprintf("%-20s %.2f", k.name, float64(column.Encode(times, values).Bytes())/count))
	}
}
