// Package signin_test signs people in as browsers and scripts do, by password and at a provider that is a test issuer.
package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

const password = "long enough for all"

// world is a server with two tenants, and a provider that it knows.
type world struct {
	*issuer.Issuer
	app         *app.App
	origin      string
	acme, umbra tenant.Tenant
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Issuer: issuer.New(t, time.Now)}
	folder := t.TempDir()
	secret, config := filepath.Join(folder, "secret"), filepath.Join(folder, "providers.yaml")
	text := fmt.Sprintf(`
providers:
  - {id: corp, name: Example Corp, issuer: %[1]q, client_id: %[2]q, client_secret_file: %[3]q, claim: groups, grants: [{value: sre, tenant: acme, role: editor}]}
  - {id: ops, name: Platform team, issuer: %[1]q, client_id: %[2]q, client_secret_file: %[3]q, realm: operators, claim: groups, grants: [{value: platform}]}
`, w.URL, issuer.ClientID, secret)
	for name, content := range map[string]string{secret: issuer.ClientSecret, config: text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	w.app = inprocess.App(t, func(o *app.Options) {
		o.HTTP.Listen, o.HTTP.ExternalURL = address, "http://"+address
		o.OIDC = app.OIDCOptions{ConfigFile: config, AllowedNetworks: []string{"127.0.0.0/8"}}
	})
	w.origin = "http://" + address
	for slug, made := range map[string]*tenant.Tenant{"acme": &w.acme, "umbra": &w.umbra} {
		var err error
		if *made, err = w.app.Directory().CreateTenant(t.Context(), tenant.TenantSpec{Slug: slug, Name: "Tenant " + slug}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// freeAddress is known before the server starts, because the provider is told it.
func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func (w *world) newUser(t *testing.T, login string, memberships map[seamark.TenantID]seamark.Role) tenant.User {
	t.Helper()
	user, err := w.app.Directory().CreateUser(t.Context(), tenant.UserSpec{Login: login, Password: password, Memberships: memberships, Operator: memberships == nil})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// browser keeps cookies and follows redirections, on one server or between two.
type browser struct {
	t      *testing.T
	client *http.Client
	origin string
	header http.Header
}

func (w *world) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar}, origin: w.origin, header: http.Header{}}
}

type answer struct {
	status int
	header http.Header
	body   string
	url    *url.URL // where redirections led
}

func (b *browser) do(method, path string, body any) answer {
	b.t.Helper()
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	if path[0] == '/' {
		path = b.origin + path
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), method, path, content)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	r.Header.Set("User-Agent", "a test's browser")
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text), res.Request.URL}
}

// want does a request that must be answered with a status, and decodes the answer.
func (b *browser) want(status int, method, path string, body, into any) answer {
	b.t.Helper()
	a := b.do(method, path, body)
	if a.status != status {
		b.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}

// fault is the id of a problem document.
func (a *answer) fault() string {
	var p struct{ ID string }
	_ = json.Unmarshal([]byte(a.body), &p) // what is none has no id
	return p.ID
}

// session is what the API says of one.
type session struct {
	ID, Token, Login, Role string
	RefreshToken           string `json:"refresh_token"`
	RefreshSeconds         int    `json:"refresh_seconds"`
	Operator               bool
	Tenant                 *struct{ Slug string }
	Tenants                []struct{ Slug, Role string }
}
