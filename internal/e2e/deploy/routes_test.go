package deploy

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

const root = "../../.."

func TestMain(m *testing.M) { harness.Main(m) }

// rule is a line of routes.map: nginx takes the first whose expression matches.
type rule struct {
	match *regexp.Regexp
	role  string
	used  bool
}

func readRules(t *testing.T) []*rule {
	t.Helper()
	text, err := os.ReadFile(root + "/deploy/helm/seamark/files/routes.map")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^"~(\S+ \S+ \S+)" (ingest|querier|alerting|api);$`)
	var list []*rule
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		m := form.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("routes.map: %q is no expression with a role", line)
		}
		list = append(list, &rule{match: regexp.MustCompile(m[1]), role: m[2]})
	}
	return list
}

// route returns the role that the gateway asks.
func route(rules []*rule, key bool, method, path string) string {
	text := map[bool]string{true: "key ", false: "none "}[key] + method + " " + path
	for _, r := range rules {
		if r.match.MatchString(text) {
			r.used = true
			return r.role
		}
	}
	return "api"
}

// request is one kind of request to the gateway.
type request struct{ method, path string }

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete}

// requests returns those of openapi.yaml, and every method for the paths of other products' protocols, which docs/protocols.md names.
func requests(t *testing.T) (described, foreign []request) {
	t.Helper()
	for path, item := range contract.Load(t).Doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, request{method, regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "x")})
		}
	}
	text, err := os.ReadFile(root + "/docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("`(/[A-Za-z0-9_:*./-]*)`").FindAllStringSubmatch(string(text), -1) {
		path := regexp.MustCompile(`:[a-z]+|\*`).ReplaceAllString(m[1], "x")
		if seen[path] {
			continue
		}
		seen[path] = true
		for _, method := range methods {
			foreign = append(foreign, request{method, path})
		}
	}
	if len(described) < 150 || len(seen) < 40 {
		t.Fatalf("%d requests of openapi.yaml and %d paths of docs/protocols.md were found", len(described), len(seen))
	}
	return described, foreign
}

// cluster is the roles that answer requests, each a process.
type cluster map[string]*harness.Server

func startCluster(t *testing.T) cluster {
	t.Helper()
	nats, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	flags := append([]string{"--nats.url", nats.URL}, engine.Flags()...)
	c := cluster{}
	for _, role := range []string{"api", "ingest", "querier", "alerting"} {
		c[role] = harness.Serve(t, t.TempDir(), append([]string{role}, flags...)...)
	}
	return c
}

// knows reports whether a role has a route for a request. The api role answers all it does not know with the console's page.
func (c cluster) knows(t *testing.T, role string, r request, key bool) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, c[role].URL+r.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if key {
		req.Header.Set("Authorization", "Bearer smk_ingest_x")
	}
	// A redirect is an answer.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s at %s: %v", r.method, r.path, role, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var body [512]byte
	n, _ := resp.Body.Read(body[:])
	text := string(body[:n])
	page := role == "api" && resp.StatusCode == http.StatusOK && (r.method == http.MethodHead || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"))
	// A route that is known and finds nothing says so with an id of its own; the console's files say it in plain text.
	missing := resp.StatusCode == http.StatusNotFound && (strings.Contains(text, "seamark-route-unknown") || !strings.Contains(text, `"id":`))
	unknown := missing || resp.StatusCode == http.StatusMethodNotAllowed
	return !page && !unknown
}

// TestGatewayRoutes asks every role for every path, with and without a credential, and compares with where the gateway would send it.
func TestGatewayRoutes(t *testing.T) {
	rules, c := readRules(t), startCluster(t)
	described, foreign := requests(t)
	for i, r := range slices.Concat(described, foreign) {
		for _, key := range []bool{true, false} {
			var owners []string
			for role := range c {
				if c.knows(t, role, r, key) {
					owners = append(owners, role)
				}
			}
			slices.Sort(owners)
			if len(owners) == 0 {
				if i < len(described) {
					t.Errorf("no role knows %s %s, which openapi.yaml describes", r.method, r.path)
				}
				continue
			}
			if to := route(rules, key, r.method, r.path); !slices.Contains(owners, to) {
				t.Errorf("the gateway sends %s %s (credential: %t) to %s; %v know it", r.method, r.path, key, to, owners)
			}
		}
	}
	for _, r := range rules {
		if !r.used {
			t.Errorf("routes.map: no path needs %s", r.match)
		}
	}
	// The console's pages stay the console's.
	for _, path := range []string{"/", "/logs", "/metrics", "/alerts/rules", "/events", "/assets/index.js"} {
		if to := route(rules, false, http.MethodGet, path); to != "api" {
			t.Errorf("a browser's GET %s goes to %s", path, to)
		}
	}
}
