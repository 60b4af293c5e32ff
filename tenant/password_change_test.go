package tenant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const nextPassword = "another one, long enough"

func TestChangedPasswordEndsTheOtherSessions(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	here := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})
	other := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})
	change := func(from, to string) (tenant.SessionToken, error) {
		return d.ChangePassword(t.Context(), tenant.PasswordChange{Session: here.ID, Old: from, New: to, Device: tenant.Device{ClientIP: "192.0.2.1"}})
	}
	_, err := change("wrong", nextPassword)
	wantError(t, err, seamark.Invalid, "seamark-password-wrong")
	_, err = change(goodPassword, "short")
	wantError(t, err, seamark.Invalid, "seamark-user-invalid")
	next, err := change(goodPassword, nextPassword)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]tenant.SessionToken{"this": here, "the other": other} {
		if _, err := d.VerifySession(t.Context(), s.Text); refused(err, "seamark-session-over") != nil {
			t.Errorf("%s session: %v", name, err)
		}
	}
	if p, err := d.VerifySession(t.Context(), next.Text); err != nil || p.Tenant != acme.ID {
		t.Errorf("the new session: %+v, %v", p, err)
	}
	_, err = change(nextPassword, goodPassword)
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	_, err = d.SignIn(t.Context(), tenant.Credentials{Login: "ann", Password: goodPassword})
	wantError(t, err, seamark.Unauthenticated, "seamark-signin-refused")
	signIn(t, d, tenant.Credentials{Login: "ann", Password: nextPassword})
}

// TestOldPasswordCannotBeTried: a session that was taken over is no way around the limits.
func TestOldPasswordCannotBeTried(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	for range 5 {
		_, err := d.ChangePassword(t.Context(), tenant.PasswordChange{Session: session.ID, Old: "wrong", New: nextPassword})
		wantError(t, err, seamark.Invalid, "seamark-password-wrong")
	}
	_, err := d.ChangePassword(t.Context(), tenant.PasswordChange{Session: session.ID, Old: goodPassword, New: nextPassword})
	wantError(t, err, seamark.RateLimited, "seamark-signin-limit")
}

func TestResetLink(t *testing.T) {
	js := testkit.JetStream(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, js, withClock(clock))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	ann := newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	both := newUser(t, d, tenant.UserSpec{Login: "both", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{
		acme.ID: seamark.RoleViewer, umbra.ID: seamark.RoleOwner,
	}})
	root := newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	owner := seamark.Principal{Kind: seamark.Session, Tenant: acme.ID, Role: seamark.RoleOwner, Login: "owner"}
	operator := seamark.Principal{Kind: seamark.Session, Operator: true, Login: "root"}

	_, err := d.CreatePasswordReset(t.Context(), owner, both.ID) // else acme's owner could become umbra's
	wantError(t, err, seamark.Forbidden, "seamark-password-shared")
	_, err = d.CreatePasswordReset(t.Context(), owner, root.ID)
	wantError(t, err, seamark.NotFound, "seamark-member-unknown")
	_, err = d.CreatePasswordReset(t.Context(), seamark.Principal{Kind: seamark.Session, Tenant: umbra.ID, Role: seamark.RoleOwner}, ann.ID)
	wantError(t, err, seamark.NotFound, "seamark-member-unknown")
	if _, err := d.CreatePasswordReset(t.Context(), operator, both.ID); err != nil {
		t.Errorf("the operator: %v", err)
	}

	session := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})
	before, err := d.CreatePasswordReset(t.Context(), owner, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	link, err := d.CreatePasswordReset(t.Context(), owner, ann.ID)
	if err != nil || link.Login != "ann" || !link.Expires.Equal(clock.Now().Add(24*time.Hour)) {
		t.Fatalf("got %+v, %v", link, err)
	}
	if _, err := d.VerifySession(t.Context(), session.Text); err != nil {
		t.Errorf("making a link ended the session: %v", err)
	}
	use := func(text, password string) error {
		_, err := d.ResetPassword(t.Context(), text, password, "")
		return err
	}
	secret := link.Text[strings.LastIndexByte(link.Text, '_')+1:]
	entry, err := openBucket(t, js, "users").Get(t.Context(), "user."+tenant.LoginKey("ann"))
	if err != nil || strings.Contains(string(entry.Value()), secret) {
		t.Errorf("the store has the link's secret: %s, %v", entry.Value(), err)
	}
	for name, text := range map[string]string{
		"empty": "", "junk": "smp_x_y", "the link before": before.Text, "changed": changedAt(link.Text, len(link.Text)-2),
		"another person's": strings.Replace(link.Text, string(ann.ID), string(both.ID), 1), "nobody's": strings.Replace(link.Text, string(ann.ID), "01JZZZZZZZZZZZZZZZZZZZZZZZ", 1),
	} {
		if err := refused(use(text, nextPassword), "seamark-reset-over"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantError(t, use(link.Text, "short"), seamark.Invalid, "seamark-user-invalid")
	if err := use(link.Text, nextPassword); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifySession(t.Context(), session.Text); refused(err, "seamark-session-over") != nil {
		t.Errorf("the session before: %v", err)
	}
	wantError(t, use(link.Text, nextPassword+"!"), seamark.Unauthenticated, "seamark-reset-over")
	signIn(t, d, tenant.Credentials{Login: "ann", Password: nextPassword})

	late, err := d.CreatePasswordReset(t.Context(), operator, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(24 * time.Hour)
	wantError(t, use(late.Text, nextPassword), seamark.Unauthenticated, "seamark-reset-over")
}

// TestResetLinkIsNoWayUp: who may do less than a member must not become the member by a link.
func TestResetLinkIsNoWayUp(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "acme").ID
	boss, ann := newMember(t, d, id, "boss", seamark.RoleOwner), newMember(t, d, id, "ann", seamark.RoleViewer)
	newRole(t, d, id, "desk", "owners:write", "data:read")
	_, err := d.CreatePasswordReset(t.Context(), actor(id, "desk"), boss.User)
	wantError(t, err, seamark.Forbidden, "seamark-permission-ungrantable")
	_, err = d.CreatePasswordReset(t.Context(), actor(id, "desk"), ann.User)
	wantError(t, err, seamark.Forbidden, "seamark-permission-ungrantable")
	if _, err := d.CreatePasswordReset(t.Context(), actor(id, seamark.RoleOwner), boss.User); err != nil {
		t.Errorf("an owner: %v", err)
	}
}
