package tenant_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func newInvitation(t testing.TB, d *tenant.Directory, id seamark.TenantID, spec tenant.InvitationSpec) (tenant.Invitation, string) {
	t.Helper()
	if spec.Role == "" {
		spec.Role = seamark.RoleViewer
	}
	i, token, err := d.CreateInvitation(t.Context(), actor(id, seamark.RoleOwner), id, spec)
	if err != nil {
		t.Fatalf("invite: %v", err)
	}
	return i, token
}

func TestInvitationMakesANewUserOnce(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	only := &seamark.Restriction{Namespaces: []string{"shop"}}
	_, token := newInvitation(t, d, id, tenant.InvitationSpec{Email: "Ann@Example.org", Role: seamark.RoleEditor, Only: only})
	offer, err := d.FindOffer(t.Context(), token, "192.0.2.1")
	if err != nil || offer.Tenant != id || offer.Email != "ann@example.org" || offer.Role != seamark.RoleEditor || offer.Known {
		t.Fatalf("got %+v, %v", offer, err)
	}
	m, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Password: goodPassword, ClientIP: "192.0.2.1"})
	if err != nil || m.Login != "ann@example.org" || m.Role != seamark.RoleEditor || m.Only.String() != only.String() {
		t.Fatalf("got %+v, %v", m, err)
	}
	signIn(t, d, tenant.Credentials{Login: "ann@example.org", Password: goodPassword})
	_, err = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Login: "eve@example.org", Password: goodPassword})
	wantError(t, err, seamark.NotFound, "seamark-invitation-refused")
	list := d.ListInvitations(t.Context(), id)
	if len(list) != 1 || list[0].AcceptedBy != "ann@example.org" || list[0].Accepted.IsZero() {
		t.Errorf("got %+v, want one that ann accepted", list)
	}
	wantError(t, d.RevokeInvitation(t.Context(), id, list[0].ID), seamark.Conflict, "seamark-invitation-used")
}

func TestInvitationBindsWhoIsSignedIn(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	first, second := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	newMember(t, d, first, "ann@example.org", seamark.RoleOwner)
	_, token := newInvitation(t, d, second, tenant.InvitationSpec{Email: "ann@example.org"})
	if offer, err := d.FindOffer(t.Context(), token, ""); err != nil || !offer.Known {
		t.Errorf("got %+v, %v, want that the address is known", offer, err)
	}
	_, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Password: "not " + goodPassword})
	wantError(t, err, seamark.Unauthenticated, "seamark-signin-refused")
	if _, err = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Member: actorNamed(first, "ann@example.org")}); err != nil {
		t.Fatal(err)
	}
	user, err := d.FindUser(t.Context(), "ann@example.org")
	if err != nil || user.Memberships[first] != seamark.RoleOwner || user.Memberships[second] != seamark.RoleViewer {
		t.Errorf("got %+v, %v, want both memberships", user.Memberships, err)
	}
	third := newTenant(t, d, "three").ID
	_, byPassword := newInvitation(t, d, third, tenant.InvitationSpec{})
	if m, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: byPassword, Login: "Ann@example.org", Password: goodPassword}); err != nil || m.User != user.ID {
		t.Errorf("a user that exists, by password: got %+v, %v", m, err)
	}
	_, again := newInvitation(t, d, second, tenant.InvitationSpec{})
	_, err = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: again, Member: actorNamed(first, "ann@example.org")})
	wantError(t, err, seamark.Conflict, "seamark-member-exists")
}

func actorNamed(id seamark.TenantID, login string) seamark.Principal {
	return seamark.Principal{Tenant: id, Kind: seamark.Session, CredentialID: "x", Login: login, Role: seamark.RoleOwner}
}

func TestInvitationRefusals(t *testing.T) {
	clock := testkit.NewClock(time.Now())
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	id, other := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	newMember(t, d, id, "ann@example.org", seamark.RoleViewer)
	owner, admin := actor(id, seamark.RoleOwner), actor(id, seamark.RoleAdmin)
	for name, c := range map[string]struct {
		who  seamark.Principal
		spec tenant.InvitationSpec
		id   string
	}{
		"a member":          {owner, tenant.InvitationSpec{Email: "ann@example.org", Role: "viewer"}, "seamark-member-exists"},
		"no address":        {owner, tenant.InvitationSpec{Email: "ann", Role: "viewer"}, "seamark-invitation-invalid"},
		"no role":           {owner, tenant.InvitationSpec{}, "seamark-role-unknown"},
		"too long":          {owner, tenant.InvitationSpec{Role: "viewer", Expire: 31 * 24 * time.Hour}, "seamark-invitation-invalid"},
		"an owner by admin": {admin, tenant.InvitationSpec{Role: "owner"}, "seamark-permission-ungrantable"},
	} {
		if _, _, err := d.CreateInvitation(t.Context(), c.who, id, c.spec); refused(err, c.id) != nil {
			t.Errorf("%s: got %v, want %s", name, err, c.id)
		}
	}
	bound, token := newInvitation(t, d, id, tenant.InvitationSpec{Email: "bob@example.org"})
	_, _, err := d.CreateInvitation(t.Context(), owner, id, tenant.InvitationSpec{Email: "BOB@example.org", Role: "viewer"})
	wantError(t, err, seamark.Conflict, "seamark-invitation-exists")
	_, err = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Login: "eve@example.org", Password: goodPassword})
	wantError(t, err, seamark.Forbidden, "seamark-invitation-other")
	_, err = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Password: "short"})
	wantError(t, err, seamark.Invalid, "seamark-user-invalid")
	wantError(t, d.RevokeInvitation(t.Context(), other, bound.ID), seamark.NotFound, "seamark-invitation-absent")
	_, fresh, err := d.ResendInvitation(t.Context(), owner, id, bound.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"sent anew": token, "cut": fresh[:len(fresh)-1], "nothing": "", "a credential": "smk_api_" + fresh[len("smk_invite_"):]} {
		_, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: bad, Password: goodPassword, ClientIP: name})
		if refused(err, "seamark-invitation-refused") != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := d.Authenticate(t.Context(), fresh); seamark.KindOf(err) != seamark.Unauthenticated {
		t.Errorf("an invitation as a credential: got %v", err)
	}
	clock.Advance(8 * 24 * time.Hour)
	eventually(t, func() error { // the beats follow the clock
		_, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: fresh, Password: goodPassword, ClientIP: "late"})
		return refused(err, "seamark-invitation-refused")
	})
}

func TestInvitationIsAcceptedOnceByTwoAtOnce(t *testing.T) {
	js := testkit.JetStream(t)
	nodes := []*tenant.Directory{openDirectory(t, js), openDirectory(t, js)}
	id := newTenant(t, nodes[0], "one").ID
	_, token := newInvitation(t, nodes[0], id, tenant.InvitationSpec{})
	eventually(t, func() error { _, err := nodes[1].FindOffer(t.Context(), token, ""); return err })
	var wg sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, d := range nodes {
		wg.Go(func() {
			_, errs[i] = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, Login: []string{"ann", "bob"}[i], Password: goodPassword})
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("got %v and %v, want that one of both is refused", errs[0], errs[1])
	}
	eventually(t, func() error {
		if got := nodes[0].ListMembers(t.Context(), id); len(got) != 1 {
			return errOrNone(nil)
		}
		return nil
	})
}

func TestInvitationsAreTriedSlowly(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	_, token := newInvitation(t, d, id, tenant.InvitationSpec{})
	var last error
	for range 20 {
		_, last = d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: "smk_invite_x", ClientIP: "192.0.2.7"})
	}
	wantError(t, last, seamark.RateLimited, "seamark-invitation-rate")
	_, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, ClientIP: "192.0.2.7", Login: "x", Password: goodPassword})
	wantError(t, err, seamark.RateLimited, "seamark-invitation-rate")
	if _, err := d.AcceptInvitation(t.Context(), tenant.Acceptance{Token: token, ClientIP: "192.0.2.8", Login: "x", Password: goodPassword}); err != nil {
		t.Errorf("another address waits, too: %v", err)
	}
}

func TestInvitationsThatAreOverAreSwept(t *testing.T) {
	clock := testkit.NewClock(time.Now())
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	id := newTenant(t, d, "one").ID
	newInvitation(t, d, id, tenant.InvitationSpec{})
	clock.Advance(38 * 24 * time.Hour)
	_, _ = newInvitation(t, d, id, tenant.InvitationSpec{})
	if err := d.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if list := d.ListInvitations(t.Context(), id); len(list) != 1 || !slices.ContainsFunc(list, func(i tenant.Invitation) bool { return i.Expires.After(clock.Now()) }) {
			return errOrNone(nil)
		}
		return nil
	})
}
