package isolation_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// logRulesBody is a group over logs that names the tenant's marker.
func logRulesBody(s *side, group string) string {
	return "name: " + group + "\nrules:\n  - alert: Logs\n    expr: sum(count_over_time({app=`" + s.marker + "`}[1m])) > 1\n"
}

// ruleRows are the rulers' configuration, Mimir's and Loki's under two paths each, and the state of the rules.
func ruleRows() []row {
	rows := []row{
		{method: http.MethodGet, path: "/prometheus/api/v1/rules", may: readers, status: http.StatusOK, shows: readers, sends: fixed("")},
		{method: http.MethodGet, path: "/prometheus/api/v1/alerts", may: readers, status: http.StatusOK, shows: readers, sends: fixed("")},
	}
	return slices.Concat(rows, rulerRows("/prometheus/config/v1/rules", rulesBody), rulerRows("/api/v1/rules", rulesBody),
		rulerRows("/loki/api/v1/rules", logRulesBody), rulerRows("/api/prom/rules", logRulesBody))
}

func rulerRows(config string, body func(s *side, group string) string) []row {
	// kept is a namespace of the tenant's for this language, made anew for each request.
	kept := strings.NewReplacer("/", "-").Replace(config)
	of := func(path string) func(t *testing.T, w *world, s *side) []request {
		return func(t *testing.T, _ *world, s *side) []request {
			s.Post(t, s.Admin, config+"/"+kept, "application/yaml", body(s, "spare"), http.StatusAccepted)
			return []request{{path: config + path}}
		}
	}
	namespace, group := "/"+kept, "/"+kept+"/spare"
	return []row{
		{method: http.MethodGet, path: config, may: readers, status: http.StatusOK, shows: readers, sends: of("")},
		{method: http.MethodGet, path: config + "/:namespace", may: readers, status: http.StatusOK, shows: readers, sends: of(namespace)},
		{method: http.MethodGet, path: config + "/:namespace/:group", may: readers, status: http.StatusOK, shows: readers, sends: of(group)},
		{method: http.MethodPost, path: config + "/:namespace", may: editors, status: http.StatusAccepted, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{path: config + namespace, contentType: "application/yaml", body: body(s, "spare")},
				{path: config + namespace, contentType: "application/yaml", body: "name: broken\nrules: [{alert: X, expr: 'same{'}]", status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodDelete, path: config + "/:namespace/:group", may: editors, status: http.StatusAccepted, sends: of(group)},
		{method: http.MethodDelete, path: config + "/:namespace", may: editors, status: http.StatusAccepted, sends: of(namespace)},
	}
}

// alertingRows are rule groups in our own form, what tries them, and packs of rules.
func alertingRows() []row {
	const all, one, packs = "/api/v1/alerting/groups", "/api/v1/alerting/groups/:namespace/:group", "/api/v1/alerting/packs"
	draft := func(s *side) string {
		return fmt.Sprintf(`{"group":%q}`, rulesBody(s, "drafted"))
	}
	group := func(t *testing.T, _ *world, s *side) []request {
		s.put(t, all+"/drafts/drafted", draft(s))
		return []request{{path: all + "/drafts/drafted"}, {path: all + "/drafts/absent", status: http.StatusNotFound}}
	}
	tries := func(path string, shows []string) row {
		return row{method: http.MethodPost, path: path, may: editors, status: http.StatusOK, shows: shows, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{{contentType: inJSON, body: draft(s)}, {contentType: inJSON, body: `{"group":null}`, status: http.StatusBadRequest}}
		}}
	}
	pack := func(more string) func(*testing.T, *world, *side) []request {
		return func(t *testing.T, _ *world, s *side) []request {
			s.put(t, packs+"/nodes", `{}`)
			return []request{{path: packs + "/nodes" + more}, {path: packs + "/absent" + more, status: http.StatusNotFound}}
		}
	}
	return []row{
		{method: http.MethodGet, path: all, may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, w *world, s *side) []request {
			group(t, w, s)
			return []request{{}}
		}},
		{method: http.MethodGet, path: one, may: readers, status: http.StatusOK, shows: readers, sends: group},
		{method: http.MethodPut, path: one, may: editors, status: http.StatusOK, shows: editors, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{path: all + "/drafts/drafted", contentType: inJSON, body: draft(s)},
				{path: all + "/drafts/other", contentType: inJSON, body: draft(s), status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodDelete, path: one, may: editors, status: http.StatusNoContent, sends: group},
		tries("/api/v1/alerting/check", nil),
		tries("/api/v1/alerting/dry-run", editors),
		{method: http.MethodPost, path: "/api/v1/alerting/backtest", may: editors, status: http.StatusOK, shows: editors, sends: func(_ *testing.T, _ *world, s *side) []request {
			short := strings.Replace(draft(s), "{", `{"interval":"10m",`, 1)
			return []request{{contentType: inJSON, body: short}, {contentType: inJSON, body: draft(s), status: http.StatusBadRequest}} // 1 s over a week
		}},
		{method: http.MethodGet, path: packs, may: readers, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodGet, path: packs + "/:pack", may: readers, status: http.StatusOK, sends: pack("")},
		{method: http.MethodPut, path: packs + "/:pack", may: editors, status: http.StatusOK, sends: func(_ *testing.T, _ *world, _ *side) []request {
			return []request{
				{path: packs + "/nodes", contentType: inJSON, body: `{"parameters":{"load_per_cpu":"5"}}`},
				{path: packs + "/nodes", contentType: inJSON, body: `{"parameters":{"load_per_cpu":"many"}}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodDelete, path: packs + "/:pack", may: editors, status: http.StatusNoContent, sends: pack("")},
		{method: http.MethodGet, path: packs + "/:pack/runbooks/:alert", may: readers, status: http.StatusOK, sends: pack("/runbooks/NodeNotReady")},
		{method: http.MethodGet, path: packs + "/:pack/files/:file", may: readers, status: http.StatusOK, sends: pack("/files/rules.yaml")},
	}
}

// put stores a document as the tenant's administrator.
func (s *side) put(t *testing.T, path, body string) {
	t.Helper()
	if got := s.Do(t, s.Admin, http.MethodPut, path, http.Header{"Content-Type": {inJSON}}, body); got.Status != http.StatusOK {
		t.Fatalf("PUT %s: %d %s", path, got.Status, got.Body)
	}
}
