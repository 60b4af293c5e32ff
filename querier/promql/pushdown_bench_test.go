package promql_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
)

const (
	gridSeries = 20_000
	gridStep   = 15_000 // milliseconds between samples
)

// gridStore holds counters whose columns it hands out as they are, so that a benchmark measures the engine alone.
type gridStore struct {
	*twin
	series []store.MetricSeries
	times  []int64
	values [][]float64 // by series, whose fingerprint is the place
}

// newGridStore has as many hours of samples before end, a minute more, and a reset in every third series.
func newGridStore(hours int, end time.Time) *gridStore {
	g := &gridStore{twin: newTwin()}
	n := (hours*3600_000 + 600_000) / gridStep
	for k := range n {
		g.times = append(g.times, end.UnixMilli()-int64(n-1-k)*gridStep)
	}
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same data every time
	for i := range gridSeries {
		values, v := make([]float64, n), 0.0
		for k := range values {
			if v += float64(r.IntN(50)); i%3 == 0 && k == n/2 {
				v = 0
			}
			values[k] = v
		}
		g.values = append(g.values, values)
		g.series = append(g.series, store.MetricSeries{FP: uint64(i), Metric: "http_requests_total", Labels: []seamark.Label{
			{Name: "__name__", Value: "http_requests_total"}, {Name: "cluster", Value: "prod"}, {Name: "code", Value: []string{"200", "404", "500"}[i%3]},
			{Name: "instance", Value: fmt.Sprintf("10.0.%d.%d:8080", i/250, i%250)}, {Name: "job", Value: "kubernetes-pods"},
			{Name: "namespace", Value: fmt.Sprint("ns-", i%50)}, {Name: "pod", Value: fmt.Sprint("pod-", i)},
		}})
	}
	// The index of series has them in this order.
	slices.SortFunc(g.series, func(a, b store.MetricSeries) int {
		return slices.CompareFunc(a.Labels, b.Labels, func(x, y seamark.Label) int {
			return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value))
		})
	})
	return g
}

// ListMetricSeries implements promql.Store.
func (g *gridStore) ListMetricSeries(context.Context, seamark.TenantID, store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	return slices.Clone(g.series), nil
}

// ListMetricSamples implements promql.Store.
func (g *gridStore) ListMetricSamples(_ context.Context, _ seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rows int, err error) {
	from, _ := slices.BinarySearch(g.times, q.StartMilli)
	to, _ := slices.BinarySearch(g.times, q.EndMilli+1)
	if q.Last {
		from = max(from, to-1)
	}
	list = make([]store.MetricSamples, len(q.FPs))
	for i, fp := range q.FPs {
		list[i] = store.MetricSamples{FP: fp, Times: g.times[from:to], Values: g.values[fp][from:to]}
	}
	return list, len(list) * (to - from), nil
}

// tsdb returns Prometheus' own storage with the same samples.
func (g *gridStore) tsdb(b *testing.B) storage.Queryable {
	b.Helper()
	s := teststorage.New(b)
	toLabels := labels.NewScratchBuilder(8)
	for i := range g.series {
		toLabels.Reset()
		for _, l := range g.series[i].Labels {
			toLabels.Add(l.Name, l.Value)
		}
		app, ref, err := s.Appender(b.Context()), storage.SeriesRef(0), error(nil)
		for k, t := range g.times {
			ref, err = app.Append(ref, toLabels.Labels(), t, g.values[g.series[i].FP][k])
			require.NoError(b, err)
		}
		require.NoError(b, app.Commit())
	}
	return s
}

const gridQuery = "sum by (namespace) (rate(http_requests_total[5m]))"

// BenchmarkGrid measures a heavy range query over columns in memory: with the pushdown, with Prometheus' engine over the same
// columns, and with both over Prometheus' storage. It says the time per sample read.
func BenchmarkGrid(b *testing.B) {
	end := time.UnixMilli(1_700_000_000_000).Truncate(time.Hour)
	for _, hours := range []int{1, 6} {
		data := newGridStore(hours, end)
		for _, step := range []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute} {
			name := fmt.Sprintf("%dh/%s/", hours, step)
			for _, plain := range []bool{false, true} {
				e := newEngine(b, data, func(o *promql.Options) { o.NoPushdown = plain })
				b.Run(name+map[bool]string{false: "grid", true: "prometheus"}[plain], func(b *testing.B) {
					benchGrid(b, hours, func() prom.Query {
						q, _, err := e.Range(b.Context(), tenantA, gridQuery, end.Add(-time.Duration(hours)*time.Hour), end, step, nil)
						require.NoError(b, err)
						return q
					})
				})
			}
		}
	}
}

// BenchmarkGridTSDB is the one hour over Prometheus' own storage, with Prometheus' engine.
func BenchmarkGridTSDB(b *testing.B) {
	end := time.UnixMilli(1_700_000_000_000).Truncate(time.Hour)
	tsdb := newGridStore(1, end).tsdb(b)
	e := prom.NewEngine(prom.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: promql.NewParser()})
	for _, step := range []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute} {
		b.Run(fmt.Sprintf("1h/%s", step), func(b *testing.B) {
			benchGrid(b, 1, func() prom.Query {
				q, err := e.NewRangeQuery(b.Context(), tsdb, nil, gridQuery, end.Add(-time.Hour), end, step)
				require.NoError(b, err)
				require.NoError(b, q.Exec(b.Context()).Err)
				return q
			})
		})
	}
}

func benchGrid(b *testing.B, hours int, run func() prom.Query) {
	b.Helper()
	b.ReportAllocs()
	run().Close() // the first fills the engine's pools
	before := cpuTime(b)
	for b.Loop() {
		run().Close()
	}
	samples := float64(gridSeries) * float64(hours*3600_000+300_000) / gridStep * float64(b.N)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/samples, "ns/sample")
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/samples, "cpu-ns/sample")
}

// cpuTime returns the processor time of this process, which other load of the machine changes little.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
