package isolation_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

const dashboards = "/api/v1/dashboards"

// dashboardBody is a dashboard that is named after the tenant's marker.
func dashboardBody(s *side) string {
	return `{"version":1,"title":"` + s.marker + `","panels":[{"id":1,"type":"text","title":"Note","x":0,"y":0,"w":6,"h":4}]}`
}

// dashboard makes a dashboard with the admin token and returns its path.
func (s *side) dashboard(t *testing.T) string {
	t.Helper()
	got := s.Do(t, s.Admin, http.MethodPost, dashboards, http.Header{"Content-Type": {inJSON}}, dashboardBody(s))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(got.Body), &made); err != nil || got.Status != http.StatusCreated {
		t.Fatalf("make a dashboard: %d %s", got.Status, got.Body)
	}
	path := dashboards + "/" + made.ID
	t.Cleanup(func() { s.Do(t, s.Admin, http.MethodDelete, path, nil, "") })
	return path
}

// dashboardRows: members see the tenant's dashboards, editors change them.
func dashboardRows() []row {
	const one = dashboards + "/:id"
	return []row{
		{method: http.MethodGet, path: dashboards, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			s.dashboard(t)
			return []request{{}, {path: dashboards + "?limit=0", status: http.StatusBadRequest}}
		}},
		{method: http.MethodPost, path: dashboards, may: editors, status: http.StatusCreated, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: dashboardBody(s)},
				{contentType: inJSON, body: `{"version":1,"title":"x","panels":[{"id":1,"type":"x"}]}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: one, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.dashboard(t)}, {path: w.otherSide(s).dashboard(t), status: http.StatusNotFound}}
		}},
		{method: http.MethodPut, path: one, may: editors, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			body := dashboardBody(s)
			return []request{
				{path: s.dashboard(t), contentType: inJSON, body: body},
				{path: w.otherSide(s).dashboard(t), contentType: inJSON, body: body, status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: editors, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.dashboard(t)}, {path: w.otherSide(s).dashboard(t), status: http.StatusNotFound}}
		}},
	}
}
