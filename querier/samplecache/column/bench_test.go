package column_test

import (
	"testing"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/samplecache/column"
)

// benchCount is four hours at 15 s.
const benchCount = 960

func report(b *testing.B, count, bytes int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/sample")
	b.ReportMetric(float64(bytes)/float64(count), "bytes/sample")
	b.ReportMetric(0, "ns/op")
}

// xorChunks packs samples as Prometheus' head does, 120 to a chunk.
func xorChunks(b *testing.B, times []int64, values []float64) []*chunkenc.XORChunk {
	b.Helper()
	var chunks []*chunkenc.XORChunk
	for start := 0; start < len(times); start += 120 {
		c := chunkenc.NewXORChunk()
		app, err := c.Appender()
		require.NoError(b, err)
		for i := start; i < min(start+120, len(times)); i++ {
			app.Append(0, times[i], values[i])
		}
		c.Compact()
		chunks = append(chunks, c)
	}
	return chunks
}

func chunkBytes(chunks []*chunkenc.XORChunk) int {
	const header = 24 // of the slice of bytes, as is counted for a Run
	size := 0
	for _, c := range chunks {
		size += header + cap(c.Bytes())
	}
	return size
}

// BenchmarkDecode reads whole runs into slices that are large enough.
func BenchmarkDecode(b *testing.B) {
	for _, k := range kinds() {
		times, values := k.make(random(k.name), benchCount)
		gotTimes, gotValues := make([]int64, 0, benchCount), make([]float64, 0, benchCount)
		b.Run(k.name, func(b *testing.B) {
			run := column.Encode(times, values)
			for b.Loop() {
				gotTimes, gotValues = run.AppendTo(gotTimes[:0], gotValues[:0], run.First(), run.Last())
			}
			report(b, benchCount, run.Bytes())
		})
		b.Run(k.name+"-xor", func(b *testing.B) {
			chunks := xorChunks(b, times, values)
			var it chunkenc.Iterator
			for b.Loop() {
				gotTimes, gotValues = gotTimes[:0], gotValues[:0]
				for _, c := range chunks {
					it = c.Iterator(it)
					for it.Next() != chunkenc.ValNone {
						t, v := it.At()
						gotTimes, gotValues = append(gotTimes, t), append(gotValues, v)
					}
				}
			}
			report(b, benchCount, chunkBytes(chunks))
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, k := range kinds() {
		times, values := k.make(random(k.name), benchCount)
		b.Run(k.name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = column.Encode(times, values).Bytes()
			}
			report(b, benchCount, size)
		})
		b.Run(k.name+"-xor", func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = chunkBytes(xorChunks(b, times, values))
			}
			report(b, benchCount, size)
		})
	}
}

// BenchmarkNewest asks for the newest sample at every step of a run, as an instant selector does.
func BenchmarkNewest(b *testing.B) {
	for _, k := range kinds() {
		times, values := k.make(random(k.name), benchCount)
		b.Run(k.name, func(b *testing.B) {
			run, at := column.Encode(times, values), 0
			for b.Loop() {
				run.Newest(times[at]-300_000, times[at]+1000)
				if at += 7; at >= benchCount {
					at -= benchCount
				}
			}
		})
	}
}

// BenchmarkWindow reads five minutes anywhere in a run, as rate(x[5m]) at one instant does.
func BenchmarkWindow(b *testing.B) {
	gotTimes, gotValues := make([]int64, 0, benchCount), make([]float64, 0, benchCount)
	for _, k := range kinds() {
		times, values := k.make(random(k.name), benchCount)
		b.Run(k.name, func(b *testing.B) {
			run, at := column.Encode(times, values), 0
			for b.Loop() {
				gotTimes, gotValues = run.AppendTo(gotTimes[:0], gotValues[:0], times[at]-300_000, times[at])
				if at += 7; at >= benchCount {
					at -= benchCount
				}
			}
		})
	}
}
