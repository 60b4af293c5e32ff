package isolation_test

import (
	"net/http"
	"testing"
)

// forwarderBody is a forwarder whose target nothing reaches: its name stands for this machine, which the guard refuses.
func forwarderBody(s *side) string {
	return `{"filter":"{app=\"` + s.marker + `\"}","target":{"webhook":{"url":"http://localhost:9/"}}}`
}

// forwarder makes a forwarder of the tenant's and returns the path of it.
func (s *side) forwarder(t *testing.T, name string) string {
	t.Helper()
	path := "/api/v1/forwarders/" + name
	if got := s.Do(t, s.Admin, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, forwarderBody(s)); got.Status != http.StatusOK {
		t.Fatalf("make a forwarder: %d %s", got.Status, got.Body)
	}
	return path
}

func forwarderRows() []row {
	const all, one = "/api/v1/forwarders", "/api/v1/forwarders/:name"
	of := func(name, more string) func(*testing.T, *world, *side) []request {
		return func(t *testing.T, _ *world, s *side) []request {
			return []request{{path: s.forwarder(t, name) + more}, {path: all + "/absent" + more, status: http.StatusNotFound}}
		}
	}
	return []row{
		{method: http.MethodGet, path: all, may: admins, status: http.StatusOK, shows: admins, sends: func(t *testing.T, _ *world, s *side) []request {
			s.forwarder(t, "shown")
			return []request{{}, {path: "limit=0", status: http.StatusBadRequest}}
		}},
		{method: http.MethodGet, path: one, may: admins, status: http.StatusOK, shows: admins, sends: of("shown", "")},
		{method: http.MethodPut, path: one, may: admins, status: http.StatusOK, shows: admins, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{path: all + "/written", contentType: "application/json", body: forwarderBody(s)},
				{path: all + "/written", contentType: "application/json", body: `{"filter":"{","target":{}}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodDelete, path: one, may: admins, status: http.StatusNoContent, sends: of("removed", "")},
		{method: http.MethodPost, path: one + "/test", may: admins, status: http.StatusUnprocessableEntity, sends: of("shown", "/test")},
		{method: http.MethodGet, path: one + "/status", may: admins, status: http.StatusOK, sends: of("shown", "/status")},
	}
}
