package isolation_test

import (
	"net/http"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// clusterRows are the routes for clusters. Both tenants have one that is called like the other's, and one that is called like
// the marker.
func clusterRows() []row {
	const all, one = "/api/v1/clusters", "/api/v1/clusters/:id"
	at := func(id seamark.ClusterID) string { return all + "/" + string(id) }
	return []row{
		{method: http.MethodGet, path: all, may: anybody, status: http.StatusOK, shows: readers, sends: fixed("")},
		{method: http.MethodPost, path: all, may: admins, status: http.StatusCreated, shows: admins, sends: func(t *testing.T, w *world, s *side) []request {
			body := func(name string, status int) request {
				return request{contentType: inJSON, body: `{"name":"` + name + `"}`, status: status}
			}
			s.endCluster(t, s.marker+"-made")
			w.otherSide(s).cluster(t, "taken")
			s.endCluster(t, "taken")
			return []request{
				body(s.marker+"-made", 0), body(s.marker+"-made", http.StatusConflict), body("No Slug", http.StatusBadRequest),
				body("taken", http.StatusCreated), // a name is taken in its own tenant alone
				{contentType: inJSON, body: `{"name":"x","tenant":"` + string(w.otherSide(s).ID) + `"}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: one, may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{
				{path: at(s.cluster(t, s.marker))}, {path: at(w.otherSide(s).Cluster.ID), status: http.StatusNotFound}, {path: all + "/absent", status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: admins, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{
				{path: at(s.cluster(t, "ends"))}, {path: at(w.otherSide(s).cluster(t, "stays")), status: http.StatusNotFound}, {path: all + "/absent", status: http.StatusNotFound},
			}
		}, after: func(t *testing.T, s *side) {
			for _, c := range s.App.Directory().ListClusters(t.Context(), s.ID) {
				if c.Name == "ends" {
					t.Errorf("%s has its deleted cluster still", s.Slug)
				}
			}
		}},
	}
}

// cluster returns the tenant's cluster of a name, which it makes when there is none.
func (s *side) cluster(t *testing.T, name string) seamark.ClusterID {
	t.Helper()
	d := s.App.Directory()
	for _, c := range d.ListClusters(t.Context(), s.ID) {
		if c.Name == name {
			return c.ID
		}
	}
	made, err := d.CreateCluster(t.Context(), s.ID, tenant.ClusterSpec{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// endCluster deletes the tenant's cluster of a name.
func (s *side) endCluster(t *testing.T, name string) {
	t.Helper()
	if err := s.App.Directory().DeleteCluster(t.Context(), s.ID, s.cluster(t, name)); err != nil {
		t.Fatal(err)
	}
}
