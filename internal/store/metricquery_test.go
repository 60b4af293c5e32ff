package store_test

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// staleBits is Prometheus' stale marker, a NaN that must keep its bits.
const staleBits = 0x7ff0000000000002

// insertBatch stores everything in b under its own batch id, so that no block is taken for a repeat of another.
func insertBatch(t testing.TB, s *store.Store, batchID uint64, b *seamark.Batch) {
	t.Helper()
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, batchID) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
	}
}

func metricSeries(fp uint64, labels ...string) *seamark.Series {
	s := &seamark.Series{Kind: seamark.MetricSeries, FP: fp}
	for i := 0; i < len(labels); i += 2 {
		s.Labels = append(s.Labels, seamark.Label{Name: labels[i], Value: labels[i+1]})
	}
	seamark.SortLabels(s.Labels)
	s.Name = s.Label(seamark.MetricNameLabel)
	return s
}

func seriesQuery(matchers ...store.MetricMatcher) store.MetricSeriesQuery {
	return store.MetricSeriesQuery{Matchers: matchers, StartMilli: base.UnixMilli(), EndMilli: base.Add(time.Hour).UnixMilli(), Limit: 1000}
}

// TestMetricMatchersTakeAnyText asks for every hostile text in every way that a text can reach a statement.
func TestMetricMatchersTakeAnyText(t *testing.T) {
	s := open(t, 41)
	b := &seamark.Batch{}
	for i, text := range hostile {
		ref := b.Samples.AddSeries(metricSeries(uint64(i)+1<<63, "__name__", "m"+text, "text", text, text+"_name", "v"))
		b.Samples.Append(ref, base.UnixMilli(), float64(i))
	}
	insertBatch(t, s, 1, b)
	find := func(m store.MetricMatcher) []store.MetricSeries {
		t.Helper()
		list, err := s.ListMetricSeries(t.Context(), tenantA, seriesQuery(m))
		require.NoError(t, err, "%+v", m)
		return list
	}
	for i, text := range hostile {
		quoted, others := regexp.QuoteMeta(text), len(hostile)-1
		for _, c := range []struct {
			m    store.MetricMatcher
			want int
		}{
			{store.MetricMatcher{Name: "text", Op: store.MetricEquals, Value: text}, 1},
			{store.MetricMatcher{Name: "text", Op: store.MetricNotEquals, Value: text}, others},
			{store.MetricMatcher{Name: "text", Op: store.MetricMatches, Value: quoted}, 1},
			{store.MetricMatcher{Name: "text", Op: store.MetricNotMatches, Value: quoted}, others},
			{store.MetricMatcher{Name: "text", Op: store.MetricIn, Values: []string{text, "absent"}}, 1},
			{store.MetricMatcher{Name: "text", Op: store.MetricNotIn, Values: []string{text, "absent"}}, others},
			{store.MetricMatcher{Name: "__name__", Op: store.MetricEquals, Value: "m" + text}, 1},
			{store.MetricMatcher{Name: text + "_name", Op: store.MetricEquals, Value: "v"}, 1},
			{store.MetricMatcher{Name: text + "_name", Op: store.MetricEquals, Value: ""}, others},
		} {
			got := find(c.m)
			require.Len(t, got, c.want, "%+v", c.m)
			if c.want == 1 {
				want := metricSeries(uint64(i)+1<<63, "__name__", "m"+text, "text", text, text+"_name", "v")
				require.Equal(t, store.MetricSeries{FP: want.FP, Metric: want.Name, Labels: want.Labels}, got[0])
			}
		}
		samples, n, err := s.ListMetricSamples(t.Context(), tenantA, store.MetricSamplesQuery{
			Metrics: []string{"m" + text, "absent"}, StartMilli: base.UnixMilli(), EndMilli: base.UnixMilli(), Limit: 10,
		})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []store.MetricSamples{{FP: uint64(i) + 1<<63, Times: []int64{base.UnixMilli()}, Values: []float64{float64(i)}}}, samples)
		values, err := s.ListMetricLabelValues(t.Context(), tenantA, text+"_name", seriesQuery())
		require.NoError(t, err)
		require.Equal(t, []string{"v"}, values)
	}
}

func TestMetricDotMatchesLineBreaks(t *testing.T) {
	s := open(t, 42)
	b := &seamark.Batch{}
	b.Samples.Append(b.Samples.AddSeries(metricSeries(1, "__name__", "m", "text", "one\ntwo")), base.UnixMilli(), 1)
	insertBatch(t, s, 1, b)
	for expr, want := range map[string]int{"one.two": 1, "one": 0, "two": 0, "(?-s)one.two": 0, "o.*|x": 1, "x|y": 0, "": 0, ".*": 1, "(?i)ONE.TWO": 1} {
		list, err := s.ListMetricSeries(t.Context(), tenantA, seriesQuery(store.MetricMatcher{Name: "text", Op: store.MetricMatches, Value: expr}))
		require.NoError(t, err)
		require.Len(t, list, want, expr)
	}
}

// TestMetricSamplesReadsEveryValue stores samples over three days in several batches and reads them back in every way.
func TestMetricSamplesReadsEveryValue(t *testing.T) {
	s, r := open(t, 43), testkit.Seed(t)
	want := map[uint64]map[int64]float64{}
	var metrics []string
	var list []*seamark.Series
	for i := range 12 {
		name := fmt.Sprint("metric_", i%3)
		metrics = append(metrics, name)
		list = append(list, metricSeries(r.Uint64(), "__name__", name, "i", fmt.Sprint(i)))
		want[list[i].FP] = map[int64]float64{}
	}
	for batch := range 8 {
		b := &seamark.Batch{}
		for _, series := range list {
			b.Samples.AddSeries(series)
		}
		for range 500 {
			i, at, v := r.IntN(len(list)), base.UnixMilli()+r.Int64N(48*30)*120_000, r.NormFloat64()
			if r.IntN(10) == 0 {
				v = math.Float64frombits(staleBits)
			}
			if old, ok := want[list[i].FP][at]; !ok || math.Float64bits(v) > math.Float64bits(old) {
				want[list[i].FP][at] = v
			}
			b.Samples.Append(uint32(i), at, v)
		}
		insertBatch(t, s, uint64(batch+1), b)
	}
	for round := range 40 {
		q := store.MetricSamplesQuery{Metrics: metrics, StartMilli: base.UnixMilli() + r.Int64N(24*3600_000), Limit: 1e6, Last: round%2 == 1}
		q.EndMilli = q.StartMilli + r.Int64N(24*3600_000)
		if round%3 == 0 {
			q.FPs = []uint64{list[r.IntN(len(list))].FP, list[r.IntN(len(list))].FP, 42}
		}
		got, _, err := s.ListMetricSamples(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, wantSamples(want, &q), textSamples(got))
	}
}

// wantSamples selects from the model what q asks for, as text that shows the bits.
func wantSamples(model map[uint64]map[int64]float64, q *store.MetricSamplesQuery) []string {
	var list []store.MetricSamples
	for fp, samples := range model {
		if q.FPs != nil && !slices.Contains(q.FPs, fp) {
			continue
		}
		one := store.MetricSamples{FP: fp}
		for at := range samples {
			if at >= q.StartMilli && at <= q.EndMilli {
				one.Times = append(one.Times, at)
			}
		}
		slices.Sort(one.Times)
		if n := len(one.Times); q.Last && n > 0 {
			one.Times = one.Times[n-1:]
		}
		for _, at := range one.Times {
			one.Values = append(one.Values, samples[at])
		}
		if len(one.Times) > 0 {
			list = append(list, one)
		}
	}
	return textSamples(list)
}

func textSamples(list []store.MetricSamples) []string {
	slices.SortFunc(list, func(a, b store.MetricSamples) int { return cmp.Compare(a.FP, b.FP) })
	var text []string
	for _, s := range list {
		line := fmt.Sprint(s.FP)
		for i := range s.Times {
			line += fmt.Sprintf(" %d:%x", s.Times[i], math.Float64bits(s.Values[i]))
		}
		text = append(text, line)
	}
	return text
}

func TestMetricLimits(t *testing.T) {
	s := open(t, 44)
	b := &seamark.Batch{}
	for i := range 20 {
		ref := b.Samples.AddSeries(metricSeries(uint64(i), "__name__", "m", "i", fmt.Sprintf("%02d", i), fmt.Sprintf("only_%02d", i), "x"))
		for k := range 10 {
			b.Samples.Append(ref, base.UnixMilli()+int64(k), 1)
		}
	}
	insertBatch(t, s, 1, b)
	q := seriesQuery()
	q.Limit = 7
	list, err := s.ListMetricSeries(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Len(t, list, 7)
	names, err := s.ListMetricLabelNames(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Equal(t, []string{"__name__", "i", "only_00", "only_01", "only_02", "only_03", "only_04"}, names)
	values, err := s.ListMetricLabelValues(t.Context(), tenantA, "i", q)
	require.NoError(t, err)
	require.Equal(t, []string{"00", "01", "02", "03", "04", "05", "06"}, values)
	_, n, err := s.ListMetricSamples(t.Context(), tenantA, store.MetricSamplesQuery{Metrics: []string{"m"}, StartMilli: 0, EndMilli: math.MaxInt64, Limit: 55})
	require.NoError(t, err)
	require.Equal(t, 55, n)
	none, n, err := s.ListMetricSamples(t.Context(), tenantA, store.MetricSamplesQuery{Metrics: []string{"m"}, FPs: []uint64{}, EndMilli: math.MaxInt64, Limit: 55})
	require.NoError(t, err)
	require.Empty(t, none)
	require.Zero(t, n)
}

// TestMetricSeriesDays finds a series on the days it has samples on, once.
func TestMetricSeriesDays(t *testing.T) {
	s := open(t, 45)
	b := &seamark.Batch{}
	ref := b.Samples.AddSeries(metricSeries(9, "__name__", "m"))
	for day := range 10 {
		b.Samples.Append(ref, base.AddDate(0, 0, day).UnixMilli(), 1)
	}
	insertBatch(t, s, 1, b)
	insertBatch(t, s, 2, b) // the same rows again, which merge some time later
	for name, c := range map[string]struct{ from, to, want int }{
		"all": {0, 9, 1}, "one day": {3, 3, 1}, "before": {-9, -1, 0}, "after": {10, 20, 0},
	} {
		q := store.MetricSeriesQuery{StartMilli: base.AddDate(0, 0, c.from).UnixMilli(), EndMilli: base.AddDate(0, 0, c.to).UnixMilli(), Limit: 100}
		list, err := s.ListMetricSeries(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Len(t, list, c.want, name)
	}
}

func TestMetricMetadataIsTheNewest(t *testing.T) {
	s := open(t, 46)
	for i, help := range []string{"Old.", "New."} {
		encoded, err := store.NewEncoder().Encode(&seamark.Batch{Metadata: []seamark.MetricMetadata{
			{Metric: "b", Type: "gauge", Help: help}, {Metric: "a", Type: "counter", Help: help, Unit: "bytes"},
		}}, base.Add(time.Duration(i)*time.Minute))
		require.NoError(t, err)
		for _, block := range blocks(encoded.Segments, uint64(i+1)) {
			require.NoError(t, s.Insert(t.Context(), tenantA, block))
		}
	}
	a, b := seamark.MetricMetadata{Metric: "a", Type: "counter", Help: "New.", Unit: "bytes"}, seamark.MetricMetadata{Metric: "b", Type: "gauge", Help: "New."}
	for want, q := range map[*[]seamark.MetricMetadata]store.MetricMetadataQuery{
		{a, b}: {Limit: 10}, {a}: {Limit: 1}, {b}: {Metric: "b", Limit: 10},
	} {
		got, err := s.ListMetricMetadata(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, *want, got)
	}
}
