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
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// Series with this label hold changes instead of totals; packages ingest/otlp and ingest/pipeline store them. Queries see
// counters, see docs/decisions/0014-delta-to-cumulative.md.
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

// countsChanges reports whether samples are read for a function that takes changes as they are: those that add up what lies
// between start timestamps, and sum_over_time, which means nothing else of a counter.
func countsChanges(hints *storage.SelectHints) bool {
	return hints.Range > 0 && slices.Contains([]string{"rate", "increase", "irate", "sum_over_time"}, hints.Func)
}

// maxChange is how long before its report a change is taken to have come about at most, in milliseconds: the default interval
// of OpenTelemetry's SDKs, which leave out what did not change.
const maxChange = 60_000

// deltaStart returns from when on changes are read, so that what a query sees of them does not depend on its range.
func (p *part) deltaStart() int64 {
	if p.changes {
		return p.query.StartMilli - maxChange
	}
	return grid.DayStart(p.query.StartMilli) + 1
}

// deltaParts divides what is read of changes.
func (q *querier) deltaParts(p *part, deltas []store.MetricSeries) []part {
	wide := p.narrowed(deltas)
	wide.query.StartMilli, wide.query.Last = p.deltaStart(), false
	return wide.divide(wide.seriesPerPart(q.opts.ChunkSamples))
}

// deltaFloats is what queries see of the changes of one series.
type deltaFloats struct {
	fp     uint64
	times  []int64
	values []float64
	starts []int64 // start timestamps of the samples
}

// deltaSamples reads changes. Of each part of them only what the query sees is held; held is more than left when that is too much.
func (q *querier) deltaSamples(ctx context.Context, p *part, deltas []store.MetricSeries, left int) (list []deltaFloats, held int, err error) {
	for _, some := range q.deltaParts(p, deltas) {
		some.query.Limit = left - held + 1
		got, n, err := q.opts.Store.ListMetricSamples(ctx, q.tenant, some.query)
		if err != nil || held+n > left {
			return nil, held + n, err
		}
		for i := range got {
			one := deltaFloats{fp: got[i].FP}
			from := p.first(got[i].Times)
			one.times, one.starts = p.timesFrom(got[i].Times, from)
			if one.values = got[i].Values[from:]; !p.changes {
				one.values = sumsFrom(&got[i], from)
			}
			if len(one.times) > 0 {
				list = append(list, one)
				held += len(one.times)
			}
		}
	}
	return list, held, nil
}

// first returns the place of the first sample that the query sees.
func (p *part) first(times []int64) int {
	if p.query.Last {
		return max(0, len(times)-1)
	}
	from, _ := slices.BinarySearch(times, p.query.StartMilli)
	return from
}

// timesFrom returns the times of samples and when their counting began.
func (p *part) timesFrom(times []int64, from int) (seen, starts []int64) {
	starts = make([]int64, len(times)-from)
	for i := range starts {
		t := times[from+i]
		switch {
		case !p.changes:
			starts[i] = grid.DayStart(t)
		case from+i == 0:
			starts[i] = t - maxChange
		default:
			starts[i] = max(times[from+i-1], t-maxChange)
		}
	}
	if p.changes {
		return times[from:], starts
	}
	return slices.Clone(times[from:]), starts // the day before is let go
}

// sumsFrom adds the changes of each day up and returns the sums from a place on.
func sumsFrom(m *store.MetricSamples, from int) []float64 {
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
	return values
}

// deltaHistograms is deltaFloats of native histograms.
type deltaHistograms struct {
	fp     uint64
	times  []int64
	values []*histogram.FloatHistogram
	starts []int64
}

// deltaHistograms is deltaSamples of native histograms.
func (q *querier) deltaHistograms(ctx context.Context, p *part, deltas []store.MetricSeries, left int) (list []deltaHistograms, held int, err error) {
	for _, some := range q.deltaParts(p, deltas) {
		some.query.Limit = left - held + 1
		got, n, err := q.opts.Store.ListMetricHistograms(ctx, q.tenant, some.query)
		if err != nil || held+n > left {
			return nil, held + n, err
		}
		for i := range got {
			one := deltaHistograms{fp: got[i].FP}
			from := p.first(got[i].Times)
			one.times, one.starts = p.timesFrom(got[i].Times, from)
			if one.values, err = p.histogramsFrom(&got[i], from); err != nil {
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

// histogramsFrom decodes histograms and returns them or their sums, from a place on.
func (p *part) histogramsFrom(m *store.MetricHistograms, from int) ([]*histogram.FloatHistogram, error) {
	var list []*histogram.FloatHistogram
	var day daySum
	for i, t := range m.Times {
		if p.changes && i < from {
			continue
		}
		var message prompb.Histogram
		if err := message.Unmarshal([]byte(m.Data[i])); err != nil {
			return nil, fmt.Errorf("read native histogram at %d: %w", t, err)
		}
		h := message.ToFloatHistogram()
		h.CounterResetHint = histogram.UnknownCounterReset // a change is told to be a gauge; what queries see is none
		if !p.changes && !value.IsStaleNaN(h.Sum) {
			h = day.add(t, h)
		}
		if i >= from {
			list = append(list, h.Copy())
		}
	}
	return list, nil
}

// daySum is a running sum of native histograms.
type daySum struct {
	total *histogram.FloatHistogram
	end   int64 // of the day
}

// add returns the new sum, which is the next one's, too. It says whether it continues the one before; the engine need not look.
func (s *daySum) add(t int64, h *histogram.FloatHistogram) *histogram.FloatHistogram {
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
