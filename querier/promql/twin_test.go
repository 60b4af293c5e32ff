package promql_test

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const dayMilli = 24 * 3600 * 1000

// twin is the store in memory: the same contract, written as plainly as possible.
type twin struct {
	mu       sync.Mutex // guards all fields
	series   map[uint64]*twinSeries
	metadata []seamark.MetricMetadata
	reads    []store.MetricSamplesQuery
	counted  []store.CardinalityQuery
	err      error // when set, every read fails with it
}

type twinSeries struct {
	store.MetricSeries
	samples    map[int64]float64
	histograms map[int64]string
}

func newTwin() *twin { return &twin{series: map[uint64]*twinSeries{}} }

// add stores one sample.
func (w *twin) add(ls labels.Labels, at int64, v float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seriesLocked(ls).samples[at] = v
}

// addHistogram stores one native histogram.
func (w *twin) addHistogram(ls labels.Labels, at int64, data string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seriesLocked(ls).histograms[at] = data
}

func (w *twin) seriesLocked(ls labels.Labels) *twinSeries {
	s, ok := w.series[ls.Hash()]
	if !ok {
		s = &twinSeries{MetricSeries: store.MetricSeries{FP: ls.Hash(), Metric: ls.Get(seamark.MetricNameLabel)}, samples: map[int64]float64{}, histograms: map[int64]string{}}
		ls.Range(func(l labels.Label) { s.Labels = append(s.Labels, seamark.Label{Name: l.Name, Value: l.Value}) })
		w.series[s.FP] = s
	}
	return s
}

// ListMetricSeries implements promql.Store.
func (w *twin) ListMetricSeries(_ context.Context, _ seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []store.MetricSeries
	for _, s := range w.series {
		seen := false
		for at := range merged(s.samples, s.histograms) {
			seen = seen || at/dayMilli >= q.StartMilli/dayMilli && at/dayMilli <= q.EndMilli/dayMilli
		}
		if seen && len(list) < q.Limit && !slices.ContainsFunc(q.Matchers, func(m store.MetricMatcher) bool { return !matches(&m, s.Labels) }) {
			list = append(list, s.MetricSeries)
		}
	}
	return list, w.err
}

func matches(m *store.MetricMatcher, list []seamark.Label) bool {
	value := ""
	for _, l := range list {
		if l.Name == m.Name {
			value = l.Value
		}
	}
	switch m.Op {
	case store.MetricEquals:
		return value == m.Value
	case store.MetricNotEquals:
		return value != m.Value
	case store.MetricMatches:
		return regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	case store.MetricNotMatches:
		return !regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	case store.MetricIn:
		return slices.Contains(m.Values, value)
	}
	return !slices.Contains(m.Values, value)
}

// ListMetricSamples implements promql.Store.
func (w *twin) ListMetricSamples(_ context.Context, _ seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads = append(w.reads, q)
	var list []store.MetricSamples
	rows := 0
	for _, s := range w.series {
		if !slices.Contains(q.Metrics, s.Metric) || q.FPs != nil && !slices.Contains(q.FPs, s.FP) {
			continue
		}
		one := store.MetricSamples{FP: s.FP}
		for _, at := range slices.Sorted(maps.Keys(s.samples)) {
			if at >= q.StartMilli && at <= q.EndMilli {
				one.Times, one.Values = append(one.Times, at), append(one.Values, s.samples[at])
			}
		}
		if n := len(one.Times); n > 0 && q.Last {
			one.Times, one.Values = one.Times[n-1:], one.Values[n-1:]
		}
		n := min(len(one.Times), q.Limit-rows)
		one.Times, one.Values, rows = one.Times[:n], one.Values[:n], rows+n
		if n > 0 {
			list = append(list, one)
		}
	}
	return list, rows, w.err
}

// ListMetricLabelNames implements promql.Store.
func (w *twin) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error) {
	return w.texts(ctx, tenant, q, func(l seamark.Label) string { return l.Name })
}

// ListMetricLabelValues implements promql.Store.
func (w *twin) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error) {
	return w.texts(ctx, tenant, q, func(l seamark.Label) string {
		if l.Name == name {
			return l.Value
		}
		return ""
	})
}

func (w *twin) texts(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery, of func(seamark.Label) string) ([]string, error) {
	limit := q.Limit
	q.Limit = len(w.series)
	list, err := w.ListMetricSeries(ctx, tenant, q)
	set := map[string]bool{}
	for _, s := range list {
		for _, l := range s.Labels {
			if text := of(l); text != "" {
				set[text] = true
			}
		}
	}
	texts := slices.Sorted(maps.Keys(set))
	return texts[:min(len(texts), limit)], err
}

// ListMetricMetadata implements promql.Store.
func (w *twin) ListMetricMetadata(_ context.Context, _ seamark.TenantID, q store.MetricMetadataQuery) ([]seamark.MetricMetadata, error) {
	var list []seamark.MetricMetadata
	for _, m := range w.metadata {
		if (q.Metric == "" || q.Metric == m.Metric) && len(list) < q.Limit {
			list = append(list, m)
		}
	}
	return list, w.err
}

// merged yields the times of samples and histograms.
func merged(samples map[int64]float64, histograms map[int64]string) map[int64]bool {
	times := map[int64]bool{}
	for at := range samples {
		times[at] = true
	}
	for at := range histograms {
		times[at] = true
	}
	return times
}

// ListMetricHistograms implements promql.Store.
func (w *twin) ListMetricHistograms(_ context.Context, _ seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricHistograms, int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []store.MetricHistograms
	rows := 0
	for _, s := range w.series {
		if !slices.Contains(q.Metrics, s.Metric) || q.FPs != nil && !slices.Contains(q.FPs, s.FP) {
			continue
		}
		one := store.MetricHistograms{FP: s.FP}
		for _, at := range slices.Sorted(maps.Keys(s.histograms)) {
			if at >= q.StartMilli && at <= q.EndMilli {
				one.Times, one.Data = append(one.Times, at), append(one.Data, s.histograms[at])
			}
		}
		if rows += len(one.Times); len(one.Times) > 0 {
			list = append(list, one)
		}
	}
	return list, rows, nil
}

// ListMetricExemplars implements promql.Store.
func (*twin) ListMetricExemplars(context.Context, seamark.TenantID, store.MetricSamplesQuery) ([]store.MetricExemplar, error) {
	return nil, nil
}

// CountCardinality implements promql.Store: it remembers what was asked and answers that there is one series.
func (w *twin) CountCardinality(ctx context.Context, _ seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counted = append(w.counted, q)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &store.Cardinality{Total: store.CardinalityCount{Series: 1}}, w.err
}
