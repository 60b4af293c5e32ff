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
	"github.com/seamarkhq/seamark/internal/store"
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

// storedSubject begins the subjects on which a writer tells of blocks that it has stored; the table's name and the tenant's id
// follow.
const storedSubject = "seamark.stored."

// tellStored tells every querier of a block of a tenant. A word that is lost costs them seconds, not rows.
func (a *App) tellStored(id seamark.TenantID, table store.Table) {
	_ = a.nc.Publish(storedSubject+table.String()+"."+string(id), nil)
}

// onStored calls fn for each word of tellStored about a table, until the process stops.
func (a *App) onStored(table store.Table, fn func(seamark.TenantID)) error {
	prefix := storedSubject + table.String() + "."
	told, err := a.nc.Subscribe(prefix+"*", func(m *nats.Msg) {
		if id, err := seamark.ParseTenantID(strings.TrimPrefix(m.Subject, prefix)); err == nil {
			fn(id)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to stored %s: %w", table, err)
	}
	a.defers("subscription to stored "+table.String(), func(context.Context) error { return told.Unsubscribe() })
	return nil
}

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
	return a.onStored(store.TableSeries, a.index.Changed)
}

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
