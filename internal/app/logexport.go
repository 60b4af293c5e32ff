package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logexport"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// openLogExport makes what exports logs.
func (a *App) openLogExport() error {
	var err error
	a.logExport, err = logexport.New(logexport.Options{
		Storage: exportStorage{a.index}, Limits: a.opts.Export, MaxStreams: a.opts.Query.MaxSeries, Now: a.opts.Now,
	})
	return err
}

// exportStorage has an export wait for its place anew for each part that it reads, and hold none while its reader takes what was
// read: a slow reader would hold it for an hour.
type exportStorage struct{ logqlengine.Storage }

// LogRows implements engine.Storage.
func (s exportStorage) LogRows(ctx context.Context, tenant seamark.TenantID, ask store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	q := admit.From(ctx)
	if err := q.Enter(ctx, wants(seamark.TimeRange{Start: time.Unix(0, ask.Start), End: time.Unix(0, ask.End)}, seamark.Logs)); err != nil {
		return store.LogStats{}, err
	}
	defer q.Leave()
	return s.Storage.LogRows(ctx, tenant, ask, func(b *store.LogBlock) error {
		q.Leave()
		if err := fn(b); err != nil {
			return err
		}
		return q.Resume(ctx)
	})
}

// LogCounts implements engine.Storage.
func (s exportStorage) LogCounts(ctx context.Context, tenant seamark.TenantID, ask store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	q := admit.From(ctx)
	if err := q.Enter(ctx, wants(seamark.TimeRange{Start: time.Unix(0, ask.Start), End: time.Unix(0, ask.End)}, seamark.Logs)); err != nil {
		return store.LogStats{}, err
	}
	defer q.Leave()
	return s.Storage.LogCounts(ctx, tenant, ask, fn)
}

// logExportRoutes returns the route that downloads logs.
func (a *App) logExportRoutes() []httpx.Route {
	return api.LogExportRoutes(api.LogExportOptions{
		Exporter: logExportAPI{a.logExport}, StallTimeout: a.opts.Export.StallTimeout, Logger: a.log, Now: a.opts.Now,
	})
}

// logExportAPI shows exports in the API's words. It implements api.LogExporter.
type logExportAPI struct{ exporter *logexport.Exporter }

func (l logExportAPI) OpenLogExport(ctx context.Context, scope seamark.Scope, q api.LogExportQuery) (api.LogExport, error) {
	query, err := scoped.LogQuery(q.Query, scope.Only)
	if err != nil {
		return nil, err
	}
	p := logexport.Params{Query: query, Start: q.Start, End: q.End, Newest: q.Newest, Limit: q.Limit, Labels: q.Labels}
	switch q.Format {
	case "csv":
		p.Format = logexport.CSV
	case "parquet":
		p.Format = logexport.Parquet
	}
	export, err := l.exporter.Open(ctx, scope.Tenant, p)
	if err != nil {
		return nil, err
	}
	return runningExport{export}, nil
}

// runningExport implements api.LogExport.
type runningExport struct{ *logexport.Export }

func (r runningExport) Estimate() uint64 { return r.Rows }
