package tenant_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestPersonEndsTheirSessions(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	for _, login := range []string{"ann", "ben"} {
		newUser(t, d, tenant.UserSpec{Login: login, Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	}
	var sessions []tenant.SessionToken
	for i := range 3 {
		sessions = append(sessions, signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword, ClientIP: fmt.Sprintf("192.0.2.%d", i), Agent: "a browser"}))
	}
	foreign := signIn(t, d, tenant.Credentials{Login: "ben", Password: goodPassword})
	list := d.ListSessions(t.Context(), "ann")
	if len(list) != 3 || list[0].Tenant != acme.ID || list[0].Way != "password" || list[0].Agent != "a browser" {
		t.Fatalf("the list is %+v", list)
	}
	wantError(t, d.EndSession(t.Context(), "ann", foreign.ID), seamark.NotFound, "seamark-session-unknown")
	wantError(t, d.EndSession(t.Context(), "ann", "x"), seamark.NotFound, "seamark-session-unknown")
	if err := d.EndSession(t.Context(), "ann", sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	alive := func(s tenant.SessionToken) bool { _, err := d.VerifySession(t.Context(), s.Text); return err == nil }
	if alive(sessions[0]) || !alive(sessions[1]) || len(d.ListSessions(t.Context(), "ann")) != 2 {
		t.Error("one session was to be ended")
	}
	if err := d.EndSessions(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if alive(sessions[1]) || alive(sessions[2]) || !alive(foreign) || len(d.ListSessions(t.Context(), "ann")) != 0 {
		t.Error("all of ann's sessions were to be ended, and no other")
	}
	if !alive(signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})) {
		t.Error("ann cannot sign in again")
	}
	wantError(t, d.EndSessions(t.Context(), "nobody"), seamark.NotFound, "seamark-user-unknown")
}

// TestAdminEndsSessionsOfTheTenantAlone: the person's sessions elsewhere are not the tenant's.
func TestAdminEndsSessionsOfTheTenantAlone(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	ann := newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{
		acme.ID: seamark.RoleOwner, umbra.ID: seamark.RoleViewer,
	}})
	inAcme := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword, TenantSlug: "acme"})
	inUmbra := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword, TenantSlug: "umbra"})
	as := func(id seamark.TenantID, role seamark.Role) seamark.Principal {
		return seamark.Principal{Kind: seamark.Session, Tenant: id, Role: role, Login: "boss"}
	}
	end := func(by seamark.Principal) error { return d.EndTenantSessions(t.Context(), by, by.Tenant, ann.ID) }
	if err := end(as(umbra.ID, seamark.RoleAdmin)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifySession(t.Context(), inUmbra.Text); refused(err, "seamark-session-over") != nil {
		t.Errorf("the session in umbra: %v", err)
	}
	if _, err := d.VerifySession(t.Context(), inAcme.Text); err != nil {
		t.Errorf("the session in acme: %v", err)
	}
	wantError(t, end(as(acme.ID, seamark.RoleAdmin)), seamark.Forbidden, "seamark-permission-missing")
	if err := end(as(acme.ID, seamark.RoleOwner)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.VerifySession(t.Context(), inAcme.Text); refused(err, "seamark-session-over") != nil {
		t.Errorf("the session in acme: %v", err)
	}
	third := newTenant(t, d, "third")
	wantError(t, end(as(third.ID, seamark.RoleOwner)), seamark.NotFound, "seamark-member-unknown")
}

func TestSwitchTenant(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	newTenant(t, d, "third")
	newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{
		acme.ID: seamark.RoleOwner, umbra.ID: seamark.RoleViewer,
	}})
	first := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})
	var slugs []string
	for _, c := range d.ListChoices(t.Context(), "ann") {
		slugs = append(slugs, c.Tenant.Slug+"="+string(c.Role))
	}
	if fmt.Sprint(slugs) != "[acme=owner umbra=viewer]" {
		t.Errorf("the choices are %v", slugs)
	}
	second, err := d.SwitchTenant(t.Context(), first.ID, "umbra", tenant.Device{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.VerifySession(t.Context(), second.Text)
	if err != nil || p.Tenant != umbra.ID || p.Role != seamark.RoleViewer || second.ID == first.ID {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = d.VerifySession(t.Context(), first.Text)
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	_, err = d.SwitchTenant(t.Context(), first.ID, "acme", tenant.Device{})
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	_, err = d.SwitchTenant(t.Context(), second.ID, "third", tenant.Device{})
	wantError(t, err, seamark.Forbidden, "seamark-member-absent")
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	_, err = d.SwitchTenant(t.Context(), signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword}).ID, "acme", tenant.Device{})
	wantError(t, err, seamark.Forbidden, "seamark-session-operator")
}

// told leaves a node with nothing but the changes that the store tells it of: what it comes to know, it knows at once.
func told(o *tenant.Options) {
	o.BeatInterval, o.LookInterval, o.StallTimeout = time.Hour, time.Hour, time.Hour
}

// TestEveryEndReachesEveryNode ends sessions in each way until three nodes refuse the token and its refresh secret.
func TestEveryEndReachesEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n), told), openDirectory(t, jetStream(t, n), told), openDirectory(t, jetStream(t, n), told)}
	acme := newTenant(t, nodes[0], "acme")
	ann := newUser(t, nodes[0], tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	owner := seamark.Principal{Kind: seamark.Session, Tenant: acme.ID, Role: seamark.RoleOwner}
	password := goodPassword
	for name, end := range map[string]func(d *tenant.Directory, s tenant.SessionToken) error{
		"sign-out":            func(d *tenant.Directory, s tenant.SessionToken) error { return d.SignOut(t.Context(), s.ID) },
		"sign-out everywhere": func(d *tenant.Directory, _ tenant.SessionToken) error { return d.EndSessions(t.Context(), "ann") },
		"by an owner": func(d *tenant.Directory, _ tenant.SessionToken) error {
			return d.EndTenantSessions(t.Context(), owner, acme.ID, ann.ID)
		},
		"password": func(d *tenant.Directory, s tenant.SessionToken) error {
			_, err := d.ChangePassword(t.Context(), tenant.PasswordChange{Session: s.ID, Old: password, New: password + "!"})
			password += "!"
			return err
		},
		"reset link": func(d *tenant.Directory, _ tenant.SessionToken) error {
			link, err := d.CreatePasswordReset(t.Context(), owner, ann.ID)
			if err != nil {
				return err
			}
			password += "?"
			_, err = d.ResetPassword(t.Context(), link.Text, password, "192.0.2.1")
			return err
		},
	} {
		session := signIn(t, nodes[0], tenant.Credentials{Login: "ann", Password: password})
		for _, d := range nodes {
			eventually(t, func() error { _, err := d.VerifySession(t.Context(), session.Text); return err })
		}
		if err := end(nodes[1], session); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		acked := time.Now()
		for i, d := range nodes {
			eventually(t, func() error {
				_, err := d.VerifySession(t.Context(), session.Text)
				return refused(err, "seamark-session-over")
			})
			if _, err := d.RefreshSession(t.Context(), session.Refresh, tenant.Device{}); refused(err, "seamark-session-over") != nil {
				t.Errorf("%s: node %d still refreshes: %v", name, i, err)
			}
		}
		t.Logf("%s: three nodes refused it after %s", name, time.Since(acked))
	}
}

// TestRotatedKeyReachesEveryNode: a token of the new key is good everywhere at once, and only one key is made.
func TestRotatedKeyReachesEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n), told), openDirectory(t, jetStream(t, n), told), openDirectory(t, jetStream(t, n), told)}
	newUser(t, nodes[0], tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	old := signIn(t, nodes[0], tenant.Credentials{Login: "root", Password: goodPassword})
	if err := nodes[1].RotateSessionKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	session := signIn(t, nodes[1], tenant.Credentials{Login: "root", Password: goodPassword})
	begun := time.Now()
	for _, d := range nodes {
		for _, s := range []tenant.SessionToken{old, session} {
			eventually(t, func() error { _, err := d.VerifySession(t.Context(), s.Text); return err })
		}
	}
	t.Logf("the new key was known everywhere after %s", time.Since(begun))
}

// TestSessionsThatAreOverAreRemoved: from the store, too, and one that was ended is refused before and after.
func TestSessionsThatAreOverAreRemoved(t *testing.T) {
	js := testkit.JetStream(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, js, withClock(clock), withLives(10*time.Minute, 2*time.Hour, 24*time.Hour))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	idle, ended := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword}), signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	if err := d.SignOut(t.Context(), ended.ID); err != nil {
		t.Fatal(err)
	}
	stored := func() (ids []string) {
		t.Helper()
		keys, err := openBucket(t, js, "sessions").Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if id, ok := strings.CutPrefix(key, "session."); ok {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{{time.Hour, []string{idle.ID}}, {time.Hour, []string{idle.ID}}, {time.Hour, nil}} {
		clock.Advance(step.after)
		if err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := stored(); !slices.Equal(got, step.want) {
			t.Errorf("at %s the store has %v, want %v", clock.Now(), got, step.want)
		}
	}
	eventually(t, func() error {
		_, err := d.ContinueSession(t.Context(), ended.Text)
		return refused(err, "seamark-session-over")
	})
}

// TestDueKeyIsReplacedWithoutSignIn: a quiet installation does not keep a key for years.
func TestDueKeyIsReplacedWithoutSignIn(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	rotate := func(want string) {
		t.Helper()
		if err := d.RotateDueKey(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			if got := d.KeysInMemory(); got != want {
				return fmt.Errorf("the keys are %q, want %q", got, want)
			}
			return nil
		})
	}
	rotate("") // the first sign-in makes the first
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	rotate("k1")
	clock.Advance(30 * 24 * time.Hour)
	rotate("k1 k2")
	clock.Advance(7*24*time.Hour + time.Second)
	rotate("k2")
}
