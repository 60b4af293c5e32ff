package isolation_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// usageRows are the routes about usage, budgets and plans. A tenant finds its clusters' names in its usage; an operator finds no name of
// any tenant's.
func usageRows() []row {
	const usage, all, budgets, plans = "/api/v1/usage", "/api/v1/operator/usage", "/api/v1/usage/budgets", "/api/v1/plans"
	bad := func(path string) request { return request{path: path, status: http.StatusBadRequest} }
	return []row{
		{method: http.MethodGet, path: usage, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			awaitUsage(t, s)
			by := usage + "?group_by=cluster,signal,source,actor"
			return []request{
				{path: by}, {path: by + "&format=csv"}, {path: by + "&tenant=01ARZ3NDEKTSV4RRFFQ69G5FAV"}, bad(usage + "?group_by=tenant"), bad(usage + "?format=xml"), bad(usage + "?start=x"),
			}
		}},
		{method: http.MethodGet, path: usage + "/queries", may: members, status: http.StatusOK, sends: func(*testing.T, *world, *side) []request {
			return []request{{}, {path: usage + "/queries?group_by=rule"}, bad(usage + "/queries?group_by=cluster"), bad(usage + "/queries?limit=0")}
		}},
		{method: http.MethodGet, path: usage + "/summary", may: members, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodGet, path: usage + "/reconciliation", may: members, status: http.StatusOK, sends: func(*testing.T, *world, *side) []request {
			return []request{{}, bad(usage + "/reconciliation?start=1&end=100000000")}
		}},
		{method: http.MethodGet, path: budgets, may: members, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodPut, path: budgets, may: []string{"admin token", "owner"}, status: http.StatusOK, sends: func(*testing.T, *world, *side) []request {
			body := func(text string, status int) request {
				return request{contentType: "application/json", body: text, status: status}
			}
			return []request{body(`{"budgets":[{"signal":"logs","rows":1000000000,"bytes":0}]}`, http.StatusOK), body(`{"budgets":[{"signal":"logs"}]}`, http.StatusBadRequest)}
		}},
		{method: http.MethodGet, path: all, may: operators, status: http.StatusOK, sends: func(t *testing.T, _ *world, s *side) []request {
			awaitUsage(t, s)
			return []request{
				{path: all + "?group_by=tenant,signal,source"}, {path: all + "?format=csv&tenant=" + string(s.ID)}, bad(all + "?group_by=cluster"), bad(all + "?group_by=actor"),
				bad(all + "?tenant=x"),
			}
		}},
		{method: http.MethodGet, path: all + "/summary", may: operators, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{path: all + "/summary?tenant=" + string(s.ID)}, bad(all + "/summary"),
				{path: all + "/summary?tenant=01ARZ3NDEKTSV4RRFFQ69G5FAV", status: http.StatusNotFound},
			}
		}},
		{method: http.MethodGet, path: all + "/reconciliation", may: operators, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{}, {path: all + "/reconciliation?tenant=" + string(s.ID)},
				{path: all + "/reconciliation?tenant=01ARZ3NDEKTSV4RRFFQ69G5FAV", status: http.StatusNotFound},
			}
		}},
		{method: http.MethodGet, path: "/api/v1/operator/health", may: operators, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodGet, path: plans, may: operators, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodPut, path: plans + "/:name", may: operators, status: http.StatusOK, sends: func(*testing.T, *world, *side) []request {
			body := func(name, text string, status int) request {
				return request{path: plans + "/" + name, contentType: "application/json", body: text, status: status}
			}
			return []request{
				body("wide", `{"title":"Wide","quota":{"max_labels":64}}`, http.StatusOK), body("wide", `{"title":"Wide","quota":{"max_labels":-1}}`, http.StatusBadRequest),
				body("No-Name", `{"title":"Wide","quota":{}}`, http.StatusBadRequest),
			}
		}},
		{method: http.MethodGet, path: plans + "/:name", may: operators, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: savePlan(t, w, s, "shown")}, {path: plans + "/none", status: http.StatusNotFound}}
		}},
		{method: http.MethodDelete, path: plans + "/:name", may: operators, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: savePlan(t, w, s, "over-"+strings.ToLower(string(s.ID)))}, {path: plans + "/none", status: http.StatusNotFound}}
		}},
		{method: http.MethodPut, path: "/api/v1/tenants/:id/plan", may: operators, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			body := func(id, text string, status int) request {
				return request{path: "/api/v1/tenants/" + id + "/plan", contentType: "application/json", body: text, status: status}
			}
			return []request{
				body(string(s.ID), `{"plan":""}`, http.StatusOK), body(string(s.ID), `{"plan":"none"}`, http.StatusBadRequest),
				body("01ARZ3NDEKTSV4RRFFQ69G5FAV", `{"plan":""}`, http.StatusNotFound),
			}
		}},
	}
}

// awaitUsage has a cluster that is named after the marker send a line, and returns when the tenant's usage names it.
func awaitUsage(t *testing.T, s *side) {
	t.Helper()
	c, err := s.App.Directory().CreateCluster(t.Context(), s.ID, tenant.ClusterSpec{Name: s.marker + "-" + strings.ToLower(rand.Text())})
	if err != nil {
		t.Fatal(err)
	}
	token := s.Token(t, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "metered", Cluster: c.ID})
	body := fmt.Sprintf(`{"streams":[{"stream":{"app":"metered"},"values":[["%d","line"]]}]}`, time.Now().UnixNano())
	s.Post(t, token, "/loki/api/v1/push", "application/json", body, http.StatusNoContent)
	testkit.Eventually(t, time.Minute, func() error {
		answer := s.Do(t, s.Admin, http.MethodGet, "/api/v1/usage?group_by=cluster", nil, "")
		if answer.Status != http.StatusOK || !strings.Contains(answer.Body, c.Name) {
			return fmt.Errorf("got %d %s, want it to name %s", answer.Status, answer.Body, c.Name)
		}
		return nil
	})
}

func savePlan(t *testing.T, w *world, s *side, name string) string {
	t.Helper()
	path := "/api/v1/plans/" + name
	answer := s.Do(t, w.operator, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, `{"title":"A plan","quota":{}}`)
	if answer.Status != http.StatusOK {
		t.Fatalf("save a plan: got %d %s", answer.Status, answer.Body)
	}
	return path
}
