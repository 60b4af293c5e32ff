package promql_test

import (
	"testing"
	"time"

	prom "github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql"
)

// plainQueries are those of which package grid evaluates little or nothing, so that they cost what the engine costs.
var plainQueries = []struct {
	name, text string
	hours      int // 0: instant
}{
	{"instant/all", `{__name__=~".+"}`, 0},
	{"instant/metric", `http_requests_total`, 0},
	{"instant/count", `count({__name__=~".+"})`, 0},
	{"instant/sum-rate", `sum by (namespace) (rate(http_requests_total[5m]))`, 0},
	{"instant/topk", `topk(5, sum by (namespace) (rate(http_requests_total[5m])))`, 0},
	{"1h/sum-rate", `sum by (namespace) (rate(http_requests_total[5m]))`, 1},
	{"1h/sum", `sum by (namespace) (http_requests_total)`, 1},
	{"1h/all", `{__name__=~".+"}`, 1},
}

// BenchmarkPlain measures queries of 20,000 series over columns in memory.
func BenchmarkPlain(b *testing.B) {
	end := time.UnixMilli(1_700_000_000_000).Truncate(time.Hour)
	e := newEngine(b, newGridStore(1, end))
	for _, c := range plainQueries {
		b.Run(c.name, func(b *testing.B) {
			benchPlain(b, func() prom.Query {
				if c.hours == 0 {
					q, _, err := e.Instant(b.Context(), tenantA, c.text, end, nil)
					require.NoError(b, err)
					return q
				}
				q, _, err := e.Range(b.Context(), tenantA, c.text, end.Add(-time.Duration(c.hours)*time.Hour), end, time.Minute, nil)
				require.NoError(b, err)
				return q
			})
		})
	}
}

// BenchmarkPlainTSDB is the same with Prometheus' engine over its own storage.
func BenchmarkPlainTSDB(b *testing.B) {
	end := time.UnixMilli(1_700_000_000_000).Truncate(time.Hour)
	tsdb := newGridStore(1, end).tsdb(b)
	e := prom.NewEngine(prom.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: promql.NewParser()})
	for _, c := range plainQueries {
		b.Run(c.name, func(b *testing.B) {
			benchPlain(b, func() prom.Query {
				var q prom.Query
				var err error
				if c.hours == 0 {
					q, err = e.NewInstantQuery(b.Context(), tsdb, nil, c.text, end)
				} else {
					q, err = e.NewRangeQuery(b.Context(), tsdb, nil, c.text, end.Add(-time.Duration(c.hours)*time.Hour), end, time.Minute)
				}
				require.NoError(b, err)
				require.NoError(b, q.Exec(b.Context()).Err)
				return q
			})
		})
	}
}

// benchPlain reports the processor time of a query.
func benchPlain(b *testing.B, run func() prom.Query) {
	b.Helper()
	b.ReportAllocs()
	run().Close() // the first fills the engine's pools
	before := cpuTime(b)
	for b.Loop() {
		run().Close()
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
