package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Cluster is one cluster as the API shows it.
type Cluster struct {
	ID       string                `json:"id"`
	Name     string                `json:"name"`
	Created  time.Time             `json:"created_at"`
	Arrivals map[string]*time.Time `json:"arrivals"` // per signal; null where none arrived yet
}

// ClusterLister is what the cluster routes need of the directory.
type ClusterLister interface {
	// ListClusters returns the tenant's clusters by name, with when each signal last arrived.
	ListClusters(ctx context.Context, tenant seamark.TenantID) ([]Cluster, error)
}

// ClusterRoutes returns the routes for clusters.
func ClusterRoutes(lister ClusterLister) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/clusters", Permission: "clusters:read", HonoursScope: true,
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			list, err := lister.ListClusters(r.Context(), r.Principal.Tenant)
			if err != nil {
				return err
			}
			if only := r.Scope().Only; only != nil && len(only.Clusters) > 0 {
				list = slices.DeleteFunc(list, func(c Cluster) bool { return !slices.Contains(only.Clusters, c.Name) })
			}
			page, err := httpx.Paginate(r, list, func(c *Cluster) string { return c.Name })
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, page)
		},
	}}
}
