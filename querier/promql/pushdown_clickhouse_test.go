package promql_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql"
)

// TestPushdownOnClickHouse reads chunks from ClickHouse, of series that came in several batches, and compares with the engine.
func TestPushdownOnClickHouse(t *testing.T) {
	s := openStore(t, 4)
	_, err := s.EnsureTenant(t.Context(), tenantA)
	require.NoError(t, err)
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(-30 * time.Hour)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same data every time
	const batches = 3
	for batch := range batches {
		var list []float
		for i := range 40 {
			ls := labels.FromStrings("__name__", []string{"a_total", "b_total"}[i%2], "kind", fmt.Sprint(i%2), "pod", fmt.Sprint("p", i/2))
			for k := range 80 {
				at := int64(batch*80+k) * 15_000
				list = append(list, float{ls, at + r.Int64N(2000), r.Float64() * 100, ""})
			}
		}
		require.NoError(t, insertFloats(t.Context(), s, uint64(batch+1), start.UnixMilli(), list))
	}
	theirs := newEngine(t, s, func(o *promql.Options) { o.NoPushdown = true })
	for _, chunk := range []int{0, 1000} {
		ours := newEngine(t, s, func(o *promql.Options) { o.ChunkSamples = chunk })
		for _, text := range []string{
			`sum by (pod) (rate({__name__=~"[ab]_total"}[5m]))`, `avg(increase(a_total[2m]))`, `sum(a_total{pod=~"p1.*"})`,
			`rate(b_total{pod!="p3"}[5m]) / on (pod) sum by (pod) (rate(a_total[5m]))`, `max without (pod) (max_over_time(a_total[10m]))`,
		} {
			q := query{text: text, start: start, end: start.Add(time.Hour), step: time.Minute}
			want, _ := q.ask(t, theirs)
			got, pushed := q.ask(t, ours)
			require.Empty(t, want.err)
			require.NotEmpty(t, want.value)
			require.True(t, pushed, text)
			require.Equal(t, want, got, text)
		}
	}
}
