package isolation_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

const savedQueries = "/api/v1/saved-queries"

// savedQueryBody is a query that is named after the tenant's marker.
func savedQueryBody(s *side, visibility string) string {
	return `{"name":"` + s.marker + `","language":"logql","query":"{app=\"` + s.marker + `\"}","visibility":"` + visibility + `"}`
}

// savedQuery saves a query with the admin token and returns its path.
func (s *side) savedQuery(t *testing.T, visibility string) string {
	t.Helper()
	got := s.Do(t, s.Admin, http.MethodPost, savedQueries, http.Header{"Content-Type": {inJSON}}, savedQueryBody(s, visibility))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(got.Body), &made); err != nil || got.Status != http.StatusCreated {
		t.Fatalf("save a query: %d %s", got.Status, got.Body)
	}
	path := savedQueries + "/" + made.ID
	t.Cleanup(func() { s.Do(t, s.Admin, http.MethodDelete, path, nil, "") })
	return path
}

// savedQueryRows: members see what is the tenant's, editors change it. A private query of somebody else does not exist, whoever asks.
func savedQueryRows() []row {
	const one = savedQueries + "/:id"
	viewer := []string{"viewer"}
	return []row{
		{method: http.MethodGet, path: savedQueries, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			s.savedQuery(t, "tenant")
			return []request{{}, {path: savedQueries + "?language=cypher", status: http.StatusBadRequest}}
		}},
		{method: http.MethodPost, path: savedQueries, may: editors, later: viewer, status: http.StatusCreated, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: savedQueryBody(s, "tenant")}, {contentType: inJSON, body: savedQueryBody(s, "private")},
				{contentType: inJSON, body: `{"name":"x","language":"promql","query":"sum("}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: one, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.savedQuery(t, "tenant")}, {path: w.otherSide(s).savedQuery(t, "tenant"), status: http.StatusNotFound}}
		}},
		{method: http.MethodPut, path: one, may: editors, later: viewer, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			body := savedQueryBody(s, "tenant")
			return []request{
				{path: s.savedQuery(t, "tenant"), contentType: inJSON, body: body},
				{path: w.otherSide(s).savedQuery(t, "tenant"), contentType: inJSON, body: body, status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: editors, later: viewer, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.savedQuery(t, "tenant")}, {path: w.otherSide(s).savedQuery(t, "tenant"), status: http.StatusNotFound}}
		}},
	}
}
