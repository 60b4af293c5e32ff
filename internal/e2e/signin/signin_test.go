package signin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
)

// TestSignIn has one server for all of it.
func TestSignIn(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]func(*testing.T, *world){
		"cookies": testCookies, "scripts": testScripts, "tenants": testTenants, "sessions": testSessions, "passwords": testPasswords,
		"provider": testProvider, "faults": testProviderFaults, "linking": testLinking, "realms": testRealms, "returns": testReturns, "record": testRecord,
		"console": testConsole,
	} {
		t.Run(name, func(t *testing.T) { test(t, w) })
	}
}

func (b *browser) signIn(login, secret string, cookie bool) session {
	b.t.Helper()
	var s session
	b.want(http.StatusOK, http.MethodPost, "/api/v1/session", map[string]any{"login": login, "password": secret, "cookie": cookie}, &s)
	return s
}

// cookie returns one of the cookies that an answer sets.
func (a *answer) cookie(name string) *http.Cookie {
	for _, line := range a.header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name {
			return c
		}
	}
	return nil
}

func testCookies(t *testing.T, w *world) {
	w.newUser(t, "cookies", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleEditor})
	b := w.browser(t)
	var s session
	a := b.want(http.StatusOK, http.MethodPost, "/api/v1/session", map[string]any{"login": "cookies", "password": password, "cookie": true}, &s)
	if s.Token != "" || s.RefreshToken != "" || s.RefreshSeconds != 360 {
		t.Errorf("with cookies the body is %s", a.body)
	}
	for _, name := range []string{"seamark_session", "seamark_refresh"} {
		c := a.cookie(name)
		if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s is %v", name, c)
		}
	}
	old := a.cookie("seamark_refresh").Value
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, &s)
	a = b.want(http.StatusOK, http.MethodPost, "/api/v1/session/refresh", nil, nil)
	if c := a.cookie("seamark_refresh"); c == nil || c.Value == old {
		t.Errorf("the refresh secret did not change: %v", c)
	}
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if a := b.do(http.MethodPost, "/api/v1/session/refresh", nil); a.status != http.StatusForbidden || a.fault() != "seamark-origin-foreign" {
		t.Errorf("a foreign page refreshes: %d %s", a.status, a.body)
	}
	b.header.Del("Sec-Fetch-Site")
	b.want(http.StatusNoContent, http.MethodDelete, "/api/v1/session", nil, nil)
	if a := b.do(http.MethodPost, "/api/v1/session/refresh", nil); a.status != http.StatusUnauthorized {
		t.Errorf("after sign-out: %d %s", a.status, a.body)
	}
}

func testScripts(t *testing.T, w *world) {
	w.newUser(t, "scripts", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleEditor})
	b := w.browser(t)
	first := b.signIn("scripts", password, false)
	if u, _ := url.Parse(w.origin); len(b.client.Jar.Cookies(u)) != 0 {
		t.Error("a script gets cookies")
	}
	var next session
	b.want(http.StatusOK, http.MethodPost, "/api/v1/session/refresh", map[string]string{"refresh_token": first.RefreshToken}, &next)
	if next.ID != first.ID || next.Token == "" || next.RefreshToken == first.RefreshToken {
		t.Errorf("got %+v after %+v", next, first)
	}
	b.header.Set("Authorization", "Bearer "+next.Token)
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, nil)
	if a := b.do(http.MethodPost, "/api/v1/session/refresh", map[string]string{"refresh_token": first.RefreshToken + "0"}); a.status != http.StatusUnauthorized {
		t.Errorf("a forged secret: %d %s", a.status, a.body)
	}
	b.header.Set("Authorization", "Bearer "+next.RefreshToken)
	if a := b.do(http.MethodGet, "/api/v1/session", nil); a.status != http.StatusUnauthorized {
		t.Errorf("a refresh secret is a credential: %d %s", a.status, a.body)
	}
}

func testTenants(t *testing.T, w *world) {
	w.newUser(t, "both", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleEditor, w.umbra.ID: seamark.RoleViewer})
	b := w.browser(t)
	s := b.signIn("both", password, true)
	if s.Tenant.Slug != "acme" || len(s.Tenants) != 2 || s.Tenants[1].Slug != "umbra" || s.Tenants[1].Role != "viewer" {
		t.Fatalf("got %+v", s)
	}
	b.want(http.StatusOK, http.MethodPost, "/api/v1/session/tenant", map[string]string{"tenant": "umbra"}, &s)
	var now session
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, &now)
	if now.Tenant.Slug != "umbra" || now.Role != "viewer" || now.ID != s.ID {
		t.Errorf("after the switch: %+v", now)
	}
}

func testSessions(t *testing.T, w *world) {
	user := w.newUser(t, "many", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleEditor})
	w.newUser(t, "boss", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleAdmin})
	here, there, third := w.browser(t), w.browser(t), w.browser(t)
	here.signIn("many", password, true)
	other := there.signIn("many", password, true)
	var list struct {
		Items []struct {
			ID, Way, IP, Agent string
			Current            bool
		}
	}
	here.want(http.StatusOK, http.MethodGet, "/api/v1/sessions", nil, &list)
	if len(list.Items) != 2 || list.Items[0].Way != "password" || list.Items[0].IP != "127.0.0.1" || list.Items[0].Agent != "a test's browser" ||
		list.Items[0].Current == list.Items[1].Current {
		t.Fatalf("got %+v", list)
	}
	gone := func(b *browser) bool {
		return b.do(http.MethodGet, "/api/v1/session", nil).status == http.StatusUnauthorized
	}
	here.want(http.StatusNoContent, http.MethodDelete, "/api/v1/sessions/"+other.ID, nil, nil)
	if !gone(there) || gone(here) {
		t.Error("the other session was to be ended")
	}
	third.signIn("boss", password, true)
	third.want(http.StatusNoContent, http.MethodDelete, "/api/v1/members/"+string(user.ID)+"/sessions", nil, nil)
	if !gone(here) {
		t.Error("the admin was to end the member's sessions")
	}
	here.signIn("many", password, true)
	there.signIn("many", password, true)
	here.want(http.StatusNoContent, http.MethodDelete, "/api/v1/sessions", nil, nil)
	if !gone(here) || !gone(there) {
		t.Error("all sessions were to be ended")
	}
}

func testPasswords(t *testing.T, w *world) {
	user := w.newUser(t, "forgets", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleEditor})
	w.newUser(t, "root", nil)
	b, root := w.browser(t), w.browser(t)
	b.signIn("forgets", password, true)
	if a := b.do(http.MethodPut, "/api/v1/session/password", map[string]string{"old_password": "wrong", "new_password": password + "!"}); a.fault() != "seamark-password-wrong" {
		t.Errorf("a wrong password: %d %s", a.status, a.body)
	}
	b.want(http.StatusOK, http.MethodPut, "/api/v1/session/password", map[string]string{"old_password": password, "new_password": password + "!"}, nil)
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, nil) // the cookies are the new session's
	root.signIn("root", password, true)
	var link struct{ URL, Token string }
	root.want(http.StatusCreated, http.MethodPost, "/api/v1/members/"+string(user.ID)+"/password-reset", nil, &link)
	if link.URL != w.origin+"/reset-password#"+link.Token {
		t.Errorf("the link is %s", link.URL)
	}
	stranger := w.browser(t)
	stranger.want(http.StatusOK, http.MethodPost, "/api/v1/session/password/reset", map[string]string{"token": link.Token, "password": password + "?"}, nil)
	if a := stranger.do(http.MethodPost, "/api/v1/session/password/reset", map[string]string{"token": link.Token, "password": password}); a.fault() != "seamark-reset-over" {
		t.Errorf("the link works twice: %d %s", a.status, a.body)
	}
	stranger.signIn("forgets", password+"?", true)
}

// atProvider goes through a sign-in at a provider and returns where it ended.
func (b *browser) atProvider(id, query string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, "/api/v1/session/oidc/"+id+"/start?"+query, nil)
}

func testProvider(t *testing.T, w *world) {
	var list struct{ Items []struct{ ID, Name string } }
	b := w.browser(t)
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session/providers", nil, &list)
	if len(list.Items) != 2 || list.Items[0].ID != "corp" || list.Items[0].Name != "Example Corp" {
		t.Errorf("the providers are %+v", list)
	}
	w.Issuer.SignIn(map[string]any{"sub": "ann", "email": "ann@example.org", "email_verified": true, "groups": []string{"sre"}})
	if a := b.atProvider("corp", "return=/logs?q=x"); a.status != http.StatusOK || a.url.RequestURI() != "/logs?q=x" {
		t.Fatalf("the sign-in ended at %s with %d", a.url, a.status)
	}
	var s session
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, &s)
	if s.Login != "ann@example.org" || s.Role != "editor" || s.Tenant.Slug != "acme" {
		t.Errorf("got %+v", s)
	}
	b.want(http.StatusOK, http.MethodPost, "/api/v1/session/refresh", nil, nil)
	var identities struct {
		Items []struct{ ID, Name, Email string }
	}
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session/identities", nil, &identities)
	if len(identities.Items) != 1 || identities.Items[0].Name != "Example Corp" {
		t.Fatalf("the identities are %+v", identities)
	}
	if a := b.do(http.MethodDelete, "/api/v1/session/identities/"+identities.Items[0].ID, nil); a.fault() != "seamark-identity-last" {
		t.Errorf("the last way to sign in: %d %s", a.status, a.body)
	}
}

// testProviderFaults: whatever goes wrong, the person lands on a page of the console that is told what.
func testProviderFaults(t *testing.T, w *world) {
	good := map[string]any{"sub": "ben", "email": "ben@example.org", "email_verified": true, "groups": []string{"sre"}}
	fails := func(what, id string, a answer) {
		t.Helper()
		if got := a.url.Query().Get("signin_error"); a.status != http.StatusOK || got != id || a.url.Host != strings.TrimPrefix(w.origin, "http://") {
			t.Errorf("%s: ended at %s with %d, want signin_error=%s", what, a.url, a.status, id)
		}
	}
	w.Issuer.SignIn(good)
	for fault, id := range map[issuer.Fault]string{
		issuer.WrongNonce: "seamark-signin-untrusted", issuer.WrongAudience: "seamark-signin-untrusted", issuer.AlgNone: "seamark-signin-untrusted",
		issuer.AlgHS256: "seamark-signin-untrusted", issuer.Expired: "seamark-signin-untrusted", issuer.Broken: "seamark-signin-provider-away",
	} {
		w.Misbehave(fault)
		b := w.browser(t)
		fails(string(fault), id, b.atProvider("corp", ""))
		if a := b.do(http.MethodGet, "/api/v1/session", nil); a.status != http.StatusUnauthorized {
			t.Errorf("%s: signed in all the same: %s", fault, a.body)
		}
	}
	w.Misbehave("")
	w.Deny("access_denied")
	fails("declined", "seamark-signin-declined", w.browser(t).atProvider("corp", ""))
	w.Issuer.SignIn(map[string]any{"sub": "nobody", "groups": []string{"sales"}})
	fails("not mapped", "seamark-signin-unmapped", w.browser(t).atProvider("corp", ""))
	w.newUser(t, "taken@example.org", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleOwner})
	w.Issuer.SignIn(map[string]any{"sub": "thief", "email": "taken@example.org", "email_verified": true, "groups": []string{"sre"}})
	fails("somebody's address", "seamark-signin-unlinked", w.browser(t).atProvider("corp", ""))
	fails("unknown provider", "seamark-provider-unknown", w.browser(t).atProvider("nobody", ""))

	w.Issuer.SignIn(good)
	b, back := w.browser(t), ""
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") {
			back = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.atProvider("corp", "")
	fails("another browser", "seamark-signin-expired", w.browser(t).do(http.MethodGet, back, nil))
	b.client.CheckRedirect = nil
	fails("another provider's callback", "seamark-signin-expired", b.do(http.MethodGet, strings.Replace(back, "/corp/", "/ops/", 1), nil))
	fails("its cookie is spent", "seamark-signin-expired", b.do(http.MethodGet, back, nil))
}

func testLinking(t *testing.T, w *world) {
	w.newUser(t, "links@example.org", map[seamark.TenantID]seamark.Role{w.umbra.ID: seamark.RoleOwner})
	w.Issuer.SignIn(map[string]any{"sub": "links", "email": "links@example.org", "email_verified": true})
	b := w.browser(t)
	b.signIn("links@example.org", password, true)
	var begun struct{ URL string }
	b.want(http.StatusOK, http.MethodPost, "/api/v1/session/oidc/corp/link", map[string]string{"return": "/account"}, &begun)
	if a := b.do(http.MethodGet, begun.URL, nil); a.url.RequestURI() != "/account" {
		t.Fatalf("linking ended at %s", a.url)
	}
	fresh := w.browser(t)
	if a := fresh.atProvider("corp", ""); a.url.RequestURI() != "/" {
		t.Fatalf("the sign-in ended at %s", a.url)
	}
	var s session
	fresh.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, &s)
	if s.Login != "links@example.org" || s.Role != "owner" {
		t.Errorf("got %+v", s)
	}
}

func testRealms(t *testing.T, w *world) {
	w.Issuer.SignIn(map[string]any{"sub": "op", "groups": []string{"platform", "sre"}})
	b := w.browser(t)
	b.atProvider("ops", "")
	var s session
	b.want(http.StatusOK, http.MethodGet, "/api/v1/session", nil, &s)
	if !s.Operator || s.Tenant != nil {
		t.Errorf("got %+v", s)
	}
	if a := w.browser(t).atProvider("corp", ""); a.url.Query().Get("signin_error") != "seamark-signin-realm" {
		t.Errorf("an operator at the tenants' provider ended at %s", a.url)
	}
}

func testReturns(t *testing.T, w *world) {
	w.Issuer.SignIn(map[string]any{"sub": "returns", "groups": []string{"sre"}})
	for _, page := range []string{"//evil.example", "/\\evil.example", "https://evil.example", "/\tx", "javascript:alert(1)", "/api/v1/session", "", "/" + strings.Repeat("x", 600)} {
		if a := w.browser(t).atProvider("corp", "return="+url.QueryEscape(page)); a.url.RequestURI() != "/" {
			t.Errorf("return %.30q led to %s", page, a.url)
		}
	}
}

// testRecord: sign-ins stand in the change log, whatever came of them.
func testRecord(t *testing.T, w *world) {
	w.newUser(t, "auditor", map[seamark.TenantID]seamark.Role{w.acme.ID: seamark.RoleOwner})
	w.Issuer.SignIn(map[string]any{"sub": "record", "email": "record@example.org", "email_verified": true, "groups": []string{"sre"}})
	w.browser(t).atProvider("corp", "")
	b := w.browser(t)
	b.signIn("auditor", password, true)
	var list struct {
		Items []struct {
			Action, Result string
			Actor          struct{ Login string }
		}
	}
	b.want(http.StatusOK, http.MethodGet, "/api/v1/changes?action=session.create", nil, &list)
	logins := []string{}
	for _, c := range list.Items {
		logins = append(logins, c.Actor.Login+" "+c.Result)
	}
	for _, want := range []string{"auditor done", "record@example.org done"} {
		if !slices.Contains(logins, want) {
			t.Errorf("%q is not on record: %v", want, logins)
		}
	}
}
