package promql_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	prom "github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql"
)

// BenchmarkTopk measures the largest of 2,000 gauges at every step of an hour, over columns in memory.
func BenchmarkTopk(b *testing.B) {
	end := time.UnixMilli(1_700_000_000_000).Truncate(time.Hour)
	data := newGridStore(1, end)
	data.series = data.series[:2000]
	r := rand.New(rand.NewPCG(2, 2)) //nolint:gosec // the same data every time
	for _, values := range data.values {
		v := float64(r.IntN(1 << 30))
		for k := range values {
			v += float64(r.IntN(1<<22)) - 1<<21
			values[k] = v
		}
	}
	for _, text := range []string{"topk(10, http_requests_total)", "bottomk by (namespace) (3, http_requests_total)", "topk(10, rate(http_requests_total[5m]))", "max(http_requests_total)", "http_requests_total"} {
		for _, plain := range []bool{false, true} {
			e := newEngine(b, data, func(o *promql.Options) { o.NoPushdown = plain })
			b.Run(fmt.Sprint(text, map[bool]string{false: "/grid", true: "/prometheus"}[plain]), func(b *testing.B) {
				benchPlain(b, func() prom.Query {
					q, _, err := e.Range(b.Context(), tenantA, text, end.Add(-time.Hour), end, 15*time.Second, nil)
					require.NoError(b, err)
					return q
				})
			})
		}
	}
}
