package seriesindex_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// benchSeries makes the i-th series of a fleet: 60 per pod, of 300 metrics, pods in 40 namespaces.
func benchSeries(i int) seriesDays {
	pod, metric := i/60, i%300
	return seriesDays{
		MetricSeries: series(uint64(i)*0x9e3779b97f4a7c15, fmt.Sprintf("metric_%03d_total", metric),
			"cluster", "prod", "namespace", fmt.Sprint("ns-", pod%40), "pod", fmt.Sprintf("app-%d-%08x", pod%200, pod), "container", "main",
			"instance", fmt.Sprintf("10.%d.%d.%d:8080", pod>>16, pod>>8&255, pod&255), "job", fmt.Sprint("app-", pod%200), "node", fmt.Sprint("node-", pod%100),
			"uid", fmt.Sprintf("%08x-%04x", pod*2654435761, pod), "service", fmt.Sprint("app-", pod%200), "le", fmt.Sprint(i%12)),
		days: []int32{storeMonday, storeMonday + 1},
	}
}

// benchStore stores so many series, in parts of a writer's size.
func benchStore(b *testing.B, count int) *store.Store {
	b.Helper()
	const batch = 20_000
	s := openStore(b, seamark.TenantNumber(62+count/100_000))
	for from := 0; from < count; from += batch {
		var list []seriesDays
		for i := from; i < min(from+batch, count); i++ {
			list = append(list, benchSeries(i))
		}
		insertSeries(b, s, tenantA, uint64(from+1), list)
	}
	return s
}

// BenchmarkLookups prints, for each question, the index's time and the store's, and how many times the index is faster.
func BenchmarkLookups(b *testing.B) {
	for _, count := range []int{24_000, 500_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			s := benchStore(b, count)
			x, _ := openIndex(b, s)
			fromIndex(b, x, func() { fps(b, x, tenantA, onDays(int64(storeMonday), int64(storeMonday)+1)) })
			b.Logf("%d series take %d MiB", count, seriesindex.Bytes(x)>>20)
			benchQuestions(b, s, x)
		})
	}
}

func benchQuestions(b *testing.B, s *store.Store, x *seriesindex.Index) {
	equal := func(name, value string) store.MetricMatcher {
		return store.MetricMatcher{Name: name, Op: store.MetricEquals, Value: value}
	}
	match := func(name, value string) store.MetricMatcher {
		return store.MetricMatcher{Name: name, Op: store.MetricMatches, Value: value}
	}
	for _, c := range []struct {
		name     string
		label    string // of label values; "" lists series
		matchers []store.MetricMatcher
	}{
		{"metric", "", []store.MetricMatcher{equal("__name__", "metric_007_total")}},
		{"metric-namespace", "", []store.MetricMatcher{equal("__name__", "metric_007_total"), equal("namespace", "ns-5")}},
		{"metric-regex-pod", "", []store.MetricMatcher{equal("__name__", "metric_007_total"), match("pod", "app-1.*0")}},
		{"regex-pod", "", []store.MetricMatcher{match("pod", ".*-1[0-9]-.*0")}},
		{"values-namespace", "namespace", nil},
		{"values-pod", "pod", nil},
		{"values-pod-of-metric", "pod", []store.MetricMatcher{equal("__name__", "metric_007_total")}},
	} {
		ask := func(l counted) (int, error) {
			q := onDays(int64(storeMonday), int64(storeMonday)+1, c.matchers...)
			if c.label != "" {
				return l.ListMetricLabelValues(c.label, q)
			}
			return l.ListMetricSeries(q)
		}
		b.Run(c.name, func(b *testing.B) {
			want, err := ask(counted{b, s})
			require.NoError(b, err)
			begin := time.Now()
			const rounds = 3
			for range rounds {
				_, err = ask(counted{b, s})
				require.NoError(b, err)
			}
			slow := time.Since(begin) / rounds
			for b.Loop() {
				if got, err := ask(counted{b, x}); err != nil || got != want {
					b.Fatalf("got %d, %v, want %d", got, err, want)
				}
			}
			fast := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(want), "found")
			b.ReportMetric(float64(slow.Nanoseconds()), "store-ns/op")
			b.ReportMetric(float64(slow)/float64(fast), "times-faster")
		})
	}
}

// counted asks as tenantA and counts what is found.
type counted struct {
	b *testing.B
	l seriesindex.Source
}

func (c counted) ListMetricSeries(q store.MetricSeriesQuery) (int, error) {
	list, err := c.l.ListMetricSeries(c.b.Context(), tenantA, q)
	return len(list), err
}

func (c counted) ListMetricLabelValues(name string, q store.MetricSeriesQuery) (int, error) {
	list, err := c.l.ListMetricLabelValues(c.b.Context(), tenantA, name, q)
	return len(list), err
}

// BenchmarkRefresh measures the look for new series when there are none, the reading of one, and the load of a whole tenant.
func BenchmarkRefresh(b *testing.B) {
	s := benchStore(b, 24_000)
	load := func(b *testing.B, after int64) {
		n := 0
		require.NoError(b, s.ScanSeriesIndex(b.Context(), tenantA, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: storeMonday, After: after}, func(*store.IndexedSeries) error {
			n++
			return nil
		}))
		if want := 24_000; after < 0 && n != want || after >= 0 && n > want {
			b.Fatalf("got %d series, want %d", n, want)
		}
	}
	b.Run("nothing-new", func(b *testing.B) {
		for b.Loop() {
			_, err := s.ListSeriesIndexParts(b.Context(), tenantA)
			require.NoError(b, err)
		}
	})
	b.Run("last-insert", func(b *testing.B) {
		parts, err := s.ListSeriesIndexParts(b.Context(), tenantA)
		require.NoError(b, err)
		newest := int64(0)
		for _, p := range parts {
			newest = max(newest, p.MaxBlock)
		}
		for b.Loop() {
			load(b, newest-1)
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			load(b, -1)
		}
	})
}

// BenchmarkAllSeries lists every series of a tenant whose series came in several segments.
func BenchmarkAllSeries(b *testing.B) {
	w := newTwin()
	x, clock := newIndex(b, w)
	const count = 20_000
	for i := range count {
		s := benchSeries(i)
		w.insert(tenantA, s.MetricSeries, s.days...)
		if i%3000 == 0 {
			w.mergeParts(tenantA)
			clock.Advance(seriesindex.DefaultRefresh)
			_, err := x.ListMetricSeries(b.Context(), tenantA, onDays(int64(storeMonday), int64(storeMonday)+1))
			require.NoError(b, err)
		}
	}
	clock.Advance(seriesindex.DefaultRefresh)
	for b.Loop() {
		list, err := x.ListMetricSeries(b.Context(), tenantA, onDays(int64(storeMonday), int64(storeMonday)+1))
		require.NoError(b, err)
		require.Len(b, list, count)
	}
	b.ReportMetric(float64(seriesindex.Segments(x, tenantA)), "segments")
}
