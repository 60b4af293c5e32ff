package app

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/metering"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/tenant"
)

// openMeter starts counting what queries read. It comes before the store, which tells it.
func (a *App) openMeter() error {
	if a.bus == nil {
		return nil
	}
	o := metering.DefaultMeterOptions()
	publish := ingest.PublishUsage(a.bus)
	o.Publish = func(ctx context.Context, id seamark.TenantID, key string, at time.Time, lines []seamark.Usage) error {
		if a.directory != nil && a.directory.State(id) == tenant.Deleted {
			return nil // what it asked last is nobody's, and its streams may have been erased already
		}
		return publish(ctx, id, key, at, lines)
	}
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	o.Flush = a.opts.Metering.Flush
	m, err := metering.NewMeter(o)
	if err != nil {
		return err
	}
	a.meter = m
	a.background("meter", m.Run)
	return nil
}

// reader is who asks for what the store reads: a language, and a login or the key id of a token.
type reader struct{ language, actor string }

type readerKey struct{}

// platformLanguage is the language of what nobody asked for: memory that is filled and refreshed for queries to come.
const platformLanguage = "platform"

// withReader names who asks in ctx, for what the store reads under it.
func withReader(ctx context.Context, r reader) context.Context {
	return context.WithValue(ctx, readerKey{}, r)
}

// tellRead meters what a statement has read.
func (a *App) tellRead(ctx context.Context, tenant seamark.TenantID, n store.Reads) {
	admit.From(ctx).Take(admit.Cost{Rows: n.Rows, Bytes: n.Bytes, CPUMicros: n.CPUMicros})
	a.shares.take(tenant, n.CPUMicros)
	if a.meter == nil {
		return
	}
	who, ok := ctx.Value(readerKey{}).(reader)
	if !ok {
		who.language = platformLanguage
	}
	a.meter.Query(tenant, who.language, who.actor, seamark.UsageCounts{Rows: n.Rows, Bytes: n.Bytes, Micros: n.CPUMicros})
}

// metered has the routes of a query language admitted and counted, in the background too.
func (a *App) metered(language string, routes []httpx.Route) []httpx.Route {
	return a.asynchronous(language, a.counted(language, a.admitted(language, routes)))
}

// counted has the requests of a query language counted, and what they read told from others' reads.
func (a *App) counted(language string, routes []httpx.Route) []httpx.Route {
	if a.meter == nil {
		return routes
	}
	for i := range routes {
		handle := routes[i].Handler
		routes[i].Handler = func(w http.ResponseWriter, r *httpx.Request) error {
			who := reader{language: language, actor: actorOf(r.Principal)}
			a.meter.Query(r.Principal.Tenant, language, who.actor, seamark.UsageCounts{Requests: 1})
			r.Request = r.WithContext(withReader(r.Context(), who))
			return handle(w, r)
		}
	}
	return routes
}

// startSampler has one process measure what all tenants hold.
func (a *App) startSampler(ctx context.Context) error {
	presence, usage, err := a.openQuotas(ctx)
	if err != nil {
		return err
	}
	leases, err := bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	s, err := metering.NewSampler(metering.SamplerOptions{
		Store: a.store, Publish: ingest.PublishUsage(a.bus), Tenants: a.tenantNumbers, Active: a.activeOf(quota.NewReader(presence, usage, a.opts.Now)), Kept: a.kept,
		Hold: bus.NewLease(leases, "usage", a.node, leaseTTL, a.log).Hold, Interval: a.opts.Metering.Sample, Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.background("usage samples", s.Run)
	return nil
}

// kept returns how long all rows of a signal are kept. Where rules end some of its streams earlier, it is the shortest of them.
func (a *App) kept(tenant seamark.TenantID, signal seamark.Signal) time.Duration {
	set := a.directory.Retention(tenant)
	days := a.retention.days(tenant, &set)[signal]
	for _, s := range set.Streams {
		if s.Signal == signal.String() {
			days = min(days, s.Days)
		}
	}
	return time.Duration(days) * 24 * time.Hour
}

// tenantNumbers lists the tenants that are there, by number.
func (a *App) tenantNumbers(ctx context.Context) map[seamark.TenantNumber]seamark.TenantID {
	numbers := map[seamark.TenantNumber]seamark.TenantID{}
	for _, t := range a.directory.ListTenants(ctx) {
		if n, err := a.directory.Number(t.ID); err == nil {
			numbers[n] = t.ID
		}
	}
	return numbers
}

// activeOf returns a function that tells what is active in a tenant's clusters.
func (a *App) activeOf(counts *quota.Reader) func(context.Context, seamark.TenantID) ([]metering.Active, error) {
	return func(ctx context.Context, id seamark.TenantID) ([]metering.Active, error) {
		use, err := counts.Find(ctx, id)
		if err != nil {
			return nil, err
		}
		list := make([]metering.Active, 0, len(use.Clusters))
		for _, c := range a.directory.ListClusters(ctx, id) {
			if u, ok := use.Clusters[c.ID]; ok {
				list = append(list, metering.Active{Cluster: c.Name, Series: u.ActiveSeries, Streams: u.ActiveStreams})
			}
		}
		return list, nil
	}
}

// startBudgets has the process that evaluates alerts tell tenants of their budgets.
func (a *App) startBudgets() error {
	w, err := metering.NewWatcher(metering.WatcherOptions{
		Meter: a.store, Budgets: a.directory.ListBudgets, Raise: a.raiseBudgets, Interval: a.opts.Metering.Budgets,
		Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.background("budgets", w.Run)
	return nil
}

func (a *App) raiseBudgets(ctx context.Context, tenant seamark.TenantID, alerts []metering.Alert, lasts time.Duration) error {
	list := make([]alerting.Raised, len(alerts))
	for i, al := range alerts {
		list[i] = alerting.Raised(al)
	}
	return a.alerting.Raise(ctx, tenant, list, lasts)
}
