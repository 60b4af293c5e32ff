package promql_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
)

// filledTwin has ten series of one metric with a sample a minute for an hour, and one of another metric.
func filledTwin() *twin {
	w := newTwin()
	for i := range 10 {
		for m := range 60 {
			w.add(labels.FromStrings("__name__", "up", "pod", fmt.Sprint("p", i), "zone", string(rune('a'+i%2))), int64(m)*60_000, float64(i))
		}
	}
	w.add(labels.FromStrings("__name__", "other", "pod", "p0"), 0, 1)
	w.metadata = []seamark.MetricMetadata{{Metric: "other", Type: "gauge"}, {Metric: "up", Type: "gauge"}}
	return w
}

func minute(m int) time.Time { return time.UnixMilli(int64(m) * 60_000) }

func instant(t *testing.T, e *promql.Engine, query string, at time.Time) string {
	t.Helper()
	q, result, err := e.Instant(t.Context(), tenantA, query, at, nil)
	require.NoError(t, err)
	defer q.Close()
	return result.String()
}

func kindOf(t *testing.T, err error) (seamark.Kind, string, string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	require.True(t, ok, "%v", err)
	return e.Kind, e.ID, e.Message
}

func TestInstantAndRange(t *testing.T) {
	e := newEngine(t, filledTwin())
	require.Equal(t, `{zone="a"} => 20 @[600000]`+"\n"+`{zone="b"} => 25 @[600000]`, instant(t, e, "sort(sum by (zone) (up))", minute(10)))
	require.Equal(t, "scalar: 2 @[600000]", instant(t, e, "1+1", minute(10)))
	q, result, err := e.Range(t.Context(), tenantA, `up{pod="p3"}`, minute(58), minute(66), time.Minute, nil)
	require.NoError(t, err)
	defer q.Close()
	matrix, err := result.Matrix()
	require.NoError(t, err)
	require.Len(t, matrix, 1)
	require.Len(t, matrix[0].Floats, 6, "two samples and four minutes of look-back, whose end is open")
}

// TestStaleMarkerEndsASeries checks that the marker's bits survive the way to the engine.
func TestStaleMarkerEndsASeries(t *testing.T) {
	w := filledTwin()
	w.add(labels.FromStrings("__name__", "up", "pod", "p3", "zone", "b"), 60*60_000, math.Float64frombits(0x7ff0000000000002))
	e := newEngine(t, w)
	require.Equal(t, "{} => 10 @[3599000]", instant(t, e, "count(up)", time.Unix(3599, 0)))
	require.Equal(t, "{} => 9 @[3600000]", instant(t, e, "count(up)", time.Unix(3600, 0)))
	require.Equal(t, "{} => 9 @[3601000]", instant(t, e, "count(up)", time.Unix(3601, 0)))
}

// TestSelectorsReadWhatTheyNeed checks when only newest samples are read, and when metrics are read whole.
func TestSelectorsReadWhatTheyNeed(t *testing.T) {
	for query, want := range map[string]struct{ last, whole bool }{
		"up":                               {true, true},
		"sum(up)":                          {true, true},
		"up offset 5m":                     {true, true},
		"up @ 60":                          {true, true},
		`{__name__=~"up|other"}`:           {true, true},
		`up{zone="a"}`:                     {true, false},
		"timestamp(up)":                    {true, true},
		"rate(up[5m])":                     {false, true},
		"up[5m]":                           {false, true},
		"max_over_time(up[10m:1m])":        {false, true},
		"max_over_time((up @ 60)[10m:])":   {false, true},
		`sum(rate(up{zone!="a"}[5m])) > 0`: {false, false},
	} {
		w := filledTwin()
		instant(t, newEngine(t, w), query, minute(20))
		require.Len(t, w.reads, 1, query)
		require.Equal(t, want.last, w.reads[0].Last, query)
		require.Equal(t, want.whole, w.reads[0].Whole, query)
		require.NotEmpty(t, w.reads[0].FPs, query)
	}
	w := filledTwin()
	q, _, err := newEngine(t, w).Range(t.Context(), tenantA, "up", minute(20), minute(20), time.Minute, nil)
	require.NoError(t, err)
	q.Close()
	require.False(t, w.reads[0].Last, "a range query looks at every step")
	q, _, err = newEngine(t, w).Instant(t.Context(), tenantA, "up", minute(20), prom.NewPrometheusQueryOpts(false, time.Hour))
	require.NoError(t, err)
	q.Close()
	require.False(t, w.reads[1].Last, "a longer look-back is no instant vector that we know")
}

func TestQueryFaults(t *testing.T) {
	limited := func(o *promql.Options) { o.MaxSeries, o.MaxSamples = 9, 100 }
	for query, c := range map[string]struct {
		change func(*promql.Options)
		kind   seamark.Kind
		id     string
		text   string
	}{
		"up{":                               {nil, seamark.Invalid, "seamark-query-syntax", `invalid parameter "query": 1:4: parse error`},
		"":                                  {nil, seamark.Invalid, "seamark-query-syntax", "no expression found"},
		"up":                                {limited, seamark.Unprocessable, "seamark-query-series", `{__name__="up"} matches more than 9 series, the limit of a selector (--query.max-series, or query_max_series of the tenant)`},
		`max_over_time(up{zone="a"}[30m])`:  {limited, seamark.Unprocessable, "seamark-query-samples", "more than 100 samples in memory, the limit of a query (--query.max-samples)"},
		`up{pod="p0"}[58m] or up{pod="p1"}`: {limited, seamark.Invalid, "seamark-query-syntax", "parse error"},
		`max_over_time(up{pod="p0"}[50m]) or max_over_time(up{pod="p1"}[51m])`: {limited, seamark.Unprocessable, "seamark-query-samples", "more than 100 samples"},
		`max_over_time(vector(1)[200m:1m])`:                                    {limited, seamark.Unprocessable, "seamark-query-samples", "more than 100 samples"},
		`up * on (zone) up`:                                                    {nil, seamark.Unprocessable, "seamark-query-execution", "many-to-many matching not allowed"},
	} {
		var changes []func(*promql.Options)
		if c.change != nil {
			changes = append(changes, c.change)
		}
		_, _, err := newEngine(t, filledTwin(), changes...).Instant(t.Context(), tenantA, query, minute(59), nil)
		kind, id, message := kindOf(t, err)
		require.Equal(t, c.kind, kind, query)
		require.Equal(t, c.id, id, query)
		require.Contains(t, message, c.text, query)
	}
}

// TestSamplesOfAllSelectorsCount gives each selector what the others left.
func TestSamplesOfAllSelectorsCount(t *testing.T) {
	w := filledTwin()
	e := newEngine(t, w, func(o *promql.Options) { o.MaxSamples = 150 })
	instant(t, e, `max_over_time(up{pod="p0"}[50m]) or max_over_time(up{pod="p1"}[50m])`, minute(59))
	limits := []int{w.reads[0].Limit, w.reads[1].Limit}
	slices.Sort(limits)
	require.Equal(t, []int{101, 151}, limits)
}

func TestStoreErrorsPass(t *testing.T) {
	w := filledTwin()
	w.err = seamark.Errorf(seamark.RateLimited, "seamark-query-concurrency", "Too many.")
	e := newEngine(t, w)
	_, _, err := e.Instant(t.Context(), tenantA, "sum(up)", minute(1), nil)
	require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
	_, _, err = e.Labels(t.Context(), tenantA, &storage.SelectHints{}, nil)
	require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
	_, _, err = e.Series(t.Context(), tenantA, &storage.SelectHints{}, [][]*labels.Matcher{nil})
	require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
}

// blocking holds every read until its context ends or release is closed.
type blocking struct {
	*twin
	entered, release chan struct{}
}

func (b *blocking) ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	b.entered <- struct{}{}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b.release:
		return b.twin.ListMetricSeries(ctx, tenant, q)
	}
}

func TestTimeoutAndCancel(t *testing.T) {
	b := &blocking{filledTwin(), make(chan struct{}, 10), nil}
	_, _, err := newEngine(t, b, func(o *promql.Options) { o.Timeout = time.Millisecond }).Instant(t.Context(), tenantA, "up", minute(1), nil)
	kind, _, message := kindOf(t, err)
	require.Equal(t, seamark.Timeout, kind)
	require.Contains(t, message, "the limit is 1ms (--query.timeout)")
	<-b.entered
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-b.entered; cancel() }()
	_, _, err = newEngine(t, b).Instant(ctx, tenantA, "up", minute(1), nil)
	require.Equal(t, seamark.Canceled, seamark.KindOf(err))
}

func TestQueryFuncForRules(t *testing.T) {
	f := rules.QueryFunc(newEngine(t, filledTwin()).QueryFunc(tenantA))
	vector, err := f(t.Context(), "sum(up)", minute(5))
	require.NoError(t, err)
	require.Equal(t, "{} => 45 @[300000]", vector.String())
	vector, err = f(t.Context(), "42", minute(5))
	require.NoError(t, err)
	require.Equal(t, "{} => 42 @[300000]", vector.String())
	_, err = f(t.Context(), "up[5m]", minute(5))
	require.Equal(t, seamark.Unprocessable, seamark.KindOf(err))
	_, err = f(t.Context(), "up{", minute(5))
	require.Equal(t, seamark.Invalid, seamark.KindOf(err))
}

func selectors(t *testing.T, texts ...string) [][]*labels.Matcher {
	t.Helper()
	sets, err := promql.NewParser().ParseMetricSelectors(texts)
	require.NoError(t, err)
	return sets
}

func TestLookUps(t *testing.T) {
	e, ctx := newEngine(t, filledTwin(), func(o *promql.Options) { o.MaxSeries = 11 }), t.Context()
	hour := &storage.SelectHints{Start: 0, End: 3600_000}
	names, notes, err := e.Labels(ctx, tenantA, hour, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"__name__", "pod", "zone"}, names)
	require.Empty(t, notes)
	names, _, err = e.Labels(ctx, tenantA, hour, selectors(t, "other"))
	require.NoError(t, err)
	require.Equal(t, []string{"__name__", "pod"}, names)
	values, _, err := e.LabelValues(ctx, tenantA, "pod", hour, selectors(t, `up{pod=~"p[12]"}`, "other", `up{pod="p1"}`))
	require.NoError(t, err)
	require.Equal(t, []string{"p0", "p1", "p2"}, values)
	values, notes, err = e.LabelValues(ctx, tenantA, "pod", &storage.SelectHints{End: 3600_000, Limit: 2}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"p0", "p1"}, values)
	require.Len(t, notes, 1)
	values, _, err = e.LabelValues(ctx, tenantA, "pod", &storage.SelectHints{Start: 2 * dayMilli, End: 3 * dayMilli}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{}, values, "an empty list is no null")
	series, notes, err := e.Series(ctx, tenantA, hour, selectors(t, `up{pod="p1"}`, `{pod=~"p0|p1"}`))
	require.NoError(t, err)
	require.Empty(t, notes)
	require.Equal(t, `[{__name__="other", pod="p0"} {__name__="up", pod="p0", zone="a"} {__name__="up", pod="p1", zone="b"}]`, fmt.Sprint(series))
	series, notes, err = e.Series(ctx, tenantA, &storage.SelectHints{End: 3600_000, Limit: 4}, selectors(t, "up"))
	require.NoError(t, err)
	require.Len(t, series, 4)
	require.Len(t, notes, 1)
	list, err := e.Metadata(ctx, tenantA, "", 0)
	require.NoError(t, err)
	require.Len(t, list, 2)
	list, err = e.Metadata(ctx, tenantA, "up", 1)
	require.NoError(t, err)
	require.Equal(t, []seamark.MetricMetadata{{Metric: "up", Type: "gauge"}}, list)
}

func TestLookUpLimits(t *testing.T) {
	e, ctx := newEngine(t, filledTwin(), func(o *promql.Options) { o.MaxSeries = 2 }), t.Context()
	hour := &storage.SelectHints{End: 3600_000}
	_, _, err := e.Labels(ctx, tenantA, hour, nil)
	_, id, message := kindOf(t, err)
	require.Equal(t, "seamark-query-labels", id)
	require.Contains(t, message, "more than 2 label names")
	_, _, err = e.LabelValues(ctx, tenantA, "pod", hour, nil)
	_, _, message = kindOf(t, err)
	require.Contains(t, message, "more than 2 values of the label pod, the limit of a look-up (--query.max-series)")
	_, _, err = e.Series(ctx, tenantA, hour, selectors(t, "up"))
	_, id, _ = kindOf(t, err)
	require.Equal(t, "seamark-query-series", id)
}

// TestSelectSortsAndSeeks checks the storage interface itself.
func TestSelectSortsAndSeeks(t *testing.T) {
	q, err := newEngine(t, filledTwin()).Queryable(tenantA).Querier(0, 3600_000)
	require.NoError(t, err)
	set := q.Select(t.Context(), true, nil, selectors(t, "up")[0]...)
	var pods []string
	for set.Next() {
		pods = append(pods, set.At().Labels().Get("pod"))
		it := set.At().Iterator(nil)
		for _, c := range []struct{ seek, want int64 }{{-5, 0}, {60_000, 60_000}, {59_000, 60_000}, {60_001, 120_000}, {2_000_001, 2_040_000}, {3_540_000, 3_540_000}} {
			it.Seek(c.seek)
			require.Equal(t, c.want, it.AtT())
		}
		require.Zero(t, it.Seek(3_540_001), "after the last sample")
		require.Zero(t, it.Next())
		require.NoError(t, it.Err())
	}
	require.NoError(t, set.Err())
	require.Equal(t, strings.Fields("p0 p1 p2 p3 p4 p5 p6 p7 p8 p9"), pods)
	require.NoError(t, q.Close())
}

func TestNewRefuses(t *testing.T) {
	_, err := promql.New(promql.Options{})
	require.Error(t, err)
}
