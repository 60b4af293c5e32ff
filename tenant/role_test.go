package tenant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// actor is somebody with a role, who need not exist for what asks only for permissions.
func actor(id seamark.TenantID, role seamark.Role) seamark.Principal {
	return seamark.Principal{Tenant: id, Kind: seamark.Session, CredentialID: "x", Login: string(role) + "@example.org", Role: role}
}

func newRole(t testing.TB, d *tenant.Directory, id seamark.TenantID, name seamark.Role, permissions ...string) tenant.Role {
	t.Helper()
	role, err := d.CreateRole(t.Context(), actor(id, seamark.RoleOwner), tenant.RoleSpec{Name: name, Permissions: permissions})
	if err != nil {
		t.Fatalf("create role %s: %v", name, err)
	}
	return role
}

// newMember is a user with one membership.
func newMember(t testing.TB, d *tenant.Directory, id seamark.TenantID, login string, role seamark.Role) tenant.Member {
	t.Helper()
	user := newUser(t, d, tenant.UserSpec{Login: login, Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{id: role}})
	return tenant.Member{User: user.ID, Login: user.Login, Role: role}
}

func TestCustomRoleAllowsWhatItSays(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	one, two := newTenant(t, d, "one"), newTenant(t, d, "two")
	newRole(t, d, one.ID, "support", "data:read", "silences:write")
	for _, permission := range tenant.Permissions() {
		want := slices.Contains([]string{"data:read", "silences:write", "session:read"}, permission)
		if got := d.Permit(actor(one.ID, "support"), permission) == nil; got != want {
			t.Errorf("%s: allowed %t, want %t", permission, got, want)
		}
		if d.Permit(actor(two.ID, "support"), permission) == nil {
			t.Errorf("%s: the role of another tenant allows it", permission)
		}
	}
}

func TestRoleChangeCountsAtOnce(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newRole(t, d, id, "support", "data:read")
	if err := d.Permit(actor(id, "support"), "rules:read"); err == nil {
		t.Fatal("rules:read is allowed before the role has it")
	}
	owner := actor(id, seamark.RoleOwner)
	changed, err := d.UpdateRole(t.Context(), owner, tenant.RoleSpec{Name: "support", Description: "Night shift.", Permissions: []string{"rules:read"}})
	if err != nil || changed.Description != "Night shift." || !slices.Equal(changed.Permissions, []string{"rules:read"}) {
		t.Fatalf("got %+v, %v", changed, err)
	}
	if err := d.Permit(actor(id, "support"), "rules:read"); err != nil {
		t.Errorf("rules:read is refused after the role got it: %v", err)
	}
	if err := d.Permit(actor(id, "support"), "data:read"); err == nil {
		t.Error("data:read is allowed after the role lost it")
	}
	if err := d.DeleteRole(t.Context(), owner, "support"); err != nil {
		t.Fatal(err)
	}
	if err := d.Permit(actor(id, "support"), "rules:read"); err == nil {
		t.Error("a role that was deleted allows something")
	}
}

func TestRoleRefusals(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newRole(t, d, id, "support", "data:read")
	owner, admin := actor(id, seamark.RoleOwner), actor(id, seamark.RoleAdmin)
	for name, c := range map[string]struct {
		who  seamark.Principal
		spec tenant.RoleSpec
		kind seamark.Kind
		id   string
	}{
		"taken":                 {owner, tenant.RoleSpec{Name: "support"}, seamark.Conflict, "seamark-role-exists"},
		"built in":              {owner, tenant.RoleSpec{Name: "viewer"}, seamark.Conflict, "seamark-role-built-in"},
		"operator":              {owner, tenant.RoleSpec{Name: "operator"}, seamark.Invalid, "seamark-role-invalid"},
		"a subject":             {owner, tenant.RoleSpec{Name: "role:owner"}, seamark.Invalid, "seamark-role-invalid"},
		"no name":               {owner, tenant.RoleSpec{}, seamark.Invalid, "seamark-role-invalid"},
		"long name":             {owner, tenant.RoleSpec{Name: seamark.Role(strings.Repeat("x", 41))}, seamark.Invalid, "seamark-role-invalid"},
		"unknown permission":    {owner, tenant.RoleSpec{Name: "x", Permissions: []string{"data:everything"}}, seamark.Invalid, "seamark-role-invalid"},
		"operators' permission": {owner, tenant.RoleSpec{Name: "x", Permissions: []string{"tenants:write"}}, seamark.Invalid, "seamark-role-invalid"},
		"ingest":                {owner, tenant.RoleSpec{Name: "x", Permissions: []string{"ingest:logs"}}, seamark.Invalid, "seamark-role-invalid"},
		"long description":      {owner, tenant.RoleSpec{Name: "x", Description: strings.Repeat("x", 201)}, seamark.Invalid, "seamark-role-invalid"},
		"more than one holds":   {admin, tenant.RoleSpec{Name: "x", Permissions: []string{"data:read", "owners:write"}}, seamark.Forbidden, "seamark-permission-ungrantable"},
	} {
		if _, err := d.CreateRole(t.Context(), c.who, c.spec); refused(err, c.id) != nil || seamark.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %s", name, err, c.id)
		}
	}
	newRole(t, d, id, "deputy", "owners:write")
	_, err := d.UpdateRole(t.Context(), admin, tenant.RoleSpec{Name: "deputy", Permissions: []string{"data:read"}})
	wantError(t, err, seamark.Forbidden, "seamark-permission-ungrantable") // an admin takes nothing from who may do more
	wantError(t, d.DeleteRole(t.Context(), admin, "deputy"), seamark.Forbidden, "seamark-permission-ungrantable")
	_, err = d.UpdateRole(t.Context(), owner, tenant.RoleSpec{Name: "absent"})
	wantError(t, err, seamark.NotFound, "seamark-role-unknown")
	wantError(t, d.DeleteRole(t.Context(), owner, "absent"), seamark.NotFound, "seamark-role-unknown")
	wantError(t, d.DeleteRole(t.Context(), owner, "owner"), seamark.Conflict, "seamark-role-built-in")
}

func TestRoleInUseStays(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newRole(t, d, id, "support", "data:read")
	owner := actor(id, seamark.RoleOwner)
	ann := newMember(t, d, id, "ann@example.org", "support")
	key, _, err := d.CreateKey(t.Context(), owner, tenant.KeySpec{Name: "ci", Role: "support"})
	if err != nil {
		t.Fatal(err)
	}
	invitation, _, err := d.CreateInvitation(t.Context(), owner, id, tenant.InvitationSpec{Role: "support"})
	if err != nil {
		t.Fatal(err)
	}
	err = d.DeleteRole(t.Context(), owner, "support")
	wantError(t, err, seamark.Conflict, "seamark-role-in-use")
	for _, holder := range []string{"ann@example.org", key.KeyID, invitation.ID} {
		if !strings.Contains(err.Error(), holder) {
			t.Errorf("the refusal %q does not name %s", err, holder)
		}
	}
	if err := d.RevokeKey(t.Context(), owner, key.KeyID); err != nil {
		t.Fatal(err)
	}
	if err := d.RevokeInvitation(t.Context(), id, invitation.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetMember(t.Context(), owner, id, ann.User, tenant.MemberSpec{Role: seamark.RoleViewer}); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteRole(t.Context(), owner, "support"); err != nil {
		t.Errorf("a role that nobody has is refused: %v", err)
	}
}

func TestEveryPermissionIsDescribed(t *testing.T) {
	for _, p := range tenant.ListPermissions() {
		noun, verb, ok := strings.Cut(p.Name, ":")
		if !ok || noun == "" || verb == "" || !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%+v has no noun, verb or sentence", p)
		}
		if p.Assignable != (p.Least != "") {
			t.Errorf("%s: assignable %t, but the least role that has it is %q", p.Name, p.Assignable, p.Least)
		}
	}
}

func TestRolesListBuiltInsFirst(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newRole(t, d, id, "zebra", "data:read")
	newRole(t, d, id, "ant", "data:read", "data:read")
	var names []string
	for _, role := range d.ListRoles(t.Context(), id) {
		names = append(names, string(role.Name))
		if role.BuiltIn != slices.Contains(tenant.Roles(), role.Name) || role.BuiltIn && role.Description == "" {
			t.Errorf("role %+v", role)
		}
	}
	if got := strings.Join(names, " "); got != "owner admin editor viewer ant zebra" {
		t.Errorf("got %s", got)
	}
	if role, err := d.FindRole(t.Context(), id, "ant"); err != nil || len(role.Permissions) != 1 {
		t.Errorf("got %+v, %v, want one permission", role, err)
	}
}

// TestRolesAreLookedUpInMemory asks again and again while there is no store.
func TestRolesAreLookedUpInMemory(t *testing.T) {
	n := newFragileNATS(t)
	js := n.connect(t)
	first := openDirectory(t, js)
	id := newTenant(t, first, "one").ID
	newRole(t, first, id, "support", "data:read")
	second := openDirectory(t, js)
	who := actor(id, "support")
	eventually(t, func() error { return second.Permit(who, "data:read") })
	n.stop()
	for range 1000 {
		if err := second.Permit(who, "data:read"); err != nil {
			t.Fatal(err)
		}
	}
}
