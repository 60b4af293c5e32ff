package promql_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

const (
	benchSeries  = 2000
	benchSamples = 240 // one hour at 15 s
)

// fillBench stores an hour of counters, in ten batches as a writer would, and returns their end.
func fillBench(b *testing.B) (e *promql.Engine, end time.Time) {
	b.Helper()
	s := openStore(b, 3)
	end = time.Now().Add(-time.Hour).Truncate(time.Minute)
	r := rand.New(rand.NewPCG(1, 1))
	value := make([]float64, benchSeries)
	const batches = 10
	for batch := range batches {
		var list []float
		for i := range benchSeries {
			ls := labels.FromStrings("__name__", "http_requests_total", "cluster", "prod", "namespace", fmt.Sprint("ns-", i%20), "pod", fmt.Sprint("pod-", i),
				"instance", fmt.Sprintf("10.0.%d.%d:8080", i/250, i%250), "job", "kubernetes-pods", "code", []string{"200", "404", "500"}[i%3])
			for k := batch * benchSamples / batches; k < (batch+1)*benchSamples/batches; k++ {
				value[i] += float64(r.IntN(50))
				list = append(list, float{ls, end.UnixMilli() - int64(benchSamples-1-k)*15_000, value[i], ""})
			}
		}
		require.NoError(b, insertFloats(context.Background(), s, uint64(batch+1), 0, list))
	}
	return newEngine(b, s), end
}

// BenchmarkClickHouse measures queries from PromQL text to result over 2,000 series.
func BenchmarkClickHouse(b *testing.B) {
	e, end := fillBench(b)
	for _, c := range []struct {
		name, query string
		step        time.Duration // 0: instant
		samples     int           // that the store reads for it
	}{
		{"instant/selector", "http_requests_total", 0, benchSeries},
		{"instant/count", "count(http_requests_total)", 0, benchSeries},
		{"instant/one-namespace", `http_requests_total{namespace="ns-3"}`, 0, benchSeries / 20},
		{"instant/sum-rate", "sum by (namespace) (rate(http_requests_total[5m]))", 0, benchSeries * 20},
		{"range/sum-rate-15s", "sum by (namespace) (rate(http_requests_total[5m]))", 15 * time.Second, benchSeries * benchSamples},
		{"range/sum-rate-60s", "sum by (namespace) (rate(http_requests_total[5m]))", time.Minute, benchSeries * benchSamples},
		{"range/one-namespace-15s", `sum by (pod) (rate(http_requests_total{namespace="ns-3"}[5m]))`, 15 * time.Second, benchSeries / 20 * benchSamples},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				var q prom.Query
				var err error
				if c.step == 0 {
					q, _, err = e.Instant(b.Context(), tenantA, c.query, end, nil)
				} else {
					q, _, err = e.Range(b.Context(), tenantA, c.query, end.Add(-time.Hour), end, c.step, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				q.Close()
			}
			b.ReportMetric(float64(c.samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
	b.Run("storage/one-hour", func(b *testing.B) { benchSelect(b, e, end) })
	b.Run("labels/values", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := e.LabelValues(b.Context(), tenantA, "namespace", &storage.SelectHints{Start: end.Add(-time.Hour).UnixMilli(), End: end.UnixMilli()}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchSelect reads an hour of every series through the storage interface, without the engine.
func benchSelect(b *testing.B, e *promql.Engine, end time.Time) {
	m := labels.MustNewMatcher(labels.MatchEqual, seamark.MetricNameLabel, "http_requests_total")
	n := 0
	for b.Loop() {
		q, err := e.Queryable(tenantA).Querier(end.Add(-time.Hour).UnixMilli(), end.UnixMilli())
		if err != nil {
			b.Fatal(err)
		}
		set := q.Select(b.Context(), false, nil, m)
		for set.Next() {
			it := set.At().Iterator(nil)
			for it.Next() != 0 {
				n++
			}
		}
		if set.Err() != nil {
			b.Fatal(set.Err())
		}
	}
	if n != b.N*benchSeries*benchSamples {
		b.Fatalf("read %d samples in %d rounds, want %d each", n, b.N, benchSeries*benchSamples)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "samples/s")
}
