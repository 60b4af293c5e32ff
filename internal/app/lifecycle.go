package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	// purgeInterval is how often deletions are looked at. A purge takes a few of them.
	purgeInterval = 5 * time.Second
	purgeLease    = "tenants.purge"
	// purgeLeaseTTL is how long purges stand still after the process that did them died.
	purgeLeaseTTL = 20 * time.Second
)

// openLifecycle opens the certificates of deleted tenants and, where this process can reach the store, ends tenants.
func (a *App) openLifecycle(ctx context.Context) error {
	certificates, err := tenant.OpenCertificates(ctx, a.js, a.keys, a.opts.NATS.Replicas, rand.Reader)
	if err != nil {
		return err
	}
	a.certificates = certificates
	if err := a.directory.SetStoreShards(ctx, a.opts.ClickHouse.stores()); err != nil {
		a.log.WarnContext(ctx, "seamark admin does not know how many ClickHouse shards there are", slog.Any("err", err))
	}
	if !a.opts.has(RoleWriter) {
		return nil
	}
	purger, err := tenant.NewPurger(tenant.PurgeOptions{
		Directory: a.directory, Eraser: tenant.NewEraser(a.js), Changes: a.changes, Warehouse: warehouse{a.store, a.directory}, Certificates: certificates,
		Settle: a.opts.Tenants.PurgeSettle, Now: a.opts.Now, Logger: a.log,
	})
	if err != nil {
		return err
	}
	leases, err := bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	lease := bus.NewLease(leases, purgeLease, a.node, purgeLeaseTTL, a.log)
	a.background("purge of deleted tenants", func(ctx context.Context) error {
		for ctx.Err() == nil {
			err := lease.Hold(ctx, func(ctx context.Context) error { return a.purgeTenants(ctx, purger) })
			if err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "purges of deleted tenants stopped and start again", slog.Any("err", err))
			}
			waitFor(ctx, purgeInterval)
		}
		return nil
	})
	return nil
}

// waitFor waits for d or for the end of ctx.
func waitFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (a *App) purgeTenants(ctx context.Context, purger *tenant.Purger) error {
	for ctx.Err() == nil {
		if err := purger.Step(ctx); err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "a deleted tenant could not be purged; it is tried again", slog.Any("err", err))
		}
		waitFor(ctx, min(purgeInterval, max(a.opts.Tenants.PurgeSettle/3, 100*time.Millisecond)))
	}
	return nil
}

// warehouse is the store in the purger's words. It implements tenant.Warehouse.
type warehouse struct {
	*store.Store
	directory *tenant.Directory
}

// EraseTenant implements tenant.Warehouse.
func (w warehouse) EraseTenant(ctx context.Context, n seamark.TenantNumber) ([]tenant.Erased, error) {
	purged, err := w.DropTenant(ctx, n)
	list := make([]tenant.Erased, len(purged))
	for i, p := range purged {
		list[i] = tenant.Erased{Place: p.Place, Items: p.Rows, Bytes: p.Bytes}
	}
	if id, known := w.directory.TenantOf(n); err == nil && known {
		var usage []store.Purged
		usage, err = w.EraseUsage(ctx, id)
		for _, p := range usage {
			list = append(list, tenant.Erased{Place: p.Place, Items: p.Rows, Bytes: p.Bytes})
		}
	}
	return list, err
}

// TenantRemains implements tenant.Warehouse.
func (w warehouse) TenantRemains(ctx context.Context, n seamark.TenantNumber) (map[string]uint64, error) {
	left, err := w.Store.TenantRemains(ctx, n)
	if id, known := w.directory.TenantOf(n); err == nil && known {
		var rows uint64
		if rows, err = w.UsageRemains(ctx, id); rows > 0 {
			left["clickhouse usage"] = rows
		}
	}
	return left, err
}

// tenantAPI shows tenants in the API's words. It implements api.Tenants.
type tenantAPI struct {
	directoryAPI
	certificates *tenant.Certificates
	grace        time.Duration
}

// FindTenant implements api.Tenants.
func (t tenantAPI) FindTenant(ctx context.Context, id seamark.TenantID) (api.Tenant, error) {
	found, err := t.Directory.FindTenant(ctx, id)
	if err != nil {
		return api.Tenant{}, err
	}
	return t.shown(ctx, found), nil
}

func (t tenantAPI) shown(ctx context.Context, found tenant.Tenant) api.Tenant {
	out := api.Tenant{
		ID: string(found.ID), Slug: found.Slug, Name: found.Name, State: string(found.State), Created: found.Created,
		Clusters: len(t.Directory.ListClusters(ctx, found.ID)), Shard: found.Shard, Generation: found.Generation,
	}
	if !found.PurgeAfter.IsZero() {
		out.PurgeAfter = &found.PurgeAfter
	}
	return out
}

// ListTenants implements api.Tenants.
func (t tenantAPI) ListTenants(ctx context.Context) ([]api.Tenant, error) {
	list := []api.Tenant{}
	for _, found := range t.Directory.ListTenants(ctx) {
		list = append(list, t.shown(ctx, found))
	}
	return list, nil
}

// CreateTenant implements api.Tenants.
func (t tenantAPI) CreateTenant(ctx context.Context, spec api.TenantSpec) (api.Tenant, error) {
	made, err := t.Directory.CreateTenant(ctx, tenant.TenantSpec(spec))
	if err != nil {
		return api.Tenant{}, err
	}
	return t.shown(ctx, made), nil
}

// ChangeTenant implements api.Tenants.
func (t tenantAPI) ChangeTenant(ctx context.Context, id seamark.TenantID, change api.TenantChange) (api.Tenant, error) {
	var after tenant.Tenant
	var err error
	switch change.Verb {
	case api.SuspendTenant:
		after, err = t.Directory.SuspendTenant(ctx, id)
	case api.ResumeTenant:
		after, err = t.Directory.ResumeTenant(ctx, id)
	case api.RestoreTenant:
		after, err = t.Directory.RestoreTenant(ctx, id)
	case api.DeleteTenant:
		grace := t.grace
		if change.Grace != nil {
			grace = *change.Grace
		}
		after, err = t.Directory.BeginDeletion(ctx, id, grace)
	default:
		err = seamark.Errorf(seamark.Internal, "seamark-tenant-verb", "Nobody knows how to %s a tenant.", change.Verb)
	}
	if err != nil {
		return api.Tenant{}, err
	}
	return t.shown(ctx, after), nil
}

// FindCertificate implements api.Tenants.
func (t tenantAPI) FindCertificate(ctx context.Context, id seamark.TenantID) (json.RawMessage, error) {
	signed, err := t.certificates.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(signed)
}

// standing tells alerting whether a tenant's rules are to run.
func (a *App) standing(id seamark.TenantID) alerting.Standing {
	switch a.directory.State(id) {
	case tenant.Active:
		return alerting.Running
	case tenant.Deleted:
		return alerting.Gone
	}
	return alerting.Paused
}
