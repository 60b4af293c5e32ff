package query_test

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

// metricAPI shows the PromQL engine in the API's words, as the product does for who may read all of a tenant.
type metricAPI struct{ engine *promql.Engine }

func (m metricAPI) Instant(ctx context.Context, scope seamark.Scope, query string, at time.Time, opts prom.QueryOpts) (prom.Query, *prom.Result, error) {
	return m.engine.Instant(ctx, scope.Tenant, query, at, opts)
}

func (m metricAPI) Range(ctx context.Context, scope seamark.Scope, query string, start, end time.Time, step time.Duration, opts prom.QueryOpts) (prom.Query, *prom.Result, error) {
	return m.engine.Range(ctx, scope.Tenant, query, start, end, step, opts)
}

func (m metricAPI) Labels(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return m.engine.Labels(ctx, scope.Tenant, hints, sets)
}

func (m metricAPI) LabelValues(ctx context.Context, scope seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return m.engine.LabelValues(ctx, scope.Tenant, name, hints, sets)
}

func (m metricAPI) Series(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error) {
	return m.engine.Series(ctx, scope.Tenant, hints, sets)
}

func (m metricAPI) Metadata(ctx context.Context, scope seamark.Scope, metric string, limit int) ([]seamark.MetricMetadata, error) {
	return m.engine.Metadata(ctx, scope.Tenant, metric, limit)
}
