package isolation_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// lifecycleRows are the routes of tenants' life, of their change log and of their retention.
func lifecycleRows() []row {
	const absent = "/api/v1/tenants/01ARZ3NDEKTSV4RRFFQ69G5FAV"
	return []row{
		{method: http.MethodGet, path: "/api/v1/changes", may: append([]string{"operator"}, admins...), status: http.StatusOK, shows: admins, sends: changesMade},
		{method: http.MethodGet, path: "/api/v1/changes/proof", may: append([]string{"operator"}, admins...), status: http.StatusOK, sends: fixed("")},
		{method: http.MethodGet, path: "/api/v1/retention", may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			setRetention(t, s)
			return []request{{}}
		}},
		{method: http.MethodPut, path: "/api/v1/retention", may: admins, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			body := func(text string) request {
				return request{contentType: "application/json", body: text, status: http.StatusBadRequest}
			}
			good := body(retentionOf(s))
			good.status = http.StatusOK
			return []request{
				good, body(`{"signals":{"logs":100000},"streams":[]}`), body(`{"signals":{"smoke":3},"streams":[]}`),
				body(`{"signals":{},"streams":[{"signal":"logs","selector":"{}","days":3}]}`),
				body(`{"signals":{},"streams":[{"signal":"logs","selector":"{a=\"b\"}","days":300}]}`),
			}
		}},
		exportRow(http.MethodGet, "", http.StatusOK, func(*testing.T, *side, string) []request { return []request{{}} }),
		exportRow(http.MethodPost, "", http.StatusCreated, func(t *testing.T, s *side, _ string) []request {
			deleteExports(t, s)
			return []request{{contentType: "application/json"}}
		}),
		exportRow(http.MethodGet, "/:id", http.StatusOK, foreignExport("")),
		exportRow(http.MethodGet, "/:id/archive", http.StatusOK, foreignExport("/archive")),
		exportRow(http.MethodDelete, "/:id", http.StatusNoContent, foreignExport("")),
		{method: http.MethodPost, path: "/api/v1/tenants", may: operators, status: http.StatusCreated, sends: func(*testing.T, *world, *side) []request {
			slug := "made-" + strings.ToLower(rand.Text())
			return []request{
				{contentType: "application/json", body: `{"slug":"` + slug + `"}`},
				{contentType: "application/json", body: `{"slug":"` + slug + `"}`, status: http.StatusConflict},
				{contentType: "application/json", body: `{"slug":"No Slug"}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: "/api/v1/tenants/:id", may: operators, status: http.StatusOK, shows: operators, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{{path: "/api/v1/tenants/" + string(s.ID)}, {path: absent, status: http.StatusNotFound}}
		}},
		// A tenant of its own: the others are needed. The walk of credentials has a suspended, a deleted and a dying tenant's.
		{method: http.MethodDelete, path: "/api/v1/tenants/:id", may: operators, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{
				{path: w.spare(t, s)}, {path: w.spare(t, s) + "?grace=never", status: http.StatusBadRequest}, {path: absent, status: http.StatusNotFound},
			}
		}},
		step("suspend", http.StatusOK), step("resume", http.StatusOK), step("restore", http.StatusConflict),
		{method: http.MethodGet, path: "/api/v1/tenants/:id/certificate", may: operators, status: http.StatusNotFound, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{{path: "/api/v1/tenants/" + string(s.ID) + "/certificate"}, {path: absent + "/certificate"}}
		}},
	}
}

// step is the row of a step in a tenant's life.
func step(verb string, status int) row {
	return row{method: http.MethodPost, path: "/api/v1/tenants/:id/" + verb, may: operators, status: status, sends: func(t *testing.T, w *world, s *side) []request {
		return []request{{path: w.spare(t, s) + "/" + verb}, {path: "/api/v1/tenants/01ARZ3NDEKTSV4RRFFQ69G5FAV/" + verb, status: http.StatusNotFound}}
	}}
}

// spare makes a tenant that a request may end, and returns its path.
func (w *world) spare(t *testing.T, s *side) string {
	t.Helper()
	answer := s.Do(t, w.operator, http.MethodPost, "/api/v1/tenants", http.Header{"Content-Type": {"application/json"}}, `{"slug":"spare-`+strings.ToLower(rand.Text())+`"}`)
	if answer.Status != http.StatusCreated {
		t.Fatalf("create a tenant: got %d %s", answer.Status, answer.Body)
	}
	return answer.Header.Get("Location")
}

func retentionOf(s *side) string {
	return `{"signals":{"logs":20},"streams":[{"signal":"logs","selector":"{app=\"` + s.marker + `\"}","days":5}]}`
}

func setRetention(t *testing.T, s *side) {
	t.Helper()
	answer := s.Do(t, s.tokens["owner"], http.MethodPut, "/api/v1/retention", http.Header{"Content-Type": {"application/json"}}, retentionOf(s))
	if answer.Status != http.StatusOK {
		t.Fatalf("set retention: got %d %s", answer.Status, answer.Body)
	}
}

// changesMade asks for the log of changes after a change whose object names the tenant's marker.
func changesMade(t *testing.T, _ *world, s *side) []request {
	t.Helper()
	s.Do(t, s.tokens["owner"], http.MethodDelete, "/prometheus/config/v1/rules/"+s.marker, nil, "")
	return []request{
		{}, {path: query("limit", "1")}, {path: query("action", "rule", "since", "2026-01-01T00:00:00Z")},
		{path: query("limit", "0"), status: http.StatusBadRequest}, {path: query("cursor", "x"), status: http.StatusBadRequest},
		{path: query("since", "yesterday"), status: http.StatusBadRequest},
	}
}

var owners = []string{"admin token", "owner"}

// exportRow is the row of a route for exports. sends gets the id of a finished export of the tenant's.
func exportRow(method, path string, status int, sends func(t *testing.T, s *side, id string) []request) row {
	return row{method: method, path: "/api/v1/tenant/exports" + path, may: owners, status: status, sends: func(t *testing.T, w *world, s *side) []request {
		id := ""
		if path != "" {
			id = finishedExport(t, s)
		}
		list := sends(t, s, id)
		foreign := w.beta
		if s == w.beta {
			foreign = w.alpha
		}
		if path != "" {
			other := list[0]
			other.path, other.status = strings.Replace(other.path, id, finishedExport(t, foreign), 1), http.StatusNotFound
			list = append(list, other)
		}
		return list
	}}
}

func foreignExport(rest string) func(*testing.T, *side, string) []request {
	return func(_ *testing.T, _ *side, id string) []request {
		return []request{{path: "/api/v1/tenant/exports/" + id + rest}}
	}
}

// export is what the tests read of one.
type export struct{ ID, State string }

func listExports(t *testing.T, s *side) []export {
	t.Helper()
	var list struct{ Items []export }
	answer := s.Do(t, s.tokens["owner"], http.MethodGet, "/api/v1/tenant/exports", nil, "")
	if err := json.Unmarshal([]byte(answer.Body), &list); err != nil {
		t.Fatalf("list exports: %s: %v", answer.Body, err)
	}
	return list.Items
}

func deleteExports(t *testing.T, s *side) {
	t.Helper()
	for _, e := range listExports(t, s) {
		s.Do(t, s.tokens["owner"], http.MethodDelete, "/api/v1/tenant/exports/"+e.ID, nil, "")
	}
}

// finishedExport returns the id of a finished export, which it makes when there is none.
func finishedExport(t *testing.T, s *side) (id string) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		list := listExports(t, s)
		for _, e := range list {
			if e.State == "done" {
				id = e.ID
				return nil
			}
		}
		if len(list) == 0 {
			s.Do(t, s.tokens["owner"], http.MethodPost, "/api/v1/tenant/exports", http.Header{"Content-Type": {"application/json"}}, "")
		}
		return fmt.Errorf("%s has no finished export: %v", s.Slug, list)
	})
	return id
}
