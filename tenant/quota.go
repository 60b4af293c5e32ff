package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Quota is what a tenant or one of its clusters may send. A zero field is not set: a tenant then has its plan's, or without one
// the platform's default, a cluster no limit beside its tenant's.
type Quota = seamark.Quota

// checkQuota returns what is wrong with a quota by itself.
func checkQuota(q *Quota) error {
	var faults []error
	for _, f := range seamark.QuotaFields() {
		if value := *f.Of(q); value < 0 || value > f.Most {
			faults = append(faults, fmt.Errorf("the quota %s is %d; it must be 0 (not set) to %d", f.Name, value, f.Most))
		}
	}
	for _, pair := range []struct {
		name        string
		rate, burst int64
	}{{"bytes", q.BytesPerSecond, q.BytesBurst}, {"rows", q.RowsPerSecond, q.RowsBurst}} {
		if pair.burst > 0 && pair.burst < pair.rate {
			faults = append(faults, fmt.Errorf("the quota %s_burst is %d; it must be at least %s_per_second, %d", pair.name, pair.burst, pair.name, pair.rate))
		}
	}
	return errors.Join(faults...)
}

// checkWithin returns where a cluster's quota is above what its tenant has.
func checkWithin(q, tenant *Quota) error {
	var faults []error
	for _, f := range seamark.QuotaFields() {
		if value, limit := *f.Of(q), *f.Of(tenant); limit > 0 && value > limit {
			faults = append(faults, fmt.Errorf("the quota %s is %d; the tenant's own limit is %d", f.Name, value, limit))
		}
	}
	return errors.Join(faults...)
}

// quotaDoc is stored under `<tenant>`, or `<tenant>.<cluster id>` for a cluster's.
type quotaDoc struct {
	Version int               `json:"v"`
	Tenant  seamark.TenantID  `json:"tenant"`
	Cluster seamark.ClusterID `json:"cluster,omitempty"`
	Quota   Quota             `json:"quota"`
	Plan    string            `json:"plan,omitempty"` // name of the tenant's plan, "" for none
}

func (q *quotaDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(string(q.Tenant)); err != nil {
		return err
	}
	if q.Cluster != "" {
		if _, err := seamark.ParseClusterID(string(q.Cluster)); err != nil {
			return err
		}
	}
	if quotaKey(q.Tenant, q.Cluster) != key {
		return fmt.Errorf("quota of %.40q stands under the key of another", q.Tenant)
	}
	return checkQuota(&q.Quota)
}

func quotaKey(tenant seamark.TenantID, cluster seamark.ClusterID) string {
	if cluster == "" {
		return string(tenant)
	}
	return string(tenant) + "." + string(cluster)
}

// Quota returns what was set for a tenant and for one of its clusters, zero where nothing was. It answers from memory and
// says nothing about whether they exist.
func (d *Directory) Quota(tenant seamark.TenantID, cluster seamark.ClusterID) (ofTenant, ofCluster Quota) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if q := d.quotas.findLocked(quotaKey(tenant, "")); q != nil {
		ofTenant = q.Quota
	}
	if cluster != "" {
		if q := d.quotas.findLocked(quotaKey(tenant, cluster)); q != nil {
			ofCluster = q.Quota
		}
	}
	return ofTenant, ofCluster
}

// SetTenantQuota replaces what was set for a tenant; the zero Quota gives it the platform's defaults. It holds on every
// node within a second. Each of accept is asked about what it replaces and may refuse. The error is of kind Invalid for a
// value out of bounds, NotFound when the tenant is gone.
func (d *Directory) SetTenantQuota(ctx context.Context, tenant seamark.TenantID, q Quota, accept ...func(now Quota) error) error {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return err
	}
	if err := checkQuota(&q); err != nil {
		return invalid(err, "seamark-quota-invalid")
	}
	return d.saveQuota(ctx, &quotaDoc{Version: docVersion, Tenant: tenant, Quota: q}, accept)
}

// SetClusterQuota replaces what was set for a cluster of the tenant; the zero Quota leaves it its tenant's limits alone.
// within is what the tenant has, defaults included: a cluster's quota can only narrow it. Each of accept is asked about what
// it replaces. The error is of kind Invalid for a value out of bounds, NotFound for a cluster that is not the tenant's.
func (d *Directory) SetClusterQuota(ctx context.Context, cluster Cluster, q, within Quota, accept ...func(now Quota) error) error {
	if _, err := d.FindCluster(ctx, cluster.Tenant, cluster.ID); err != nil {
		return err
	}
	if err := errors.Join(checkQuota(&q), checkWithin(&q, &within)); err != nil {
		return invalid(err, "seamark-quota-invalid")
	}
	return d.saveQuota(ctx, &quotaDoc{Version: docVersion, Tenant: cluster.Tenant, Cluster: cluster.ID, Quota: q}, accept)
}

// saveQuota writes a quota by compare-and-set on what accept was asked about: without a condition the last one holds.
func (d *Directory) saveQuota(ctx context.Context, doc *quotaDoc, accept []func(now Quota) error) error {
	key := quotaKey(doc.Tenant, doc.Cluster)
	change := func(q *quotaDoc) error {
		for _, ask := range accept {
			if err := ask(q.Quota); err != nil {
				return err
			}
		}
		plan := q.Plan
		*q = *doc
		q.Plan = plan
		return nil
	}
	return d.changeQuota(ctx, key, change)
}

// changeQuota changes the document under key, which it makes when there is none.
func (d *Directory) changeQuota(ctx context.Context, key string, change func(q *quotaDoc) error) error {
	_, err := d.quotas.mutate(ctx, key, change)
	if errors.Is(err, errAbsent) {
		first := new(quotaDoc)
		if err := change(first); err != nil {
			return err
		}
		err = d.quotas.create(ctx, key, first)
	}
	if errors.Is(err, errTaken) {
		_, err = d.quotas.mutate(ctx, key, change)
	}
	if err != nil {
		return fmt.Errorf("save quota: %w", err)
	}
	return nil
}

// sweepQuotas removes the quotas of tenants and clusters that are gone.
func (d *Directory) sweepQuotas(ctx context.Context) error {
	for _, q := range d.quotas.all() {
		t, _ := d.tenants.find(string(q.Tenant))
		gone := t == nil || t.State == Deleted
		if q.Cluster != "" && !gone {
			c := d.clusters.findAlias(string(q.Cluster))
			gone = c == nil || !c.Deleted.IsZero()
		}
		if !gone {
			continue
		}
		if err := d.quotas.remove(ctx, quotaKey(q.Tenant, q.Cluster)); err != nil {
			return fmt.Errorf("remove old quota: %w", err)
		}
	}
	return nil
}
