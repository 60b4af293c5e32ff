package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Quota is what a tenant or one of its clusters may send. A zero field is not set: a tenant then has the platform's
// default, a cluster no limit beside its tenant's.
type Quota struct {
	BytesPerSecond     int64 `json:"bytes_per_second,omitempty"` // of inflated bodies, over all signals
	BytesBurst         int64 `json:"bytes_burst,omitempty"`
	RowsPerSecond      int64 `json:"rows_per_second,omitempty"` // lines, samples, events and spans together
	RowsBurst          int64 `json:"rows_burst,omitempty"`
	DailyBytes         int64 `json:"daily_bytes,omitempty"`    // per day of UTC
	ActiveSeries       int64 `json:"active_series,omitempty"`  // metric series with a sample within the last hour
	ActiveStreams      int64 `json:"active_streams,omitempty"` // log streams with a line within the last hour
	MaxLabels          int64 `json:"max_labels,omitempty"`
	MaxLabelNameBytes  int64 `json:"max_label_name_bytes,omitempty"`
	MaxLabelValueBytes int64 `json:"max_label_value_bytes,omitempty"`
	MaxLineBytes       int64 `json:"max_line_bytes,omitempty"`
	MaxAttrs           int64 `json:"max_attrs,omitempty"`
	MaxAgeSeconds      int64 `json:"max_age_seconds,omitempty"`
	MaxFutureSeconds   int64 `json:"max_future_seconds,omitempty"`
}

// quotaField is one field of a quota with the most that it may be set to. The bounds keep a slip of the keyboard from
// taking a node's memory: each active series costs 24 bytes beside its entry in the catalogue, and one line or label set
// must fit a block.
type quotaField struct {
	name  string
	value int64
	most  int64
}

func (q *Quota) fields() []quotaField {
	const tera, day = 1 << 40, 24 * 3600
	return []quotaField{
		{"bytes_per_second", q.BytesPerSecond, tera},
		{"bytes_burst", q.BytesBurst, tera},
		{"rows_per_second", q.RowsPerSecond, tera},
		{"rows_burst", q.RowsBurst, tera},
		{"daily_bytes", q.DailyBytes, 1024 * tera},
		{"active_series", q.ActiveSeries, 20_000_000},
		{"active_streams", q.ActiveStreams, 20_000_000},
		{"max_labels", q.MaxLabels, 256},
		{"max_label_name_bytes", q.MaxLabelNameBytes, 4096},
		{"max_label_value_bytes", q.MaxLabelValueBytes, 64 << 10},
		{"max_line_bytes", q.MaxLineBytes, 4 << 20},
		{"max_attrs", q.MaxAttrs, 1024},
		{"max_age_seconds", q.MaxAgeSeconds, 3650 * day},
		{"max_future_seconds", q.MaxFutureSeconds, day},
	}
}

// check returns what is wrong with a quota by itself.
func (q *Quota) check() error {
	var faults []error
	for _, f := range q.fields() {
		if f.value < 0 || f.value > f.most {
			faults = append(faults, fmt.Errorf("the quota %s is %d; it must be 0 (not set) to %d", f.name, f.value, f.most))
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
func (q *Quota) checkWithin(tenant *Quota) error {
	var faults []error
	limits := tenant.fields()
	for i, f := range q.fields() {
		if limit := limits[i].value; limit > 0 && f.value > limit {
			faults = append(faults, fmt.Errorf("the quota %s is %d; the tenant's own limit is %d", f.name, f.value, limit))
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
	return q.Quota.check()
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
	if err := q.check(); err != nil {
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
	if err := errors.Join(q.check(), q.checkWithin(&within)); err != nil {
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
		*q = *doc
		return nil
	}
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
