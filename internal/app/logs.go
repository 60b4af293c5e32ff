package app

import (
	"context"
	"io"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logcontext"
	"github.com/seamarkhq/seamark/querier/logexplore"
	"github.com/seamarkhq/seamark/querier/logpatterns"
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/loki"
)

// logRetention is the time to live of the logs table (schema/logs).
const logRetention = 30 * 24 * time.Hour

// openLogs makes the LogQL engine and what explores logs with it.
func (a *App) openLogs(ctx context.Context) error {
	o := &a.opts.Query
	var err error
	a.logql, err = logqlengine.New(logqlengine.Options{Storage: logStorage{a.index, a.filters}, Now: a.opts.Now, MaxEntries: o.MaxEntries, MaxStreams: o.MaxSeries})
	if err != nil {
		return err
	}
	a.explorer, err = logexplore.New(logexplore.Options{Storage: a.index, Engine: a.logql, Mined: a.store, MaxStreams: o.MaxSeries, MaxSampleLines: min(o.MaxEntries, 5000)})
	if err != nil {
		return err
	}
	if a.patterns, err = logpatterns.New(logpatterns.Options{Storage: a.store, Streams: a.index, MaxStreams: o.MaxSeries}); err != nil {
		return err
	}
	if a.logContext, err = logcontext.New(logcontext.Options{Storage: a.index, MaxLines: o.MaxContextLines}); err != nil {
		return err
	}
	if err := a.openLogExport(); err != nil {
		return err
	}
	return a.openTails(ctx)
}

// lokiRoutes returns the routes of Loki's HTTP API.
func (a *App) lokiRoutes() []httpx.Route {
	o := &a.opts.Query
	routes := api.LokiRoutes(api.LokiOptions{
		Logs: logAPI{a.logql, a.turns, a.narrowLogRows}, Explorer: logExplorerAPI{a.explorer, a.logql, a.turns}, Tailer: tailAPI{a.tailer},
		Tag: store.WithQueryTags, Logger: a.log, Now: a.opts.Now,
		Limits: api.LokiLimits{MaxEntries: o.MaxEntries, MaxSeries: o.MaxSeries, Timeout: o.Timeout, Retention: logRetention},
	})
	routes = append(routes, api.LogContextRoutes(logContextAPI{a.logContext, a.turns}, a.opts.Now)...)
	return append(routes, a.logExportRoutes()...)
}

// logAPI shows the LogQL engine in the API's words.
type logAPI struct {
	*logqlengine.Engine
	turns
	narrow func(scope seamark.Scope, reads []*logql.LogQuery, r seamark.TimeRange) func(context.Context) (admit.Estimate, error)
}

// want returns what a query reads. What is no LogQL reads nothing, and the engine says so.
func (l logAPI) want(scope seamark.Scope, q *api.LogQuery) admit.Want {
	expr, err := logql.Parse(q.Query)
	if err != nil {
		return light
	}
	before, reads := logql.Reach(expr)
	if len(reads) == 0 {
		return light
	}
	r := seamark.TimeRange{Start: q.Start.Add(-before), End: q.End}
	want := wants(r, seamark.Logs)
	want.Narrow = l.narrow(scope, reads, r)
	return want
}

// QueryLogs implements api.LogQuerier.
func (l logAPI) QueryLogs(ctx context.Context, scope seamark.Scope, q api.LogQuery) (func(io.Writer) error, error) {
	ctx, done, err := l.begin(ctx, l.want(scope, &q))
	if err != nil {
		return nil, err
	}
	defer done()
	result, err := narrowLogs(l.Engine, scope).Query(ctx, scope.Tenant, logqlengine.Params{
		Query: q.Query, Start: q.Start, End: q.End, Step: q.Step, Limit: q.Limit, Forward: q.Forward, Categorize: q.Categorize,
	})
	if err != nil {
		return nil, err
	}
	if cost := costOf(ctx); cost != nil { // the engine knows of the rows of lines alone
		s := &result.Stats
		s.Lines, s.Bytes, s.CPUMillis, s.CacheBytes, s.Queued = cost.Rows, cost.Bytes, cost.CPUMillis, cost.CacheBytes, cost.Waited
	}
	return func(w io.Writer) error { return loki.Write(w, result) }, nil
}

// LabelNames implements api.LogQuerier. Look-ups come from memory, so that they wait behind no query that reads much.
func (l logAPI) LabelNames(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]string, error) {
	ctx, done, err := l.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	return narrowLogs(l.Engine, scope).LabelNames(ctx, scope.Tenant, selector, r)
}

// LabelValues implements api.LogQuerier.
func (l logAPI) LabelValues(ctx context.Context, scope seamark.Scope, name, selector string, r seamark.TimeRange) ([]string, error) {
	ctx, done, err := l.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	return narrowLogs(l.Engine, scope).LabelValues(ctx, scope.Tenant, name, selector, r)
}

// Series implements api.LogQuerier.
func (l logAPI) Series(ctx context.Context, scope seamark.Scope, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error) {
	ctx, done, err := l.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	return narrowLogs(l.Engine, scope).Series(ctx, scope.Tenant, selectors, r)
}

// logExplorerAPI shows the explorer of logs in the API's words. It implements api.LogExplorer.
type logExplorerAPI struct {
	explorer *logexplore.Explorer
	engine   *logqlengine.Engine // that the explorer asks
	turns
}

func (l logExplorerAPI) LogStats(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) (api.LogStats, error) {
	ctx, done, err := l.begin(ctx, wants(r, seamark.Logs))
	if err != nil {
		return api.LogStats{}, err
	}
	defer done()
	s, err := l.within(scope).Stats(ctx, scope.Tenant, selector, r)
	return api.LogStats(s), err
}

func (l logExplorerAPI) LogShards(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange, shardBytes uint64) ([]api.LogShard, error) {
	ctx, done, err := l.begin(ctx, wants(r, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := l.within(scope).Shards(ctx, scope.Tenant, selector, r, shardBytes)
	list := make([]api.LogShard, len(found))
	for i, s := range found {
		list[i] = api.LogShard{First: s.First, Last: s.Last, Stats: api.LogStats(s.Stats)}
	}
	return list, err
}

func (l logExplorerAPI) LogVolumes(ctx context.Context, scope seamark.Scope, q api.LogVolumeQuery) ([]api.LogVolume, error) {
	ctx, done, err := l.begin(ctx, wants(q.Range, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := l.within(scope).Volumes(ctx, scope.Tenant, logexplore.VolumeQuery(q))
	list := make([]api.LogVolume, len(found))
	for i, v := range found {
		list[i] = api.LogVolume{Labels: v.Labels, Points: make([]api.LogVolumePoint, len(v.Points))}
		for k, p := range v.Points {
			list[i].Points[k] = api.LogVolumePoint(p)
		}
	}
	return list, err
}

func (l logExplorerAPI) DetectedLabels(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]api.DetectedLabel, error) {
	ctx, done, err := l.begin(ctx, wants(r, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := l.within(scope).DetectedLabels(ctx, scope.Tenant, selector, r)
	list := make([]api.DetectedLabel, len(found))
	for i, d := range found {
		list[i] = api.DetectedLabel(d)
	}
	return list, err
}

func (l logExplorerAPI) DetectedFields(ctx context.Context, scope seamark.Scope, q api.LogFieldsQuery) ([]api.LogField, error) {
	ctx, done, err := l.begin(ctx, wants(q.Range, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := l.within(scope).Fields(ctx, scope.Tenant, logexplore.FieldsQuery(q))
	list := make([]api.LogField, len(found))
	for i, f := range found {
		list[i] = api.LogField(f)
	}
	return list, err
}

func (l logExplorerAPI) LogPatterns(ctx context.Context, scope seamark.Scope, query string, r seamark.TimeRange, step time.Duration) ([]api.LogPattern, error) {
	ctx, done, err := l.begin(ctx, wants(r, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := l.within(scope).Patterns(ctx, scope.Tenant, logexplore.PatternsQuery{Query: query, Range: r, Step: step})
	list := make([]api.LogPattern, len(found))
	for i, f := range found {
		list[i] = api.LogPattern{Text: f.Text, Level: f.Level, Points: make([]api.LogPatternPoint, len(f.Points))}
		for k, p := range f.Points {
			list[i].Points[k] = api.LogPatternPoint(p)
		}
	}
	return list, err
}
