package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Tenant is one tenant as an operator sees it.
type Tenant struct {
	ID         string     `json:"id"`
	Slug       string     `json:"slug"`
	Name       string     `json:"name"`
	State      string     `json:"state"` // active, suspended or deleting
	Created    time.Time  `json:"created_at"`
	PurgeAfter *time.Time `json:"purge_after"` // of a tenant that is being deleted: until then it can be restored
	Clusters   int        `json:"clusters"`
	Shard      int        `json:"shard"` // the ClickHouse shard that its data is on, from 1
	// Generation grows with every change of State; it is the document's ETag.
	Generation uint64 `json:"-"`
}

// TenantSpec is what a new tenant is made from.
type TenantSpec struct {
	Slug string `json:"slug"`
	Name string `json:"name"`
	// Shard is the ClickHouse shard that the tenant's data will be on, from 1; nil is the one with the fewest tenants.
	Shard *int `json:"shard"`
}

// Tenants is what the operator's routes need of the directory. Errors about a tenant that is not there are NotFound.
type Tenants interface {
	ListTenants(ctx context.Context) ([]Tenant, error)
	FindTenant(ctx context.Context, id seamark.TenantID) (Tenant, error)
	CreateTenant(ctx context.Context, spec TenantSpec) (Tenant, error)
	// ChangeTenant takes a tenant to another point of its life.
	ChangeTenant(ctx context.Context, id seamark.TenantID, change TenantChange) (Tenant, error)
	// FindCertificate returns the certificate of a purged tenant, a JSON document with its signature.
	FindCertificate(ctx context.Context, id seamark.TenantID) (json.RawMessage, error)
}

// TenantChange is a step in a tenant's life.
type TenantChange struct {
	Verb TenantVerb
	// Grace is how long a tenant that is deleted can be restored; nil is the installation's.
	Grace *time.Duration
}

// TenantVerb names a step in a tenant's life.
type TenantVerb string

// The verbs.
const (
	SuspendTenant TenantVerb = "suspend"
	ResumeTenant  TenantVerb = "resume"
	DeleteTenant  TenantVerb = "delete"
	RestoreTenant TenantVerb = "restore" // before its purge
)

// TenantRoutes returns the operator's routes for tenants.
func TenantRoutes(tenants Tenants) []httpx.Route {
	h := tenantHandlers{tenants}
	const path, one, read, write = "/api/v1/tenants", "/api/v1/tenants/:id", "tenants:read", "tenants:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.list},
		{Method: http.MethodPost, Path: path, Permission: write, Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: write, Handler: h.remove},
		{Method: http.MethodPost, Path: one + "/suspend", Permission: write, Action: "tenant.suspend", Handler: h.change(SuspendTenant)},
		{Method: http.MethodPost, Path: one + "/resume", Permission: write, Action: "tenant.resume", Handler: h.change(ResumeTenant)},
		{Method: http.MethodPost, Path: one + "/restore", Permission: write, Action: "tenant.restore", Handler: h.change(RestoreTenant)},
		{Method: http.MethodGet, Path: one + "/certificate", Permission: read, Handler: h.certificate},
	}
}

type tenantHandlers struct{ tenants Tenants }

func (h tenantHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.tenants.ListTenants(r.Context())
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, list, func(t *Tenant) string { return t.Slug })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (h tenantHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var spec TenantSpec
	if err := httpx.ReadJSON(r, &spec); err != nil {
		return err
	}
	t, err := h.tenants.CreateTenant(r.Context(), spec)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.Tenant, r.Change.After = "tenant/"+t.ID, seamark.TenantID(t.ID), t
	w.Header().Set("Location", "/api/v1/tenants/"+t.ID)
	w.Header().Set("ETag", string(httpx.RevisionTag(t.Generation)))
	return httpx.WriteJSON(w, http.StatusCreated, t)
}

func (h tenantHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	t, _, err := h.tenant(r)
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, httpx.RevisionTag(t.Generation), t)
}

// tenant returns the tenant that the path names.
func (h tenantHandlers) tenant(r *httpx.Request) (Tenant, seamark.TenantID, error) {
	id, err := tenantParam(r)
	if err != nil {
		return Tenant{}, "", err
	}
	t, err := h.tenants.FindTenant(r.Context(), id)
	return t, id, err
}

func (h tenantHandlers) change(verb TenantVerb) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error { return h.take(w, r, TenantChange{Verb: verb}) }
}

// remove begins a deletion. The grace may be cut, to 0s for a purge at once.
func (h tenantHandlers) remove(w http.ResponseWriter, r *httpx.Request) error {
	change := TenantChange{Verb: DeleteTenant}
	if text := r.URL.Query().Get("grace"); text != "" {
		grace, err := time.ParseDuration(text)
		if err != nil || grace < 0 || grace > 365*24*time.Hour {
			return seamark.Errorf(seamark.Invalid, "seamark-tenant-grace", "Parameter grace is %.32q; use a duration from 0s to 8760h, such as 72h.", text)
		}
		change.Grace = &grace
	}
	return h.take(w, r, change)
}

func (h tenantHandlers) take(w http.ResponseWriter, r *httpx.Request, change TenantChange) error {
	before, id, err := h.tenant(r)
	if err != nil {
		return err
	}
	condition := r.Precondition()
	if err := condition.Check(w, httpx.RevisionTag(before.Generation)); err != nil {
		return err
	}
	after, err := h.tenants.ChangeTenant(r.Context(), id, change)
	if err != nil {
		return err
	}
	r.Change.Before, r.Change.After = before, after
	w.Header().Set("ETag", string(httpx.RevisionTag(after.Generation)))
	return httpx.WriteJSON(w, http.StatusOK, after)
}

func (h tenantHandlers) certificate(w http.ResponseWriter, r *httpx.Request) error {
	id, err := tenantParam(r)
	if err != nil {
		return err
	}
	document, err := h.tenants.FindCertificate(r.Context(), id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="seamark-deletion-`+string(id)+`.json"`)
	return httpx.WriteJSON(w, http.StatusOK, document)
}
