package isolation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	queryJobs       = "/api/v1/query-jobs"
	runningQueries  = "/api/v1/queries"
	quarantines     = "/api/v1/query-quarantine"
	absentQuery     = "/01ARZ3NDEKTSV4RRFFQ69G5FAV"
	absentShape     = "/00000000000000000000000000000000"
	operatorQueries = "/api/v1/operator/queries"
)

// marked is a query that names the tenant's marker.
func marked(s *side) string {
	return "/prometheus/api/v1/query?query=" + `absent(none%7Bjob%3D%22` + s.marker + `%22%7D)`
}

// queryJob sends a query to the background with the admin token and returns its path when it is done.
func (s *side) queryJob(t *testing.T) string {
	t.Helper()
	got := s.Do(t, s.Admin, http.MethodGet, marked(s), http.Header{"Prefer": {"respond-async"}}, "")
	if got.Status != http.StatusAccepted {
		t.Fatalf("send a query to the background: %d %s", got.Status, got.Body)
	}
	path := got.Header.Get("Location")
	t.Cleanup(func() { s.Do(t, s.Admin, http.MethodDelete, path, nil, "") })
	testkit.Eventually(t, time.Minute, func() error {
		var job struct{ State string }
		got := s.Do(t, s.Admin, http.MethodGet, path, nil, "")
		if err := json.Unmarshal([]byte(got.Body), &job); err != nil || job.State != "done" {
			return fmt.Errorf("the job: %d %s", got.Status, got.Body)
		}
		return nil
	})
	return path
}

// endedQuery asks with the admin token and returns the path of what was asked.
func (s *side) endedQuery(t *testing.T) string {
	t.Helper()
	got := s.Do(t, s.Admin, http.MethodGet, marked(s), nil, "")
	if got.Status != http.StatusOK || got.Header.Get("Seamark-Query-Id") == "" {
		t.Fatalf("ask: %d %s", got.Status, got.Body)
	}
	return runningQueries + "/" + got.Header.Get("Seamark-Query-Id")
}

// endedQueries fills what is remembered of the tenant's queries: those of other routes ask for the other tenant's things by name.
func (s *side) endedQueries(t *testing.T) {
	const remembered = 50 // --query.history
	for range remembered {
		s.endedQuery(t)
	}
}

// runningRows: everybody who reads data sees their own queries and jobs, members those of all; admins end them.
func runningRows() []row {
	own, seeing := []string{"query token"}, []string{"editor", "viewer"}
	bad := func(path string) request { return request{path: path, status: http.StatusBadRequest} }
	gone := func(path string) request { return request{path: path, status: http.StatusNotFound} }
	rows := []row{
		{method: http.MethodGet, path: runningQueries, may: readers, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			s.endedQueries(t)
			return []request{{path: runningQueries + "?state=done"}, {}, bad(runningQueries + "?state=x"), bad(runningQueries + "?sort=x")}
		}},
		{method: http.MethodGet, path: runningQueries + "/:id", may: members, ownOnly: own, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.endedQuery(t)}, gone(w.otherSide(s).endedQuery(t)), gone(runningQueries + absentQuery)}
		}},
		{method: http.MethodDelete, path: runningQueries + "/:id", may: admins, later: seeing, ownOnly: own, status: http.StatusNotFound, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{gone(s.endedQuery(t))}
		}},
		{method: http.MethodGet, path: operatorQueries, may: operators, status: http.StatusOK, sends: func(t *testing.T, _ *world, s *side) []request {
			s.endedQuery(t)
			return []request{{path: operatorQueries + "?state=done"}, {path: operatorQueries + "?state=done&tenant=" + string(s.ID)}, bad(operatorQueries + "?tenant=x")}
		}},
		{method: http.MethodDelete, path: operatorQueries + "/:id", may: operators, status: http.StatusNotFound, sends: func(*testing.T, *world, *side) []request {
			return []request{gone(operatorQueries + absentQuery)}
		}},
		{method: http.MethodGet, path: queryJobs, may: readers, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			s.queryJob(t)
			return []request{{}, bad(queryJobs + "?limit=0")}
		}},
		{method: http.MethodDelete, path: queryJobs + "/:id", may: admins, later: seeing, ownOnly: own, status: http.StatusNoContent, sends: func(t *testing.T, _ *world, s *side) []request {
			return []request{{path: s.queryJob(t)}}
		}},
		{method: http.MethodGet, path: quarantines, may: admins, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodDelete, path: quarantines + "/:id", may: admins, status: http.StatusNotFound, sends: func(*testing.T, *world, *side) []request {
			return []request{gone(quarantines + absentShape)}
		}},
		{method: http.MethodGet, path: "/api/v1/operator/query-quarantine", may: operators, status: http.StatusOK, sends: func(*testing.T, *world, *side) []request {
			return []request{{}, bad("/api/v1/operator/query-quarantine?tenant=x")}
		}},
		{method: http.MethodDelete, path: "/api/v1/tenants/:id/query-quarantine/:query", may: operators, status: http.StatusNotFound, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{gone("/api/v1/tenants/" + string(s.ID) + "/query-quarantine" + absentShape)}
		}},
	}
	for _, part := range []string{"", "/result"} {
		rows = append(rows, row{method: http.MethodGet, path: queryJobs + "/:id" + part, may: members, ownOnly: own, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: s.queryJob(t) + part}, gone(w.otherSide(s).queryJob(t) + part), gone(queryJobs + absentQuery + part)}
		}})
	}
	return rows
}
