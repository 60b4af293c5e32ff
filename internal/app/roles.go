package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/store"
)

// startRoles starts what the process's roles do beside answering requests.
func (a *App) startRoles(ctx context.Context) error {
	ingest, writer, querier := a.opts.has(RoleIngest), a.opts.has(RoleWriter), a.opts.has(RoleQuerier)
	alerts, forwarder, control := a.opts.has(RoleAlerting), a.opts.has(RoleForwarder), a.opts.has(RoleAPI)
	for _, s := range []struct {
		when bool
		fn   func(context.Context) error
	}{
		{control || writer, a.openLifecycle},
		{querier || writer, a.openRetention},
		{writer, a.startWriter},
		{querier || alerts, a.openQuerier},
		{a.keys != nil && (control || querier), a.openReplays},
		{control, a.openHealthDesk},
		{control, a.openSavedQueries},
		{control, a.openDashboards},
		{control || querier, a.openQuotaAPI},
		{ingest || control, a.openPipelines},
		{forwarder || control, a.openForwarders},
		{ingest || alerts, a.openIngester},
		{alerts, a.startAlerting},
		{alerts, a.openDetectors},
		{alerts, func(context.Context) error { return a.startBudgets() }},
		{querier, a.startBackground},
	} {
		if !s.when {
			continue
		}
		if err := s.fn(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startBackground starts what queriers do that nobody waits for.
func (a *App) startBackground(ctx context.Context) error {
	if a.opts.Headroom > 0 {
		a.background("room for garbage", a.keepHeadroom)
	}
	if err := a.openJobs(ctx); err != nil {
		return err
	}
	return a.openTransfers(ctx) // last: it reads what the others keep
}

// startWriter starts moving messages from the bus into the store.
func (a *App) startWriter(ctx context.Context) error {
	o := ingest.DefaultWriterOptions()
	var err error
	if o.Checkpoints, err = a.openCheckpoints(ctx); err != nil {
		return err
	}
	if o.Leases, err = bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas); err != nil {
		return err
	}
	if o.Bus, err = a.holdForForwarders(ctx); err != nil {
		return err
	}
	o.Store, o.Owner, o.Failpoint = ingest.Announce(ingest.SettleShared(a.store), a.tellStored, store.TableSeries, store.TableSamples, store.TableHistograms), a.node, a.opts.Failpoint
	set := a.opts.Writer
	o.MaxInsertRows, o.MaxBatchBytes, o.MaxBatchAge, o.InsertsPerSecond = set.MaxInsertRows, set.MaxBatchBytes, set.MaxBatchAge, set.InsertsPerSecond
	o.MaxCountsAge = set.MaxCountsAge
	o.TailAge, o.TailBytes = a.opts.Bus.DuplicateWindow, a.opts.Bus.MaxStreamBytes/4
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	w, err := ingest.NewWriter(o)
	if err != nil {
		return err
	}
	a.background("writer", w.Run)
	return a.startSampler(ctx)
}

// exportRoutes returns the routes of exports of whole tenants. A querier by itself has no key that answers are sealed with, so it
// keeps none for repeats: each makes an export of its own.
func (a *App) exportRoutes() []httpx.Route {
	routes := api.TenantExportRoutes(transferAPI{a.transfers})
	for i := range routes {
		routes[i].Creates = routes[i].Creates && a.replays != nil
	}
	return routes
}

// routes returns the route table of the process's roles.
func (a *App) routes() ([]httpx.Route, error) {
	var routes []httpx.Route
	if a.opts.has(RoleIngest) {
		list, err := ingest.Routes(a.ingester)
		if err != nil {
			return nil, err
		}
		routes = append(routes, list...)
	}
	if a.opts.has(RoleQuerier) {
		routes = append(routes, a.queryRoutes()...)
		found, err := a.suspectRoutes()
		if err != nil {
			return nil, err
		}
		routes = append(routes, found...)
		routes = append(routes, api.RunningQueryRoutes(a.running)...)
		routes = append(routes, api.QueryJobRoutes(jobAPI{directoryAPI{a.directory}, a.jobs})...)
		routes = append(routes, api.QuarantineRoutes(quarantineAPI{a.quarantine})...)
		routes = append(routes, a.patternRoutes()...)
		routes = append(routes, api.RetentionRoutes(a.retention)...)
		routes = append(routes, a.exportRoutes()...)
		routes = append(routes, api.DropRoutes(dropAPI{a.store, a.opts.Query.Timeout}, a.opts.Now)...)
		usage := usageAPI{
			Store: a.store, quotas: a.quotas, budgets: a.directory.Budgets, numbers: a.tenantNumbers, kept: a.kept, timeout: a.opts.Query.Timeout, now: a.opts.Now,
		}
		routes = append(append(routes, api.UsageRoutes(usage, a.opts.Now)...), api.QueryUsageRoutes(usage, a.opts.Now)...)
	}
	if a.opts.has(RoleAlerting) {
		list, err := a.ruleRoutes()
		if err != nil {
			return nil, err
		}
		if list, err = a.atHolder(append(list, api.AlertmanagerRoutes(a.alerting)...)); err != nil {
			return nil, err
		}
		routes = append(routes, list...)
		routes = append(routes, api.ReceiverRoutes(receiverAPI{a.alerting})...)
		routes = append(routes, a.detectorRoutes()...)
	}
	if a.opts.has(RoleAPI) {
		d := directoryAPI{a.directory}
		routes = append(routes, a.sessionRoutes()...)
		routes = append(routes, api.ClusterRoutes(d)...)
		routes = append(routes, api.TenantRoutes(tenantAPI{d, a.certificates, a.opts.Tenants.DeleteGrace})...)
		routes = append(routes, api.ChangeRoutes(changeAPI{a.changes})...)
		routes = append(routes, api.HealthRoutes(a.health)...)
		routes = append(routes, api.PipelineRoutes(a.pipelines)...)
		routes = append(routes, api.ForwarderRoutes(a.forwarders)...)
		routes = append(routes, api.QuotaRoutes(a.quotas)...)
		routes = append(routes, api.PlanRoutes(planAPI{a.directory})...)
		routes = append(routes, api.BudgetRoutes(a.directory)...)
		routes = append(routes, api.SavedQueryRoutes(savedQueryAPI{a.savedQueries})...)
		routes = append(routes, api.DashboardRoutes(dashboardAPI{a.dashboards})...)
		routes = append(routes, a.accessRoutes()...)
	}
	return routes, nil
}
