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
	a.promql, err = promql.New(promql.Options{
		Store: promql.WithSamples(index, samples), MaxSeries: o.MaxSeries, MaxSamples: o.MaxSamples, ChunkSamples: o.ChunkSamples, Timeout: o.Timeout, MaxConcurrent: o.MaxConcurrent,
		Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.defers("promql engine", func(context.Context) error { return a.promql.Close() })
	eventOptions := events.DefaultOptions()
	eventOptions.Store = a.store
	if a.events, err = events.New(eventOptions); err != nil {
		return err
	}
	if err := a.openAudit(); err != nil {
		return err
	}
	return a.openLogs(ctx)
}

// queryRoutes returns the routes of the query languages.
func (a *App) queryRoutes() []httpx.Route {
	routes := api.PrometheusRoutes(api.PrometheusOptions{
		Querier: a.promql, Lister: a.promql, Exemplars: exemplarAPI{a.promql, a.opts.Query.Timeout}, Reader: a.promql, Cardinality: cardinalityAPI{a.promql},
		MaxReads: a.opts.Query.MaxConcurrent, Parser: a.promql.Parser(), Version: a.opts.Version, Now: a.opts.Now,
	})
	routes = append(routes, a.lokiRoutes()...)
	routes = append(routes, a.auditRoutes()...)
	return append(routes, api.EventRoutes(eventAPI{a.events, a.opts.Query.Timeout}, a.opts.Now)...)
}

// exemplarAPI shows exemplars in the API's words.
type exemplarAPI struct {
	*promql.Engine
	timeout time.Duration
}

// Exemplars implements api.ExemplarLister.
func (e exemplarAPI) Exemplars(ctx context.Context, id seamark.TenantID, query string, start, end int64) ([]api.SeriesExemplars, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	found, err := e.Engine.Exemplars(ctx, id, query, start, end)
	list := make([]api.SeriesExemplars, len(found))
	for i, s := range found {
		list[i] = api.SeriesExemplars{Series: s.Series, Exemplars: make([]api.Exemplar, len(s.Exemplars))}
		for k, x := range s.Exemplars {
			list[i].Exemplars[k] = api.Exemplar(x)
		}
	}
	return list, err
}
