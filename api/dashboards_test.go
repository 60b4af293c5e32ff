package api_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// dashboardBook keeps dashboards as the directory would, of one tenant.
type dashboardBook map[string]api.Dashboard

func (b dashboardBook) ListDashboards(context.Context, seamark.TenantID) ([]api.Dashboard, error) {
	return slices.SortedFunc(maps.Values(b), func(x, y api.Dashboard) int { return strings.Compare(x.ID, y.ID) }), nil
}

func (b dashboardBook) FindDashboard(_ context.Context, _ seamark.TenantID, id string) (api.Dashboard, error) {
	d, ok := b[id]
	if !ok {
		return d, seamark.Errorf(seamark.NotFound, "seamark-dashboard-unknown", "There is none.")
	}
	return d, nil
}

func (b dashboardBook) CreateDashboard(_ context.Context, _ seamark.TenantID, spec seamark.Dashboard) (api.Dashboard, error) {
	d := api.Dashboard{ID: fmt.Sprintf("id%d", len(b)), Spec: spec}
	b[d.ID] = d
	return d, nil
}

func (b dashboardBook) UpdateDashboard(ctx context.Context, id seamark.TenantID, dashboard string, spec seamark.Dashboard, check api.DashboardCheck) (api.Dashboard, error) {
	d, err := b.FindDashboard(ctx, id, dashboard)
	if err := cmp.Or(err, check(d)); err != nil {
		return d, err
	}
	d.Spec = spec
	b[dashboard] = d
	return d, nil
}

func (b dashboardBook) DeleteDashboard(ctx context.Context, id seamark.TenantID, dashboard string, check api.DashboardCheck) error {
	d, err := b.FindDashboard(ctx, id, dashboard)
	if err := cmp.Or(err, check(d)); err != nil {
		return err
	}
	delete(b, dashboard)
	return nil
}

// newDashboardEdge serves the routes without the edge's own part of a creation, which needs a store of answers.
func newDashboardEdge(t *testing.T) edge {
	t.Helper()
	routes := api.DashboardRoutes(dashboardBook{})
	for i := range routes {
		routes[i].Creates = false
	}
	return newEdge(t, "", routes)
}

func TestDashboards(t *testing.T) {
	e := newDashboardEdge(t)
	const path = "/api/v1/dashboards"
	body := `{"version":1,"title":"Shop","tags":["a"],"panels":[{"id":1,"type":"row","title":"","x":0,"y":0,"w":24,"h":1},{"id":2,"type":"text","title":"","x":0,"y":1,"w":24,"h":1}]}`
	want(t, e.do(tenantA, http.MethodPost, path, body), http.StatusCreated, `"id":"id0"`)
	want(t, e.do(tenantA, http.MethodPost, path, `{"version":1,"title":"Queue","panels":[]}`), http.StatusCreated, `"id":"id1"`)
	want(t, e.do(tenantA, http.MethodPost, path, `{"title":1,"colour":"red"}`), http.StatusBadRequest, "seamark-body-invalid")
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `"title":"Shop","description":"","tags":["a"],"panels":1`)
	want(t, e.do(tenantA, http.MethodGet, path+"?tag=b", ""), http.StatusOK, `"items":[]`)
	want(t, e.do(tenantA, http.MethodGet, path+"?q=QUE", ""), http.StatusOK, `{"items":[{"id":"id1"`)
	want(t, e.do(tenantA, http.MethodGet, path+"?limit=1", ""), http.StatusOK, `"next_cursor"`)
	want(t, e.do(tenantA, http.MethodGet, path+"/id0", ""), http.StatusOK, `"type":"row"`)
	want(t, e.do(tenantA, http.MethodGet, path+"/absent", ""), http.StatusNotFound, "seamark-dashboard-unknown")
}

func TestDashboardConditions(t *testing.T) {
	e := newDashboardEdge(t)
	const path = "/api/v1/dashboards/id0"
	body := `{"version":1,"title":"Up","panels":[]}`
	first := e.do(tenantA, http.MethodPost, "/api/v1/dashboards", body).Header().Get("ETag")
	want(t, e.doWith(tenantA, http.MethodGet, path, "", "If-None-Match", first), http.StatusNotModified, "")
	changed := e.doWith(tenantA, http.MethodPut, path, strings.Replace(body, "Up", "Down", 1), "If-Match", first)
	want(t, changed, http.StatusOK, `"title":"Down"`)
	want(t, e.doWith(tenantA, http.MethodPut, path, body, "If-Match", first), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.doWith(tenantA, http.MethodDelete, path, "", "If-Match", first), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.doWith(tenantA, http.MethodDelete, path, "", "If-Match", changed.Header().Get("ETag")), http.StatusNoContent, "")
}
