package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// QuarantinedQuery is a query that is refused because engines failed while it ran.
type QuarantinedQuery struct {
	ID       string             `json:"id"`               // the fingerprint
	Tenant   seamark.TenantID   `json:"tenant,omitempty"` // for operators
	Language string             `json:"language"`
	Shape    string             `json:"shape"`           // the text without its literals, which is what is refused
	Query    string             `json:"query,omitempty"` // the last text, cut; not for operators
	Actor    string             `json:"actor,omitempty"` // who asked last; not for operators
	Strikes  []QuarantineStrike `json:"strikes"`
	Until    time.Time          `json:"until"`
}

// QuarantineStrike is one time that an engine failed while the query ran.
type QuarantineStrike struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	Ran    float64   `json:"running_seconds"`
	Bytes  uint64    `json:"bytes"`
}

// Quarantine shows and lifts quarantines.
type Quarantine interface {
	// ListQuarantined returns what is quarantined of a tenant, or with the zero TenantID of all, sorted by tenant and id.
	ListQuarantined(ctx context.Context, tenant seamark.TenantID) ([]QuarantinedQuery, error)
	// LiftQuarantine ends a quarantine at once. The error is of kind NotFound.
	LiftQuarantine(ctx context.Context, tenant seamark.TenantID, id string) error
}

// QuarantineRoutes returns the routes for queries that are quarantined.
func QuarantineRoutes(quarantine Quarantine) []httpx.Route {
	h := quarantineHandlers{quarantine}
	const own, all = "/api/v1/query-quarantine", "/api/v1/operator/query-quarantine"
	return []httpx.Route{
		{Method: http.MethodGet, Path: own, Permission: cancelAll, Handler: h.list},
		{Method: http.MethodDelete, Path: own + "/:id", Permission: cancelAll, Action: "query_quarantine.lift", Handler: h.lift},
		{Method: http.MethodGet, Path: all, Permission: "tenants:read", Handler: h.listAll},
		{Method: http.MethodDelete, Path: "/api/v1/tenants/:id/query-quarantine/:query", Permission: "tenants:write", Action: "query_quarantine.lift", Handler: h.liftAny},
	}
}

type quarantineHandlers struct{ quarantine Quarantine }

func (h quarantineHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	tenant := r.Tenant()
	if err := tenant.Validate(); err != nil { // the zero TenantID would be all
		return err
	}
	return h.write(w, r, tenant)
}

func (h quarantineHandlers) listAll(w http.ResponseWriter, r *httpx.Request) error {
	var tenant seamark.TenantID
	if text := r.URL.Query().Get("tenant"); text != "" {
		var err error
		if tenant, err = seamark.ParseTenantID(text); err != nil {
			return err
		}
	}
	return h.write(w, r, tenant)
}

func (h quarantineHandlers) write(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error {
	list, err := h.quarantine.ListQuarantined(r.Context(), tenant)
	if err != nil {
		return err
	}
	for i := range list {
		if r.Principal.Operator {
			list[i].Query, list[i].Actor = "", "" // a tenant's data is the tenant's, and so are its people
		} else {
			list[i].Tenant = ""
		}
	}
	page, err := httpx.Paginate(r, list, func(q *QuarantinedQuery) string { return string(q.Tenant) + "." + q.ID })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (h quarantineHandlers) lift(w http.ResponseWriter, r *httpx.Request) error {
	return h.end(w, r, r.Tenant(), r.Param("id"))
}

func (h quarantineHandlers) liftAny(w http.ResponseWriter, r *httpx.Request) error {
	tenant, err := seamark.ParseTenantID(r.Param("id"))
	if err != nil {
		return err
	}
	return h.end(w, r, tenant, r.Param("query"))
}

func (h quarantineHandlers) end(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID, id string) error {
	if err := tenant.Validate(); err != nil {
		return err
	}
	if err := h.quarantine.LiftQuarantine(r.Context(), tenant, id); err != nil {
		return err
	}
	r.Change.Object = "query_quarantine/" + id
	w.WriteHeader(http.StatusNoContent)
	return nil
}
