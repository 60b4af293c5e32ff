package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Provider is a way to sign in, as the sign-in page shows it.
type Provider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Identity is a person at a provider that signs in one of ours.
type Identity struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	Name     string    `json:"name"` // of the provider
	Subject  string    `json:"subject"`
	Email    string    `json:"email"`
	Linked   time.Time `json:"linked_at"`
}

// Begin is what a sign-in at a provider is for.
type Begin struct {
	Provider string
	Tenant   string // slug to sign in to
	Return   string // path of the page to come back to
	// Session is of the person who links the identity to their own; Invitation is accepted by signing in.
	Session, Invitation string
}

// Begun is a sign-in that goes on at the provider.
type Begun struct {
	URL     string // where the browser goes
	State   string // what it carries
	Expires time.Time
}

// Ended is a sign-in that came back.
type Ended struct {
	Grant  SessionGrant // without a token where an identity was linked
	Return string       // also beside an error, as far as it is known
}

// Providers is what signing in elsewhere needs.
type Providers interface {
	ListProviders() []Provider
	// BeginSignIn returns where to send the browser. Errors are NotFound for an unknown provider and Unavailable.
	BeginSignIn(ctx context.Context, b Begin) (Begun, error)
	// EndSignIn takes the state that the browser carried and the parameters that the provider sent it back with.
	EndSignIn(ctx context.Context, provider, state string, back url.Values, from Client) (Ended, error)
	ListIdentities(ctx context.Context, login string) []Identity
	UnlinkIdentity(ctx context.Context, login, id string) error
}

func (s *sessions) providerRoutes() []httpx.Route {
	const path, read = "/api/v1/session/oidc", "session:read"
	return []httpx.Route{
		{Method: http.MethodGet, Path: "/api/v1/session/providers", Permission: httpx.Anonymous, Handler: s.listProviders},
		{Method: http.MethodGet, Path: path + "/:provider/start", Permission: httpx.Anonymous, Handler: s.start},
		{Method: http.MethodGet, Path: path + "/:provider/callback", Permission: httpx.Anonymous, Handler: s.callback},
		{Method: http.MethodPost, Path: path + "/:provider/invitation", Permission: httpx.Anonymous, Action: httpx.NoChange, Handler: s.startInvited},
		{Method: http.MethodPost, Path: path + "/:provider/link", Permission: read, HonoursScope: true, Action: httpx.NoChange, Handler: s.startLink},
		{Method: http.MethodGet, Path: "/api/v1/session/identities", Permission: read, HonoursScope: true, Handler: s.listIdentities},
		{Method: http.MethodDelete, Path: "/api/v1/session/identities/:id", Permission: read, HonoursScope: true, Action: "identity.delete", Handler: s.unlink},
	}
}

func (s *sessions) listProviders(w http.ResponseWriter, _ *httpx.Request) error {
	list := []Provider{}
	if s.Providers != nil {
		list = append(list, s.Providers.ListProviders()...)
	}
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[Provider]{Items: list}) // the configuration bounds them to 20
}

// providersOf refuses where no provider is configured.
func (s *sessions) providersOf() (Providers, error) {
	if s.Providers == nil {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-provider-unknown", "This installation has no sign-in providers.")
	}
	return s.Providers, nil
}

// start sends a browser to its provider.
func (s *sessions) start(w http.ResponseWriter, r *httpx.Request) error {
	q := r.URL.Query()
	begun, err := s.begin(w, r, Begin{Tenant: q.Get("tenant"), Return: q.Get("return")})
	if err != nil {
		s.back(w, r, safeReturn(q.Get("return")), err)
		return nil
	}
	redirect(w, begun.URL)
	return nil
}

type startAnswer struct {
	URL string `json:"url"`
}

type invitedRequest struct {
	Token string `json:"token"`
}

// startInvited is start for who accepts an invitation; a POST, because what stands in a URL ends up in logs.
func (s *sessions) startInvited(w http.ResponseWriter, r *httpx.Request) error {
	var in invitedRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	begun, err := s.begin(w, r, Begin{Invitation: in.Token})
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, startAnswer{begun.URL})
}

type linkRequest struct {
	Return string `json:"return,omitempty"`
}

// startLink is start for who is signed in and adds a way to do so. It is a POST with a proven session, so no other page can
// link its own identity to whoever visits it.
func (s *sessions) startLink(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	var in linkRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	begun, err := s.begin(w, r, Begin{Session: r.Principal.CredentialID, Return: in.Return})
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, startAnswer{begun.URL})
}

// begin leaves the state in the browser. Its cookie is Lax, because the way back comes from the provider's site.
func (s *sessions) begin(w http.ResponseWriter, r *httpx.Request, b Begin) (Begun, error) {
	providers, err := s.providersOf()
	if err != nil {
		return Begun{}, err
	}
	b.Provider, b.Return = r.Param("provider"), safeReturn(b.Return)
	begun, err := providers.BeginSignIn(r.Context(), b)
	if err != nil {
		return Begun{}, err
	}
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, s.cookie(signInCookie, begun.State, begun.Expires, http.SameSiteLaxMode))
	return begun, nil
}

// callback takes a browser back from its provider. It always answers with a page of the console: people see what went wrong
// there, by the error's id, and not a document of JSON.
func (s *sessions) callback(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "session"
	state := ""
	if c, err := r.Cookie(s.cookieName(signInCookie)); err == nil {
		state = c.Value
	}
	s.clearCookie(w, signInCookie, http.SameSiteLaxMode)
	providers, err := s.providersOf()
	ended := Ended{Return: "/"}
	if err == nil {
		ended, err = providers.EndSignIn(r.Context(), r.Param("provider"), state, r.URL.Query(), clientOf(r))
	}
	if err != nil {
		s.tellSignIn(r, asFault(err))
		s.back(w, r, safeReturn(ended.Return), err)
		return nil
	}
	if ended.Grant.Token != "" {
		p, err := s.Sessions.VerifySession(r.Context(), ended.Grant.Token)
		if err != nil {
			s.back(w, r, "/", err)
			return nil
		}
		r.Change.Principal = p
		s.setCookies(w, ended.Grant)
	}
	s.tellSignIn(r, nil)
	redirect(w, safeReturn(ended.Return))
	return nil
}

// tellSignIn puts a sign-in at a provider on record, which the edge sees as a redirection whatever came of it.
func (s *sessions) tellSignIn(r *httpx.Request, err *seamark.Error) {
	s.Tell(r, &httpx.Route{Permission: httpx.Anonymous, Action: "session.create"}, http.StatusSeeOther, err)
}

// back shows an error on a page of the console.
func (s *sessions) back(w http.ResponseWriter, r *httpx.Request, page string, err error) {
	target, perr := url.Parse(page)
	if perr != nil {
		target = &url.URL{Path: "/"}
	}
	q := target.Query()
	q.Set("signin_error", asFault(err).ID)
	q.Set("provider", r.Param("provider"))
	target.RawQuery = q.Encode()
	redirect(w, target.String())
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// maxReturnBytes bounds the page to come back to, which stands in a cookie.
const maxReturnBytes = 512

// safeReturn keeps the way back on our own pages: a path that browsers could take for another host becomes the first page.
func safeReturn(page string) string {
	if len(page) > maxReturnBytes || !strings.HasPrefix(page, "/") || strings.HasPrefix(page, "//") || strings.HasPrefix(page, "/api/") ||
		strings.ContainsFunc(page, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	u, err := url.Parse(page)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return page
}

func (s *sessions) listIdentities(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	list := []Identity{}
	if s.Providers != nil {
		list = append(list, s.Providers.ListIdentities(r.Context(), r.Principal.Login)...)
	}
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[Identity]{Items: list}) // the directory bounds them to 20
}

func (s *sessions) unlink(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	providers, err := s.providersOf()
	if err != nil {
		return err
	}
	if err := providers.UnlinkIdentity(r.Context(), r.Principal.Login, r.Param("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
