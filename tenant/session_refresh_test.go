package tenant_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func refresh(t *testing.T, d *tenant.Directory, secret string) tenant.SessionToken {
	t.Helper()
	next, err := d.RefreshSession(t.Context(), secret, tenant.Device{ClientIP: "192.0.2.7", Agent: "refresher"})
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	return next
}

func TestRefreshGoesOnUntilTheEnd(t *testing.T) {
	n := testkit.NATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	lives := withLives(10*time.Minute, time.Hour, 3*time.Hour)
	here, there := openDirectory(t, jetStream(t, n), withClock(clock), lives), openDirectory(t, jetStream(t, n), withClock(clock), lives)
	acme := newTenant(t, here, "acme")
	newUser(t, here, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	session := signIn(t, here, tenant.Credentials{Login: "ann", Password: goodPassword, Agent: "first"})
	started, nodes := clock.Now(), []*tenant.Directory{here, there}
	for i := range 5 { // 150 min in steps of 30, each on another node
		clock.Advance(30 * time.Minute)
		node := nodes[i%2]
		var next tenant.SessionToken
		eventually(t, func() (err error) { // the node hears of the clock's jump, and of the session
			next, err = node.RefreshSession(t.Context(), session.Refresh, tenant.Device{ClientIP: "192.0.2.7", Agent: "refresher"})
			return err
		})
		if next.ID != session.ID || next.Refresh == session.Refresh || next.Text == session.Text {
			t.Fatalf("step %d: got %+v after %+v, want a new secret and token of the same session", i, next, session)
		}
		if want := clock.Now().Add(10 * time.Minute); !next.Expires.Equal(want) {
			t.Errorf("step %d: expires %s, want %s", i, next.Expires, want)
		}
		want := clock.Now().Add(time.Hour)
		if end := started.Add(3 * time.Hour); end.Before(want) {
			want = end
		}
		if !next.Ends.Equal(want) {
			t.Errorf("step %d: ends %s, want %s", i, next.Ends, want)
		}
		for _, d := range nodes {
			eventually(t, func() error { _, err := d.VerifySession(t.Context(), next.Text); return err })
		}
		session = next
	}
	list := here.ListSessions(t.Context(), "ann")
	if len(list) != 1 || !list[0].Created.Equal(started) || !list[0].Used.Equal(clock.Now()) || list[0].Agent != "refresher" || list[0].ClientIP != "192.0.2.7" {
		t.Errorf("the list is %+v", list)
	}
	clock.Advance(30 * time.Minute)
	eventually(t, func() error {
		_, err := here.RefreshSession(t.Context(), session.Refresh, tenant.Device{})
		return refused(err, "seamark-session-over")
	})
}

func TestIdleSessionEnds(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock), withLives(10*time.Minute, time.Hour, 10*time.Hour))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	clock.Advance(time.Hour)
	eventually(t, func() error {
		_, err := d.RefreshSession(t.Context(), session.Refresh, tenant.Device{})
		return refused(err, "seamark-session-over")
	})
	if list := d.ListSessions(t.Context(), "root"); len(list) != 0 {
		t.Errorf("an idle session is listed: %+v", list)
	}
}

// TestReusedSecretEndsTheSession: whoever comes with a secret that was spent is not the only one who had it.
func TestReusedSecretEndsTheSession(t *testing.T) {
	n := testkit.NATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	here, there := openDirectory(t, jetStream(t, n), withClock(clock)), openDirectory(t, jetStream(t, n), withClock(clock))
	newUser(t, here, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	first := signIn(t, here, tenant.Credentials{Login: "root", Password: goodPassword})
	other := signIn(t, here, tenant.Credentials{Login: "root", Password: goodPassword})
	second := refresh(t, here, first.Refresh)
	if again := refresh(t, here, first.Refresh); again.Refresh != second.Refresh {
		t.Error("within the grace the secret before gets another one than the newest")
	}
	if again := refresh(t, here, second.Refresh); again.Refresh != second.Refresh {
		t.Error("within the pause the newest secret gets another one")
	}
	clock.Advance(16 * time.Second)
	eventually(t, func() error { // also on a node that has not heard of the rotation yet
		_, err := there.RefreshSession(t.Context(), first.Refresh, tenant.Device{})
		return refused(err, "seamark-session-reused")
	})
	_, err := there.RefreshSession(t.Context(), second.Refresh, tenant.Device{})
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	for _, d := range []*tenant.Directory{here, there} {
		eventually(t, func() error {
			_, err := d.VerifySession(t.Context(), second.Text)
			return refused(err, "seamark-session-over")
		})
	}
	refresh(t, here, other.Refresh) // the person's other session goes on
}

// TestForgedSecretsChangeNothing: a session's id is no secret, so knowing it must not be enough to end it.
func TestForgedSecretsChangeNothing(t *testing.T) {
	js := testkit.JetStream(t)
	d := openDirectory(t, js)
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	parts := strings.Split(session.Refresh, "_")
	with := func(i int, value string) string {
		changed := append([]string(nil), parts...)
		changed[i] = value
		return strings.Join(changed, "_")
	}
	for name, secret := range map[string]string{
		"empty": "", "junk": "smr_x", "huge": strings.Repeat("a_", 5000), "token": session.Text,
		"no mac": with(4, ""), "other mac": with(4, strings.Repeat("0", 64)), "long mac": with(4, parts[4]+"00"),
		"generation before": with(3, "0"), "next generation": with(3, "2"), "negative": with(3, "-1"),
		"other session": with(2, "01JZZZZZZZZZZZZZZZZZZZZZZZ"), "unknown key": with(1, "k2"), "other prefix": with(0, "smk"),
	} {
		_, err := d.RefreshSession(t.Context(), secret, tenant.Device{})
		if refused(err, "seamark-session-over") != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	refresh(t, d, session.Refresh)
	if _, err := d.VerifySession(t.Context(), session.Refresh); refused(err, "seamark-session-over") != nil {
		t.Errorf("a refresh secret is taken for a session: %v", err)
	}
}

// TestPagesRefreshTogether: two pages of one browser that come at the same moment end with the same secret.
func TestPagesRefreshTogether(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))}
	newUser(t, nodes[0], tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, nodes[0], tenant.Credentials{Login: "root", Password: goodPassword})
	for _, d := range nodes {
		eventually(t, func() error { _, err := d.VerifySession(t.Context(), session.Text); return err })
	}
	secrets := make([]string, 12)
	var wait sync.WaitGroup
	for i := range secrets {
		wait.Go(func() {
			next, err := nodes[i%3].RefreshSession(t.Context(), session.Refresh, tenant.Device{})
			if err != nil {
				t.Errorf("page %d: %v", i, err)
			}
			secrets[i] = next.Refresh
		})
	}
	wait.Wait()
	for i, s := range secrets {
		if s != secrets[0] {
			t.Errorf("page %d has %q, page 0 %q", i, s, secrets[0])
		}
	}
}

// TestRefreshNoticesWhatHappened: what would refuse the token refuses to make another.
func TestRefreshNoticesWhatHappened(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	newUser(t, d, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleEditor)})
	session := signIn(t, d, tenant.Credentials{Login: "ann", Password: goodPassword})
	if _, err := d.SuspendTenant(t.Context(), acme.ID); err != nil {
		t.Fatal(err)
	}
	_, err := d.RefreshSession(t.Context(), session.Refresh, tenant.Device{})
	wantError(t, err, seamark.Forbidden, "seamark-tenant-suspended")
	if _, err := d.ResumeTenant(t.Context(), acme.ID); err != nil {
		t.Fatal(err)
	}
	session = refresh(t, d, session.Refresh)
	if err := d.SignOut(t.Context(), session.ID); err != nil {
		t.Fatal(err)
	}
	_, err = d.RefreshSession(t.Context(), session.Refresh, tenant.Device{})
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
}

// TestRefreshOutlivesItsKey: a secret made with the key before is good as long as that key may have signed something.
func TestRefreshOutlivesItsKey(t *testing.T) {
	js := testkit.JetStream(t)
	d := openDirectory(t, js)
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	if err := d.RotateSessionKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := refresh(t, d, session.Refresh)
	if kid := headerOf(t, next.Text)["kid"]; kid != "k2" || !strings.HasPrefix(next.Refresh, "smr_k2_") {
		t.Errorf("after the rotation the token has key %v and the secret %.8s, want k2", kid, next.Refresh)
	}
	entry, err := openBucket(t, js, "sessions").Get(t.Context(), "session."+session.ID)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{session.Refresh, next.Refresh, session.Text, next.Text} {
		if mac := secret[len(secret)-40:]; strings.Contains(string(entry.Value()), mac) {
			t.Errorf("the store has a secret: %s", entry.Value())
		}
	}
}
