package promql_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// columnStore is a store in memory whose samples stand in columns. Of the series it returns, the order changes every time.
type columnStore struct {
	*twin
	columns map[uint64]store.MetricSamples
	list    []store.MetricSeries
}

func newColumnStore() *columnStore {
	return &columnStore{twin: newTwin(), columns: map[uint64]store.MetricSamples{}}
}

func (c *columnStore) addSeries(ls labels.Labels, times []int64, values []float64) {
	c.mu.Lock()
	s := c.seriesLocked(ls).MetricSeries
	c.mu.Unlock()
	c.columns[s.FP] = store.MetricSamples{FP: s.FP, Times: times, Values: values}
	c.list = append(c.list, s)
}

// ListMetricSeries implements promql.Store.
func (c *columnStore) ListMetricSeries(_ context.Context, _ seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	var list []store.MetricSeries
	for _, s := range c.list {
		if len(list) < q.Limit && !slices.ContainsFunc(q.Matchers, func(m store.MetricMatcher) bool { return !matches(&m, s.Labels) }) {
			list = append(list, s)
		}
	}
	rand.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] }) //nolint:gosec // any order will do
	return list, nil
}

// ListMetricSamples implements promql.Store.
func (c *columnStore) ListMetricSamples(_ context.Context, _ seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rows int, err error) {
	for i := range c.list {
		s := &c.list[i]
		if !slices.Contains(q.Metrics, s.Metric) {
			continue
		}
		if q.FPs != nil && !slices.Contains(q.FPs, s.FP) {
			continue
		}
		all := c.columns[s.FP]
		from, _ := slices.BinarySearch(all.Times, q.StartMilli)
		to, found := slices.BinarySearch(all.Times, q.EndMilli)
		if found {
			to++
		}
		if q.Last {
			from = max(from, to-1)
		}
		if to = min(to, from+q.Limit-rows); from >= to {
			continue
		}
		rows += to - from
		list = append(list, store.MetricSamples{FP: s.FP, Times: slices.Clone(all.Times[from:to]), Values: slices.Clone(all.Values[from:to])})
	}
	return list, rows, nil
}

const dataSpan = 3600_000 // milliseconds that the random data covers, from dataStart

// dataStart lies between two minutes, so that steps and samples meet only at times, and half an hour before a midnight.
const dataStart = 1_700_006_400_000 - 1800_000 + 7_300

// shape says what a random series looks like.
type shape struct {
	interval int64
	next     func(r *rand.Rand, before float64) float64
}

func counter(r *rand.Rand, before float64) float64 {
	if r.IntN(25) == 0 {
		return r.Float64() * 3
	}
	return before + r.Float64()*10
}

func gauge(r *rand.Rand, _ float64) float64 {
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, 1e-300}
	if r.IntN(12) == 0 {
		return special[r.IntN(len(special))]
	}
	return r.NormFloat64() * 100
}

// change is what a series of changes has: mostly little, so that a new day's sum may be larger than that of the day before.
func change(r *rand.Rand, _ float64) float64 {
	switch r.IntN(20) {
	case 0:
		return math.NaN()
	case 1:
		return -r.Float64()
	case 2, 3:
		return 1000
	}
	return float64(r.IntN(3))
}

// level has few values, so that series often have the same.
func level(r *rand.Rand, before float64) float64 {
	switch r.IntN(12) {
	case 0:
		return math.NaN()
	case 1, 2, 3, 4:
		return before
	}
	return float64(r.IntN(4))
}

func steady(_ *rand.Rand, before float64) float64 { return before }

// randomColumns returns samples with gaps, jitter and stale markers that begin and end anywhere.
func randomColumns(r *rand.Rand, s shape) (times []int64, values []float64) {
	at, end := int64(dataStart), int64(dataStart+dataSpan)
	if r.IntN(3) == 0 {
		at += r.Int64N(dataSpan / 2)
	}
	if r.IntN(3) == 0 {
		end -= r.Int64N(dataSpan / 3)
	}
	v := r.Float64() * 5
	jitter := int64(0)
	if r.IntN(2) == 0 {
		jitter = 50
	}
	for ; at < end; at += s.interval {
		switch r.IntN(60) {
		case 0:
			at += r.Int64N(900_000)
		case 1:
			times, values = append(times, at), append(values, math.Float64frombits(value.StaleNaN))
			continue
		}
		v = s.next(r, v)
		times, values = append(times, at+r.Int64N(jitter+1)), append(values, v)
	}
	return times, values
}

// randomData fills a store with counters, gauges, buckets and native histograms.
func randomData(r *rand.Rand) *columnStore {
	c := newColumnStore()
	intervals := []int64{5_000, 15_000, 30_000, 60_000}
	for _, m := range []struct {
		name string
		next func(*rand.Rand, float64) float64
	}{{"requests_total", counter}, {"errors_total", counter}, {"temperature", gauge}, {"up", steady}, {"work", counter}} {
		for i := range 6 {
			ls := labels.FromStrings("__name__", m.name, "job", fmt.Sprint("j", i%2), "instance", fmt.Sprint("i", i), "code", []string{"200", "500"}[i%2])
			times, values := randomColumns(r, shape{intervals[r.IntN(len(intervals))], m.next})
			c.addSeries(ls, times, values)
		}
	}
	for i := range 24 {
		times, values := randomColumns(r, shape{intervals[r.IntN(len(intervals))], level})
		c.addSeries(labels.FromStrings("__name__", "level", "job", fmt.Sprint("j", i%3), "instance", fmt.Sprint("i", i)), times, values)
	}
	for i := range 2 {
		for _, le := range []string{"0.1", "1", "10", "+Inf"} {
			times, values := randomColumns(r, shape{15_000, counter})
			c.addSeries(labels.FromStrings("__name__", "latency_bucket", "job", fmt.Sprint("j", i), "le", le), times, values)
		}
	}
	for i := range 4 {
		ls := labels.FromStrings("__name__", "requests_total", "__temporality__", "delta", "job", fmt.Sprint("j", i%2), "instance", fmt.Sprint("i", i), "code", "200")
		times, values := randomColumns(r, shape{intervals[r.IntN(len(intervals))], change})
		c.addSeries(ls, times, values)
	}
	c.addSeries(labels.FromStrings("__name__", "typed", "__type__", "gauge", "job", "j0"), []int64{dataStart, dataStart + 60_000}, []float64{1, 2})
	for i, name := range []string{"native", "mixed", "mixed"} {
		ls := labels.FromStrings("__name__", name, "job", fmt.Sprint("j", i))
		var times []int64
		var values []float64
		for at := int64(dataStart); at < dataStart+dataSpan; at += 30_000 {
			if name == "mixed" && r.IntN(2) == 0 {
				times, values = append(times, at), append(values, r.Float64())
				continue
			}
			n := uint64(at-dataStart) / 1000
			m := prompb.FromIntHistogram(at, &histogram.Histogram{
				Schema: 1, Count: n, Sum: float64(n), ZeroThreshold: 0.001,
				PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []int64{int64(n)},
			})
			data, err := m.Marshal()
			if err != nil {
				panic(err)
			}
			c.addHistogram(ls, at, string(data))
		}
		c.addSeries(ls, times, values)
	}
	return c
}
