package app

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prompromql "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/promql"
)

// metricAPI shows the PromQL engine in the API's words. It implements api.MetricQuerier, api.MetricLister and
// api.SeriesReader.
type metricAPI struct {
	engine *promql.Engine
	turns
	narrow func(tenant seamark.TenantID, expr parser.Expr, r seamark.TimeRange) func(context.Context) (admit.Estimate, error)
}

func (a *App) metrics() metricAPI { return metricAPI{a.promql, a.turns, a.narrowSamples} }

// want returns what an expression reads. What is no PromQL reads nothing, and the engine says so.
func (m metricAPI) want(tenant seamark.TenantID, query string, start, end time.Time, step, lookback time.Duration) admit.Want { //nolint:revive // what Prometheus reckons with, and whose it is
	expr, err := m.engine.Parser().ParseExpr(query)
	if err != nil {
		return light
	}
	if lookback == 0 {
		lookback = promql.DefaultLookbackDelta
	}
	first, last := prompromql.FindMinMaxTime(&parser.EvalStmt{Expr: expr, Start: start, End: end, Interval: step, LookbackDelta: lookback})
	if first > last || first == math.MaxInt64 || last == math.MinInt64 {
		return light // it selects nothing
	}
	r := seamark.TimeRange{Start: time.UnixMilli(first), End: time.UnixMilli(last)}
	want := wants(r, seamark.Metrics)
	want.Narrow = m.narrow(tenant, expr, r)
	return want
}

// metricOf returns the metric that a selector names, "" where it names none.
func metricOf(s *parser.VectorSelector) string {
	for _, m := range s.LabelMatchers {
		if m.Name == seamark.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

func lookbackOf(opts prompromql.QueryOpts) time.Duration {
	if opts == nil {
		return 0
	}
	return opts.LookbackDelta()
}

// Instant implements api.MetricQuerier.
func (m metricAPI) Instant(ctx context.Context, scope seamark.Scope, query string, at time.Time, opts prompromql.QueryOpts) (prompromql.Query, *prompromql.Result, error) {
	ctx, done, err := m.begin(ctx, m.want(scope.Tenant, query, at, at, 0, lookbackOf(opts)))
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).Instant(ctx, scope.Tenant, query, at, opts)
}

// Range implements api.MetricQuerier.
func (m metricAPI) Range(ctx context.Context, scope seamark.Scope, query string, start, end time.Time, step time.Duration, opts prompromql.QueryOpts) (prompromql.Query, *prompromql.Result, error) { //nolint:revive // Prometheus' own engine has these arguments
	ctx, done, err := m.begin(ctx, m.want(scope.Tenant, query, start, end, step, lookbackOf(opts)))
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).Range(ctx, scope.Tenant, query, start, end, step, opts)
}

// Labels implements api.MetricLister.
func (m metricAPI) Labels(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	ctx, done, err := m.begin(ctx, light)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).Labels(ctx, scope.Tenant, hints, sets)
}

// LabelValues implements api.MetricLister.
func (m metricAPI) LabelValues(ctx context.Context, scope seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	ctx, done, err := m.begin(ctx, light)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).LabelValues(ctx, scope.Tenant, name, hints, sets)
}

// Series implements api.MetricLister.
func (m metricAPI) Series(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error) {
	ctx, done, err := m.begin(ctx, light)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).Series(ctx, scope.Tenant, hints, sets)
}

// Metadata implements api.MetricLister.
func (m metricAPI) Metadata(ctx context.Context, scope seamark.Scope, metric string, limit int) ([]seamark.MetricMetadata, error) {
	ctx, done, err := m.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	return narrowMetrics(m.engine, scope).Metadata(ctx, scope.Tenant, metric, limit)
}

// ReadSeries implements api.SeriesReader.
func (m metricAPI) ReadSeries(ctx context.Context, scope seamark.Scope, hints []storage.SelectHints, sets [][]*labels.Matcher, visit func(i int, s storage.Series) error) error {
	r := seamark.TimeRange{Start: time.UnixMilli(math.MaxInt64), End: time.UnixMilli(0)}
	for i := range hints {
		if start := time.UnixMilli(hints[i].Start); start.Before(r.Start) {
			r.Start = start
		}
		if end := time.UnixMilli(hints[i].End); end.After(r.End) {
			r.End = end
		}
	}
	ctx, done, err := m.begin(ctx, wants(r, seamark.Metrics))
	if err != nil {
		return err
	}
	defer done()
	return narrowMetrics(m.engine, scope).ReadSeries(ctx, scope.Tenant, hints, sets, visit)
}
