package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// rig is a server that remembers what it was asked, and a user's folder.
type rig struct {
	t      *testing.T
	server *httptest.Server
	dir    string
	env    map[string]string
	now    time.Time
	asked  []string // method, path and query, body
	tokens []string
	answer map[string]string // by method and path
}

func newRig(t *testing.T) *rig {
	t.Helper()
	g := &rig{t: t, dir: t.TempDir(), env: map[string]string{}, answer: map[string]string{}, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	g.server = httptest.NewServer(g)
	t.Cleanup(g.server.Close)
	return g
}

func (g *rig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Error(err)
	}
	g.asked = append(g.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	g.tokens = append(g.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	text, ok := g.answer[r.Method+" "+r.URL.RequestURI()]
	if !ok {
		text, ok = g.answer[r.Method+" "+r.URL.Path]
	}
	status, rest, hasStatus := strings.Cut(text, "!")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case !ok:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"title":"Not Found","status":404,"detail":"There is no such thing.","id":"seamark-x-unknown","request_id":"R1"}`)
	case hasStatus && len(status) == 3:
		var code int
		_, _ = fmt.Sscan(status, &code)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, rest)
	default:
		_, _ = io.WriteString(w, text)
	}
}

// run runs a command line with a token in the environment, and returns what it wrote.
func (g *rig) run(input string, args ...string) (code int, out, errOut string) {
	g.t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(g.t.Context(), Options{
		Args: args, In: strings.NewReader(input), Out: &stdout, Err: &stderr, Getenv: func(name string) string { return g.env[name] },
		ConfigDir: g.dir, Version: "test", Now: func() time.Time { return g.now },
	})
	return code, stdout.String(), stderr.String()
}

// token puts a server and a token into the environment.
func (g *rig) token() *rig {
	g.env["SEAMARK_ADDRESS"], g.env["SEAMARK_TOKEN"] = g.server.URL, "smk_env"
	return g
}

func (g *rig) want(input string, code int, text string, args ...string) string {
	g.t.Helper()
	got, out, errOut := g.run(input, args...)
	if got != code || !strings.Contains(out+errOut, text) {
		g.t.Errorf("%v: exit code %d, want %d, with %q:\n%s%s", args, got, code, text, out, errOut)
	}
	return out
}

func (g *rig) wantAsked(want ...string) {
	g.t.Helper()
	if !slices.Equal(g.asked, want) {
		g.t.Errorf("asked\n%s\nwant\n%s", strings.Join(g.asked, "\n"), strings.Join(want, "\n"))
	}
	g.asked = nil
}

const twoClusters = `{"items":[{"id":"1","name":"prod","created_at":"2026-01-01T00:00:00Z","arrivals":{"logs":"2026-11-21T11:59:00Z","metrics":null,"events":null}},
	{"id":"2","name":"dev","created_at":"2026-01-02T00:00:00Z","arrivals":{"logs":null,"metrics":null,"events":null}}]}`

func TestTable(t *testing.T) {
	g := newRig(t).token()
	g.answer["GET /api/v1/clusters"] = twoClusters
	out := g.want("", 0, "", "cluster", "list")
	const want = `NAME  ARRIVALS LOGS         ARRIVALS METRICS  ARRIVALS EVENTS  CREATED AT            ID
prod  2026-11-21T11:59:00Z  -                 -                2026-01-01T00:00:00Z  1
dev   -                     -                 -                2026-01-02T00:00:00Z  2
`
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if out := g.want("", 0, "", "clusters", "list", "--no-headers"); strings.Contains(out, "NAME") {
		t.Errorf("a head all the same: %s", out)
	}
	g.wantAsked("GET /api/v1/clusters", "GET /api/v1/clusters")
}

func TestHeads(t *testing.T) {
	for column, want := range map[string]string{"created_at": "CREATED AT", "status.state": "STATUS STATE", "endsAt": "ENDS AT", "id": "ID", "cpu_seconds": "CPU SECONDS", "": ""} {
		if got := headOf(column); got != want {
			t.Errorf("%s: got %q, want %q", column, got, want)
		}
	}
}

func TestOutputsKeepTheOrder(t *testing.T) {
	g := newRig(t).token()
	g.answer["GET /api/v1/session"] = `{"login":"ann","operator":false,"role":"owner","tenant":{"slug":"acme","id":"01"},"big":12345678901234567890,"text":"true\nx","list":[1,{"a":null}]}`
	g.want("", 0, "{\n  \"login\": \"ann\",\n  \"operator\": false,", "session", "get", "-o", "json")
	g.want("", 0, "\"big\": 12345678901234567890", "session", "get", "-o=json")
	out := g.want("", 0, "login: ann\noperator: false\nrole: owner\ntenant:\n  slug: acme\n  id: \"01\"\n", "session", "get", "--output", "yaml")
	value, err := parseYAML([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(value)
	if err != nil || string(back) != g.answer["GET /api/v1/session"] {
		t.Errorf("YAML and back: %s, %v", back, err)
	}
	g.want("", 0, "tenant.slug  acme", "session", "get")
}

func TestTerminalsAreSafe(t *testing.T) {
	g := newRig(t).token()
	g.answer["GET /api/v1/drops"] = `{"items":[{"reason":"\u001b[2Jx\ny","rows":1,"requests":1,"last":"","detail":"` + strings.Repeat("é", 300) + `"}],"truncated":false}`
	out := g.want("", 0, "[2Jx y", "drop", "list")
	if strings.Contains(out, "\x1b") || !strings.Contains(out, "…") {
		t.Errorf("got %q", out)
	}
}

func TestPages(t *testing.T) {
	g := newRig(t).token()
	g.answer["GET /api/v1/tokens"] = `{"items":[{"id":"1"},{"id":"2"}],"next_cursor":"c1"}`
	g.answer["GET /api/v1/tokens?cursor=c1"] = `{"items":[{"id":"3"}]}`
	out := g.want("", 0, "", "token", "list", "-o", "json")
	if strings.Count(out, `"id"`) != 3 || strings.Contains(out, "next_cursor") {
		t.Errorf("got %s", out)
	}
	g.wantAsked("GET /api/v1/tokens", "GET /api/v1/tokens?cursor=c1")
	g.answer["GET /api/v1/tokens?limit=2"] = g.answer["GET /api/v1/tokens"]
	g.want("", 0, "c1", "token", "list", "-o", "json", "--limit", "2")
	g.wantAsked("GET /api/v1/tokens?limit=2")
}

func TestBodies(t *testing.T) {
	g := newRig(t).token()
	g.answer["POST /api/v1/tokens"] = `{"id":"1","secret":"smk_shown"}`
	g.want("", 0, "smk_shown", "token", "create", "--kind", "ingest", "--name", "true", "--signals", "logs,metrics", "--signals", "events")
	g.wantAsked(`POST /api/v1/tokens {"kind":"ingest","name":"true","signals":["logs","metrics","events"]}`)
	g.want("kind: query\nname: '07'\n# why\n", 0, "smk_shown", "token", "create", "-f", "-", "--name", "other")
	g.wantAsked(`POST /api/v1/tokens {"kind":"query","name":"other"}`)

	g.answer["PUT /api/v1/clusters/C1/quotas"] = `{}`
	path := filepath.Join(t.TempDir(), "quota.json")
	if err := os.WriteFile(path, []byte(`{"rows_per_second": 9007199254740993}`), 0o600); err != nil {
		t.Fatal(err)
	}
	g.want("", 0, "", "cluster", "set-quota", "C1", "--file", path, "--max-labels", "30", "--if-match", `"h1"`)
	g.wantAsked(`PUT /api/v1/clusters/C1/quotas {"rows_per_second":9007199254740993,"max_labels":30}`)

	g.answer["PUT /api/v1/pipelines"] = `{"pipelines":[]}`
	g.want(`{"revision":3,"updated_at":"x","pipelines":[]}`, 0, "", "pipeline", "replace", "-f", "-")
	g.wantAsked(`PUT /api/v1/pipelines {"revision":3,"pipelines":[]}`)

	g.answer["POST /prometheus/config/v1/rules/a%2Fb"] = `{"status":"success"}`
	g.want("name: g\nrules: []\n", 0, "", "rule", "apply", "a/b", "-f", "-")
	g.wantAsked("POST /prometheus/config/v1/rules/a%2Fb name: g\nrules: []")
}

func TestUsage(t *testing.T) {
	g := newRig(t).token()
	for text, args := range map[string][]string{
		`there is no "nonsense"`:          {"nonsense"},
		"say what to do with a cluster":   {"cluster"},
		`cluster has no verb "find"`:      {"cluster", "find", "C"},
		"call needs the OPERATION":        {"call"},
		"needs the argument ID":           {"cluster", "quota"},
		`does not take "more"`:            {"cluster", "list", "more"},
		"has no flag --colour":            {"cluster", "list", "--colour", "red"},
		"the flag --limit needs a value":  {"cluster", "list", "--limit"},
		"--kind is one of ingest":         {"token", "create", "--kind", "x"},
		"needs --kind":                    {"token", "create"},
		"must be a number":                {"cluster", "set-quota", "C", "--max-labels", "many"},
		"none of table, json and yaml":    {"cluster", "list", "-o", "xml"},
		"there is no flag -x":             {"cluster", "list", "-x"},
		"takes no --file":                 {"cluster", "list", "-f", "x"},
		"stands there 2 times":            {"cluster", "list", "--limit", "1", "--limit", "2"},
		"needs --file":                    {"rule", "apply", "ns"},
		"more than one document":          {"token", "create", "-f", "-"},
		`there is no operation "nothing"`: {"call", "nothing"},
		"there is no context \"x\"":       {"cluster", "list", "-c", "x"},
		"login needs --address":           {"login"},
		"completion takes bash":           {"completion", "tcsh"},
		"needs the flag --query":          {"log", "export"},
	} {
		g.want("a: 1\n---\nb: 1\n", exitUsage, text, args...)
	}
	g.wantAsked()
	g.env = map[string]string{}
	g.want("", exitUsage, "say which server", "cluster", "list")
	g.env["SEAMARK_ADDRESS"] = g.server.URL
	g.want("", exitUsage, "there is no token for", "cluster", "list")
}

// TestJobs: who gives address and token in the environment needs no folder, and a file that is broken, or that trusts anybody as
// another server, is nothing to them.
func TestJobs(t *testing.T) {
	g := newRig(t).token()
	g.answer["GET /api/v1/clusters"] = twoClusters
	folder := g.dir
	g.dir = ""
	g.want("", 0, "prod", "cluster", "list")
	g.want("smk_x\n", exitUsage, "there is no folder for contexts", "login", "--address", g.server.URL, "--token-stdin")
	g.want("", exitUsage, "there is no folder for contexts", "context", "set", "x", "--address", g.server.URL)
	g.dir = folder
	if err := errors.Join(os.Mkdir(folder+"/seamark", 0o700), os.WriteFile(folder+"/seamark/ctl.yaml", []byte("contexts: ["), 0o600)); err != nil {
		t.Fatal(err)
	}
	g.want("", 0, "prod", "cluster", "list")
	g.want("", exitFailed, "ctl.yaml", "cluster", "list", "-c", "x")
}

// TestTrustStaysWithItsServer: --insecure of one context does not hold for another server.
func TestTrustStaysWithItsServer(t *testing.T) {
	g := newRig(t)
	g.answer["GET /api/v1/clusters"] = twoClusters
	secure := httptest.NewTLSServer(g)
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	t.Cleanup(secure.Close)
	g.want("", 0, "", "context", "set", "lax", "--address", secure.URL, "--insecure")
	g.env["SEAMARK_TOKEN"] = "smk_env"
	g.want("", 0, "prod", "cluster", "list")
	g.want("", 0, "", "context", "set", "lax", "--address", "https://127.0.0.1:1", "--insecure")
	g.want("", exitFailed, "certificate", "cluster", "list", "-c", "lax", "--address", secure.URL)
}

func TestExitCodes(t *testing.T) {
	g := newRig(t).token()
	for status, code := range map[int]int{400: 6, 401: 3, 403: 3, 404: 4, 409: 5, 412: 5, 413: 6, 422: 6, 500: 7} {
		g.answer["POST /api/v1/pipelines/dry-run"] = fmt.Sprintf(`%d!{"detail":"Said so.","id":"seamark-x-y","request_id":"R","errors":[{"pointer":"/a","detail":"Is bad."}]}`, status)
		g.want("{pipeline: {}, records: []}", code, "Said so.\n  /a: Is bad.\n(seamark-x-y, request R)", "pipeline", "try", "-f", "-")
	}
	g.server.Close()
	g.want("{pipeline: {}, records: []}", exitFailed, "refused", "pipeline", "try", "-f", "-")
}

func TestContexts(t *testing.T) {
	g := newRig(t)
	g.answer["GET /api/v1/clusters"] = twoClusters
	g.want("smk_kept\n", 0, "current context is default", "login", "--address", g.server.URL, "--token-stdin")
	g.want("", 0, "prod", "cluster", "list")
	if last := g.tokens[len(g.tokens)-1]; last != "smk_kept" {
		t.Errorf("sent %q", last)
	}
	for _, path := range []string{g.dir + "/seamark/ctl.yaml", g.dir + "/seamark/ctl-sessions/default.token"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want mode 0600", path, info, err)
		}
	}
	g.want("", 0, "", "context", "set", "other", "--address", "http://127.0.0.1:1")
	g.want("", exitUsage, "there is no credential", "cluster", "list")
	g.want("", exitUsage, "there is no token for", "cluster", "list", "-c", "default", "--address", "http://127.0.0.1:1") // a token stays with its server
	g.want("", 0, "default  "+g.server.URL, "context", "list")
	g.want("", 0, "", "context", "use", "default")
	g.want("", 0, "prod", "cluster", "list")
	g.want("", 0, "", "context", "delete", "default")
	g.want("", exitUsage, "say which server", "cluster", "list")
	g.want("", exitUsage, "is not made of", "context", "set", "../x", "--address", "http://x")
}

func TestSessions(t *testing.T) {
	g := newRig(t)
	g.answer["POST /api/v1/session"] = `{"token":"t1","refresh_token":"r1","expires_at":"2026-11-21T12:05:00Z"}`
	g.answer["POST /api/v1/session/refresh"] = `{"token":"t2","refresh_token":"r2","expires_at":"2026-11-21T12:15:00Z"}`
	g.answer["GET /api/v1/session"], g.answer["DELETE /api/v1/session"] = `{"login":"ann"}`, ""
	g.want("secret\n", 0, "current context is acme", "login", "--address", g.server.URL, "--user", "ann", "--tenant", "acme", "--password-stdin")
	g.want("", 0, "ann", "session", "get")
	g.now = g.now.Add(5 * time.Minute)
	g.want("", 0, "ann", "session", "get")
	g.want("", 0, "ann", "session", "get")
	if want := []string{"", "t1", "", "t2", "t2"}; !slices.Equal(g.tokens, want) {
		t.Errorf("sent %q, want %q", g.tokens, want)
	}
	g.wantAsked(`POST /api/v1/session {"login":"ann","password":"secret","tenant":"acme"}`, "GET /api/v1/session",
		`POST /api/v1/session/refresh {"refresh_token":"r1"}`, "GET /api/v1/session", "GET /api/v1/session")
	g.want("", 0, "", "logout")
	g.want("", exitUsage, "nobody is signed in", "session", "get")
	g.now = g.now.Add(time.Hour)
	g.want("secret\n", 0, "", "login", "--address", g.server.URL, "--user", "ann", "--password-stdin")
	g.answer["POST /api/v1/session/refresh"] = `401!{"detail":"It is over.","id":"seamark-session-ended"}`
	g.want("", exitForbidden, "Sign in with", "session", "get")
	g.want("", exitUsage, "no terminal", "login", "--address", g.server.URL, "--user", "ann")
}

func TestHelp(t *testing.T) {
	g := newRig(t)
	for text, args := range map[string][]string{
		"seamark ctl NOUN VERB":                         {},
		"list, get, create, delete, quota, set-quota\n": {"help"},
		"seamark ctl cluster set-quota ID":              {"cluster", "--help"},
		"--max-labels":                                  {"cluster", "set-quota", "--help"},
		"It is PUT /api/v1/clusters/{id}/quotas":        {"help", "cluster", "set-quota"},
		"seamark ctl login --address":                   {"login", "--help"},
		"Lists Kubernetes events":                       {"call", "listEvents", "-h"},
	} {
		g.want("", 0, text, args...)
	}
	g.wantAsked()
}

func TestCompletion(t *testing.T) {
	g := newRig(t)
	g.want("", 0, "", "context", "set", "prod", "--address", "http://x")
	for want, words := range map[string][]string{
		"silence session":                        {"s"},
		"list get create delete quota set-quota": {"cluster", ""},
		"ingest query admin":                     {"token", "create", "--kind", ""},
		"--kind":                                 {"token", "create", "--k"},
		"table json yaml":                        {"cluster", "list", "-o", ""},
		"prod":                                   {"context", "use", ""},
		"bash fish zsh":                          {"completion", ""},
		"listEvents":                             {"call", "listEvents"},
		"":                                       {"cluster", "list", "--limit", ""},
	} {
		out := g.want("", 0, "", append([]string{completeCommand}, words...)...)
		got := strings.Fields(out)
		for _, one := range strings.Fields(want) {
			if !slices.Contains(got, one) {
				t.Errorf("%v: got %v, want %s", words, got, want)
			}
		}
		if want == "" && len(got) > 0 {
			t.Errorf("%v: got %v", words, got)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		g.want("", 0, "__complete", "completion", shell)
	}
}

// withoutCommand are operations that no command calls by a name of its own, each with the reason; `call` takes them all.
func withoutCommand(op *client.Operation) string {
	switch op.Tags[0] {
	case "ingest":
		if op.Method != http.MethodGet || strings.Contains(op.Path, "/push/") {
			return "agents push"
		}
	case "loki", "prometheus":
		return "query languages have their own tools"
	}
	switch op.ID {
	case "createSession", "refreshSession", "deleteSession":
		return "login and logout call it"
	case "startProvider", "startProviderInvited", "finishProvider", "linkProvider":
		return "a browser is sent there"
	case "legacyListRuleGroups", "legacyListRuleNamespace", "legacyFindRuleGroup", "legacySaveRuleGroup", "legacyDeleteRuleGroup", "legacyDeleteRuleNamespace":
		return "the same as under the newer path"
	}
	return ""
}

// TestEveryOperationHasACommand compares the table of commands with openapi.yaml, both ways.
func TestEveryOperationHasACommand(t *testing.T) {
	used, nouns := map[string]bool{}, map[string]bool{}
	for _, res := range resources() {
		if nouns[res.noun] {
			t.Errorf("%s stands there twice", res.noun)
		}
		nouns[res.noun] = true
		verbs := map[string]bool{}
		for i := range res.commands {
			c := &res.commands[i]
			op, err := c.describe()
			if err != nil {
				t.Errorf("%s %s: %v", c.noun, c.verb, err)
				continue
			}
			if verbs[c.verb] || used[c.operation] {
				t.Errorf("%s %s stands there twice, or %s does", c.noun, c.verb, c.operation)
			}
			verbs[c.verb], used[c.operation] = true, true
			for _, p := range slices.Concat(op.Params, op.Fields) {
				if taken := []string{"output", "context", "address", "token-file", "help", "no-headers", "file"}; p.In != "path" && slices.Contains(taken, flagOf(p.Name)) && (flagOf(p.Name) != "file" || len(op.Body) > 0) {
					t.Errorf("%s %s: the flag --%s means something else for all commands", c.noun, c.verb, flagOf(p.Name))
				}
			}
		}
	}
	for _, op := range client.Operations() {
		if reason := withoutCommand(&op); !used[op.ID] && reason == "" {
			t.Errorf("no command calls %s (%s %s); add a line to resources", op.ID, op.Method, op.Path)
		}
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, text := range []string{"a: [1, 2.5, .inf, 0x1f, ~, true, 'x']", "{\"a\": {}}", "- &x a\n- *x", "a: !!binary aGk=", "1e999", "<<: {a: 1}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := parseYAML([]byte(text))
		if err != nil {
			return
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%q has no JSON: %v", text, err)
		}
		again, err := parseJSON(encoded)
		if err != nil {
			t.Fatalf("%q became %s: %v", text, encoded, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(encoded, second) {
			t.Errorf("%q: %s became %s, %v", text, encoded, second, err)
		}
	})
}
