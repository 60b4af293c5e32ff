package promcompat_test

import (
	"math"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
)

// histograms adds native histograms: a counter of integers, a gauge of floats, one with custom buckets, one whose series
// begins with floats, and one that goes stale.
func (c *corpus) histograms(i int) {
	c.addHistogram(i, "demo_latency_seconds", func(k int) sample { return sample{h: c.exponential(k%130, 3)} })
	c.addHistogram(i, "demo_queue_wait_seconds", func(k int) sample {
		fh := c.exponential(20+k%40, 1).ToFloat(nil).Mul(0.37)
		fh.CounterResetHint = histogram.GaugeType
		return sample{fh: fh}
	})
	c.addHistogram(i, "demo_batch_size_bytes", func(k int) sample { return sample{h: c.custom(k % 170)} })
	c.addHistogram(i, "demo_mixed_metric", func(k int) sample {
		if k%100 < 50 {
			return sample{v: float64(k)}
		}
		return sample{h: c.exponential(k%100, 3)}
	})
	c.addHistogram(i, "demo_latency_seconds_stale", func(k int) sample {
		if k%50 >= 35 {
			return sample{h: &histogram.Histogram{Sum: math.Float64frombits(value.StaleNaN)}}
		}
		return sample{h: c.exponential(k%50, 0)}
	})
}

func (c *corpus) addHistogram(instance int, name string, f func(k int) sample) {
	s := series{labels: c.labels(instance, name, nil)}
	for k := range scrapes {
		one := f(k)
		one.at = c.times[instance][k]
		s.samples = append(s.samples, one)
	}
	c.series = append(c.series, s)
}

// exponential returns a histogram that has grown for so many scrapes; a lower number than before is a counter reset. Now
// and then its layout changes, as when a client library widens its buckets.
func (c *corpus) exponential(age int, schema int32) *histogram.Histogram {
	if age > 90 {
		schema--
	}
	h := &histogram.Histogram{
		Schema: schema, ZeroThreshold: 1e-6, ZeroCount: uint64(age),
		PositiveSpans: []histogram.Span{{Offset: -4, Length: 3}, {Offset: 2, Length: 2}},
		NegativeSpans: []histogram.Span{{Offset: 0, Length: 2}},
	}
	counts := func(n int) (deltas []int64) {
		last := int64(0)
		for b := range n {
			count := int64(age * (3 + b*b%5))
			deltas, last = append(deltas, count-last), count
			h.Count += uint64(count)
		}
		return deltas
	}
	h.PositiveBuckets, h.NegativeBuckets = counts(5), counts(2)
	h.Count += h.ZeroCount
	h.Sum = float64(h.Count) * 0.173
	return h
}

// custom returns a histogram with custom buckets, as classic histograms are turned into; its bounds change once.
func (*corpus) custom(age int) *histogram.Histogram {
	bounds := []float64{100, 250, 500, 1000}
	if age > 120 {
		bounds = []float64{100, 500, 1000, 5000}
	}
	n := int64(age)
	return &histogram.Histogram{
		Schema: histogram.CustomBucketsSchema, CustomValues: bounds, Count: uint64(15 * n), Sum: float64(n) * 1234.5,
		PositiveSpans: []histogram.Span{{Offset: 0, Length: 5}}, PositiveBuckets: []int64{n, n, n, n, n}, // 1n, 2n, 3n, 4n and 5n
	}
}
