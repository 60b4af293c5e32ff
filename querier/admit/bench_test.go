package admit_test

import (
	"fmt"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// BenchmarkSmallQuery is all that admission costs a small query, on a node with a thousand tenants.
func BenchmarkSmallQuery(b *testing.B) {
	w := newWorld(b, func(o *admit.Options) { o.MaxConcurrent = 20 })
	for i := range 1000 {
		w.begin(b, seamark.TenantID(fmt.Sprintf("%026d", i)), admit.AdHocQuery, 0).Leave()
	}
	b.ReportAllocs()
	for b.Loop() {
		ctx, q := w.Begin(b.Context(), admit.Request{Tenant: alice, Class: admit.DashboardQuery, Language: "promql", Text: "up"})
		if err := q.Enter(ctx, admit.Want{Light: true}); err != nil {
			b.Fatal(err)
		}
		q.Take(admit.Cost{Rows: 10, Bytes: 1000, CPUMicros: 50})
		q.Leave()
		w.End(ctx, q, nil)
	}
}
