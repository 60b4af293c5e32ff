package column_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/seamarkhq/seamark/querier/samplecache/column"
)

// fuzzSamples makes samples of bytes: each a shape, a step of time and a value.
func fuzzSamples(data []byte) (times []int64, values []float64) {
	const shapes, size = 6, 12
	t, v := int64(startMilli), 0.0
	for len(data) > 0 {
		var raw [size]byte
		data = data[copy(raw[:], data):]
		step, bits := int64(binary.LittleEndian.Uint16(raw[1:])), binary.LittleEndian.Uint64(raw[4:])
		switch raw[0] % shapes {
		case 0:
			v = math.Float64frombits(bits)
		case 1:
			v = float64(int16(bits))
		case 2:
			v += float64(uint8(bits))
		case 3:
			v = float64(int32(bits)) / math.Pow10(int(bits>>32%20))
		case 4:
			v, step = math.Float64frombits(staleBits), step<<(bits%45)
		}
		for range 1 + raw[3]%40 {
			if t > math.MaxInt64-step-1 {
				return times, values
			}
			t += 1 + step
			times, values = append(times, t), append(values, v)
		}
	}
	return times, values
}

func FuzzRun(f *testing.F) {
	f.Add([]byte("a seed that makes a few samples of several shapes"), uint16(0), uint16(9), int8(0), int8(1))
	f.Fuzz(func(t *testing.T, data []byte, from, to uint16, fromAway, toAway int8) {
		if len(data) > 1200 {
			return
		}
		times, values := fuzzSamples(data)
		run, want := column.Encode(times, values), naive{times, values}
		gotTimes, gotValues := run.AppendTo(nil, nil, math.MinInt64, math.MaxInt64)
		sameSamples(t, times, gotTimes, values, gotValues)
		if len(times) > 0 {
			edge := func(at uint16, away int8) int64 { return times[int(at)%len(times)] + int64(away) }
			sameWindow(t, run, &want, edge(from, fromAway), edge(to, toAway))
		}
	})
}
