package httpx

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SessionCookie is the name of the cookie that carries a signed-in person's session.
const SessionCookie = "seamark_session"

// HostPrefix begins the names of our cookies where the front is reached over TLS: browsers take such a cookie only from this
// very host, so that a neighbour under the same domain cannot plant one (RFC 6265bis 4.1.3.2).
const HostPrefix = "__Host-"

// sessionCookie returns the session's cookie, the one that nobody else can have planted first.
func sessionCookie(r *http.Request) (*http.Cookie, error) {
	if c, err := r.Cookie(HostPrefix + SessionCookie); err == nil {
		return c, nil
	}
	return r.Cookie(SessionCookie)
}

// maxCredentialBytes bounds a credential before anything parses it; the longest real one is a session of about 600 bytes.
const maxCredentialBytes = 4096

// Verifier proves credentials and decides permissions. Implementations answer from memory: they are called on every
// request before its body is read.
type Verifier interface {
	// Authenticate proves an API token. When the token's owner is known and it is refused all the same, the principal comes
	// beside the error, for the owner's ledger and log alone.
	Authenticate(ctx context.Context, token string) (seamark.Principal, error)
	// VerifySession proves a signed-in person's session.
	VerifySession(ctx context.Context, session string) (seamark.Principal, error)
	// Permit returns nil when p may use permission, else an error of kind Forbidden.
	Permit(p seamark.Principal, permission string) error
}

// Continuer is a Verifier whose sessions outlive their tokens. Without it a long request ends with the token that it began
// with.
type Continuer interface {
	// ContinueSession is VerifySession for a request that goes on after its token's end: the session must live, the token not.
	ContinueSession(ctx context.Context, session string) (seamark.Principal, error)
}

// continuing is a verifier for requests that have begun with a good credential.
type continuing struct{ Verifier }

// VerifySession implements Verifier.
func (c continuing) VerifySession(ctx context.Context, session string) (seamark.Principal, error) {
	if more, ok := c.Verifier.(Continuer); ok {
		return more.ContinueSession(ctx, session)
	}
	return c.Verifier.VerifySession(ctx, session)
}

// authorize finds the request's credential, proves it and checks the route's permission. The principal beside an error is
// whose credential it is, as far as that is known.
func authorize(v Verifier, r *http.Request, route *Route) (seamark.Principal, error) {
	credential, cookie, err := credentialOf(r, route.QueryToken)
	if err != nil {
		return seamark.Principal{}, err
	}
	var p seamark.Principal
	switch {
	case cookie: // a token in the session's cookie would be sent by the browser unasked
		p, err = v.VerifySession(r.Context(), credential)
	case strings.HasPrefix(credential, "smk_"):
		p, err = v.Authenticate(r.Context(), credential)
	case strings.Count(credential, ".") == 2:
		p, err = v.VerifySession(r.Context(), credential)
	default:
		err = seamark.Errorf(seamark.Unauthenticated, "seamark-token-malformed",
			"The credential is neither a Seamark token (smk_...) nor a session. Create a token with `seamark admin token create`.")
	}
	if err == nil {
		err = v.Permit(p, route.Permission)
	}
	if err == nil && p.Restricted() && !route.HonoursScope {
		err = seamark.Errorf(seamark.Forbidden, "seamark-scope-unsupported",
			"Your access is restricted to %s, and %s cannot be answered for a part of a tenant. Ask an owner or admin for access to all of it.",
			p.Only, route.Path)
	}
	return p, err
}

// credentialOf returns the credential of a request and whether it came in the session cookie. It takes every place that
// agents put a token in (wire contract 1.0): Bearer, Basic (the password), ApiKey, Splunk, Token, DD-API-KEY, and the query
// parameter that the route names.
func credentialOf(r *http.Request, queryToken string) (credential string, cookie bool, err error) {
	header := r.Header.Get("Authorization")
	switch {
	case header != "":
		credential, err = fromAuthorization(r, header)
	case r.Header.Get("DD-API-KEY") != "":
		credential = r.Header.Get("DD-API-KEY")
	case queryToken != "" && r.URL.Query().Get(queryToken) != "":
		credential = r.URL.Query().Get(queryToken)
	default:
		if c, cerr := sessionCookie(r); cerr == nil {
			credential, cookie = c.Value, true
		}
	}
	switch {
	case err != nil:
		return "", false, err
	case credential == "":
		return "", false, seamark.Errorf(seamark.Unauthenticated, "seamark-token-missing",
			"No credential: send `Authorization: Bearer <token>`, or Basic with the token as password.")
	case len(credential) > maxCredentialBytes:
		return "", false, seamark.Errorf(seamark.Unauthenticated, "seamark-token-malformed",
			"The credential has %d bytes; the limit is %d.", len(credential), maxCredentialBytes)
	}
	return credential, cookie, nil
}

func fromAuthorization(r *http.Request, header string) (string, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer", "splunk", "token":
		return rest, nil
	case "basic":
		if _, password, ok := r.BasicAuth(); ok {
			return password, nil
		}
	case "apikey":
		return fromAPIKey(rest), nil
	}
	return "", seamark.Errorf(seamark.Unauthenticated, "seamark-token-malformed",
		"The Authorization header is not one of: Bearer <token>, Basic <user:token>, ApiKey <base64(id:token)>, Splunk <token>, Token <token>.")
}

// fromAPIKey takes Elasticsearch's base64(id:key), and the bare token that people paste there.
func fromAPIKey(rest string) string {
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return rest
	}
	if _, key, ok := strings.Cut(string(raw), ":"); ok {
		return key
	}
	return string(raw)
}
