package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Dashboard is a dashboard of a tenant's own.
type Dashboard struct {
	ID      string            `json:"id"`
	Spec    seamark.Dashboard `json:"spec"`
	Created time.Time         `json:"created_at"`
	Updated time.Time         `json:"updated_at"`
}

// DashboardSummary is a dashboard in a list: without panels, which may be many.
type DashboardSummary struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Tags        []string  `json:"tags"`
	Panels      int       `json:"panels"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
}

// DashboardCheck sees a stored dashboard before it is changed or deleted; its error ends that.
type DashboardCheck func(Dashboard) error

// Dashboards keeps the tenants' dashboards.
type Dashboards interface {
	// ListDashboards returns a tenant's, sorted by id.
	ListDashboards(ctx context.Context, tenant seamark.TenantID) ([]Dashboard, error)
	FindDashboard(ctx context.Context, tenant seamark.TenantID, id string) (Dashboard, error)
	CreateDashboard(ctx context.Context, tenant seamark.TenantID, spec seamark.Dashboard) (Dashboard, error)
	UpdateDashboard(ctx context.Context, tenant seamark.TenantID, id string, spec seamark.Dashboard, check DashboardCheck) (Dashboard, error)
	DeleteDashboard(ctx context.Context, tenant seamark.TenantID, id string, check DashboardCheck) error
}

type dashboardHandlers struct{ dashboards Dashboards }

// DashboardRoutes returns the routes for dashboards. They are not for who is restricted to a part of the tenant: the texts name
// clusters and namespaces.
func DashboardRoutes(dashboards Dashboards) []httpx.Route {
	h := dashboardHandlers{dashboards}
	const all, one, read, write = "/api/v1/dashboards", "/api/v1/dashboards/:id", "dashboards:read", "dashboards:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Action: "dashboard.create", Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: write, Action: "dashboard.update", Handler: h.update},
		{Method: http.MethodDelete, Path: one, Permission: write, Action: "dashboard.delete", Handler: h.delete},
	}
}

// list answers what passes the parameters tag and q.
func (h dashboardHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	found, err := h.dashboards.ListDashboards(r.Context(), r.Principal.Tenant)
	if err != nil {
		return err
	}
	form := r.URL.Query()
	rows := []DashboardSummary{}
	for i := range found {
		if row := found[i].summary(); row.passes(form) {
			rows = append(rows, row)
		}
	}
	page, err := httpx.Paginate(r, rows, func(d *DashboardSummary) string { return d.ID })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (d *Dashboard) summary() DashboardSummary {
	s := DashboardSummary{ID: d.ID, Title: d.Spec.Title, Description: d.Spec.Description, Tags: d.Spec.Tags, Created: d.Created, Updated: d.Updated}
	if s.Tags == nil {
		s.Tags = []string{}
	}
	for i := range d.Spec.Panels {
		if d.Spec.Panels[i].Type != "row" {
			s.Panels++
		}
	}
	return s
}

// passes reports whether a dashboard is one that a list's parameters ask for. Each tag must be one of its own; the text stands in
// its title or description, in any case of letters.
func (d *DashboardSummary) passes(form url.Values) bool {
	for _, tag := range form["tag"] {
		if tag != "" && !slices.Contains(d.Tags, tag) {
			return false
		}
	}
	text := strings.ToLower(form.Get("q"))
	return text == "" || strings.Contains(strings.ToLower(d.Title), text) || strings.Contains(strings.ToLower(d.Description), text)
}

func (h dashboardHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	d, err := h.dashboards.FindDashboard(r.Context(), r.Principal.Tenant, r.Param("id"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, d)
}

func (h dashboardHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var in seamark.Dashboard
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := h.dashboards.CreateDashboard(r.Context(), r.Principal.Tenant, in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "dashboard/"+d.ID, d
	return writeTagged(w, r, http.StatusCreated, d)
}

func (h dashboardHandlers) update(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "dashboard/" + id
	var in seamark.Dashboard
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	d, err := h.dashboards.UpdateDashboard(r.Context(), r.Principal.Tenant, id, in, checkChange[Dashboard](w, r))
	if err != nil {
		return err
	}
	r.Change.After = d
	return writeTagged(w, r, http.StatusOK, d)
}

func (h dashboardHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	id := r.Param("id")
	r.Change.Object = "dashboard/" + id
	if err := h.dashboards.DeleteDashboard(r.Context(), r.Principal.Tenant, id, checkChange[Dashboard](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
