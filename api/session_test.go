package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// oneSession is a directory with one person, whose sign-in always succeeds.
type oneSession struct{ Sessions }

func (oneSession) grant() (SessionGrant, error) {
	return SessionGrant{ID: "sid", Token: "a.b.c", Expires: time.Unix(600, 0), Refresh: "smr_x", Ends: time.Unix(86400, 0)}, nil
}

func (o oneSession) SignIn(context.Context, Credentials, Client) (SessionGrant, error) {
	return o.grant()
}

func (o oneSession) RefreshSession(_ context.Context, secret string, _ Client) (SessionGrant, error) {
	if secret != "smr_x" {
		return SessionGrant{}, seamark.Errorf(seamark.Unauthenticated, "seamark-session-reused", "It came twice.")
	}
	return o.grant()
}

func (oneSession) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Kind: seamark.Session, Operator: true, Login: "root", CredentialID: "sid"}, nil
}

func (oneSession) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "No.")
}

func (oneSession) Permit(seamark.Principal, string) error { return nil }

func (oneSession) TenantName(context.Context, seamark.TenantID) (slug, name string, err error) {
	return "", "", nil
}

func (oneSession) TenantChoices(context.Context, string) []TenantChoice { return nil }

// sessionEdge serves the session routes as behind TLS; told collects what is put on record.
func sessionEdge(t *testing.T, told *[]string) *httpx.Edge {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: SessionRoutes(SessionOptions{
			Sessions: oneSession{}, Tenants: oneSession{}, SecureCookie: true, TokenLifetime: 10 * time.Minute,
			Permitted: func(seamark.Principal) ([]string, error) { return []string{"session:read", "tenants:read"}, nil },
			Tell: func(_ *httpx.Request, route *httpx.Route, _ int, err *seamark.Error) {
				*told = append(*told, route.Action+" "+err.ID)
			},
		}),
		Verifier: oneSession{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	return e
}

func callSession(e *httpx.Edge, method, path, body, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// TestCookiesBehindTLS: they are tied to this host, no script reads them, and no other site sends them.
func TestCookiesBehindTLS(t *testing.T) {
	var told []string
	e := sessionEdge(t, &told)
	w := callSession(e, http.MethodPost, "/api/v1/session", `{"login":"root","password":"x","cookie":true}`, "")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.NotContains(t, w.Body.String(), "smr_x")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	cookies := w.Result().Cookies() //nolint:bodyclose // a recorder's
	require.Len(t, cookies, 2)
	for i, name := range []string{"__Host-seamark_session", "__Host-seamark_refresh"} {
		c := cookies[i]
		require.Equal(t, name, c.Name)
		require.True(t, c.Secure && c.HttpOnly && c.SameSite == http.SameSiteStrictMode && c.Path == "/" && c.Domain == "", c.String())
	}
	w = callSession(e, http.MethodPost, "/api/v1/session/refresh", "", "__Host-seamark_refresh=smr_x")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	w = callSession(e, http.MethodPost, "/api/v1/session/refresh", "", "seamark_refresh=smr_x") // a neighbour's
	require.Equal(t, http.StatusUnauthorized, w.Code, w.Body.String())
	require.Empty(t, told)
}

// TestSessionTellsItsPermissions: the console offers what they allow, and nothing else.
func TestSessionTellsItsPermissions(t *testing.T) {
	var told []string
	e := sessionEdge(t, &told)
	w := callSession(e, http.MethodGet, "/api/v1/session", "", "__Host-seamark_session=a.b.c")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var got struct {
		Permissions []string `json:"permissions"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, []string{"session:read", "tenants:read"}, got.Permissions)
}

// TestStolenSecretIsOnRecord: the cookies go, and the log of changes is told.
func TestStolenSecretIsOnRecord(t *testing.T) {
	var told []string
	e := sessionEdge(t, &told)
	w := callSession(e, http.MethodPost, "/api/v1/session/refresh", "", "__Host-seamark_refresh=old")
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Equal(t, []string{"session.refresh seamark-session-reused"}, told)
	for _, c := range w.Result().Cookies() { //nolint:bodyclose // a recorder's
		require.Negative(t, c.MaxAge, c.String())
	}
	require.Len(t, w.Result().Cookies(), 2) //nolint:bodyclose // a recorder's
}

// FuzzSafeReturn: wherever a sign-in leads back to, it is a page of ours, for a browser's understanding of addresses, too.
func FuzzSafeReturn(f *testing.F) {
	for _, page := range []string{"/logs?q=%7B%7D#x", "//evil.example", "/\\evil.example", "https://evil.example", "/..//evil.example", "/%2f/evil", "/\t/evil.example"} {
		f.Add(page)
	}
	origin := &url.URL{Scheme: "https", Host: "seamark.example"}
	f.Fuzz(func(t *testing.T, page string) {
		safe := safeReturn(page)
		to, err := origin.Parse(safe)
		if err != nil || to.Host != origin.Host || to.Scheme != origin.Scheme {
			t.Errorf("%q leads to %v, %v", page, to, err)
		}
		// Browsers drop tabs and line feeds, and read a backslash as a slash.
		if read := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(safe); strings.HasPrefix(read, "//") {
			t.Errorf("%q leads browsers to another host: %q", page, safe)
		}
	})
}
