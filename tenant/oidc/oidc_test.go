package oidc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
	"github.com/seamarkhq/seamark/tenant/oidc"
)

// world is an issuer and a client of it, on one clock.
type world struct {
	*issuer.Issuer
	client *oidc.Client
	clock  *testkit.Clock
	log    *strings.Builder
}

func newWorld(t *testing.T, change ...func(*oidc.Provider)) *world {
	t.Helper()
	w := &world{clock: testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)), log: &strings.Builder{}}
	w.Issuer = issuer.New(t, w.clock.Now)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(issuer.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := oidc.Provider{
		ID: "corp", Name: "Example Corp", Issuer: w.URL, ClientID: issuer.ClientID, ClientSecretFile: secret, Scopes: []string{"openid"}, Realm: oidc.Tenants,
	}
	for _, c := range change {
		c(&p)
	}
	w.client = newClient(t, w, p, loopback())
	return w
}

func loopback() *guard.Guard {
	return guard.New(guard.Options{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

func newClient(t *testing.T, w *world, p oidc.Provider, g *guard.Guard) *oidc.Client {
	t.Helper()
	c, err := oidc.New(oidc.Options{
		Providers: []oidc.Provider{p}, CallbackURL: "https://seamark.example/api/v1/session/oidc/%s/callback", HTTP: oidc.NewHTTP(g.Dial), Now: w.clock.Now,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// visit goes to the issuer as a browser would and returns what it sends back.
func (w *world) visit(t *testing.T, address string) oidc.Return {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || back.Host != "seamark.example" {
		t.Fatalf("the issuer answered %d %s: %s", answer.StatusCode, answer.Header.Get("Location"), body)
	}
	q := back.Query()
	return oidc.Return{State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error")}
}

func (w *world) start(t *testing.T) (oidc.Flow, oidc.Return) {
	t.Helper()
	address, flow, err := w.client.Start(t.Context(), "corp")
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return flow, w.visit(t, address)
}

func (w *world) signIn(t *testing.T) (oidc.Person, error) {
	t.Helper()
	flow, back := w.start(t)
	return w.client.Finish(t.Context(), "corp", flow, back)
}

func wantError(t *testing.T, err error, kind seamark.Kind, id string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != kind || e.ID != id {
		t.Fatalf("got error %v (kind %s), want kind %s and id %s", err, seamark.KindOf(err), kind, id)
	}
}

func TestSignInProvesThePerson(t *testing.T) {
	w := newWorld(t, func(p *oidc.Provider) {
		p.Claim = "realm_access.roles"
		p.Grants = []oidc.Grant{{Value: "sre", Tenant: "acme", Role: "admin"}, {Tenant: "acme", Role: "viewer"}, {Value: "umbra", Tenant: "umbra", Role: "editor"}}
	})
	w.Issuer.SignIn(map[string]any{
		"sub": "4711", "email": "Ann@Example.org", "email_verified": true, "realm_access": map[string]any{"roles": []string{"dev", "sre"}},
	})
	got, err := w.signIn(t)
	want := oidc.Person{Provider: "corp", Issuer: w.URL, Subject: "4711", Email: "ann@example.org", Roles: map[string]seamark.Role{"acme": seamark.RoleAdmin}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; -want +got\n%s", err, diff)
	}
	w.Issuer.SignIn(map[string]any{"sub": "4712", "email": "boss@example.org", "email_verified": false, "realm_access": "sre"})
	got, err = w.signIn(t)
	want = oidc.Person{Provider: "corp", Issuer: w.URL, Subject: "4712", Roles: map[string]seamark.Role{"acme": seamark.RoleViewer}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("an unverified address: %v; -want +got\n%s", err, diff)
	}
}

// TestEveryFaultIsRefused lets the issuer do one thing wrong at a time; the same sign-in without it succeeds.
func TestEveryFaultIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, fault := range issuer.Faults() {
		w.Misbehave("")
		if _, err := w.signIn(t); err != nil {
			t.Fatalf("before %s: %v", fault, err)
		}
		w.clock.Advance(time.Minute) // past the pause between two looks for a key
		w.Misbehave(fault)
		_, err := w.signIn(t)
		e, ok := errors.AsType[*seamark.Error](err)
		switch {
		case !ok:
			t.Errorf("%s: got %v", fault, err)
		case fault == issuer.Broken || fault == issuer.Endless || fault == issuer.Redirects:
			if e.Kind != seamark.Unavailable && e.Kind != seamark.Unauthenticated {
				t.Errorf("%s: got %s %s", fault, e.Kind, e.ID)
			}
		case e.Kind != seamark.Unauthenticated || e.ID != "seamark-signin-untrusted":
			t.Errorf("%s: got %s %s, want untrusted", fault, e.Kind, e.ID)
		}
	}
	if n := w.Visits("/elsewhere"); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	if strings.Contains(w.log.String(), issuer.ClientSecret) {
		t.Errorf("the client's secret is logged: %s", w.log)
	}
}

func TestReturnMustBelongToTheFlow(t *testing.T) {
	w := newWorld(t)
	flow, back := w.start(t)
	other, _ := w.start(t)
	finish := func(f oidc.Flow, r oidc.Return) error {
		_, err := w.client.Finish(t.Context(), "corp", f, r)
		return err
	}
	forged := back
	forged.State = "x"
	wantError(t, finish(flow, forged), seamark.Unauthenticated, "seamark-signin-expired")
	wantError(t, finish(other, back), seamark.Unauthenticated, "seamark-signin-expired")
	wantError(t, finish(oidc.Flow{}, oidc.Return{Code: back.Code}), seamark.Unauthenticated, "seamark-signin-expired")
	mixed := back
	mixed.Issuer = "https://elsewhere.example"
	wantError(t, finish(flow, mixed), seamark.Unauthenticated, "seamark-signin-untrusted")
	mixed.Issuer = "" // the document promises one
	wantError(t, finish(flow, mixed), seamark.Unauthenticated, "seamark-signin-untrusted")
	stolen := flow
	stolen.Verifier = other.Verifier
	wantError(t, finish(stolen, back), seamark.Unauthenticated, "seamark-signin-refused-by-provider")
	if err := finish(flow, back); err != nil {
		t.Fatalf("the right one: %v", err)
	}
	wantError(t, finish(flow, back), seamark.Unauthenticated, "seamark-signin-refused-by-provider")
	want := []string{"code_verifier", "code was redeemed before"}
	if diff := cmp.Diff(want, w.Refused()); diff != "" {
		t.Errorf("the issuer's reasons: -want +got\n%s", diff)
	}
}

func TestDeclinedSignInSaysSo(t *testing.T) {
	w := newWorld(t)
	w.Deny("access_denied")
	_, err := w.signIn(t)
	wantError(t, err, seamark.Unauthenticated, "seamark-signin-declined")
	_, _, err = w.client.Start(t.Context(), "nobody")
	wantError(t, err, seamark.NotFound, "seamark-provider-unknown")
}

func TestKeysRotate(t *testing.T) {
	w := newWorld(t)
	if _, err := w.signIn(t); err != nil {
		t.Fatal(err)
	}
	if n := w.Visits("/keys"); n != 1 {
		t.Errorf("the keys were read %d times, want once", n)
	}
	w.clock.Advance(time.Minute)
	w.RotateKeys(t, true)
	if _, err := w.signIn(t); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	if _, err := w.signIn(t); err != nil || w.Visits("/keys") != 2 {
		t.Errorf("again: %v, keys read %d times, want 2", err, w.Visits("/keys"))
	}
	w.Misbehave(issuer.UnknownKeyID)
	for range 5 {
		_, err := w.signIn(t)
		wantError(t, err, seamark.Unauthenticated, "seamark-signin-untrusted")
	}
	if n := w.Visits("/keys"); n != 2 {
		t.Errorf("made-up key ids made us read the keys: %d times, want 2", n)
	}
	w.Misbehave("")
	w.clock.Advance(16 * time.Minute)
	if _, err := w.signIn(t); err != nil || w.Visits("/keys") != 3 {
		t.Errorf("past the documents' life: %v, keys read %d times, want 3", err, w.Visits("/keys"))
	}
}

func TestOnlyAllowedDomains(t *testing.T) {
	w := newWorld(t, func(p *oidc.Provider) { p.AllowedDomains = []string{"example.org"} })
	for name, claims := range map[string]map[string]any{
		"other domain": {"sub": "1", "email": "a@example.com", "email_verified": true},
		"subdomain":    {"sub": "1", "email": "a@x.example.org", "email_verified": true},
		"as the name":  {"sub": "1", "email": "example.org@evil.example", "email_verified": true},
		"unverified":   {"sub": "1", "email": "a@example.org"},
		"none":         {"sub": "1"},
	} {
		w.Issuer.SignIn(claims)
		_, err := w.signIn(t)
		if e, ok := errors.AsType[*seamark.Error](err); !ok || e.ID != "seamark-signin-domain" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	w.Issuer.SignIn(map[string]any{"sub": "1", "email": "A@EXAMPLE.org", "email_verified": "true"})
	if _, err := w.signIn(t); err != nil {
		t.Errorf("an allowed one: %v", err)
	}
}

func TestOperatorsAreGranted(t *testing.T) {
	w := newWorld(t, func(p *oidc.Provider) {
		p.Realm, p.Claim, p.Grants = oidc.Operators, "groups", []oidc.Grant{{Value: "platform"}}
	})
	for group, want := range map[string]bool{"platform": true, "sre": false} {
		w.Issuer.SignIn(map[string]any{"sub": "1", "groups": []string{group}})
		if got, err := w.signIn(t); err != nil || !got.OperatorRealm || got.Operator != want {
			t.Errorf("%s: got %+v, %v", group, got, err)
		}
	}
}

// TestProvidersAreGuarded dials a provider on loopback without leave to.
func TestProvidersAreGuarded(t *testing.T) {
	w := newWorld(t)
	p := oidc.Provider{ID: "corp", Name: "Corp", Issuer: w.URL, ClientID: "x", Scopes: []string{"openid"}}
	c := newClient(t, w, p, guard.New(guard.Options{Ports: []uint16{443}}))
	_, _, err := c.Start(t.Context(), "corp")
	wantError(t, err, seamark.Unavailable, "seamark-signin-provider-away")
	if !errors.Is(err, guard.ErrBlocked) || w.Visits("/.well-known/openid-configuration") != 0 {
		t.Errorf("got %v after %d visits, want the guard's refusal and none", err, w.Visits("/.well-known/openid-configuration"))
	}
}

// TestProviderThatIsAway is asked again after a pause, and a canceled caller says nothing of it.
func TestProviderThatIsAway(t *testing.T) {
	w := newWorld(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := w.client.Start(canceled, "corp"); err == nil {
		t.Error("a canceled start succeeds")
	}
	if _, _, err := w.client.Start(t.Context(), "corp"); err != nil {
		t.Errorf("the next caller: %v", err)
	}
	var dialed int
	broken := oidc.NewHTTP(func(context.Context, string, string) (net.Conn, error) { dialed++; return nil, errors.New("no route") })
	c, err := oidc.New(oidc.Options{
		Providers: []oidc.Provider{{ID: "corp", Name: "Corp", Issuer: w.URL, ClientID: "x"}}, CallbackURL: "https://x/%s", HTTP: broken, Now: w.clock.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _, err := c.Start(t.Context(), "corp")
		wantError(t, err, seamark.Unavailable, "seamark-signin-provider-away")
	}
	w.clock.Advance(10 * time.Second)
	_, _, _ = c.Start(t.Context(), "corp")
	if dialed != 2 {
		t.Errorf("dialed %d times, want twice", dialed)
	}
}
