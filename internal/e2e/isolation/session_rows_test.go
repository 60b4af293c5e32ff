package isolation_test

import (
	"net/http"
	"testing"
)

// Who is signed in: machines have neither sessions nor a password.
var (
	signedIn   = []string{"owner", "admin", "editor", "viewer", "operator"}
	ofATenant  = []string{"owner", "admin", "editor", "viewer"}
	nobodysID  = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	adminsHere = []string{"admin token", "owner", "admin"}
)

// sessionRows stand last, because the last of them ends the sessions that the others use.
func sessionRows() []row {
	const sessions, session = "/api/v1/sessions", "/api/v1/session"
	inJSON := func(status int, body string) request {
		return request{contentType: "application/json", body: body, status: status}
	}
	return []row{
		{method: http.MethodGet, path: session, may: people, status: http.StatusOK, shows: members, sends: fixed("")},
		{method: http.MethodDelete, path: session, may: people, status: http.StatusNoContent, fresh: true, sends: fixed("")},
		{method: http.MethodPost, path: session + "/tenant", may: ofATenant, status: http.StatusOK, fresh: true, shows: ofATenant, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				inJSON(http.StatusForbidden, `{"tenant":"somebody-elses"}`), inJSON(http.StatusBadRequest, `{"slug":"x"}`), inJSON(0, `{"tenant":"`+s.Slug+`"}`),
			}
		}},
		// The right old password would change the one that the walk signs in with.
		{method: http.MethodPut, path: session + "/password", may: signedIn, status: http.StatusBadRequest, fresh: true, sends: func(*testing.T, *world, *side) []request {
			return []request{inJSON(0, `{"old_password":"wrong","new_password":"another one, long enough"}`)}
		}},
		{method: http.MethodPost, path: session + "/oidc/:provider/link", may: signedIn, status: http.StatusNotFound, sends: func(*testing.T, *world, *side) []request {
			return []request{inJSON(0, `{}`), inJSON(http.StatusBadRequest, `{"to":"x"}`)}
		}},
		{method: http.MethodGet, path: session + "/identities", may: signedIn, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodDelete, path: session + "/identities/:id", may: signedIn, status: http.StatusNotFound, sends: fixed("")},
		{method: http.MethodGet, path: sessions, may: signedIn, status: http.StatusOK, shows: ofATenant, sends: fixed("")},
		{method: http.MethodDelete, path: sessions + "/:id", may: signedIn, status: http.StatusNotFound, sends: func(*testing.T, *world, *side) []request {
			return []request{{path: sessions + "/" + nobodysID}, {path: sessions + "/x"}}
		}},
		{method: http.MethodDelete, path: "/api/v1/members/:id/sessions", may: adminsHere, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			of := func(s *side) string { return "/api/v1/members/" + s.member(t, w) + "/sessions" }
			return []request{{path: of(s)}, {path: of(w.otherSide(s)), status: http.StatusNotFound}, {path: "/api/v1/members/" + nobodysID + "/sessions", status: http.StatusNotFound}}
		}},
		// An operator may for everybody, so what an owner may not for a foreign member is tested in package tenant.
		{method: http.MethodPost, path: "/api/v1/members/:id/password-reset", may: []string{"owner", "operator"}, status: http.StatusCreated, shows: []string{"owner", "operator"}, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: "/api/v1/members/" + s.member(t, w) + "/password-reset"}, {path: "/api/v1/members/" + nobodysID + "/password-reset", status: http.StatusNotFound}}
		}},
		{method: http.MethodDelete, path: sessions, may: signedIn, status: http.StatusNoContent, fresh: true, sends: fixed("")},
	}
}
