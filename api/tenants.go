package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// Tenant is one tenant as an operator sees it.
type Tenant struct {
	ID       string    `json:"id"`
	Slug     string    `json:"slug"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Created  time.Time `json:"created_at"`
	Clusters int       `json:"clusters"`
}

// TenantLister is what the tenant routes need of the directory.
type TenantLister interface {
	ListTenants(ctx context.Context) ([]Tenant, error)
}

// TenantRoutes returns the operator's routes for tenants.
func TenantRoutes(lister TenantLister) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/tenants", Permission: "tenants:read",
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			list, err := lister.ListTenants(r.Context())
			if err != nil {
				return err
			}
			page, err := httpx.Paginate(r, list, func(t *Tenant) string { return t.Slug })
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, page)
		},
	}}
}
