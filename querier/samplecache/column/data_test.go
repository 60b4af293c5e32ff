package column_test

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const staleBits = 0x7ff0000000000002

// kind makes samples as they come in practice, or worse.
type kind struct {
	name  string
	times func(*rand.Rand, int) []int64
	value func(*rand.Rand) func(i int) float64 // the next value of a series
}

const startMilli = 1_760_000_000_123

// regular is every 15 seconds.
func regular(_ *rand.Rand, count int) []int64 {
	return evenly(count, func(int) int64 { return 0 })
}

// jittered is every 15 seconds and a few milliseconds.
func jittered(rnd *rand.Rand, count int) []int64 {
	return evenly(count, func(int) int64 { return rnd.Int64N(11) - 5 })
}

// aligned is how Prometheus scrapes: it moves times that are 2 ms late to where they should be, others it leaves.
func aligned(rnd *rand.Rand, count int) []int64 {
	return evenly(count, func(int) int64 {
		if rnd.IntN(100) == 0 {
			return 3 + rnd.Int64N(400)
		}
		return 0
	})
}

func evenly(count int, away func(i int) int64) []int64 {
	times := make([]int64, count)
	for i := range times {
		times[i] = startMilli + int64(i)*15_000 + away(i)
	}
	return times
}

// gappy loses scrapes and comes back at another offset.
func gappy(rnd *rand.Rand, count int) []int64 {
	t := int64(startMilli)
	times := make([]int64, count)
	for i := range times {
		t += 15_000
		if rnd.IntN(100) == 0 {
			t += rnd.Int64N(3_600_000)
		}
		times[i] = t + rnd.Int64N(5)
	}
	return times
}

// irregular is by chance, once a minute.
func irregular(rnd *rand.Rand, count int) []int64 {
	t := int64(startMilli)
	times := make([]int64, count)
	for i := range times {
		t += 1 + int64(rnd.ExpFloat64()*60_000)
		times[i] = t
	}
	return times
}

// always makes values that do not depend on the one before.
func always(f func(*rand.Rand) float64) func(*rand.Rand) func(int) float64 {
	return func(rnd *rand.Rand) func(int) float64 { return func(int) float64 { return f(rnd) } }
}

// walk makes values from the one before.
func walk(start float64, f func(*rand.Rand, float64) float64) func(*rand.Rand) func(int) float64 {
	return func(rnd *rand.Rand) func(int) float64 {
		v := start
		return func(int) float64 {
			v = f(rnd, v)
			return v
		}
	}
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

func kinds() []kind {
	return []kind{
		{"constant", regular, always(func(*rand.Rand) float64 { return 12.7 })},
		{"constant-jitter", jittered, always(func(*rand.Rand) float64 { return 1 })},
		{"counter", regular, walk(1e6, func(rnd *rand.Rand, v float64) float64 { return v + float64(rnd.IntN(40)) })},
		{"counter-aligned", aligned, walk(1e6, func(rnd *rand.Rand, v float64) float64 { return v + float64(rnd.IntN(40)) })},
		{"counter-jitter", jittered, walk(1e6, func(rnd *rand.Rand, v float64) float64 { return v + float64(rnd.IntN(40)) })},
		{"counter-fast", aligned, walk(1e9, func(rnd *rand.Rand, v float64) float64 { return v + 20_000 + float64(rnd.IntN(5000)) })},
		{"counter-rare", aligned, walk(17, func(rnd *rand.Rand, v float64) float64 { return v + float64(max(0, rnd.IntN(30)-28)) })},
		{"counter-resets", gappy, walk(1e6, func(rnd *rand.Rand, v float64) float64 {
			if rnd.IntN(200) == 0 {
				return 0
			}
			return v + float64(rnd.IntN(40))
		})},
		{"counter-stale", gappy, walk(1e6, func(rnd *rand.Rand, v float64) float64 {
			switch {
			case math.IsNaN(v):
				return float64(rnd.IntN(40))
			case rnd.IntN(100) == 0:
				return math.Float64frombits(staleBits)
			}
			return v + float64(rnd.IntN(40))
		})},
		{"cpu-seconds", aligned, walk(81234.56, func(rnd *rand.Rand, v float64) float64 { return round(v+3+rnd.Float64(), 2) })},
		{"cpu-nanoseconds", aligned, walk(81234.567890123, func(rnd *rand.Rand, v float64) float64 { return round(v+3+rnd.Float64(), 9) })},
		{"sum-seconds", aligned, walk(12345.678901, func(rnd *rand.Rand, v float64) float64 { return v + 0.7 + 0.6*rnd.Float64() })},
		{"gauge-zero-one", aligned, always(func(rnd *rand.Rand) float64 { return float64(rnd.IntN(2)) })},
		{"gauge-integer", jittered, walk(300, func(rnd *rand.Rand, v float64) float64 { return v + float64(rnd.IntN(21)-10) })},
		{"gauge-quarter", aligned, walk(40, func(rnd *rand.Rand, v float64) float64 { return v + float64(rnd.IntN(9)-4)/4 })},
		{"gauge-decimal", aligned, always(func(rnd *rand.Rand) float64 { return round(10+5*rnd.Float64(), 1) })},
		{"gauge-percent", jittered, always(func(rnd *rand.Rand) float64 { return round(100*rnd.Float64(), 2) })},
		{"gauge-bytes", aligned, walk(1.2e9, func(rnd *rand.Rand, v float64) float64 { return v + 4096*float64(rnd.IntN(201)-100) })},
		{"full-precision", aligned, always(func(rnd *rand.Rand) float64 { return rnd.Float64() })},
		{"rate", jittered, always(func(rnd *rand.Rand) float64 { return float64(rnd.IntN(100000)) / 300 })},
		{"irregular", irregular, always(func(rnd *rand.Rand) float64 { return float64(rnd.IntN(1000)) })},
	}
}

// wildKinds are what no sender sends, but might.
func wildKinds() []kind {
	return []kind{
		{"any-bits", anyTimes, always(func(rnd *rand.Rand) float64 { return math.Float64frombits(rnd.Uint64()) })},
		{"specials", anyTimes, always(special)},
		{"specials-among-integers", regular, always(func(rnd *rand.Rand) float64 {
			if rnd.IntN(20) == 0 {
				return special(rnd)
			}
			return float64(rnd.IntN(50))
		})},
		{"specials-among-decimals", gappy, always(func(rnd *rand.Rand) float64 {
			if rnd.IntN(50) == 0 {
				return special(rnd)
			}
			return float64(rnd.IntN(5000)) / 1000
		})},
		{"large-integers", anyTimes, always(func(rnd *rand.Rand) float64 { return float64(rnd.Int64()) })},
		{"edge-of-exact", jittered, always(func(rnd *rand.Rand) float64 { return float64(1<<53 - 4 + rnd.IntN(8)) })},
		{"any-scale", jittered, always(func(rnd *rand.Rand) float64 { return float64(rnd.IntN(1000)) / math.Pow10(rnd.IntN(30)-8) })},
		{"signs", jittered, always(func(rnd *rand.Rand) float64 { return rnd.NormFloat64() })},
	}
}

func special(rnd *rand.Rand) float64 {
	list := []uint64{
		staleBits, 0x7ff8000000000001, 0x7ff8000000000000, 0xfff8000000001234, 0x7ff0000000000001, 0x7ff0000000000000, 0xfff0000000000000,
		0, 1 << 63, 1, 1<<63 | 1, 0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, math.Float64bits(1e-300), math.Float64bits(0.1),
	}
	return math.Float64frombits(list[rnd.IntN(len(list))])
}

// anyTimes rise from before 1970 by anything from a millisecond to a quarter of all time.
func anyTimes(rnd *rand.Rand, count int) []int64 {
	t := int64(math.MinInt64) + rnd.Int64N(10)
	if rnd.IntN(2) == 0 {
		t = -rnd.Int64N(1e12)
	}
	times := []int64{t}
	for len(times) < count {
		step := 1 + rnd.Int64N(1<<rnd.IntN(62))
		if t+step < t {
			step = 1
		}
		t += step
		times = append(times, t)
	}
	return times
}

// make makes count samples.
func (k *kind) make(rnd *rand.Rand, count int) (times []int64, values []float64) {
	next := k.value(rnd)
	for i := range count {
		values = append(values, next(i))
	}
	return k.times(rnd, count), values
}

// random returns the same numbers for the same name.
func random(name string) *rand.Rand {
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%-32s", name))
	return rand.New(rand.NewChaCha8(seed))
}
