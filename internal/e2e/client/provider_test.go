package client_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
)

// provider is the id of the sign-in provider.
const provider = "corp"

// providerFlags starts a sign-in provider and returns it with what the server must be told of it.
func providerFlags(t *testing.T) (*issuer.Issuer, []string) {
	t.Helper()
	i, folder := issuer.New(t, time.Now), t.TempDir()
	secret, config := filepath.Join(folder, "secret"), filepath.Join(folder, "providers.yaml")
	text := fmt.Sprintf("providers:\n- {id: %s, name: Example Corp, issuer: %q, client_id: %q, client_secret_file: %q, claim: groups, grants: [{value: sre, tenant: %s, role: editor}]}\n",
		provider, i.URL, issuer.ClientID, secret, slug)
	for name, content := range map[string]string{secret: issuer.ClientSecret, config: text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody follows the redirections by themselves, so that the server need not be at its external address.
	return i, []string{"--oidc.config-file", config, "--oidc.allowed-networks", "127.0.0.0/8", "--http.external-url", "http://seamark.test"}
}

// cookies returns the cookies that an answer sets, as the next request has them.
func cookies(meta client.Meta) (header string, values map[string]string) {
	values = map[string]string{}
	var pairs []string
	for _, line := range meta.Header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.MaxAge >= 0 {
			values[c.Name] = c.Value
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; "), values
}

// atProvider goes to the provider with a browser, which comes back at once, and finishes there. It returns the page that the
// browser is sent to, and the session that it has then, if any.
func (w *world) atProvider(t *testing.T, to string, begun client.Meta) (page string, session *client.Client) {
	t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	back, err := answer.Location()
	if err != nil {
		t.Fatalf("the provider at %s answered %s", to, answer.Status)
	}
	if want := "http://seamark.test/api/v1/session/oidc/" + provider + "/callback"; !strings.HasPrefix(back.String(), want+"?") {
		t.Fatalf("the provider sends the browser to %s, want %s", back, want)
	}
	query := back.Query()
	cookie, _ := cookies(begun)
	var done client.Meta
	page, err = w.nobody.FinishProvider(t.Context(), provider, &client.FinishProviderParams{
		State: new(query.Get("state")), Code: new(query.Get("code")), Iss: new(query.Get("iss")),
	}, client.WithHeader("Cookie", cookie), client.Into(&done))
	if err != nil {
		t.Fatal(err)
	}
	if done.Status != http.StatusSeeOther {
		t.Errorf("the status is %d", done.Status)
	}
	if _, values := cookies(done); values["seamark_session"] != "" {
		session = w.as(t, values["seamark_session"])
	}
	return strings.TrimPrefix(page, w.URL), session
}

// wantSession fails the test unless a session is somebody's, with a role.
func wantSession(t *testing.T, c *client.Client, login, role string) {
	t.Helper()
	if c == nil {
		t.Fatalf("%s got no session", login)
	}
	if s, err := c.FindSession(t.Context()); err != nil || s.Login != login || s.Role != role || s.Tenant == nil || s.Tenant.Slug != slug {
		t.Errorf("got %+v, %v; want %s as %s of %s", s, err, login, role, slug)
	}
}

// providerCalls drive the sign-in at a provider.
func providerCalls() []call {
	var to string
	var begun client.Meta
	var linked *client.Client
	return []call{
		{"listProviders", func(t *testing.T, w *world) error {
			list, err := w.nobody.ListProviders(t.Context())
			if err == nil && (len(list.Items) != 1 || list.Items[0].ID != provider || list.Items[0].Name != "Example Corp") {
				t.Errorf("got %+v", list.Items)
			}
			return err
		}},
		{"startProvider", func(t *testing.T, w *world) (err error) {
			if to, err = w.nobody.StartProvider(t.Context(), provider, &client.StartProviderParams{Return: new("/logs?q=x")}, client.Into(&begun)); err != nil {
				return err
			}
			if u, err := url.Parse(to); err != nil || begun.Status != http.StatusSeeOther || u.Path != "/authorize" || u.Query().Get("client_id") != issuer.ClientID {
				t.Errorf("got %d to %s", begun.Status, to)
			}
			return nil
		}},
		{"finishProvider", func(t *testing.T, w *world) error {
			w.issuer.SignIn(map[string]any{"sub": "ann", "email": "ann@example.org", "email_verified": true, "groups": []string{"sre"}})
			page, session := w.atProvider(t, to, begun)
			if page != "/logs?q=x" {
				t.Errorf("the browser is sent to %s", page)
			}
			wantSession(t, session, "ann@example.org", "editor")
			return nil
		}},
		{"startProviderInvited", func(t *testing.T, w *world) error {
			invitation, err := w.owner.CreateInvitation(t.Context(), client.InvitationCreation{Role: "admin"})
			if err != nil {
				return err
			}
			w.issuer.SignIn(map[string]any{"sub": "ivy", "email": "ivy@example.org", "email_verified": true})
			start, err := w.nobody.StartProviderInvited(t.Context(), provider, client.InvitationToken{Token: invitation.Token}, client.Into(&begun))
			if err != nil {
				return err
			}
			_, session := w.atProvider(t, start.URL, begun)
			wantSession(t, session, "ivy@example.org", "admin")
			return nil
		}},
		{"linkProvider", func(t *testing.T, w *world) error {
			linked = w.person(t, "lin@example.org", "viewer")
			w.issuer.SignIn(map[string]any{"sub": "lin", "email": "lin@elsewhere.example"})
			start, err := linked.LinkProvider(t.Context(), provider, client.ProviderLink{Return: new("/account")}, client.Into(&begun))
			if err != nil {
				return err
			}
			if page, _ := w.atProvider(t, start.URL, begun); page != "/account" {
				t.Errorf("the browser is sent to %s", page)
			}
			again, err := w.nobody.StartProvider(t.Context(), provider, nil, client.Into(&begun))
			if err != nil {
				return err
			}
			_, session := w.atProvider(t, again, begun)
			wantSession(t, session, "lin@example.org", "viewer")
			return nil
		}},
		{"listIdentities", func(t *testing.T, w *world) error {
			list, err := linked.ListIdentities(t.Context())
			if err == nil && (len(list.Items) != 1 || list.Items[0].Provider != provider || list.Items[0].Subject != "lin") {
				t.Errorf("got %+v, want the identity that was linked", list.Items)
			}
			return err
		}},
		{"deleteIdentity", func(t *testing.T, w *world) error {
			list, err := linked.ListIdentities(t.Context())
			if err != nil {
				return err
			}
			if err := linked.DeleteIdentity(t.Context(), list.Items[0].ID); err != nil {
				return err
			}
			if list, err = linked.ListIdentities(t.Context()); err == nil && len(list.Items) > 0 {
				t.Errorf("%+v is linked still", list.Items)
			}
			return err
		}},
	}
}
