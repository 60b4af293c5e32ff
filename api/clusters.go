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

// Clusters is what the cluster routes need of the directory.
type Clusters interface {
	// ListClusters returns the tenant's clusters by name, with when each signal last arrived.
	ListClusters(ctx context.Context, tenant seamark.TenantID) ([]Cluster, error)
	// FindCluster returns one of them. The error is of kind NotFound, for another tenant's cluster too.
	FindCluster(ctx context.Context, tenant seamark.TenantID, id seamark.ClusterID) (Cluster, error)
	// CreateCluster makes a cluster. The error is of kind Invalid for a bad name, Conflict when the name is taken.
	CreateCluster(ctx context.Context, tenant seamark.TenantID, name string) (Cluster, error)
	// DeleteCluster ends a cluster and every token that is bound to it. Its data stays until retention removes it.
	DeleteCluster(ctx context.Context, tenant seamark.TenantID, id seamark.ClusterID) error
}

type clusterHandlers struct{ clusters Clusters }

// ClusterRoutes returns the routes for clusters. Who is restricted to some clusters makes none, and the others do not exist
// for them.
func ClusterRoutes(clusters Clusters) []httpx.Route {
	h := clusterHandlers{clusters}
	const all, one = "/api/v1/clusters", "/api/v1/clusters/:id"
	const read, write = "clusters:read", "clusters:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, HonoursScope: true, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, HonoursScope: true, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: write, HonoursScope: true, Handler: h.delete},
	}
}

func (h clusterHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.clusters.ListClusters(r.Context(), r.Principal.Tenant)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(c Cluster) bool { return !seesCluster(r, c.Name) })
	return writePage(w, r, list, func(c *Cluster) string { return c.Name })
}

// seesCluster reports whether a cluster is inside of the request's scope. A restriction to namespaces alone hides none:
// each may have some of them.
func seesCluster(r *httpx.Request, name string) bool {
	only := r.Scope().Only
	return only == nil || len(only.Clusters) == 0 || slices.Contains(only.Clusters, name)
}

func (h clusterHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	cluster, err := h.clusters.CreateCluster(r.Context(), r.Tenant(), in.Name)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "cluster/"+cluster.ID, identityOf(cluster)
	return writeTagged(w, r, http.StatusCreated, cluster)
}

func (h clusterHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	cluster, err := h.findInside(r)
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, cluster)
}

// findInside returns the cluster that the path names, if it is inside of the request's scope.
func (h clusterHandlers) findInside(r *httpx.Request) (Cluster, error) {
	if err := ofTenant(r); err != nil {
		return Cluster{}, err
	}
	id, err := seamark.ParseClusterID(r.Param("id"))
	if err != nil {
		return Cluster{}, clusterUnknown()
	}
	cluster, err := h.clusters.FindCluster(r.Context(), r.Principal.Tenant, id)
	if err != nil {
		return Cluster{}, err
	}
	if !seesCluster(r, cluster.Name) {
		return Cluster{}, clusterUnknown()
	}
	return cluster, nil
}

func (h clusterHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	cluster, err := h.findInside(r)
	if err != nil {
		return err
	}
	if only := r.Scope().Only; only != nil && len(only.Namespaces) > 0 {
		return seamark.Errorf(seamark.Forbidden, "seamark-scope-unsupported",
			"You are restricted to %s, and a cluster ends with all of its namespaces. Ask somebody who is not.", only)
	}
	r.Change.Before = identityOf(cluster)
	condition := r.Precondition()
	if err := checkTag(w, &condition, cluster); err != nil {
		return err
	}
	if err := h.clusters.DeleteCluster(r.Context(), r.Principal.Tenant, seamark.ClusterID(cluster.ID)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// clusterIdentity is what a cluster is, without what arrived from it.
type clusterIdentity struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created_at"`
}

func identityOf(c Cluster) clusterIdentity { return clusterIdentity{c.ID, c.Name, c.Created} }

// lasting implements partlyTagged: arrivals change all the time.
func (c Cluster) lasting() any { return identityOf(c) }
