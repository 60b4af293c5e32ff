package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The cookies. Over TLS their names begin with hostPrefix, which browsers take only from this very host.
const (
	sessionCookie = httpx.SessionCookie
	refreshCookie = "seamark_refresh"
	signInCookie  = "seamark_signin"
	hostPrefix    = httpx.HostPrefix
)

func (s *sessions) cookieName(name string) string {
	if s.SecureCookie {
		return hostPrefix + name
	}
	return name
}

func (s *sessions) cookie(name, value string, expires time.Time, sameSite http.SameSite) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: s.SecureCookie, SameSite: sameSite,
	}
}

func (s *sessions) setCookies(w http.ResponseWriter, grant SessionGrant) {
	http.SetCookie(w, s.cookie(sessionCookie, grant.Token, grant.Expires, http.SameSiteStrictMode))
	if grant.Refresh != "" {
		http.SetCookie(w, s.cookie(refreshCookie, grant.Refresh, grant.Ends, http.SameSiteStrictMode))
	}
}

func (s *sessions) clearCookies(w http.ResponseWriter) {
	for _, name := range []string{sessionCookie, refreshCookie} {
		s.clearCookie(w, name, http.SameSiteStrictMode)
	}
}

func (s *sessions) clearCookie(w http.ResponseWriter, name string, sameSite http.SameSite) {
	c := s.cookie(name, "", time.Unix(0, 0), sameSite)
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// byCookie reports whether the request's credential is the cookie, which its answer must then renew.
func (s *sessions) byCookie(r *httpx.Request) bool {
	_, err := r.Cookie(s.cookieName(sessionCookie))
	return err == nil && r.Header.Get("Authorization") == ""
}

// asFault returns an error as the one that its caller sees.
func asFault(err error) *seamark.Error {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e
	}
	return seamark.Wrap(err, seamark.Internal, "seamark-internal", "Internal error.")
}
