package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/promql"
)

// openQuerier makes the engines of the query languages over the store.
func (a *App) openQuerier(ctx context.Context) error {
	o := &a.opts.Query
	index, samples, err := a.openMemory()
	if err != nil {
		return err
	}
	a.index = index
	a.history = newQueryHistory(o.History)
	if err := a.openAdmission(ctx); err != nil {
		return err
	}
	if err := a.openQueries(ctx); err != nil {
		return err
	}
	if err := a.openQuarantine(ctx); err != nil {
		return err
	}
	a.promql, err = promql.New(promql.Options{
		Store: promql.WithSamples(index, samples), MaxSeries: o.MaxSeries, MaxSamples: o.MaxSamples, ChunkSamples: o.ChunkSamples, Timeout: o.Timeout,
		Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.defers("promql engine", func(context.Context) error { return a.promql.Close() })
	if a.events, err = events.New(events.Options{Store: a.store, Limits: o.Events}); err != nil {
		return err
	}
	if err := a.openAudit(); err != nil {
		return err
	}
	if err := a.openSQL(); err != nil {
		return err
	}
	return a.openLogs(ctx)
}

// queryRoutes returns the routes of the query languages.
func (a *App) queryRoutes() []httpx.Route {
	a.jobRoutes = map[string]httpx.Route{}
	routes := a.metered("promql", api.PrometheusRoutes(api.PrometheusOptions{
		Querier: a.metrics(), Lister: a.metrics(), Exemplars: exemplarAPI{a.promql, a.turns}, Reader: a.metrics(), Cardinality: cardinalityAPI{a.promql, a.turns},
		Parser: a.promql.Parser(), Version: a.opts.Version, Cost: costOf, Now: a.opts.Now,
	}))
	routes = append(routes, a.metered("logql", a.lokiRoutes())...)
	routes = append(routes, a.metered("audit", a.auditRoutes())...)
	routes = append(routes, a.metered("sql", a.sqlRoutes())...)
	return append(routes, a.metered("events", api.EventRoutes(eventAPI{a.events, a.turns}, a.opts.Now))...)
}

// exemplarAPI shows exemplars in the API's words.
type exemplarAPI struct {
	*promql.Engine
	turns
}

// Exemplars implements api.ExemplarLister.
func (e exemplarAPI) Exemplars(ctx context.Context, scope seamark.Scope, query string, start, end int64) ([]api.SeriesExemplars, error) {
	ctx, done, err := e.begin(ctx, wants(seamark.TimeRange{Start: time.UnixMilli(start), End: time.UnixMilli(end)}, seamark.Metrics))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := narrowMetrics(e.Engine, scope).Exemplars(ctx, scope.Tenant, query, start, end)
	list := make([]api.SeriesExemplars, len(found))
	for i, s := range found {
		list[i] = api.SeriesExemplars{Series: s.Series, Exemplars: make([]api.Exemplar, len(s.Exemplars))}
		for k, x := range s.Exemplars {
			list[i].Exemplars[k] = api.Exemplar(x)
		}
	}
	return list, err
}
