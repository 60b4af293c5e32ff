package isolation_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

const inJSON = "application/json"

// otherSide returns the tenant that is not s.
func (w *world) otherSide(s *side) *side {
	if s == w.alpha {
		return w.beta
	}
	return w.alpha
}

// accessRows are the routes for who may do what. Both tenants have a custom role, a member, an invitation, a key and a token
// that are made anew for each request that ends one; their names hold the tenant's marker.
func accessRows() []row {
	var rows []row
	for _, part := range [][]row{roleRows(), memberRows(), invitationRows(), keyRows(), tokenRows()} {
		rows = append(rows, part...)
	}
	return rows
}

func (s *side) ownerPrincipal() seamark.Principal {
	return seamark.Principal{Tenant: s.ID, Kind: seamark.Session, CredentialID: "test", Login: s.login(seamark.RoleOwner), Role: seamark.RoleOwner}
}

// role makes a custom role that is called like the marker and a word.
func (s *side) role(t *testing.T, word string) string {
	t.Helper()
	name := seamark.Role(s.marker + "-" + word)
	_, err := s.App.Directory().CreateRole(t.Context(), s.ownerPrincipal(), tenant.RoleSpec{Name: name, Permissions: []string{"data:read"}})
	if err != nil && seamark.KindOf(err) != seamark.Conflict {
		t.Fatal(err)
	}
	return string(name)
}

func roleRows() []row {
	const all, one = "/api/v1/roles", "/api/v1/roles/:name"
	shown := func(t *testing.T, _ *world, s *side) []request { s.role(t, "shown"); return []request{{}} }
	return []row{
		{method: http.MethodGet, path: "/api/v1/permissions", may: members, status: http.StatusOK, sends: fixed("")},
		{method: http.MethodGet, path: all, may: members, status: http.StatusOK, shows: members, sends: shown},
		{method: http.MethodPost, path: all, may: admins, status: http.StatusCreated, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: `{"name":"` + s.marker + `-new","permissions":["data:read"]}`},
				{contentType: inJSON, body: `{"name":"` + s.marker + `-new","permissions":["data:read"]}`, status: http.StatusConflict},
				{contentType: inJSON, body: `{"name":"x","permissions":["tenants:write"]}`, status: http.StatusBadRequest},
			}
		}, after: func(t *testing.T, s *side) {
			if err := s.App.Directory().DeleteRole(t.Context(), s.ownerPrincipal(), seamark.Role(s.marker+"-new")); err != nil {
				t.Error(err)
			}
		}},
		{method: http.MethodGet, path: one, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			foreign := w.otherSide(s).role(t, "shown")
			return []request{{path: all + "/" + s.role(t, "shown")}, {path: all + "/" + foreign[:len(foreign)-6], status: http.StatusNotFound}, {path: all + "/viewer"}}
		}},
		{method: http.MethodPut, path: one, may: admins, status: http.StatusOK, sends: func(t *testing.T, _ *world, s *side) []request {
			path := all + "/" + s.role(t, "shown")
			return []request{
				{path: path, contentType: inJSON, body: `{"permissions":["rules:read"]}`},
				{path: path, contentType: inJSON, body: `{"permissions":["x"]}`, status: http.StatusBadRequest},
				{path: all + "/viewer", contentType: inJSON, body: `{"permissions":[]}`, status: http.StatusConflict},
				{path: all + "/absent", contentType: inJSON, body: `{"permissions":[]}`, status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: admins, status: http.StatusNoContent, sends: func(t *testing.T, _ *world, s *side) []request {
			return []request{{path: all + "/" + s.role(t, "ends")}, {path: all + "/absent", status: http.StatusNotFound}, {path: all + "/owner", status: http.StatusConflict}}
		}},
	}
}

// member makes a user of the tenant with a login that nobody had.
func (s *side) member(t *testing.T, w *world) string {
	t.Helper()
	id, err := s.App.Directory().CreateUser(t.Context(), tenant.UserSpec{
		Login: s.marker + w.word(t) + "@example.org", Password: password, Memberships: map[seamark.TenantID]seamark.Role{s.ID: seamark.RoleViewer},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(id.ID)
}

// word is unlike every one before it.
func (w *world) word(t *testing.T) string {
	t.Helper()
	w.words++
	return "-" + strings.ToLower(string(w.alpha.ID)) + "-" + strings.Repeat("x", w.words%40) + string(rune('a'+w.words%26)) + strings.Repeat("y", w.words/40)
}

func memberRows() []row {
	const all, one = "/api/v1/members", "/api/v1/members/:id"
	return []row{
		{method: http.MethodGet, path: all, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			s.member(t, w)
			return []request{{}, {path: "limit=1"}, {path: "limit=0", status: http.StatusBadRequest}}
		}},
		{method: http.MethodGet, path: one, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: all + "/" + s.member(t, w)}, {path: all + "/" + w.otherSide(s).member(t, w), status: http.StatusNotFound}}
		}},
		{method: http.MethodPut, path: one, may: admins, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			own, foreign := all+"/"+s.member(t, w), all+"/"+w.otherSide(s).member(t, w)
			return []request{
				{path: own, contentType: inJSON, body: `{"role":"editor"}`},
				{path: own, contentType: inJSON, body: `{"role":"viewer","restriction":{"namespaces":["same"]}}`},
				{path: own, contentType: inJSON, body: `{"role":"absent"}`, status: http.StatusBadRequest},
				{path: foreign, contentType: inJSON, body: `{"role":"editor"}`, status: http.StatusNotFound},
			}
		}},
		{method: http.MethodDelete, path: one, may: admins, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{path: all + "/" + s.member(t, w)}, {path: all + "/" + w.otherSide(s).member(t, w), status: http.StatusNotFound}}
		}},
	}
}

// invitation makes one and returns its id and token.
func (s *side) invitation(t *testing.T, email string) (id, token string) {
	t.Helper()
	i, token, err := s.App.Directory().CreateInvitation(t.Context(), s.ownerPrincipal(), s.ID, tenant.InvitationSpec{Email: email, Role: seamark.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	return i.ID, token
}

func invitationRows() []row {
	const all, one = "/api/v1/invitations", "/api/v1/invitations/:id"
	// The log of changes shows operators whom they have invited, so what they send has no marker of a tenant's data.
	create := func(path string, may, shows []string) row {
		return row{method: http.MethodPost, path: path, may: may, status: http.StatusCreated, shows: shows, sends: func(t *testing.T, w *world, s *side) []request {
			at, marker := strings.Replace(path, ":id", string(s.ID), 1), ""
			if shows != nil {
				marker = s.marker
			}
			return []request{
				{path: at, contentType: inJSON, body: `{"email":"` + marker + w.word(t) + `@example.org","role":"viewer"}`},
				{path: at, contentType: inJSON, body: `{"role":"absent"}`, status: http.StatusBadRequest},
			}
		}}
	}
	return []row{
		{method: http.MethodGet, path: all, may: admins, status: http.StatusOK, shows: admins, sends: func(t *testing.T, w *world, s *side) []request {
			s.invitation(t, s.marker+w.word(t)+"@example.org")
			return []request{{path: "limit=1000"}}
		}},
		create(all, admins, admins),
		create("/api/v1/tenants/:id/invitations", operators, nil),
		{method: http.MethodDelete, path: one, may: admins, status: http.StatusNoContent, sends: func(t *testing.T, w *world, s *side) []request {
			own, _ := s.invitation(t, "")
			foreign, _ := w.otherSide(s).invitation(t, "")
			return []request{{path: all + "/" + own}, {path: all + "/" + foreign, status: http.StatusNotFound}}
		}},
		{method: http.MethodPost, path: one + "/resend", may: admins, status: http.StatusOK, sends: func(t *testing.T, w *world, s *side) []request {
			own, _ := s.invitation(t, "")
			foreign, _ := w.otherSide(s).invitation(t, "")
			return []request{{path: all + "/" + own + "/resend"}, {path: all + "/" + foreign + "/resend", status: http.StatusNotFound}}
		}},
		// Who is a member cannot join; the tokens of others are good for nobody whom they do not name.
		{method: http.MethodPost, path: all + "/join", may: []string{"owner", "admin", "editor", "viewer"}, status: http.StatusConflict, sends: func(t *testing.T, _ *world, s *side) []request {
			_, token := s.invitation(t, "")
			return []request{{contentType: inJSON, body: `{"token":"` + token + `"}`}}
		}},
	}
}

// key makes an API key for a machine.
func (s *side) key(t *testing.T) string {
	t.Helper()
	k, _, err := s.App.Directory().CreateKey(t.Context(), s.ownerPrincipal(), tenant.KeySpec{Name: s.marker, Role: seamark.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	return k.KeyID
}

// keyRows: members have keys of their own alone, admins all of the tenant's. What is not theirs does not exist.
func keyRows() []row {
	const all, one = "/api/v1/keys", "/api/v1/keys/:id"
	ofMachine := func(method, path string, status int) row {
		return row{method: method, path: path, may: admins, ownOnly: []string{"editor", "viewer"}, status: status, sends: func(t *testing.T, w *world, s *side) []request {
			own, foreign := s.key(t), w.otherSide(s).key(t)
			return []request{{path: strings.Replace(path, ":id", own, 1)}, {path: strings.Replace(path, ":id", foreign, 1), status: http.StatusNotFound}}
		}}
	}
	return []row{
		{method: http.MethodGet, path: all, may: members, status: http.StatusOK, shows: admins, sends: func(t *testing.T, _ *world, s *side) []request {
			s.key(t)
			return []request{{path: "limit=1000"}}
		}},
		{method: http.MethodPost, path: all, may: members, status: http.StatusBadRequest, sends: func(*testing.T, *world, *side) []request {
			return []request{{contentType: inJSON, body: `{"name":"x"}`}}
		}},
		ofMachine(http.MethodGet, one, http.StatusOK),
		ofMachine(http.MethodDelete, one, http.StatusNoContent),
		ofMachine(http.MethodPost, one+"/rotate", http.StatusOK),
	}
}

func tokenRows() []row {
	const all, one = "/api/v1/tokens", "/api/v1/tokens/:id"
	made := func(t *testing.T, s *side) string {
		t.Helper()
		token, _, err := s.App.Directory().CreateToken(t.Context(), s.ID, tenant.TokenSpec{Kind: seamark.QueryToken, Name: s.marker})
		if err != nil {
			t.Fatal(err)
		}
		return token.KeyID
	}
	ofToken := func(method, path string, status int, shows []string) row {
		return row{method: method, path: path, may: admins, status: status, shows: shows, sends: func(t *testing.T, w *world, s *side) []request {
			return []request{
				{path: strings.Replace(path, ":id", made(t, s), 1)},
				{path: strings.Replace(path, ":id", made(t, w.otherSide(s)), 1), status: http.StatusNotFound},
			}
		}}
	}
	return []row{
		{method: http.MethodGet, path: all, may: admins, status: http.StatusOK, shows: admins, sends: func(t *testing.T, _ *world, s *side) []request {
			made(t, s)
			return []request{{path: "limit=1000"}}
		}},
		{method: http.MethodPost, path: all, may: admins, status: http.StatusCreated, sends: func(_ *testing.T, w *world, s *side) []request {
			return []request{
				{contentType: inJSON, body: `{"kind":"query","name":"` + s.marker + `"}`},
				{contentType: inJSON, body: `{"kind":"api"}`, status: http.StatusBadRequest},
				{contentType: inJSON, body: `{"kind":"ingest","cluster_id":"` + string(w.otherSide(s).Cluster.ID) + `"}`, status: http.StatusNotFound},
			}
		}},
		ofToken(http.MethodGet, one, http.StatusOK, admins),
		ofToken(http.MethodDelete, one, http.StatusNoContent, nil),
		ofToken(http.MethodPost, one+"/rotate", http.StatusOK, nil),
	}
}
