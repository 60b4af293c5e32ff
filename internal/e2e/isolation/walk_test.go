package isolation_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// walk is one walk over the route table.
type walk struct {
	*world
	contract *contract.Contract
	bad      []credential
	foreign  map[string]bool // routes that openapi.yaml leaves to others
}

// TestEveryRoute walks the route table: bad credentials and those without the permission are refused before the body is
// read, the others get their own tenant's data and nothing of the other's, and every answer is as openapi.yaml says.
func TestEveryRoute(t *testing.T) {
	rows := table()
	compareWithRoutes(t, rows, server(t))
	w := &walk{world: newWorld(t), contract: contract.Load(t), foreign: foreignRoutes(server(t))}
	w.bad = badCredentials(t, w.alpha)
	for i := range rows {
		r := &rows[i]
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			w.awaitMarker(t, r)
			w.refuses(t, r)
			w.serves(t, r)
		})
	}
}

// open are the routes that anybody may call: signing in, which has tests of its own, and what balancers and clients ask about
// the server's health before they have a credential. They tell nothing of a tenant.
var open = []string{
	"POST /api/v1/session", "POST /api/v1/session/refresh", "POST /api/v1/session/password/reset", "GET /api/v1/session/providers",
	"GET /api/v1/session/oidc/:provider/start", "GET /api/v1/session/oidc/:provider/callback", "POST /api/v1/session/oidc/:provider/invitation",
	"POST /api/v1/invitations/offer", "POST /api/v1/invitations/accept", "GET /services/collector/health", "GET /services/collector/health/1.0", "GET /-/healthy", "GET /-/ready",
	"OPTIONS /services/collector/event", "OPTIONS /services/collector/event/1.0", "GET /ping", "HEAD /ping", "GET /health",
}

func foreignRoutes(a *app.App) map[string]bool {
	foreign := map[string]bool{}
	for _, r := range a.Routes() {
		foreign[r.Method+" "+r.Path] = r.Foreign
	}
	return foreign
}

// compareWithRoutes fails for a route without a row and for a row without a route.
func compareWithRoutes(t *testing.T, rows []row, a *app.App) {
	t.Helper()
	known := map[string]bool{}
	for _, r := range rows {
		known[r.method+" "+r.path] = true
	}
	for _, route := range a.Routes() {
		key := route.Method + " " + route.Path
		if route.Permission == "anonymous" {
			if !slices.Contains(open, key) {
				t.Errorf("%s may be called by anybody", key)
			}
			continue
		}
		if !known[key] {
			t.Errorf("%s has no row in the isolation table", key)
		}
		delete(known, key)
	}
	for key := range known {
		t.Errorf("%s is in the isolation table and is no route", key)
	}
}

// target is the path of a request, with the parameters that reads puts behind the row's own path.
func (r *row) target(q request) string {
	switch {
	case q.path == "":
		return r.path
	case strings.HasPrefix(q.path, "/"):
		return q.path
	}
	return r.path + "?" + q.path
}

func (w *walk) send(t *testing.T, r *row, s *side, q request, header http.Header) inprocess.Response {
	t.Helper()
	header = header.Clone()
	if q.contentType != "" {
		header.Set("Content-Type", q.contentType)
	}
	return s.Do(t, "", r.method, r.target(q), header, q.body)
}

// awaitMarker waits until both tenants see their own marker, without which a missing foreign one proves nothing.
func (w *walk) awaitMarker(t *testing.T, r *row) {
	t.Helper()
	if len(r.shows) == 0 {
		return
	}
	for _, s := range []*side{w.alpha, w.beta} {
		token := w.token(t, r, s, r.shows[0])
		testkit.Eventually(t, 30*time.Second, func() error {
			body := ""
			for _, q := range r.sends(t, w.world, s) {
				body += w.send(t, r, s, q, bearer(token)).Body
			}
			if !strings.Contains(body, s.marker) {
				return fmt.Errorf("%s sees none of its own data: %s", s.Slug, body)
			}
			return nil
		})
	}
}

// token returns the credential of a principal by its name.
func (w *walk) token(t *testing.T, r *row, s *side, name string) string {
	t.Helper()
	switch {
	case name == "operator" && r.fresh:
		return signIn(t, s, w.operatorLogin())
	case name == "operator":
		return w.operator
	case r.fresh && slices.Contains(tenant.Roles(), seamark.Role(name)):
		return signIn(t, s, s.login(seamark.Role(name)))
	}
	return s.tokens[name]
}

// refuses sends what must be refused with each credential that must be.
func (w *walk) refuses(t *testing.T, r *row) {
	t.Helper()
	list := slices.Clone(w.bad)
	if r.shared {
		list = slices.DeleteFunc(list, func(c credential) bool { return c.header.Get("Authorization") == "" })
	}
	for _, name := range append(slices.Sorted(maps.Keys(w.alpha.tokens)), "operator") {
		if !slices.Contains(r.may, name) && !slices.Contains(r.later, name) && !slices.Contains(r.ownOnly, name) {
			list = append(list, credential{name, bearer(w.token(t, r, w.alpha, name)), http.StatusForbidden})
		}
	}
	path := strings.NewReplacer(":namespace", "same", ":group", "same", ":name", "job", ":id", w.alpha.silence, ":index", "x", "*", "x").Replace(r.path)
	for _, c := range list {
		answer := refusal(t, w.alpha.App.HTTPAddr(), r.method, path, c.header)
		if answer.Status != c.status && !(r.splunk && c.status == http.StatusUnauthorized && answer.Status == http.StatusForbidden) {
			t.Errorf("%s: got %d %s, want %d without reading the body", c.name, answer.Status, answer.Body, c.status)
		}
		w.judge(t, r, c.name, answer, w.alpha.marker, w.beta.marker)
	}
}

// serves sends good requests with every credential that may, of both tenants, also with the other tenant's id in the
// header that other systems take it from.
func (w *walk) serves(t *testing.T, r *row) {
	t.Helper()
	for _, s := range []*side{w.alpha, w.beta} {
		for i, name := range r.may {
			foreign := []string{w.other(s)}
			if name == "operator" {
				foreign = []string{w.alpha.marker, w.beta.marker} // an operator sees tenants, not what is in them
			}
			if slices.Contains(r.shows, "operator") {
				foreign = nil
				if strings.Contains(r.path, ":id") { // of one tenant, which the operator asked for
					foreign = []string{w.other(s)}
				}
			}
			header := bearer(w.token(t, r, s, name))
			if i == 0 {
				header.Set("X-Scope-OrgID", string(w.foreignID(s)))
			}
			w.serve(t, r, s, name, header, foreign)
		}
		for _, name := range r.ownOnly {
			q := r.sends(t, w.world, s)[0]
			if answer := w.send(t, r, s, q, bearer(w.token(t, r, s, name))); answer.Status != http.StatusNotFound {
				t.Errorf("%s of %s: %s: got %d %s, want 404 for what is not theirs", name, s.Slug, r.target(q), answer.Status, answer.Body)
			}
		}
		for _, name := range r.later {
			q := r.sends(t, w.world, s)[0]
			answer := w.send(t, r, s, q, bearer(w.token(t, r, s, name)))
			if answer.Status != http.StatusForbidden {
				t.Errorf("%s of %s: %s: got %d %s, want 403", name, s.Slug, r.target(q), answer.Status, answer.Body)
			}
		}
	}
}

func (w *walk) foreignID(s *side) seamark.TenantID {
	if s == w.alpha {
		return w.beta.ID
	}
	return w.alpha.ID
}

func (w *walk) serve(t *testing.T, r *row, s *side, name string, header http.Header, foreign []string) {
	t.Helper()
	bodies := ""
	for _, q := range r.sends(t, w.world, s) {
		answer := w.send(t, r, s, q, header)
		want := r.status
		if q.status != 0 {
			want = q.status
		}
		if answer.Status != want {
			t.Errorf("%s of %s: %s: got %d %s, want %d", name, s.Slug, r.target(q), answer.Status, answer.Body, want)
		}
		w.judge(t, r, name+" of "+s.Slug, answer, foreign...)
		bodies += answer.Body
	}
	if slices.Contains(r.shows, name) && !strings.Contains(bodies, s.marker) {
		t.Errorf("%s of %s sees none of its own data: %s", name, s.Slug, bodies)
	}
	if r.after != nil {
		r.after(t, s)
	}
}

// judge holds one answer against openapi.yaml and looks for what must not be in it.
func (w *walk) judge(t *testing.T, r *row, who string, answer inprocess.Response, foreign ...string) {
	t.Helper()
	if !w.foreign[r.method+" "+r.path] {
		if err := checkAnswer(w.contract, r.method, r.path, answer); err != nil {
			t.Errorf("%s: the answer %d %s is not as openapi.yaml says: %v", who, answer.Status, answer.Body, err)
		}
	}
	for _, marker := range foreign {
		if strings.Contains(answer.Body, marker) || strings.Contains(fmt.Sprint(answer.Header), marker) {
			t.Errorf("%s: the answer holds %s: %d %v %s", who, marker, answer.Status, answer.Header, answer.Body)
		}
	}
}
