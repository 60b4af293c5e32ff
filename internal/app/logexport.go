package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logexport"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// openLogExport makes what exports logs.
func (a *App) openLogExport() error {
	var err error
	a.logExport, err = logexport.New(logexport.Options{
		Storage: a.index, Limits: a.opts.Export, MaxStreams: a.opts.Query.MaxSeries, Now: a.opts.Now,
	})
	return err
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
