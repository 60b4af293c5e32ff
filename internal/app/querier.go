package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/events"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/loki"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// openQuerier makes the engines of the query languages over the store.
func (a *App) openQuerier() error {
	o := &a.opts.Query
	if err := a.openSeriesIndex(); err != nil {
		return err
	}
	var err error
	a.promql, err = promql.New(promql.Options{
		Store: a.index, MaxSeries: o.MaxSeries, MaxSamples: o.MaxSamples, Timeout: o.Timeout, MaxConcurrent: o.MaxConcurrent,
		Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.defers("promql engine", func(context.Context) error { return a.promql.Close() })
	if a.events, err = events.New(events.Options{Store: a.store}); err != nil {
		return err
	}
	a.logql, err = logqlengine.New(logqlengine.Options{Storage: a.store, Now: a.opts.Now, MaxEntries: o.MaxEntries, MaxStreams: o.MaxSeries})
	return err
}

// seriesSubject begins the subjects on which a writer tells of new series; the tenant's id follows.
const seriesSubject = "seamark.series."

// openSeriesIndex makes the index of metric series, and has the writers' word refresh it.
func (a *App) openSeriesIndex() error {
	var err error
	a.index, err = seriesindex.New(seriesindex.Options{
		Store: a.store, MaxBytes: a.opts.Query.SeriesIndexBytes, Refresh: seriesindex.DefaultRefresh,
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.defers("series index", func(context.Context) error { return a.index.Close() })
	told, err := a.nc.Subscribe(seriesSubject+"*", func(m *nats.Msg) {
		if id, err := seamark.ParseTenantID(strings.TrimPrefix(m.Subject, seriesSubject)); err == nil {
			a.index.Changed(id)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to stored series: %w", err)
	}
	a.defers("series subscription", func(context.Context) error { return told.Unsubscribe() })
	return nil
}

// tellSeries tells every querier of a tenant's new series. A word that is lost costs them seconds, not series.
func (a *App) tellSeries(id seamark.TenantID) { _ = a.nc.Publish(seriesSubject+string(id), nil) }

// queryRoutes returns the routes of the query languages.
func (a *App) queryRoutes() []httpx.Route {
	routes := api.PrometheusRoutes(api.PrometheusOptions{
		Querier: a.promql, Lister: a.promql, Exemplars: exemplarAPI{a.promql, a.opts.Query.Timeout}, Reader: a.promql, Cardinality: cardinalityAPI{a.promql},
		MaxReads: a.opts.Query.MaxConcurrent, Parser: a.promql.Parser(), Version: a.opts.Version, Now: a.opts.Now,
	})
	routes = append(routes, api.LokiRoutes(logAPI{a.logql, a.opts.Query.Timeout}, a.opts.Now)...)
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

// eventAPI shows the event search in the API's words.
type eventAPI struct {
	*events.Searcher
	timeout time.Duration
}

// ListEvents implements api.EventLister.
func (e eventAPI) ListEvents(ctx context.Context, id seamark.TenantID, f api.EventFilter) ([]seamark.Event, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	return e.List(ctx, id, events.Filter(f))
}

// logAPI shows the LogQL engine in the API's words.
type logAPI struct {
	*logqlengine.Engine
	timeout time.Duration
}

// QueryLogs implements api.LogQuerier.
func (l logAPI) QueryLogs(ctx context.Context, id seamark.TenantID, q api.LogQuery) (func(io.Writer) error, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	result, err := l.Query(ctx, id, logqlengine.Params{
		Query: q.Query, Start: q.Start, End: q.End, Step: q.Step, Limit: q.Limit, Forward: q.Forward, Categorize: q.Categorize,
	})
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return loki.Write(w, result) }, nil
}
