package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// TestSecretsAreFoundNowhere sets a secret in every place that takes or makes one, uses all of them, and looks for them everywhere.
func TestSecretsAreFoundNowhere(t *testing.T) {
	c := contract.Load(t)
	begin := time.Now()
	step := func(what string) { t.Logf("%s after %s", what, time.Since(begin).Round(100*time.Millisecond)) }
	s := newScene(t)
	step("the server is ready")
	for _, part := range []struct {
		what string
		set  func()
	}{
		{"a tenant and its people", s.tenantWithPeople}, {"invitations and passwords", s.invited}, {"tokens and keys", s.credentials},
		{"receivers", s.alertmanager}, {"forwarders", s.forwarders}, {"a sign-in at a provider", s.providerSignIn},
		{"misplaced secrets", s.misplaced}, {"what else the walk asks for", s.others}, {"queries", s.queries},
	} {
		part.set()
		step(part.what)
	}
	for _, of := range secretProperties(t, c) {
		if len(s.texts[of]) == 0 {
			t.Errorf("openapi.yaml: nothing sets the secret %s; add a case to the scene", of)
		}
	}
	archive, backup := s.export(), s.backup()

	step("export and backup are made")
	found := newSearch(t, s.texts)
	for where, answer := range s.answers {
		found.look("answer", where, answer)
	}
	s.walk(c, func(where string, answer []byte) { found.look("answer", where, answer) })
	found.lookArchive("export", "the tenant's export", archive)
	_, frame, _ := strings.Cut(string(backup), "\n")
	found.look("backup", "the backup", []byte(frame))
	s.process(found)
	step("answers are searched")
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := s.server.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	step("the server has ended")
	found.look("log", "the log", []byte(s.server.Log()))
	found.lookFolder(s.server.DataDir)
	step("all files are searched")
	for _, kind := range []string{
		"answer", "export", "backup", "log", "process", "file nats", "file clickhouse", "file directory.json", "file KV_seamark_clusters", "file KV_seamark_tenants",
	} {
		if !found.marked[kind] {
			t.Errorf("the marker is not found in %s: the test looks in the wrong place, or in the wrong way", kind)
		}
	}
}

// others makes what the walk over the API asks for beside the secrets.
func (s *scene) others() {
	s.t.Helper()
	owner, operator := s.people["owner"], s.people["root"]
	s.call(nil, owner, http.MethodPost, "/api/v1/roles", map[string]any{"name": "support", "permissions": []string{"data:read"}})
	s.call(nil, operator, http.MethodPut, "/api/v1/plans/small", map[string]any{"title": "Small", "quota": map[string]any{}})
	var query struct{ ID string }
	s.call(&query, owner, http.MethodPost, "/api/v1/saved-queries", map[string]any{"name": s.marker, "language": "logql", "query": `{app="probe"}`})
	var dashboard struct{ ID string }
	s.call(&dashboard, owner, http.MethodPost, "/api/v1/dashboards", map[string]any{"version": 1, "title": s.marker, "panels": []any{}})
	var detector struct{ ID string }
	s.call(&detector, owner, http.MethodPost, "/api/v1/alerting/detectors", map[string]any{"name": s.marker, "kind": "anomaly", "expr": "avg(up)"})
	s.call(nil, owner, http.MethodPut, "/api/v1/alerting/packs/workloads", map[string]any{})
	for at, id := range map[string]string{
		"roles/name": "support", "plans/name": "small", "saved-queries/id": query.ID, "dashboards/id": dashboard.ID, "label/name": "app", "detected_field/name": "app", "detectors/id": detector.ID,
		"groups/namespace": s.ids["rules/namespace"], "packs/pack": "workloads", "runbooks/alert": "ContainerRestarting", "files/file": "rules.yaml",
	} {
		s.ids[at] = id
	}
	s.eventually(func() error {
		status, text := s.ask(s.people["query token"], "/loki/api/v1/query_range", map[string][]string{"query": {`{app="probe"}`}})
		if status != http.StatusOK || !strings.Contains(string(text), s.marker) {
			return fmt.Errorf("the line is not stored yet: %d %s", status, text)
		}
		return nil
	})
}

// queries asks one that the walk then finds among those that have ended, and one in the background.
func (s *scene) queries() {
	s.t.Helper()
	const path = "/prometheus/api/v1/query?query=up"
	s.answers["a query"] = s.read(s.send(s.people["owner"], http.MethodGet, path, nil))
	s.eventually(func() error {
		var list struct{ Items []struct{ ID string } }
		s.call(&list, s.people["owner"], http.MethodGet, "/api/v1/queries?state=done", nil)
		if len(list.Items) == 0 {
			return errors.New("no query has ended yet")
		}
		s.ids["queries/id"] = list.Items[0].ID
		return nil
	})
	r, err := http.NewRequest(http.MethodGet, s.server.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.people["owner"])
	r.Header.Set("Prefer", "respond-async")
	begun, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.answers["a query in the background"] = s.read(begun)
	location := begun.Header.Get("Location")
	s.ids["query-jobs/id"] = location[strings.LastIndexByte(location, '/')+1:]
	s.eventually(func() error {
		status, text := s.ask(s.people["owner"], "/api/v1/query-jobs/{id}/result", nil)
		if status != http.StatusOK {
			return fmt.Errorf("the query in the background: %d %s; it was answered %d with Location %q", status, text, begun.StatusCode, location)
		}
		return nil
	})
}

// export has the tenant exported.
func (s *scene) export() []byte {
	s.t.Helper()
	owner := s.people["owner"]
	var made struct{ ID string }
	s.call(&made, owner, http.MethodPost, "/api/v1/tenant/exports", nil)
	s.ids["exports/id"] = made.ID
	var archive []byte
	s.eventually(func() error {
		status, text := s.ask(owner, "/api/v1/tenant/exports/{id}/archive", nil)
		if archive = text; status != http.StatusOK {
			return fmt.Errorf("the export: %d %s", status, text)
		}
		return nil
	})
	return archive
}

func (s *scene) backup() []byte {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "control.backup")
	harness.MustRun(s.t, "", "backup", "--data-dir", s.server.DataDir, "--to", file)
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// process looks at what the running process shows of itself.
func (s *scene) process(found *search) {
	s.t.Helper()
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.server.Pid()))
	if err != nil {
		s.t.Fatal(err)
	}
	found.look("process", "the process' arguments", arguments)
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2"} {
		answer, err := s.client.Get(s.server.AdminURL + path)
		if err != nil {
			s.t.Fatal(err)
		}
		text := s.read(answer)
		found.look("admin port", path, text)
		if path == "/metrics" && !slices.Contains(strings.Split(string(text), "\n"), "# TYPE seamark_directory_age_seconds gauge") {
			s.t.Errorf("/metrics does not show the product's metrics: %.200s", text)
		}
	}
}
