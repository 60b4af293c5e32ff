package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	prodID = "01JD7Q3M8Z5T4V6W9X2Y1A0BCD"
	devID  = "01JD7Q3M8Z5T4V6W9X2Y1A0BCE"
)

// clusterBook keeps the clusters of one tenant.
type clusterBook struct{ list []api.Cluster }

func newClusterBook() *clusterBook {
	return &clusterBook{[]api.Cluster{{ID: devID, Name: "dev"}, {ID: prodID, Name: "prod"}}}
}

func (b *clusterBook) ListClusters(context.Context, seamark.TenantID) ([]api.Cluster, error) {
	return slices.Clone(b.list), nil
}

func (b *clusterBook) FindCluster(_ context.Context, _ seamark.TenantID, id seamark.ClusterID) (api.Cluster, error) {
	for _, c := range b.list {
		if c.ID == string(id) {
			return c, nil
		}
	}
	return api.Cluster{}, seamark.Errorf(seamark.NotFound, "seamark-cluster-unknown", "There is no such cluster.")
}

func (b *clusterBook) CreateCluster(_ context.Context, _ seamark.TenantID, name string) (api.Cluster, error) {
	b.list = append(b.list, api.Cluster{ID: "01JD7Q3M8Z5T4V6W9X2Y1A0BCF", Name: name})
	return b.list[len(b.list)-1], nil
}

func (b *clusterBook) DeleteCluster(_ context.Context, _ seamark.TenantID, id seamark.ClusterID) error {
	b.list = slices.DeleteFunc(b.list, func(c api.Cluster) bool { return c.ID == string(id) })
	return nil
}

// partOnly takes every token as one of an admin who is restricted.
type partOnly struct {
	tokens
	only *seamark.Restriction
}

func (v partOnly) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Tenant: tenantA, Kind: seamark.APIKey, Role: seamark.RoleAdmin, Only: v.only}, nil
}

// clusterEdge leaves out that creations can be repeated, which the edge does.
func clusterEdge(t *testing.T, b *clusterBook, v httpx.Verifier) edge {
	t.Helper()
	routes := api.ClusterRoutes(b)
	for i := range routes {
		routes[i].Creates = false
	}
	e, err := httpx.New(httpx.Options{Routes: routes, Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return edge{t, e}
}

const allClusters = "/api/v1/clusters"

func TestClustersAreCreatedAndDeleted(t *testing.T) {
	b := newClusterBook()
	e := clusterEdge(t, b, tokens{})
	made := e.do(tenantA, http.MethodPost, allClusters, `{"name":"new"}`)
	want(t, made, http.StatusCreated, `"name":"new"`)
	want(t, e.do(tenantA, http.MethodPost, allClusters, `{"name":"new","token":"x"}`), http.StatusBadRequest, "/token")
	found := e.do(tenantA, http.MethodGet, allClusters+"/01JD7Q3M8Z5T4V6W9X2Y1A0BCF", "")
	want(t, found, http.StatusOK, `"name":"new"`)
	if tag := found.Header().Get("ETag"); tag == "" || tag != made.Header().Get("ETag") {
		t.Errorf("the ETag is %q, and of the creation it was %q; want the same", tag, made.Header().Get("ETag"))
	}
	want(t, e.doWith(tenantA, http.MethodDelete, allClusters+"/"+prodID, "", "If-Match", `"old"`), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.do(tenantA, http.MethodDelete, allClusters+"/"+prodID, ""), http.StatusNoContent, "")
	for _, id := range []string{prodID, "prod", "%2e%2e"} {
		want(t, e.do(tenantA, http.MethodGet, allClusters+"/"+id, ""), http.StatusNotFound, "seamark-cluster-unknown")
		want(t, e.do(tenantA, http.MethodDelete, allClusters+"/"+id, ""), http.StatusNotFound, "seamark-cluster-unknown")
	}
}

// TestClusterTagForgetsArrivals: else nobody could delete a cluster that sends, under the condition that it has not changed.
func TestClusterTagForgetsArrivals(t *testing.T) {
	b := newClusterBook()
	e := clusterEdge(t, b, tokens{})
	tag := e.do(tenantA, http.MethodGet, allClusters+"/"+prodID, "").Header().Get("ETag")
	b.list[1].Arrivals = map[string]*time.Time{"logs": new(time.Unix(1, 0))}
	want(t, e.doWith(tenantA, http.MethodDelete, allClusters+"/"+prodID, "", "If-Match", tag), http.StatusNoContent, "")
}

func TestRestrictedSeeTheirClustersAlone(t *testing.T) {
	b := newClusterBook()
	e := clusterEdge(t, b, partOnly{only: &seamark.Restriction{Clusters: []string{"dev"}}})
	want(t, e.do(tenantA, http.MethodPost, allClusters, `{"name":"dev"}`), http.StatusForbidden, "seamark-scope-unsupported")
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		want(t, e.do(tenantA, method, allClusters+"/"+prodID, ""), http.StatusNotFound, "seamark-cluster-unknown")
	}
	if len(b.list) != 2 {
		t.Fatalf("the tenant has %d clusters, want its two", len(b.list))
	}
	want(t, e.do(tenantA, http.MethodGet, allClusters+"/"+devID, ""), http.StatusOK, `"name":"dev"`)
	want(t, e.do(tenantA, http.MethodDelete, allClusters+"/"+devID, ""), http.StatusNoContent, "")
}

func TestRestrictedToNamespacesDeleteNoCluster(t *testing.T) {
	b := newClusterBook()
	for _, clusters := range [][]string{nil, {"dev"}} {
		e := clusterEdge(t, b, partOnly{only: &seamark.Restriction{Clusters: clusters, Namespaces: []string{"shop"}}})
		want(t, e.do(tenantA, http.MethodGet, allClusters+"/"+devID, ""), http.StatusOK, `"name":"dev"`)
		want(t, e.do(tenantA, http.MethodDelete, allClusters+"/"+devID, ""), http.StatusForbidden, "seamark-scope-unsupported")
	}
}

func TestOperatorsHaveNoClusters(t *testing.T) {
	e := clusterEdge(t, newClusterBook(), operatorOnly{})
	want(t, e.do(tenantA, http.MethodPost, allClusters, `{"name":"x"}`), http.StatusForbidden, "seamark-permission-missing")
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		want(t, e.do(tenantA, method, allClusters+"/"+prodID, ""), http.StatusForbidden, "seamark-permission-missing")
	}
}
