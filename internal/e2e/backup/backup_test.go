package backup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// The secrets that the test sets. Each stands nowhere else, so that finding it is finding a leak.
const (
	pathSecret     = "canary-path-Zq4vT8"
	bearerSecret   = "canary-bearer-Lw2nB6"
	passwordSecret = "canary-basic-Rk9sH3"
	headerSecret   = "canary-header-Yd5mJ1"
	templateSecret = "canary-template-Gx7cN0"
	brokenSecret   = "canary-broken-Pf3tK8"
	refusedSecret  = "canary-refused-Vb6rD4"
	closedSecret   = "canary-closed-Hs1wQ9"
	personPassword = "canary-person-Mt8zF2 and more words"
)

func serveFlags() []string {
	return []string{"serve", "--alerting.evaluation-interval", "1s", "--alerting.allowed-receivers", "127.0.0.1/32", "--log.level", "debug"}
}

// scene is a control plane in use.
type scene struct {
	t       *testing.T
	server  *harness.Server
	hook    *hook
	account *harness.Account
	admin   string // admin token
	session string
	silence string
}

// newScene makes a tenant with people, tokens, rules, receivers and a silence, all of it over the API where there is one.
func newScene(t *testing.T, dataDir string) *scene {
	t.Helper()
	s := &scene{t: t, server: harness.Serve(t, dataDir, serveFlags()...), hook: newHook(t)}
	s.account = harness.NewAccount(s.server.Admin(t), "acme")
	var token struct{ Token string }
	s.server.Admin(t)(&token, "token", "create", "acme", "--kind", "admin")
	s.admin = token.Token
	harness.MustRun(t, personPassword+"\n", "admin", "--data-dir", dataDir, "user", "create", "ann@example.org", "--tenant", "acme", "--role", "owner", "--password-stdin")
	s.session = signIn(t, s.server, "ann@example.org", personPassword)
	want(t, s.server, http.StatusAccepted, http.MethodPost, "/prometheus/config/v1/rules/nodes", s.admin, "application/yaml", `
name: availability
interval: 1s
rules: [{alert: InstanceDown, expr: up == 0}]
`)
	want(t, s.server, http.StatusCreated, http.MethodPost, "/api/v1/alerts", s.admin, "application/yaml", s.receivers())
	start, end := time.Now().UTC(), time.Now().UTC().Add(time.Hour)
	a := want(t, s.server, http.StatusOK, http.MethodPost, "/alertmanager/api/v2/silences", s.admin, "application/json", fmt.Sprintf(
		`{"matchers":[{"name":"alertname","value":"Other","isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"work"}`,
		start.Format(time.RFC3339), end.Format(time.RFC3339)))
	var made struct{ SilenceID string }
	if err := json.Unmarshal(a.Body, &made); err != nil || made.SilenceID == "" {
		t.Fatalf("silence: %s, %v", a.Body, err)
	}
	s.silence = made.SilenceID
	return s
}

// receivers is a configuration with a secret of every kind, one receiver that answers 500 and one that nobody listens at.
func (s *scene) receivers() string {
	return `
template_files:
  words: '{{ define "words" }}` + templateSecret + `{{ end }}'
alertmanager_config: |
  route: {receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
  templates: [words]
  receivers:
    - name: all
      webhook_configs:
        - url: ` + s.hook.URL + `/` + pathSecret + `
          http_config: {authorization: {type: Bearer, credentials: ` + bearerSecret + `}, http_headers: {X-Hook-Key: {secrets: [` + headerSecret + `]}}}
        - url: ` + s.hook.URL + `/basic
          http_config: {basic_auth: {username: hook, password: ` + passwordSecret + `}}
        - url: ` + s.hook.URL + `/` + brokenSecret + `
        - url: http://127.0.0.1:1/` + closedSecret + `
`
}

// fires raises the alert, waits until the receivers were told with their secrets, and ends it.
func (s *scene) fires() {
	s.t.Helper()
	skip := s.hook.calls()
	pushUp(s.t, s.server, s.account.Ingest, 0)
	s.hook.await(s.t, skip, "firing", "/"+pathSecret, "Bearer "+bearerSecret, headerSecret)
	s.hook.await(s.t, skip, "firing", "/basic", "Basic ")
	s.hook.await(s.t, skip, "firing", "/"+brokenSecret)
	skip = s.hook.calls()
	pushUp(s.t, s.server, s.account.Ingest, 1)
	s.hook.await(s.t, skip, "resolved", "/"+pathSecret)
}

// canaries are the secrets by name, tokens and the session among them.
func (s *scene) canaries() map[string]string {
	secret := func(token string) string { return token[strings.LastIndexByte(token, '_')+1:] }
	return map[string]string{
		"URL's path": pathSecret, "bearer": bearerSecret, "basic password": passwordSecret, "header": headerSecret, "URL of a broken receiver": brokenSecret,
		"URL of a closed port": closedSecret, "refused configuration": refusedSecret, "password": personPassword, "ingest token": secret(s.account.Ingest),
		"query token": secret(s.account.Query), "admin token": secret(s.admin), "session": s.session[strings.LastIndexByte(s.session, '.')+1:],
	}
}

// TestSecretsAreFoundNowhere sets secrets and uses them, then looks for them in every answer, log line, metric and file.
func TestSecretsAreFoundNowhere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := newScene(t, folder)
	s.fires()
	// A configuration that is refused must not come back either.
	refused := do(t, s.server, http.MethodPost, "/api/v1/alerts", s.admin, "application/yaml", strings.ReplaceAll(
		strings.ReplaceAll(s.receivers(), "send_resolved: true", ""), closedSecret, refusedSecret+"\n          http_config: {proxy_url: 'http://"+refusedSecret+"'}"))
	if refused.Status != http.StatusBadRequest {
		t.Fatalf("a configuration with a proxy: got %d %s, want 400", refused.Status, refused.Body)
	}
	// Secrets as they are stored after a rotation are looked for, too.
	harness.MustRun(t, "", "keys", "rotate", "--data-dir", folder)
	s.fires()
	file := filepath.Join(t.TempDir(), "control.backup")
	harness.MustRun(t, "", "backup", "--data-dir", folder, "--to", file)

	found := map[string][]byte{"answer to a refused configuration": refused.Body, "backup": inflated(t, file)}
	for _, path := range []string{
		"/api/v1/alerts", "/alertmanager/api/v2/status", "/alertmanager/api/v2/receivers", "/alertmanager/api/v2/alerts", "/alertmanager/api/v2/alerts/groups",
		"/alertmanager/api/v2/silences", "/prometheus/config/v1/rules", "/prometheus/api/v1/rules", "/prometheus/api/v1/alerts", "/api/v1/session",
		"/api/v1/clusters", "/api/v1/pipelines", "/api/v1/drops", "/api/v1/quotas", "/prometheus/api/v1/series?match[]=ALERTS",
	} {
		for kind, token := range map[string]string{"admin": s.admin, "query": s.account.Query, "session": s.session} {
			found["GET "+path+" as "+kind] = do(t, s.server, http.MethodGet, path, token, "", "").Body
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/readyz"} {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: s.server.AdminURL + path})
		if err != nil {
			t.Fatal(err)
		}
		found["admin port "+path] = a.Body
	}
	for _, args := range [][]string{{"token", "list", "acme"}, {"tenant", "list"}, {"cluster", "list", "acme"}} {
		found["seamark admin "+strings.Join(args, " ")] = []byte(harness.MustRun(t, "", append([]string{"admin", "--json", "--data-dir", folder}, args...)...))
	}
	addFiles(t, found, folder, "running: ")
	ctx, cancel := contextWithin(t)
	defer cancel()
	if err := s.server.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	addFiles(t, found, folder, "stopped: ")
	found["log"] = []byte(s.server.Log())
	for _, must := range []string{"log", "admin port /metrics", "GET /api/v1/alerts as admin", "backup"} {
		if len(found[must]) < 100 {
			t.Errorf("%s has %d bytes: it was not looked into", must, len(found[must]))
		}
	}
	for name, secret := range s.canaries() {
		for where, text := range found {
			for _, form := range forms(secret) {
				if contains(text, form) {
					t.Errorf("the secret of kind %q stands in %s (as %q)", name, where, form)
				}
			}
		}
	}
	// A template is shown to who may read the configuration, and stands nowhere else.
	for where, text := range found {
		if contains(text, templateSecret) && !strings.HasPrefix(where, "GET /api/v1/alerts as ") {
			t.Errorf("the template stands in %s", where)
		}
	}
}

// TestBackupAndRestore destroys a data folder and brings the control plane back from a backup and the root key.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	folder, file := t.TempDir(), filepath.Join(t.TempDir(), "control.backup")
	s := newScene(t, folder)
	s.fires()
	root, err := os.ReadFile(filepath.Join(folder, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	harness.MustRun(t, "", "backup", "--data-dir", folder, "--to", file)
	if _, err := harness.Run(t, "", "backup", "--data-dir", folder, "--to", file); err == nil {
		t.Error("a backup was written over another one")
	}
	if _, err := harness.Run(t, "", "restore", "--data-dir", folder, "--from", file); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a restore over a control plane in use: got %v", err)
	}
	s.server.Kill()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}

	// A server that was started without the old root key has made another one, under which nothing opens.
	stranger := harness.Serve(t, t.TempDir(), serveFlags()...)
	if _, err := harness.Run(t, "", "restore", "--data-dir", stranger.DataDir, "--from", file); err == nil || !strings.Contains(err.Error(), "root key") {
		t.Errorf("a restore under another root key: got %v", err)
	}
	stranger.Kill()

	again := t.TempDir()
	if err := os.WriteFile(filepath.Join(again, "root.key"), root, 0o600); err != nil {
		t.Fatal(err)
	}
	s.server = harness.Serve(t, again, serveFlags()...)
	out := harness.MustRun(t, "", "restore", "--json", "--data-dir", again, "--from", file)
	var report struct {
		Last uint32 `json:"last_tenant_number"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Last != 101 {
		t.Errorf("the restore printed %s; want 101 as the last number", out)
	}
	s.isBack()
	if a := do(t, s.server, http.MethodGet, "/api/v1/session", s.session, "", ""); a.Status != http.StatusUnauthorized {
		t.Errorf("a session from before the restore: got %d, want 401", a.Status)
	}
	s.session = signIn(t, s.server, "ann@example.org", personPassword)
	s.fires()

	ctx, cancel := contextWithin(t)
	defer cancel()
	if err := s.server.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	s.server = harness.Serve(t, again, serveFlags()...)
	s.isBack()
	testkit.Eventually(t, within, func() error {
		if a := do(t, s.server, http.MethodGet, "/alertmanager/api/v2/silence/"+s.silence, s.admin, "", ""); a.Status != http.StatusOK {
			return fmt.Errorf("the silence: got %d %s", a.Status, a.Body)
		}
		return nil
	})
}

// isBack checks that tokens count and that the configuration is there, within the second that the directory takes.
func (s *scene) isBack() {
	s.t.Helper()
	testkit.Eventually(s.t, within, func() error {
		a := do(s.t, s.server, http.MethodGet, "/api/v1/alerts", s.admin, "", "")
		if a.Status != http.StatusOK || !contains(a.Body, "<secret>") {
			return fmt.Errorf("the receivers: got %d %s", a.Status, a.Body)
		}
		if a = do(s.t, s.server, http.MethodGet, "/prometheus/api/v1/query?query=1", s.account.Query, "", ""); a.Status != http.StatusOK {
			return fmt.Errorf("a query: got %d %s", a.Status, a.Body)
		}
		return nil
	})
}

// TestStartsWithoutTheRootKey starts servers whose root key is gone, another one, or no key at all.
func TestStartsWithoutTheRootKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server := harness.Serve(t, folder, serveFlags()...)
	list := harness.MustRun(t, "", "keys", "list", "--data-dir", folder)
	ctx, cancel := contextWithin(t)
	defer cancel()
	if err := server.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "root.key")
	root, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.TrimSpace(harness.MustRun(t, "", "keys", "generate"))
	for name, c := range map[string]struct{ file, want string }{
		"gone": {"", "there is no root key"}, "another": {other + "\n", "put the right one in place"}, "no key": {"what\n", "32 bytes"},
	} {
		if err := errors.Join(os.RemoveAll(path), writeUnlessEmpty(path, c.file)); err != nil {
			t.Fatal(err)
		}
		if log := refusedStart(t, folder, serveFlags()...); !strings.Contains(log, c.want) {
			t.Errorf("%s: the log does not say %q: %s", name, c.want, log)
		}
		if now, err := os.ReadFile(path); c.file == "" && !errors.Is(err, os.ErrNotExist) || c.file != "" && string(now) != c.file {
			t.Errorf("%s: the root key's file was changed: %v", name, err)
		}
	}
	if err := os.WriteFile(path, root, 0o600); err != nil {
		t.Fatal(err)
	}
	server = harness.Serve(t, folder, serveFlags()...)
	if after := harness.MustRun(t, "", "keys", "list", "--data-dir", folder); after != list {
		t.Errorf("with the right key back the data keys are\n%swant\n%s", after, list)
	}
	if _, err := harness.Run(t, "", "keys", "list", "--data-dir", folder, "--keys.root", other); err == nil || !strings.Contains(err.Error(), "process list") {
		t.Errorf("a root key on the command line: got %v", err)
	}
	if bytes.Contains([]byte(list), bytes.TrimSpace(root)) {
		t.Error("the list of keys tells the root key")
	}

	// The root key is changed for the other one, which the next start takes.
	if err := os.WriteFile(filepath.Join(folder, "new.key"), []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = contextWithin(t)
	defer cancel()
	harness.MustRun(t, "", "keys", "rewrap", "--data-dir", folder, "--new-root-file", filepath.Join(folder, "new.key"))
	if err := server.Terminate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "new.key"), path); err != nil {
		t.Fatal(err)
	}
	harness.Serve(t, folder, serveFlags()...)
	if after := harness.MustRun(t, "", "keys", "list", "--data-dir", folder); strings.Fields(after)[6] != strings.Fields(list)[6] || after == list {
		t.Errorf("after the change of the root key the data keys are\n%swant those of\n%sunder another root key", after, list)
	}
}
