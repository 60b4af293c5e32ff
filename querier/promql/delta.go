package promql

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// Series with this label hold changes instead of totals; packages ingest/otlp and ingest/pipeline store them. Queries see their
// running sums, see docs/decisions/0014-delta-to-cumulative.md.
const (
	temporalityLabel = "__temporality__"
	deltaTemporality = "delta"
)

func isDelta(s *store.MetricSeries) bool {
	for i := range s.Labels { // sorted, and nearly all names come later
		if name := s.Labels[i].Name; name >= temporalityLabel {
			return name == temporalityLabel && s.Labels[i].Value == deltaTemporality
		}
	}
	return false
}

// splitDeltas parts the series of changes from the others. Both keep their order.
func splitDeltas(found []store.MetricSeries) (plain, deltas []store.MetricSeries) {
	first := slices.IndexFunc(found, func(s store.MetricSeries) bool { return isDelta(&s) })
	if first < 0 {
		return found, nil
	}
	plain = slices.Clone(found[:first])
	for i := first; i < len(found); i++ {
		if isDelta(&found[i]) {
			deltas = append(deltas, found[i])
		} else {
			plain = append(plain, found[i])
		}
	}
	return plain, deltas
}

// wholeDays returns what is read of changes, in parts: whatever the range, their sums begin with the day.
func (q *querier) wholeDays(read store.MetricSamplesQuery, deltas []store.MetricSeries) []part {
	if len(deltas) < len(read.FPs) {
		read = narrowed(read, deltas)
	}
	read.StartMilli, read.Last = grid.DayStart(read.StartMilli)+1, false
	return divide(read, deltas, seriesPerPart(&read, q.opts.ChunkSamples))
}

// deltaSamples reads the running sums of changes from read.StartMilli on. Of each part that is read only these are held; held is
// more than left when that is too much.
func (q *querier) deltaSamples(ctx context.Context, read store.MetricSamplesQuery, deltas []store.MetricSeries, left int) (list []store.MetricSamples, held int, err error) {
	for _, p := range q.wholeDays(read, deltas) {
		p.query.Limit = left - held + 1
		got, n, err := q.opts.Store.ListMetricSamples(ctx, q.tenant, p.query)
		if err != nil || held+n > left {
			return nil, held + n, err
		}
		for i := range got {
			if one := floatSums(&got[i], read.StartMilli, read.Last); len(one.Times) > 0 {
				list = append(list, one)
				held += len(one.Times)
			}
		}
	}
	return list, held, nil
}

// floatSums adds the changes of each day up and returns the sums from start on, or only the last. The columns it is given stay as
// they are, and are not held.
func floatSums(m *store.MetricSamples, start int64, last bool) store.MetricSamples {
	from, _ := slices.BinarySearch(m.Times, start)
	if last {
		from = max(from, len(m.Times)-1)
	}
	values := make([]float64, len(m.Times)-from)
	// A plain sum of what is not negative never falls. A compensated one is closer, and may fall by a bit, which would be a reset.
	total, end := 0.0, int64(math.MinInt64)
	for i, v := range m.Values {
		if t := m.Times[i]; t > end {
			total, end = 0, grid.DayStart(t)+grid.DayMilli
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) { // these, stale markers among them, stay what they are
			total += v
			v = total
		}
		if i >= from {
			values[i-from] = v
		}
	}
	return store.MetricSamples{FP: m.FP, Times: slices.Clone(m.Times[from:]), Values: values}
}

// histogramSums are running sums of native histograms of one series.
type histogramSums struct {
	fp    uint64
	times []int64
	sums  []*histogram.FloatHistogram
}

// deltaHistograms is deltaSamples for native histograms.
func (q *querier) deltaHistograms(ctx context.Context, read store.MetricSamplesQuery, deltas []store.MetricSeries, left int) (list []histogramSums, held int, err error) {
	for _, p := range q.wholeDays(read, deltas) {
		p.query.Limit = left - held + 1
		got, n, err := q.opts.Store.ListMetricHistograms(ctx, q.tenant, p.query)
		if err != nil || held+n > left {
			return nil, held + n, err
		}
		for i := range got {
			one, err := sumHistograms(&got[i], read.StartMilli, read.Last)
			if err != nil {
				return nil, held, err
			}
			if len(one.times) > 0 {
				list = append(list, one)
				held += len(one.times)
			}
		}
	}
	return list, held, nil
}

// sumHistograms adds the histograms of each day up and returns the sums from start on, or only the last.
func sumHistograms(m *store.MetricHistograms, start int64, last bool) (histogramSums, error) {
	from, _ := slices.BinarySearch(m.Times, start)
	if last {
		from = max(from, len(m.Times)-1)
	}
	out := histogramSums{fp: m.FP, times: slices.Clone(m.Times[from:])}
	var day daySum
	for i, t := range m.Times {
		var message prompb.Histogram
		if err := message.Unmarshal([]byte(m.Data[i])); err != nil {
			return out, fmt.Errorf("read native histogram at %d: %w", t, err)
		}
		h := message.ToFloatHistogram()
		if !value.IsStaleNaN(h.Sum) {
			h = day.add(t, h)
		}
		if i >= from {
			out.sums = append(out.sums, h.Copy())
		}
	}
	return out, nil
}

// daySum is a running sum of native histograms.
type daySum struct {
	total *histogram.FloatHistogram
	end   int64 // of the day
}

// add returns the new sum, which is the next one's, too. It says whether it continues the one before; the engine need not look.
func (s *daySum) add(t int64, h *histogram.FloatHistogram) *histogram.FloatHistogram {
	h.CounterResetHint = histogram.UnknownCounterReset // a change is told to be a gauge, a sum is none
	if s.total != nil && t <= s.end {
		if _, _, _, err := s.total.Add(h); err == nil {
			s.total.CounterResetHint = histogram.NotCounterReset
			return s.total
		}
		// Exponential and custom buckets do not add up: the sender changed its instrument, which begins a new sum.
	}
	s.total, s.end = h, grid.DayStart(t)+grid.DayMilli
	return h
}

// recordedLabel takes the place of temporalityLabel in what rules store. Their results are no changes, and would be added up.
const recordedLabel = "temporality"

// recorded marks a rule's results as what they are.
func recorded(v promql.Vector) promql.Vector {
	for i := range v {
		if temporality := v[i].Metric.Get(temporalityLabel); temporality != "" {
			v[i].Metric = labels.NewBuilder(v[i].Metric).Del(temporalityLabel).Set(recordedLabel, temporality).Labels()
		}
	}
	return v
}
