package app

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prompromql "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/logexplore"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// Who is restricted to a part of a tenant reads through engines that package scoped has narrowed; for all others these are
// the engines themselves.

func narrowMetrics(e *promql.Engine, scope seamark.Scope) *promql.Engine {
	return e.Within(scope.Only, scoped.Metrics)
}

func narrowLogs(e *logqlengine.Engine, scope seamark.Scope) *logqlengine.Engine {
	return e.Within(scope.Only, scoped.Logs)
}

func (l logExplorerAPI) within(scope seamark.Scope) *logexplore.Explorer {
	return l.explorer.Within(scope.Only, scoped.Explored, narrowLogs(l.engine, scope))
}

func (e eventAPI) within(scope seamark.Scope) *events.Searcher {
	return e.searcher.Within(scope.Only, scoped.Events)
}

func (a auditAPI) within(scope seamark.Scope) *audit.Searcher {
	return a.searcher.Within(scope.Only, scoped.Audit)
}

// metricAPI shows the PromQL engine in the API's words. It implements api.MetricQuerier, api.MetricLister and
// api.SeriesReader.
type metricAPI struct{ engine *promql.Engine }

func (m metricAPI) Instant(ctx context.Context, scope seamark.Scope, query string, at time.Time, opts prompromql.QueryOpts) (prompromql.Query, *prompromql.Result, error) {
	return narrowMetrics(m.engine, scope).Instant(ctx, scope.Tenant, query, at, opts)
}

func (m metricAPI) Range(ctx context.Context, scope seamark.Scope, query string, start, end time.Time, step time.Duration, opts prompromql.QueryOpts) (prompromql.Query, *prompromql.Result, error) { //nolint:revive // Prometheus' own engine has these arguments
	return narrowMetrics(m.engine, scope).Range(ctx, scope.Tenant, query, start, end, step, opts)
}

func (m metricAPI) Labels(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return narrowMetrics(m.engine, scope).Labels(ctx, scope.Tenant, hints, sets)
}

func (m metricAPI) LabelValues(ctx context.Context, scope seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return narrowMetrics(m.engine, scope).LabelValues(ctx, scope.Tenant, name, hints, sets)
}

func (m metricAPI) Series(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error) {
	return narrowMetrics(m.engine, scope).Series(ctx, scope.Tenant, hints, sets)
}

func (m metricAPI) Metadata(ctx context.Context, scope seamark.Scope, metric string, limit int) ([]seamark.MetricMetadata, error) {
	return narrowMetrics(m.engine, scope).Metadata(ctx, scope.Tenant, metric, limit)
}

func (m metricAPI) ReadSeries(ctx context.Context, scope seamark.Scope, hints []storage.SelectHints, sets [][]*labels.Matcher, visit func(i int, s storage.Series) error) error {
	return narrowMetrics(m.engine, scope).ReadSeries(ctx, scope.Tenant, hints, sets, visit)
}
