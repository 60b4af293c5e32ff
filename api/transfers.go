package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TenantExport is an export of all of a tenant's data and configuration.
type TenantExport struct {
	ID        string     `json:"id"`
	State     string     `json:"state"` // running, done or failed
	Created   time.Time  `json:"created_at"`
	Finished  *time.Time `json:"finished_at"`
	Expires   *time.Time `json:"expires_at"` // when it is deleted
	Node      string     `json:"node"`       // whose disk it is on
	Parts     int        `json:"parts"`      // days of tables; 0 until they were listed
	PartsDone int        `json:"parts_done"`
	Rows      uint64     `json:"rows"`
	Bytes     uint64     `json:"bytes"`
	Fault     string     `json:"fault"` // why it failed
}

// TenantExports makes and keeps exports. Errors about one that is not the tenant's are NotFound.
type TenantExports interface {
	StartExport(ctx context.Context, tenant seamark.TenantID) (TenantExport, error)
	ListExports(ctx context.Context, tenant seamark.TenantID) ([]TenantExport, error)
	FindExport(ctx context.Context, tenant seamark.TenantID, id string) (TenantExport, error)
	RemoveExport(ctx context.Context, tenant seamark.TenantID, id string) error
	// WriteArchive writes a finished export as a tar archive; begin is called before the first byte.
	WriteArchive(ctx context.Context, tenant seamark.TenantID, id string, w io.Writer, begin func()) error
}

// TenantExportRoutes returns the routes for exports of whole tenants.
func TenantExportRoutes(exports TenantExports) []httpx.Route {
	h := transferHandlers{exports}
	const all, one, permission = "/api/v1/tenant/exports", "/api/v1/tenant/exports/:id", "transfers:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: permission, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: permission, Creates: true, Action: "export.create", Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: permission, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: permission, Action: "export.delete", Handler: h.remove},
		// A download takes all of a tenant's data along: it is on record although it changes nothing.
		{Method: http.MethodGet, Path: one + "/archive", Permission: permission, Action: "export.download", Handler: h.archive},
	}
}

type transferHandlers struct{ exports TenantExports }

func (h transferHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.exports.ListExports(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[TenantExport]{Items: orEmpty(list)})
}

func (h transferHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	made, err := h.exports.StartExport(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	r.Change.Object = "export/" + made.ID
	w.Header().Set("Location", "/api/v1/tenant/exports/"+made.ID)
	return httpx.WriteJSON(w, http.StatusCreated, made)
}

func (h transferHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	found, err := h.exports.FindExport(r.Context(), r.Tenant(), r.Param("id"))
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, found)
}

func (h transferHandlers) remove(w http.ResponseWriter, r *httpx.Request) error {
	if err := h.exports.RemoveExport(r.Context(), r.Tenant(), r.Param("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h transferHandlers) archive(w http.ResponseWriter, r *httpx.Request) error {
	return h.exports.WriteArchive(r.Context(), r.Tenant(), r.Param("id"), reproving{w, r}, func() {
		w.Header().Set("Content-Type", "application/x-tar")
		w.Header().Set("Content-Disposition", `attachment; filename="seamark-tenant.tar"`)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	})
}

// reproving writes as long as the request's credential is good: a download takes long, and an owner may be removed meanwhile.
type reproving struct {
	io.Writer
	request *httpx.Request
}

// Write implements io.Writer.
func (p reproving) Write(b []byte) (int, error) {
	if err := p.request.Reauthorize(); err != nil {
		return 0, err
	}
	return p.Writer.Write(b)
}
