package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Quota is what a tenant or a cluster may send. In what was set, 0 is "not set"; in the limits that hold, 0 is "no limit".
type Quota = seamark.Quota

// QuotaUse is what a tenant or a cluster uses now, over all ingest nodes. Rates are means over some seconds.
type QuotaUse struct {
	BytesPerSecond      int64 `json:"bytes_per_second"` // admitted
	RowsPerSecond       int64 `json:"rows_per_second"`
	AskedBytesPerSecond int64 `json:"asked_bytes_per_second"` // what senders tried, the refused included
	AskedRowsPerSecond  int64 `json:"asked_rows_per_second"`
	BytesToday          int64 `json:"bytes_today"` // admitted since midnight UTC
	ActiveSeries        int64 `json:"active_series"`
	ActiveStreams       int64 `json:"active_streams"`
}

// TenantQuotas is the quota of one tenant and what it uses of it.
type TenantQuotas struct {
	Limits   Quota             `json:"limits"`  // that hold, defaults included
	Origins  map[string]string `json:"origins"` // of the limits by field: tenant (what was set for it), plan or default
	Plan     string            `json:"plan"`    // name, "" for none
	Set      Quota             `json:"set"`
	Use      QuotaUse          `json:"use"`
	Clusters []ClusterQuotas   `json:"clusters"`
}

// ClusterQuotas is the quota of one cluster and what it uses of it.
type ClusterQuotas struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Set  Quota    `json:"set"`
	Use  QuotaUse `json:"use"`
}

// Quotas is what the quota routes need of the directory and of ingest.
type Quotas interface {
	// FindQuotas returns a tenant's quota and use with those of its clusters, by name. The error is of kind NotFound.
	FindQuotas(ctx context.Context, tenant seamark.TenantID) (TenantQuotas, error)
	// SetTenantQuota replaces what was set for a tenant, unless accept refuses what it replaces, which is compare-and-set. The
	// error is accept's, of kind NotFound, or Invalid for a value out of bounds.
	SetTenantQuota(ctx context.Context, tenant seamark.TenantID, q Quota, accept func(now Quota) error) error
	// SetClusterQuota does the same for a cluster of the tenant; its quota must lie within the tenant's limits.
	SetClusterQuota(ctx context.Context, tenant seamark.TenantID, cluster seamark.ClusterID, q Quota, accept func(now Quota) error) error
}

// QuotaRoutes returns the routes for quotas: a tenant reads its own and sets those of its clusters, an operator sets those
// of tenants.
func QuotaRoutes(quotas Quotas) []httpx.Route {
	h := quotaHandlers{quotas}
	const ofTenant, ofCluster = "/api/v1/tenants/:id/quotas", "/api/v1/clusters/:id/quotas"
	return []httpx.Route{
		{Method: http.MethodGet, Path: "/api/v1/quotas", Permission: "tenant:read", Handler: h.find},
		{Method: http.MethodGet, Path: ofCluster, Permission: "tenant:read", Handler: h.findCluster},
		{Method: http.MethodPut, Path: ofCluster, Permission: "clusters:write", Handler: h.setCluster},
		{Method: http.MethodGet, Path: ofTenant, Permission: "tenants:read", Handler: h.findTenant},
		{Method: http.MethodPut, Path: ofTenant, Permission: "tenants:write", Handler: h.setTenant},
	}
}

type quotaHandlers struct{ quotas Quotas }

func (h quotaHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	found, err := h.quotas.FindQuotas(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	found.Clusters = orEmpty(found.Clusters)
	return httpx.WriteJSON(w, http.StatusOK, found)
}

// operatorQuotas is what an operator sees. It leaves the clusters out: their names are the tenant's.
type operatorQuotas struct {
	Limits  Quota             `json:"limits"`
	Origins map[string]string `json:"origins"`
	Plan    string            `json:"plan"`
	Set     Quota             `json:"set"`
	Use     QuotaUse          `json:"use"`
}

func (h quotaHandlers) findTenant(w http.ResponseWriter, r *httpx.Request) error {
	tenant, err := tenantParam(r)
	if err != nil {
		return err
	}
	found, err := h.quotas.FindQuotas(r.Context(), tenant)
	if err != nil {
		return err
	}
	return writeQuota(w, found.Set, operatorQuotas{found.Limits, found.Origins, found.Plan, found.Set, found.Use})
}

// writeQuota answers with a document about a quota. Its ETag is that of what was set: use changes all the time.
func writeQuota(w http.ResponseWriter, set Quota, document any) error {
	tag, err := httpx.ContentTag(set)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", string(tag))
	return httpx.WriteJSON(w, http.StatusOK, document)
}

// accept returns what asks the request's condition about the quota that it replaces.
func accept(w http.ResponseWriter, r *httpx.Request) func(now Quota) error {
	condition := r.Precondition()
	return func(now Quota) error {
		r.Change.Before = now
		tag, err := httpx.ContentTag(now)
		if err != nil {
			return err
		}
		return condition.Check(w, tag)
	}
}

func (h quotaHandlers) setTenant(w http.ResponseWriter, r *httpx.Request) error {
	tenant, err := tenantParam(r)
	if err != nil {
		return err
	}
	var q Quota
	if err := httpx.ReadJSON(r, &q); err != nil {
		return err
	}
	if err := h.quotas.SetTenantQuota(r.Context(), tenant, q, accept(w, r)); err != nil {
		return err
	}
	r.Change.After = q
	return writeQuota(w, q, q)
}

func (h quotaHandlers) findCluster(w http.ResponseWriter, r *httpx.Request) error {
	found, err := h.quotas.FindQuotas(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found.Clusters, func(c ClusterQuotas) bool { return c.ID == r.Param("id") })
	if at < 0 {
		return clusterUnknown()
	}
	return writeQuota(w, found.Clusters[at].Set, found.Clusters[at])
}

func clusterUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-cluster-unknown", "There is no such cluster.")
}

func (h quotaHandlers) setCluster(w http.ResponseWriter, r *httpx.Request) error {
	if r.Tenant() == "" { // an operator has the permission for clusters, on the platform and not in a tenant
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
			"A cluster's quota is its tenant's to set. Operators set the tenant's: PUT /api/v1/tenants/{id}/quotas.")
	}
	cluster, err := seamark.ParseClusterID(r.Param("id"))
	if err != nil {
		return clusterUnknown()
	}
	var q Quota
	if err := httpx.ReadJSON(r, &q); err != nil {
		return err
	}
	if err := h.quotas.SetClusterQuota(r.Context(), r.Tenant(), cluster, q, accept(w, r)); err != nil {
		return err
	}
	r.Change.After = q
	return writeQuota(w, q, q)
}

// tenantParam returns the tenant that an operator's path names. What is no id names no tenant.
func tenantParam(r *httpx.Request) (seamark.TenantID, error) {
	tenant, err := seamark.ParseTenantID(r.Param("id"))
	if err != nil {
		return "", seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "There is no such tenant.")
	}
	return tenant, nil
}
