package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SessionGrant is a fresh session.
type SessionGrant struct {
	Token   string
	Expires time.Time
}

// Sessions is what sign-in needs of the directory.
type Sessions interface {
	// SignIn proves a password. Errors are Unauthenticated, or RateLimited with the time to wait.
	SignIn(ctx context.Context, login, password, tenantSlug, clientIP string) (SessionGrant, error)
	// SignOut ends a session at once on every node.
	SignOut(ctx context.Context, sessionID string) error
	// VerifySession returns whom a session belongs to.
	VerifySession(ctx context.Context, token string) (seamark.Principal, error)
}

// TenantNames tells a tenant's names.
type TenantNames interface {
	TenantName(ctx context.Context, tenant seamark.TenantID) (slug, name string, err error)
}

// SessionOptions configures the session routes.
type SessionOptions struct {
	Sessions Sessions
	Tenants  TenantNames
	// SecureCookie marks the cookie Secure, which a plain-HTTP front cannot.
	SecureCookie bool
}

type sessions struct{ SessionOptions }

// SessionRoutes returns the routes for signing in and out.
func SessionRoutes(o SessionOptions) []httpx.Route {
	s := &sessions{o}
	return []httpx.Route{
		{Method: http.MethodPost, Path: "/api/v1/session", Permission: httpx.Anonymous, Handler: s.create},
		{Method: http.MethodGet, Path: "/api/v1/session", Permission: "session:read", Handler: s.get},
		{Method: http.MethodDelete, Path: "/api/v1/session", Permission: "session:read", Handler: s.delete},
	}
}

type sessionRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Tenant   string `json:"tenant"`
}

type sessionTenant struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type sessionResponse struct {
	Token     string         `json:"token,omitempty"`
	ExpiresAt *time.Time     `json:"expires_at,omitempty"`
	Login     string         `json:"login"`
	Operator  bool           `json:"operator"`
	Tenant    *sessionTenant `json:"tenant"`
	Role      string         `json:"role"`
}

func (s *sessions) create(w http.ResponseWriter, r *httpx.Request) error {
	var in sessionRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Login, r.Change.Object = claimedLogin(in.Login), "session"
	grant, err := s.Sessions.SignIn(r.Context(), in.Login, in.Password, in.Tenant, r.ClientIP())
	if err != nil {
		return err
	}
	p, err := s.Sessions.VerifySession(r.Context(), grant.Token)
	if err != nil {
		return err
	}
	r.Change.Principal = p
	out, err := s.describe(r.Context(), p)
	if err != nil {
		return err
	}
	out.Token, out.ExpiresAt = grant.Token, &grant.Expires
	http.SetCookie(w, s.cookie(grant.Token, grant.Expires))
	return httpx.WriteJSON(w, http.StatusOK, out)
}

// claimedLogin is the login of a sign-in as the change log keeps it. What cannot be a login may be a password in the wrong
// field, and is not kept.
func claimedLogin(login string) string {
	const most = 254
	if len(login) > most || strings.ContainsFunc(login, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return login
}

func (s *sessions) cookie(value string, expires time.Time) *http.Cookie {
	return &http.Cookie{
		Name: httpx.SessionCookie, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: s.SecureCookie,
		SameSite: http.SameSiteStrictMode,
	}
}

func (s *sessions) get(w http.ResponseWriter, r *httpx.Request) error {
	out, err := s.describe(r.Context(), r.Principal)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, out)
}

func (s *sessions) delete(w http.ResponseWriter, r *httpx.Request) error {
	if err := s.Sessions.SignOut(r.Context(), r.Principal.CredentialID); err != nil {
		return err
	}
	c := s.cookie("", time.Unix(0, 0))
	c.MaxAge = -1
	http.SetCookie(w, c)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *sessions) describe(ctx context.Context, p seamark.Principal) (*sessionResponse, error) {
	out := &sessionResponse{Login: p.Login, Operator: p.Operator, Role: string(p.Role)}
	if p.Tenant == "" {
		return out, nil
	}
	slug, name, err := s.Tenants.TenantName(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	out.Tenant = &sessionTenant{ID: string(p.Tenant), Slug: slug, Name: name}
	return out, nil
}
