package promql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
)

// rangeOf evaluates a query over the hour of filledTwin.
func rangeOf(ctx context.Context, e *promql.Engine, text string) (string, bool, error) {
	q, result, err := e.Range(ctx, tenantA, text, minute(10), minute(59), time.Minute, nil)
	if err != nil {
		return "", false, err
	}
	defer q.Close()
	return result.String(), promql.Pushed(q), nil
}

// TestChunksAreLetGo adds up more samples than a query may hold, which is no fault as long as none of the chunks is so large.
func TestChunksAreLetGo(t *testing.T) {
	const query = "sum by (zone) (rate(up[5m]))"
	whole, pushed, err := rangeOf(t.Context(), newEngine(t, filledTwin()), query)
	require.NoError(t, err)
	require.True(t, pushed)
	w := filledTwin()
	got, pushed, err := rangeOf(t.Context(), newEngine(t, w, func(o *promql.Options) { o.ChunkSamples, o.MaxSamples = 300, 400 }), query)
	require.NoError(t, err)
	require.True(t, pushed)
	require.Equal(t, whole, got)
	require.Greater(t, len(w.reads), 5)
	_, _, err = rangeOf(t.Context(), newEngine(t, filledTwin(), func(o *promql.Options) { o.MaxSamples = 400 }), query)
	_, id, _ := kindOf(t, err)
	require.Equal(t, "seamark-query-samples", id, "ten series in one chunk are too many")
}

// TestLargeResultsAreLeftToTheEngine has more points than a query may hold.
func TestLargeResultsAreLeftToTheEngine(t *testing.T) {
	for _, query := range []string{"rate(up[5m])", "avg by (pod) (rate(up[5m]))", "topk(9, up)", "bottomk by (pod) (1, rate(up[5m]))"} {
		e := newEngine(t, filledTwin(), func(o *promql.Options) { o.ChunkSamples, o.MaxSamples = 50, 200 })
		_, _, err := rangeOf(t.Context(), e, query)
		_, id, _ := kindOf(t, err)
		require.Equal(t, "seamark-query-samples", id, query)
	}
}

func TestPushdownLeavesOut(t *testing.T) {
	w := filledTwin()
	w.addHistogram(labels.FromStrings("__name__", "up", "pod", "h"), 20*60_000, "")
	e := newEngine(t, filledTwin())
	for query, want := range map[string]bool{
		"rate(up[5m])": true, "sum(up)": true, "-sum(rate(up[5m] offset 1m))": true, "scalar(sum(up)) + 1": true, "topk(scalar(sum(up)), rate(up[5m]))": true,
		"up": false, "topk(2, up)": true, "bottomk by (zone) (1.5, rate(up[5m]))": true, "topk(2, (up))": true, "topk(0, up)": false,
		"topk(1001, up)": false, "topk(time(), up)": false, "limitk(2, up)": false, "rate(up[5m] @ 600)": false, "max_over_time(rate(up[5m])[10m:1m])": false, "absent(rate(up[5m]))": false,
		"quantile_over_time(0.5, up[5m])": false, "sum(timestamp(up))": false,
	} {
		_, pushed, err := rangeOf(t.Context(), e, query)
		require.NoError(t, err, query)
		require.Equal(t, want, pushed, query)
	}
	_, _, err := rangeOf(t.Context(), newEngine(t, w, func(o *promql.Options) { o.NoPushdown = true }), "sum(rate(other[5m]))")
	require.NoError(t, err)
	_, pushed, err := rangeOf(t.Context(), newEngine(t, w), "count(count_over_time({pod=~\"p1|h\"}[5m]))")
	require.NoError(t, err)
	require.False(t, pushed, "one of the series has native histograms")
}

// failing fails every read of samples but the first ones.
type failing struct {
	*twin
	left int
}

func (f *failing) ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	if f.left--; f.left < 0 {
		return nil, 0, seamark.Errorf(seamark.RateLimited, "seamark-query-concurrency", "Too many.")
	}
	return f.twin.ListMetricSamples(ctx, tenant, q)
}

func TestStoreErrorsPassThroughChunks(t *testing.T) {
	for left := range 4 {
		e := newEngine(t, &failing{filledTwin(), left}, func(o *promql.Options) { o.ChunkSamples = 1 })
		_, _, err := rangeOf(t.Context(), e, "sum(rate(up[5m]))")
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err), left)
	}
}

// canceling ends the query's context with its n-th read of samples.
type canceling struct {
	*twin
	left   int
	cancel context.CancelFunc
}

func (c *canceling) ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return c.twin.ListMetricSamples(ctx, tenant, q)
}

func TestCancelEndsALeaf(t *testing.T) {
	for n := 1; n < 4; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		e := newEngine(t, &canceling{filledTwin(), n, cancel}, func(o *promql.Options) { o.ChunkSamples = 1 })
		_, _, err := rangeOf(ctx, e, "sum(rate(up[5m]))")
		require.Equal(t, seamark.Canceled, seamark.KindOf(err), n)
		cancel()
	}
}

// TestCanceledQueryIsNotTriedAgain cancels before a query that would be left to the engine.
func TestCanceledQueryIsNotTriedAgain(t *testing.T) {
	e := newEngine(t, filledTwin(), func(o *promql.Options) { o.MaxSamples = 1 })
	engine := prom.NewEngine(prom.EngineOpts{MaxSamples: 1, Timeout: time.Minute, Parser: promql.NewParser()})
	q, err := promql.NewPushdown(engine, 1).NewRangeQuery(t.Context(), e.Queryable(tenantA), nil, "sum(rate(up[5m]))", minute(10), minute(20), time.Minute)
	require.NoError(t, err)
	defer q.Close()
	require.Equal(t, "sum(rate(up[5m]))", q.String())
	require.NotNil(t, q.Statement())
	q.Cancel()
	canceled := prom.ErrQueryCanceled("")
	require.True(t, errors.As(q.Exec(t.Context()).Err, &canceled), "the query ran although it was cancelled")
}
