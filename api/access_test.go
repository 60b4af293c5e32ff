package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// accessBook keeps one role, one member, one token and what was asked of it.
type accessBook struct {
	api.Roles
	api.Members
	api.Keys
	api.Tokens
	role    api.Role
	member  api.Member
	token   api.Token
	overlap time.Duration
}

func (b *accessBook) FindRole(context.Context, seamark.TenantID, string) (api.Role, error) {
	return b.role, nil
}

func (b *accessBook) UpdateRole(_ context.Context, _ seamark.Principal, c api.RoleChange) (api.Role, error) {
	if err := c.Check(b.role); err != nil {
		return api.Role{}, err
	}
	b.role.Permissions, b.role.Description = c.Permissions, c.Description
	return b.role, nil
}

func (b *accessBook) FindMember(context.Context, seamark.TenantID, string) (api.Member, error) {
	return b.member, nil
}

func (b *accessBook) SetMember(_ context.Context, _ seamark.Principal, _ string, c api.MemberChange) (api.Member, error) {
	if err := c.Check(b.member); err != nil {
		return api.Member{}, err
	}
	b.member.Role, b.member.Restriction = c.Role, c.Restriction
	return b.member, nil
}

func (b *accessBook) RotateKey(_ context.Context, _ seamark.Principal, id string, overlap time.Duration) (api.Key, string, error) {
	b.overlap = overlap
	return api.Key{ID: id, Permissions: []string{}}, "the secret", nil
}

func (b *accessBook) ListTokens(context.Context, seamark.TenantID) ([]api.Token, error) {
	at := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	return []api.Token{{ID: "b", Created: at}, {ID: "a", Created: at.Add(time.Nanosecond)}, {ID: "c", Created: at.Add(time.Hour)}}, nil
}

func (b *accessBook) FindToken(_ context.Context, _ seamark.TenantID, id string) (api.Token, error) {
	if b.token.ID != id {
		return api.Token{}, seamark.Errorf(seamark.NotFound, "seamark-token-absent", "The tenant has no such token.")
	}
	return b.token, nil
}

// accessEdge leaves out that creations can be repeated, which the edge does.
func accessEdge(t *testing.T, b *accessBook) edge {
	t.Helper()
	routes := slices.Concat(api.RoleRoutes(b, nil), api.MemberRoutes(b), api.KeyRoutes(b), api.TokenRoutes(b))
	for i := range routes {
		routes[i].Creates = false
	}
	return newEdge(t, "", routes)
}

func TestRoleChangesAreConditional(t *testing.T) {
	b := &accessBook{role: api.Role{Name: "support", Permissions: []string{"data:read"}}}
	e := accessEdge(t, b)
	found := e.do(tenantA, http.MethodGet, "/api/v1/roles/support", "")
	want(t, found, http.StatusOK, `"support"`)
	tag := found.Header().Get("ETag")
	if tag == "" {
		t.Fatal("a role has no ETag")
	}
	change := `{"permissions":["rules:read"]}`
	want(t, e.doWith(tenantA, http.MethodPut, "/api/v1/roles/support", change, "If-Match", tag), http.StatusOK, "rules:read")
	want(t, e.doWith(tenantA, http.MethodPut, "/api/v1/roles/support", change, "If-Match", tag), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.do(tenantA, http.MethodPut, "/api/v1/roles/support", `{"name":"other","permissions":[]}`), http.StatusBadRequest, "seamark-role-invalid")
	want(t, e.do(tenantA, http.MethodPut, "/api/v1/roles/support", `{"permissions":[],"more":1}`), http.StatusBadRequest, "more")
}

func TestMemberChangesAreConditional(t *testing.T) {
	b := &accessBook{member: api.Member{ID: "x", Login: "ann", Role: "viewer"}}
	e := accessEdge(t, b)
	tag := e.do(tenantA, http.MethodGet, "/api/v1/members/x", "").Header().Get("ETag")
	change := `{"role":"editor","restriction":{"namespaces":["shop"]}}`
	want(t, e.doWith(tenantA, http.MethodPut, "/api/v1/members/x", change, "If-Match", tag), http.StatusOK, `"namespaces":["shop"]`)
	want(t, e.doWith(tenantA, http.MethodPut, "/api/v1/members/x", `{"role":"viewer"}`, "If-Match", tag), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.do(tenantA, http.MethodPut, "/api/v1/members/x", `{"role":"viewer"}`), http.StatusOK, `"restriction":null`)
}

func TestRotationReadsItsOverlap(t *testing.T) {
	b := &accessBook{}
	e := accessEdge(t, b)
	for body, overlap := range map[string]time.Duration{"": 0, `{}`: 0, `{"overlap_seconds":90}`: 90 * time.Second} {
		want(t, e.do(tenantA, http.MethodPost, "/api/v1/keys/x/rotate", body), http.StatusOK, `"secret":"the secret"`)
		if b.overlap != overlap {
			t.Errorf("%s: got an overlap of %s, want %s", body, b.overlap, overlap)
		}
	}
	for _, body := range []string{`{"overlap_seconds":-1}`, `{"overlap_seconds":9223372036854775807}`} {
		want(t, e.do(tenantA, http.MethodPost, "/api/v1/keys/x/rotate", body), http.StatusBadRequest, "seamark-token-overlap")
	}
}

func TestTokensComeInPages(t *testing.T) {
	e := accessEdge(t, &accessBook{})
	first := e.do(tenantA, http.MethodGet, "/api/v1/tokens?limit=2", "")
	want(t, first, http.StatusOK, `"next_cursor":"`)
	want(t, first, http.StatusOK, `"id":"b"`)
	want(t, e.do(tenantA, http.MethodGet, "/api/v1/tokens?limit=0", ""), http.StatusBadRequest, "seamark-page-limit")
}

// TestNoTenantNoAccess: operators hold some of the permissions, on the platform and in no tenant.
func TestNoTenantNoAccess(t *testing.T) {
	e, err := httpx.New(httpx.Options{
		Routes:   slices.DeleteFunc(slices.Concat(api.MemberRoutes(&accessBook{}), api.TokenRoutes(&accessBook{})), func(r httpx.Route) bool { return r.Creates }),
		Verifier: operatorOnly{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/members", "/api/v1/members/x", "/api/v1/tokens"} {
		want(t, edge{t, e}.do(tenantA, http.MethodGet, path, ""), http.StatusForbidden, "seamark-permission-missing")
	}
}

// operatorOnly takes every token as an operator's session.
type operatorOnly struct{ tokens }

func (operatorOnly) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Kind: seamark.Session, Operator: true}, nil
}

// TestUsesOfATokenAreNoChange holds that the ETag is another one after a rotation, and not after a use.
func TestUsesOfATokenAreNoChange(t *testing.T) {
	b := &accessBook{token: api.Token{ID: "x", Kind: "query", Signals: []string{}}}
	e := accessEdge(t, b)
	find := func(text string) string {
		t.Helper()
		found := e.do(tenantA, http.MethodGet, "/api/v1/tokens/x", "")
		want(t, found, http.StatusOK, text)
		return found.Header().Get("ETag")
	}
	tag := find(`"last_used":null`)
	at := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	b.token.LastUsed = &api.CredentialUse{At: at, ClientIP: "192.0.2.1", Agent: "curl"}
	if used := find(`"ip":"192.0.2.1"`); used != tag || tag == "" {
		t.Errorf("the ETag is %q before a use and %q after it", tag, used)
	}
	// Who has the ETag is told of the use, which it does not cover.
	want(t, e.doWith(tenantA, http.MethodGet, "/api/v1/tokens/x", "", "If-None-Match", tag), http.StatusOK, "192.0.2.1")
	b.token.Rotated = &at
	if rotated := find(`"rotated_at":"2026-05-17T12:00:00Z"`); rotated == tag {
		t.Errorf("the ETag is %q before and after a rotation", tag)
	}
	want(t, e.do(tenantA, http.MethodGet, "/api/v1/tokens/y", ""), http.StatusNotFound, "seamark-token-absent")
}
