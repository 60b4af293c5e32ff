package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/tenant"
)

// quotaBucket is the KV bucket that the ingest nodes share quotas over.
const quotaBucket = "seamark_quota"

// openQuotas opens the documents that quotas are shared over. The API reads what the ingest nodes write.
func (a *App) openQuotas(ctx context.Context) (*bus.Docs[quota.Presence], *bus.Docs[quota.Usage], error) {
	presence, err := bus.OpenDocs[quota.Presence](ctx, a.js, quotaBucket, a.opts.NATS.Replicas)
	if err != nil {
		return nil, nil, err
	}
	usage, err := bus.OpenDocs[quota.Usage](ctx, a.js, quotaBucket, a.opts.NATS.Replicas)
	return presence, usage, err
}

// startQuotas makes the limiter of an ingest node.
func (a *App) startQuotas(ctx context.Context) (*quota.Limiter, error) {
	presence, usage, err := a.openQuotas(ctx)
	if err != nil {
		return nil, err
	}
	l, err := quota.New(ctx, quota.Options{
		Node: a.node, Presence: presence, Usage: usage, Defaults: a.opts.Quota, Request: a.opts.Ingest.Limits,
		Set: func(id seamark.TenantID, cluster seamark.ClusterID) (ofTenant, ofCluster quota.Limits) {
			allowance := a.directory.Allowance(id, cluster)
			return allowance.Tenant(), allowance.OfCluster
		},
		Changes: a.directory.LimitChanges,
		Logger:  a.log, Registerer: a.registry, Now: a.opts.Now,
	})
	if err != nil {
		return nil, err
	}
	a.defers("quotas", l.Close) // runs after Run has ended: cleanups go last in, first out
	a.background("quotas", l.Run)
	a.settles("quotas", time.Second, l.Settle)
	a.thaws("quotas", l.Refresh)
	return l, nil
}

// openQuotaAPI makes what the quota routes show.
func (a *App) openQuotaAPI(ctx context.Context) error {
	presence, usage, err := a.openQuotas(ctx)
	if err != nil {
		return err
	}
	defaults := a.opts.Quota
	if defaults.LogFilterRows = int64(a.opts.Writer.LogFilterRows); defaults.LogFilterRows == 0 {
		defaults.LogFilterRows = seamark.NoLogFilters
	}
	a.quotas = quotaAPI{a.directory, quota.NewReader(presence, usage, a.opts.Now), defaults, a.opts.Ingest.Limits}
	return nil
}

// quotaAPI shows the directory's quotas and the ingest nodes' counts in the API's words. It implements api.Quotas.
type quotaAPI struct {
	directory *tenant.Directory
	reader    *quota.Reader
	defaults  quota.Limits
	request   seamark.Limits
}

// FindQuotas implements api.Quotas.
func (q quotaAPI) FindQuotas(ctx context.Context, id seamark.TenantID) (api.TenantQuotas, error) {
	if _, err := q.directory.FindTenant(ctx, id); err != nil {
		return api.TenantQuotas{}, err
	}
	use, err := q.reader.Find(ctx, id)
	if err != nil {
		return api.TenantQuotas{}, seamark.Wrap(err, seamark.Unavailable, "seamark-quota-unreachable", "The use of quotas cannot be read right now. Retry in some seconds.")
	}
	allowance := q.directory.Allowance(id, "")
	found := api.TenantQuotas{
		Limits: q.limitsOf(allowance.Tenant()), Origins: originsOf(&allowance), Plan: allowance.Plan, Set: allowance.OfTenant, Use: api.QuotaUse(use.Tenant),
	}
	for _, c := range q.directory.ListClusters(ctx, id) {
		_, ofCluster := q.directory.Quota(id, c.ID)
		found.Clusters = append(found.Clusters, api.ClusterQuotas{
			ID: string(c.ID), Name: c.Name, Set: ofCluster, Use: api.QuotaUse(use.Clusters[c.ID]),
		})
	}
	return found, nil
}

// limitsOf returns what holds for a tenant, with the limits of one request filled in.
func (q quotaAPI) limitsOf(set tenant.Quota) tenant.Quota {
	defaults, r := q.defaults, &q.request
	defaults.MaxLabels, defaults.MaxLabelNameBytes, defaults.MaxLabelValueBytes = int64(r.MaxLabels), int64(r.MaxLabelNameBytes), int64(r.MaxLabelValueBytes)
	defaults.MaxLineBytes, defaults.MaxAttrs = int64(r.MaxLineBytes), int64(r.MaxAttrs)
	defaults.MaxAgeSeconds, defaults.MaxFutureSeconds = int64(r.MaxAge/time.Second), int64(r.MaxFuture/time.Second)
	return set.Or(defaults)
}

// logFilterRows returns a tenant's own least number of rows of an insert with search filters, 0 for what the installation has.
func (a *App) logFilterRows(id seamark.TenantID) int {
	allowance := a.directory.Allowance(id, "")
	return int(allowance.Tenant().LogFilterRows)
}

// SetTenantQuota implements api.Quotas.
func (q quotaAPI) SetTenantQuota(ctx context.Context, id seamark.TenantID, set api.Quota, accept func(now api.Quota) error) error {
	return q.directory.SetTenantQuota(ctx, id, set, accept)
}

// SetClusterQuota implements api.Quotas.
func (q quotaAPI) SetClusterQuota(ctx context.Context, id seamark.TenantID, cluster seamark.ClusterID, set api.Quota, accept func(now api.Quota) error) error {
	c, err := q.directory.FindCluster(ctx, id, cluster)
	if err != nil {
		return err
	}
	allowance := q.directory.Allowance(id, "")
	return q.directory.SetClusterQuota(ctx, c, set, q.limitsOf(allowance.Tenant()), accept)
}

// originsOf tells where each of a tenant's limits comes from.
func originsOf(a *tenant.Allowance) map[string]string {
	origins := map[string]string{}
	for _, f := range seamark.QuotaFields() {
		switch {
		case *f.Of(&a.OfTenant) != 0:
			origins[f.Name] = "tenant"
		case *f.Of(&a.OfPlan) != 0:
			origins[f.Name] = "plan"
		default:
			origins[f.Name] = "default"
		}
	}
	return origins
}

// dropAPI shows the drop ledger in the API's words. It implements api.DropLister.
type dropAPI struct {
	*store.Store
	timeout time.Duration
}

// ListDrops implements api.DropLister.
func (d dropAPI) ListDrops(ctx context.Context, id seamark.TenantID, f api.DropFilter) ([]api.DropReason, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	found, err := d.Store.ListDrops(ctx, id, store.DropsQuery(f))
	if err != nil {
		return nil, err
	}
	list := make([]api.DropReason, len(found))
	for i := range found {
		list[i] = api.DropReason(found[i])
	}
	return list, nil
}
