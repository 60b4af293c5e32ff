package tenant_test

import (
	"maps"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// external is a person at a provider of tenants.
func external(subject, email string, roles map[string]seamark.Role) tenant.External {
	return tenant.External{Provider: "corp", Issuer: "https://login.example.org", Subject: subject, Email: email, Roles: roles}
}

func signInExternal(t *testing.T, d *tenant.Directory, p tenant.External) (seamark.Principal, error) {
	t.Helper()
	session, err := d.SignInExternal(t.Context(), p, "", tenant.Device{})
	if err != nil {
		return seamark.Principal{}, err
	}
	return d.VerifySession(t.Context(), session.Text)
}

func TestProviderMakesAndChangesMembers(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	newUser(t, d, tenant.UserSpec{Login: "owner", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})

	_, err := signInExternal(t, d, external("1", "ann@example.org", nil))
	wantError(t, err, seamark.Forbidden, "seamark-signin-unmapped")
	_, err = signInExternal(t, d, external("1", "ann@example.org", map[string]seamark.Role{"nowhere": "viewer"}))
	wantError(t, err, seamark.Forbidden, "seamark-signin-unmapped")
	p, err := signInExternal(t, d, external("1", "ann@example.org", map[string]seamark.Role{"acme": "editor", "umbra": "owner"}))
	if err != nil || p.Login != "ann@example.org" || p.Tenant != acme.ID || p.Role != seamark.RoleEditor {
		t.Fatalf("got %+v, %v", p, err)
	}
	memberships := func(login string) map[seamark.TenantID]seamark.Role {
		t.Helper()
		user, err := d.FindUser(t.Context(), login)
		if err != nil {
			t.Fatal(err)
		}
		return user.Memberships
	}
	for _, step := range []struct {
		name  string
		roles map[string]seamark.Role
		want  map[seamark.TenantID]seamark.Role
	}{
		{"a role falls, and the last owner stays", map[string]seamark.Role{"acme": "viewer"},
			map[seamark.TenantID]seamark.Role{acme.ID: "viewer", umbra.ID: "owner"}},
		{"a role rises", map[string]seamark.Role{"acme": "admin", "umbra": "owner"},
			map[seamark.TenantID]seamark.Role{acme.ID: "admin", umbra.ID: "owner"}},
		{"a membership ends", map[string]seamark.Role{"umbra": "owner"}, map[seamark.TenantID]seamark.Role{umbra.ID: "owner"}},
	} {
		if _, err := signInExternal(t, d, external("1", "renamed@example.org", step.roles)); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := memberships("ann@example.org"); !maps.Equal(got, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
	_, err = d.SignIn(t.Context(), tenant.Credentials{Login: "ann@example.org", Password: ""})
	wantError(t, err, seamark.Unauthenticated, "seamark-signin-refused")
}

// TestEmailLinksNobody: whoever has somebody's address at a provider is not that person here.
func TestEmailLinksNobody(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	newUser(t, d, tenant.UserSpec{Login: "ann@example.org", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})
	roles := map[string]seamark.Role{"acme": "viewer"}
	_, err := signInExternal(t, d, external("1", "Ann@Example.org", roles))
	wantError(t, err, seamark.Forbidden, "seamark-signin-unlinked")

	session := signIn(t, d, tenant.Credentials{Login: "ann@example.org", Password: goodPassword})
	if err := d.LinkIdentity(t.Context(), session.ID, external("1", "ann@example.org", nil)); err != nil {
		t.Fatal(err)
	}
	if err := d.LinkIdentity(t.Context(), session.ID, external("1", "ann@example.org", nil)); err != nil {
		t.Errorf("linking twice: %v", err)
	}
	p, err := signInExternal(t, d, external("1", "other@example.org", roles))
	if err != nil || p.Login != "ann@example.org" || p.Role != seamark.RoleOwner {
		t.Errorf("after linking: %+v, %v; want the owner that ann is", p, err)
	}
	other := external("1", "ann@example.org", nil)
	other.Issuer = "https://elsewhere.example"
	_, err = signInExternal(t, d, other)
	wantError(t, err, seamark.Forbidden, "seamark-signin-unmapped")

	newUser(t, d, tenant.UserSpec{Login: "ben", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleViewer)})
	err = d.LinkIdentity(t.Context(), signIn(t, d, tenant.Credentials{Login: "ben", Password: goodPassword}).ID, external("1", "", nil))
	wantError(t, err, seamark.Conflict, "seamark-identity-taken")

	list := d.ListIdentities(t.Context(), "ann@example.org")
	if len(list) != 1 || list[0].Provider != "corp" || list[0].Subject != "1" {
		t.Fatalf("the list is %+v", list)
	}
	wantError(t, d.UnlinkIdentity(t.Context(), "ben", list[0].ID), seamark.NotFound, "seamark-identity-unknown")
	if err := d.UnlinkIdentity(t.Context(), "ann@example.org", list[0].ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := signInExternal(t, d, external("1", "ann@example.org", roles))
		return refused(err, "seamark-signin-unlinked")
	})
	wantError(t, d.LinkIdentity(t.Context(), "x", external("2", "", nil)), seamark.Unauthenticated, "seamark-session-over")
}

func TestPersonWithoutAddressGetsALogin(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	newTenant(t, d, "acme")
	roles := map[string]seamark.Role{"acme": "viewer"}
	first, err := signInExternal(t, d, external("1", "", roles))
	if err != nil {
		t.Fatal(err)
	}
	second, err := signInExternal(t, d, external("2", "not an address", roles))
	if err != nil || first.Login == second.Login || first.Login[:5] != "corp-" {
		t.Errorf("got logins %q and %q, %v", first.Login, second.Login, err)
	}
	again, err := signInExternal(t, d, external("1", "", roles))
	if err != nil || again.Login != first.Login {
		t.Errorf("the second sign-in is %q, the first was %q; %v", again.Login, first.Login, err)
	}
	id := d.ListIdentities(t.Context(), first.Login)[0].ID
	wantError(t, d.UnlinkIdentity(t.Context(), first.Login, id), seamark.Conflict, "seamark-identity-last")
}

// TestRealmsAreApart: a provider of one realm signs in nobody of the other, however they are known.
func TestRealmsAreApart(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	operators := external("1", "root@example.org", nil)
	operators.OperatorRealm = true
	_, err := signInExternal(t, d, operators)
	wantError(t, err, seamark.Forbidden, "seamark-signin-unmapped")
	operators.Operator = true
	p, err := signInExternal(t, d, operators)
	if err != nil || !p.Operator || p.Tenant != "" {
		t.Fatalf("got %+v, %v", p, err)
	}
	_, err = signInExternal(t, d, external("1", "root@example.org", map[string]seamark.Role{"acme": "owner"}))
	wantError(t, err, seamark.Forbidden, "seamark-signin-realm")
	newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})
	operators.Subject = "2"
	err = d.LinkIdentity(t.Context(), signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword}).ID, operators)
	wantError(t, err, seamark.Forbidden, "seamark-signin-realm")
	operators.Subject, operators.Operator = "1", false // was an operator, and is none any more
	_, err = signInExternal(t, d, operators)
	wantError(t, err, seamark.Forbidden, "seamark-signin-unmapped")
}

// TestInvitationTakesAnIdentity: an invitation makes a member of somebody whom no mapping knows.
func TestInvitationTakesAnIdentity(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	newUser(t, d, tenant.UserSpec{Login: "boss", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})
	boss, err := d.VerifySession(t.Context(), signIn(t, d, tenant.Credentials{Login: "boss", Password: goodPassword}).Text)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := d.CreateInvitation(t.Context(), boss, acme.ID, tenant.InvitationSpec{Email: "ann@example.org", Role: seamark.RoleEditor})
	if err != nil {
		t.Fatal(err)
	}
	wrong := external("1", "eve@example.org", nil)
	wrong.Invitation = token
	_, err = signInExternal(t, d, wrong)
	wantError(t, err, seamark.Forbidden, "seamark-invitation-other")
	right := external("2", "ann@example.org", nil)
	right.Invitation = token
	p, err := signInExternal(t, d, right)
	if err != nil || p.Tenant != acme.ID || p.Role != seamark.RoleEditor || p.Login != "ann@example.org" {
		t.Fatalf("got %+v, %v", p, err)
	}
	right.Invitation = ""
	if p, err = signInExternal(t, d, right); err != nil || p.Role != seamark.RoleEditor {
		t.Errorf("the next time: %+v, %v", p, err)
	}
}

// TestHalfMadePersonIsFinished: the process died after it stored the identity.
func TestHalfMadePersonIsFinished(t *testing.T) {
	js := testkit.JetStream(t)
	d := openDirectory(t, js)
	newTenant(t, d, "acme")
	roles := map[string]seamark.Role{"acme": "viewer"}
	first, err := signInExternal(t, d, external("1", "ann@example.org", roles))
	if err != nil {
		t.Fatal(err)
	}
	if err := openBucket(t, js, "users").Delete(t.Context(), "user."+tenant.LoginKey("ann@example.org")); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := d.FindUser(t.Context(), "ann@example.org")
		return refused(err, "seamark-user-unknown")
	})
	again, err := signInExternal(t, d, external("1", "ann@example.org", roles))
	if err != nil || again.Login != first.Login {
		t.Errorf("got %+v, %v", again, err)
	}
}
