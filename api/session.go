package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SessionGrant is what a person holds of a session.
type SessionGrant struct {
	ID      string
	Token   string // the JWT, until Expires
	Expires time.Time
	Refresh string // gets the next, until Ends
	Ends    time.Time
}

// Client is where a request comes from, as people see it in the list of their sessions.
type Client struct{ IP, Agent string }

func clientOf(r *httpx.Request) Client { return Client{IP: r.ClientIP(), Agent: r.UserAgent()} }

// Credentials is what a person signs in with.
type Credentials struct{ Login, Password, TenantSlug string }

// Sessions is what signing in and out needs of the directory.
type Sessions interface {
	// SignIn proves a password. Errors are Unauthenticated, or RateLimited with the time to wait.
	SignIn(ctx context.Context, c Credentials, from Client) (SessionGrant, error)
	// RefreshSession spends a refresh secret. Errors are Unauthenticated: seamark-session-reused when it was spent before.
	RefreshSession(ctx context.Context, secret string, from Client) (SessionGrant, error)
	// SwitchTenant ends a session and opens one for another of the person's tenants.
	SwitchTenant(ctx context.Context, sessionID, tenantSlug string, from Client) (SessionGrant, error)
	// SignOut ends a session at once on every node.
	SignOut(ctx context.Context, sessionID string) error
	// VerifySession returns whom a session belongs to.
	VerifySession(ctx context.Context, token string) (seamark.Principal, error)
}

// TenantChoice is a tenant that a person can act for.
type TenantChoice struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
	Role string `json:"role"`
}

// TenantNames tells tenants' names.
type TenantNames interface {
	TenantName(ctx context.Context, tenant seamark.TenantID) (slug, name string, err error)
	// TenantChoices lists where a person is a member, by slug.
	TenantChoices(ctx context.Context, login string) []TenantChoice
}

// SessionOptions configures the routes of sessions, passwords and sign-in at providers.
type SessionOptions struct {
	Sessions  Sessions
	Devices   Devices
	Passwords Passwords
	Providers Providers // nil where none is configured
	Tenants   TenantNames
	// Permitted lists what a principal may do, sorted, so that the console offers nothing that would be refused.
	Permitted func(p seamark.Principal) ([]string, error)
	// SecureCookie marks cookies Secure and ties them to this host. A plain-HTTP front off loopback cannot.
	SecureCookie bool
	// TokenLifetime is how long a token lasts; clients are told to refresh earlier.
	TokenLifetime time.Duration
	// ExternalURL is the console as people reach it, for links; "" makes links without a host.
	ExternalURL string
	// Tell puts what the edge cannot see on record: how a sign-in ended whose answer is a redirection.
	Tell func(r *httpx.Request, route *httpx.Route, status int, err *seamark.Error)
}

type sessions struct {
	SessionOptions
	cross *http.CrossOriginProtection
}

// SessionRoutes returns the routes for signing in and out.
func SessionRoutes(o SessionOptions) []httpx.Route {
	s := &sessions{o, http.NewCrossOriginProtection()}
	const path, read = "/api/v1/session", "session:read"
	routes := []httpx.Route{
		{Method: http.MethodPost, Path: path, Permission: httpx.Anonymous, Handler: s.create},
		{Method: http.MethodGet, Path: path, Permission: read, HonoursScope: true, Handler: s.get},
		{Method: http.MethodDelete, Path: path, Permission: read, HonoursScope: true, Handler: s.delete},
		// A refresh changes nothing that people know of; one that shows a theft is told by its handler.
		{Method: http.MethodPost, Path: path + "/refresh", Permission: httpx.Anonymous, Action: httpx.NoChange, Handler: s.refresh},
		{Method: http.MethodPost, Path: path + "/tenant", Permission: read, HonoursScope: true, Action: "session.switch", Handler: s.switchTenant},
	}
	routes = append(routes, s.deviceRoutes()...)
	routes = append(routes, s.passwordRoutes()...)
	return append(routes, s.providerRoutes()...)
}

type sessionRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Tenant   string `json:"tenant,omitempty"`
	Cookie   bool   `json:"cookie,omitempty"`
}

type sessionTenant struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type sessionResponse struct {
	Token          string         `json:"token,omitempty"`
	RefreshToken   string         `json:"refresh_token,omitempty"`
	ExpiresAt      *time.Time     `json:"expires_at,omitempty"`
	EndsAt         *time.Time     `json:"ends_at,omitempty"`
	RefreshSeconds int            `json:"refresh_seconds"`
	ID             string         `json:"id"`
	Login          string         `json:"login"`
	Operator       bool           `json:"operator"`
	Tenant         *sessionTenant `json:"tenant"`
	Role           string         `json:"role"`
	Permissions    []string       `json:"permissions"`
	Tenants        []TenantChoice `json:"tenants"`
}

func (s *sessions) create(w http.ResponseWriter, r *httpx.Request) error {
	var in sessionRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Login, r.Change.Object = claimedLogin(in.Login), "session"
	grant, err := s.Sessions.SignIn(r.Context(), Credentials{in.Login, in.Password, in.Tenant}, clientOf(r))
	if err != nil {
		return err
	}
	return s.answer(w, r, grant, in.Cookie)
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

// answer hands a session over: in cookies that no script of a page can read, or in the body to a caller that keeps it.
func (s *sessions) answer(w http.ResponseWriter, r *httpx.Request, grant SessionGrant, cookie bool) error {
	p, err := s.Sessions.VerifySession(r.Context(), grant.Token)
	if err != nil {
		return err
	}
	r.Change.Principal = p
	out, err := s.describe(r.Context(), p)
	if err != nil {
		return err
	}
	out.ExpiresAt, out.EndsAt = &grant.Expires, &grant.Ends
	w.Header().Set("Cache-Control", "no-store")
	if cookie {
		s.setCookies(w, grant)
	} else {
		out.Token, out.RefreshToken = grant.Token, grant.Refresh
	}
	return httpx.WriteJSON(w, http.StatusOK, out)
}

type refreshRequest struct {
	RefreshToken string `json:"refresh_token"`
}

// refresh takes the secret from the body, or from the cookie when the body is empty.
func (s *sessions) refresh(w http.ResponseWriter, r *httpx.Request) error {
	secret, cookie := "", r.ContentLength == 0
	if cookie {
		if err := s.cross.Check(r.Request); err != nil {
			return seamark.Wrap(err, seamark.Forbidden, "seamark-origin-foreign", "A page of another origin may not call this.")
		}
		c, err := r.Cookie(s.cookieName(refreshCookie))
		if err != nil {
			return seamark.Errorf(seamark.Unauthenticated, "seamark-session-over", "The session is not valid or is over. Sign in again.")
		}
		secret = c.Value
	} else {
		var in refreshRequest
		if err := httpx.ReadJSON(r, &in); err != nil {
			return err
		}
		secret = in.RefreshToken
	}
	grant, err := s.Sessions.RefreshSession(r.Context(), secret, clientOf(r))
	if err != nil {
		return s.refuseRefresh(w, r, cookie, err)
	}
	return s.answer(w, r, grant, cookie)
}

// refuseRefresh clears the cookies of a session that is over, and puts a theft on record.
func (s *sessions) refuseRefresh(w http.ResponseWriter, r *httpx.Request, cookie bool, err error) error {
	if cookie && seamark.KindOf(err) == seamark.Unauthenticated {
		s.clearCookies(w)
	}
	if e := asFault(err); e.ID == "seamark-session-reused" {
		r.Change.Object = "session"
		s.Tell(r, &httpx.Route{Permission: httpx.Anonymous, Action: "session.refresh"}, http.StatusUnauthorized, e)
	}
	return err
}

type switchRequest struct {
	Tenant string `json:"tenant"`
}

func (s *sessions) switchTenant(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	if r.Principal.Operator {
		return seamark.Errorf(seamark.Forbidden, "seamark-session-operator", "Operators act for no tenant, and members name the one to switch to.")
	}
	var in switchRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Object = "session/" + r.Principal.CredentialID
	grant, err := s.Sessions.SwitchTenant(r.Context(), r.Principal.CredentialID, in.Tenant, clientOf(r))
	if err != nil {
		return err
	}
	return s.answer(w, r, grant, s.byCookie(r))
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
	s.clearCookies(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ofPerson refuses credentials that nobody signed in with.
func ofPerson(r *httpx.Request) error {
	if r.Principal.Kind == seamark.Session {
		return nil
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-session-person", "Only a signed-in person has sessions and a password; this is a %s token.", r.Principal.Kind)
}

func (s *sessions) describe(ctx context.Context, p seamark.Principal) (*sessionResponse, error) {
	out := &sessionResponse{
		ID: p.CredentialID, Login: p.Login, Operator: p.Operator, Role: string(p.Role), Tenants: []TenantChoice{},
		RefreshSeconds: int((s.TokenLifetime * 6 / 10).Seconds()),
	}
	var err error
	if out.Permissions, err = s.Permitted(p); err != nil {
		return nil, err
	}
	if p.Kind == seamark.Session {
		out.Tenants = append(out.Tenants, s.Tenants.TenantChoices(ctx, p.Login)...)
	}
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
