package tenant_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const goodPassword = "long enough for all"

func member(id seamark.TenantID, role seamark.Role) map[seamark.TenantID]seamark.Role {
	return map[seamark.TenantID]seamark.Role{id: role}
}

func TestSessionProvesItsPrincipal(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	umbra, acme := newTenant(t, here, "umbra"), newTenant(t, here, "acme")
	newUser(t, here, tenant.UserSpec{Login: "Ann@Example.org", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{
		umbra.ID: seamark.RoleViewer, acme.ID: seamark.RoleAdmin,
	}})
	newUser(t, here, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})

	for name, c := range map[string]struct {
		credentials tenant.Credentials
		want        seamark.Principal
	}{
		"first by slug": {tenant.Credentials{Login: "ann@example.org", Password: goodPassword},
			seamark.Principal{Tenant: acme.ID, Kind: seamark.Session, Login: "ann@example.org", Role: seamark.RoleAdmin}},
		"named": {tenant.Credentials{Login: " ANN@example.org ", Password: goodPassword, TenantSlug: "umbra"},
			seamark.Principal{Tenant: umbra.ID, Kind: seamark.Session, Login: "ann@example.org", Role: seamark.RoleViewer}},
		"operator": {tenant.Credentials{Login: "root", Password: goodPassword},
			seamark.Principal{Kind: seamark.Session, Login: "root", Operator: true}},
	} {
		session := signIn(t, here, c.credentials)
		c.want.CredentialID = session.ID
		if got, err := here.VerifySession(t.Context(), session.Text); err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
		eventually(t, func() error { _, err := there.VerifySession(t.Context(), session.Text); return err })
	}
	_, err := here.SignIn(t.Context(), tenant.Credentials{Login: "ann@example.org", Password: goodPassword, TenantSlug: "nobody"})
	wantError(t, err, seamark.Forbidden, "seamark-member-absent")
	newUser(t, here, tenant.UserSpec{Login: "lone", Password: goodPassword})
	_, err = here.SignIn(t.Context(), tenant.Credentials{Login: "lone", Password: goodPassword})
	wantError(t, err, seamark.Forbidden, "seamark-member-nowhere")
}

func TestSignInRefusalsLookAlike(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	_, wrong := d.SignIn(t.Context(), tenant.Credentials{Login: "root", Password: "wrong password"})
	_, unknown := d.SignIn(t.Context(), tenant.Credentials{Login: "nobody", Password: goodPassword})
	_, long := d.SignIn(t.Context(), tenant.Credentials{Login: "root", Password: strings.Repeat("x", 5000)})
	for _, err := range []error{wrong, unknown, long} {
		wantError(t, err, seamark.Unauthenticated, "seamark-signin-refused")
		if err.Error() != wrong.Error() {
			t.Errorf("refusals differ: %q and %q", err, wrong)
		}
	}
}

func TestEverythingEndsASession(t *testing.T) {
	n := testkit.NATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	here, there := openDirectory(t, jetStream(t, n), withClock(clock)), openDirectory(t, jetStream(t, n), withClock(clock))
	acme := newTenant(t, here, "acme")
	newUser(t, here, tenant.UserSpec{Login: "ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})
	password := goodPassword
	for name, c := range map[string]struct {
		end func(sid string) error
		id  string
	}{
		"sign-out": {func(sid string) error { return here.SignOut(t.Context(), sid) }, "seamark-session-over"},
		"password": {func(string) error { password += "!"; return here.SetPassword(t.Context(), "ann", password) }, "seamark-session-over"},
		"suspension": {func(string) error { _, err := here.SuspendTenant(t.Context(), acme.ID); return err },
			"seamark-tenant-suspended"},
	} {
		session := signIn(t, here, tenant.Credentials{Login: "ann", Password: password})
		eventually(t, func() error { _, err := there.VerifySession(t.Context(), session.Text); return err })
		if err := c.end(session.ID); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := here.VerifySession(t.Context(), session.Text); refused(err, c.id) != nil {
			t.Errorf("%s: here: got %v, want %s", name, err, c.id)
		}
		eventually(t, func() error { _, err := there.VerifySession(t.Context(), session.Text); return refused(err, c.id) })
		if _, err := here.ResumeTenant(t.Context(), acme.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { // so that the next case does not see this suspension
			got, err := there.FindTenant(t.Context(), acme.ID)
			if err == nil && got.State != tenant.Active {
				err = fmt.Errorf("state is %s", got.State)
			}
			return err
		})
	}
	for _, sid := range []string{"", "junk", "a.b", ">", "01JZZZZZZZZZZZZZZZZZZZZZZZ"} {
		if err := here.SignOut(t.Context(), sid); err != nil {
			t.Errorf("signing out %q: %v", sid, err)
		}
	}
}

// withLives sets how long tokens last, sessions that nobody refreshes, and all of them.
func withLives(token, idle, life time.Duration) func(*tenant.Options) {
	return func(o *tenant.Options) { o.TokenLifetime, o.IdleLifetime, o.SessionLifetime = token, idle, life }
}

func TestTokenEndsWithItsLife(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	if want := clock.Now().Add(10 * time.Minute); !session.Expires.Equal(want) {
		t.Errorf("expires %s, want %s", session.Expires, want)
	}
	if want := clock.Now().Add(24 * time.Hour); !session.Ends.Equal(want) {
		t.Errorf("ends %s, want %s", session.Ends, want)
	}
	clock.Advance(10*time.Minute - time.Second)
	eventually(t, func() error { _, err := d.VerifySession(t.Context(), session.Text); return err })
	clock.Advance(time.Second)
	_, err := d.VerifySession(t.Context(), session.Text)
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	// What began before goes on until the session itself is over.
	eventually(t, func() error { _, err := d.ContinueSession(t.Context(), session.Text); return err })
	clock.Advance(24 * time.Hour)
	eventually(t, func() error {
		_, err := d.ContinueSession(t.Context(), session.Text)
		return refused(err, "seamark-session-over")
	})
	clock.Advance(7 * 24 * time.Hour)
	if err := d.Sweep(t.Context()); err != nil || d.SessionsInMemory() != 0 {
		t.Errorf("sweep left %d sessions, %v", d.SessionsInMemory(), err)
	}
}

func TestOldestSessionGivesWay(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	var sessions []tenant.SessionToken
	for range 21 {
		sessions = append(sessions, signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword}))
		clock.Advance(time.Millisecond)
	}
	_, err := d.VerifySession(t.Context(), sessions[0].Text)
	wantError(t, err, seamark.Unauthenticated, "seamark-session-over")
	for i, s := range sessions[1:] {
		if _, err := d.VerifySession(t.Context(), s.Text); err != nil {
			t.Errorf("session %d: %v", i+1, err)
		}
	}
}

// forge signs a session of our own making; header and claims are changed before.
func forge(t *testing.T, method jwt.SigningMethod, key any, header, claims map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	for name, value := range header {
		if value == nil {
			delete(token.Header, name)
			continue
		}
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return text
}

// sessionKey reads the signing key from KV, as only a holder of the root key can.
func sessionKey(t *testing.T, js jetstream.JetStream) ed25519.PrivateKey {
	t.Helper()
	entry, err := openBucket(t, js, "keys").Get(t.Context(), "key.k1")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Sealed string }
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		t.Fatal(err)
	}
	seed, err := newRing(t, js).Unseal(t.Context(), seal.Place{Bucket: "seamark_keys", Key: "key.k1", Field: "seed"}, doc.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func TestForgedSessionsAreRefused(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js)
	user := newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	key := sessionKey(t, js)
	public := key.Public().(ed25519.PublicKey)
	_, strange, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]any{"kid": "k1", "typ": "seamark-session+jwt"}
	now := time.Now()
	claims := map[string]any{
		"iss": "seamark", "aud": "seamark/operators", "sub": string(user.ID), "sid": session.ID,
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	with := func(base map[string]any, name string, value any) map[string]any {
		changed := maps.Clone(base)
		if value == nil && name != "kid" && name != "typ" {
			delete(changed, name)
		} else {
			changed[name] = value
		}
		return changed
	}
	eddsa := jwt.SigningMethodEdDSA
	if _, err := d.VerifySession(t.Context(), forge(t, eddsa, key, header, claims)); err != nil {
		t.Fatalf("the unchanged session is refused, so this test proves nothing: %v", err)
	}
	for name, text := range map[string]string{
		"empty":          "",
		"junk":           "a.b.c",
		"huge":           strings.Repeat("a", 5000) + ".b.c",
		"many dots":      strings.Repeat(".", 1000),
		"none":           forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, claims),
		"hmac of public": forge(t, jwt.SigningMethodHS256, []byte(public), header, claims),
		"other key":      forge(t, eddsa, strange, header, claims),
		"unknown kid":    forge(t, eddsa, key, with(header, "kid", "k2"), claims),
		"path as kid":    forge(t, eddsa, key, with(header, "kid", "../k1"), claims),
		"number as kid":  forge(t, eddsa, key, with(header, "kid", 1), claims),
		"no kid":         forge(t, eddsa, key, with(header, "kid", nil), claims),
		"own jwk":        forge(t, eddsa, strange, with(header, "jwk", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "AA"}), claims),
		"typ JWT":        forge(t, eddsa, key, with(header, "typ", "JWT"), claims),
		"no typ":         forge(t, eddsa, key, with(header, "typ", nil), claims),
		"other issuer":   forge(t, eddsa, key, header, with(claims, "iss", "elsewhere")),
		"no issuer":      forge(t, eddsa, key, header, with(claims, "iss", nil)),
		"other audience": forge(t, eddsa, key, header, with(claims, "aud", "elsewhere")),
		"other realm":    forge(t, eddsa, key, header, with(claims, "aud", "seamark")),
		"sign-in state":  forge(t, eddsa, key, with(header, "typ", "seamark-signin+jwt"), claims),
		"no audience":    forge(t, eddsa, key, header, with(claims, "aud", nil)),
		"expired":        forge(t, eddsa, key, header, with(claims, "exp", now.Add(-time.Second).Unix())),
		"no expiry":      forge(t, eddsa, key, header, with(claims, "exp", nil)),
		"from tomorrow":  forge(t, eddsa, key, header, with(claims, "iat", now.Add(time.Hour).Unix())),
		"no issue time":  forge(t, eddsa, key, header, with(claims, "iat", nil)),
		"other subject":  forge(t, eddsa, key, header, with(claims, "sub", "01JZZZZZZZZZZZZZZZZZZZZZZZ")),
		"no sid":         forge(t, eddsa, key, header, with(claims, "sid", nil)),
		"unknown sid":    forge(t, eddsa, key, header, with(claims, "sid", "01JZZZZZZZZZZZZZZZZZZZZZZZ")),
		"changed tail":   changedAt(session.Text, strings.LastIndexByte(session.Text, '.')+10),
	} {
		if _, err := d.VerifySession(t.Context(), text); refused(err, "seamark-session-over") != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// changedAt returns text with another base64url character at i, which must not be the last of its part: some of its bits are not read.
func changedAt(text string, i int) string {
	other := byte('A')
	if text[i] == other {
		other = 'B'
	}
	return text[:i] + string(other) + text[i+1:]
}

func TestKeysOverlapWhenRotated(t *testing.T) {
	n := testkit.NATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	lives := withLives(10*time.Minute, 12*time.Hour, 12*time.Hour)
	here, there := openDirectory(t, jetStream(t, n), withClock(clock), lives), openDirectory(t, jetStream(t, n), withClock(clock), lives)
	newUser(t, here, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	old := signIn(t, here, tenant.Credentials{Login: "root", Password: goodPassword})
	if err := here.RotateSessionKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := signIn(t, here, tenant.Credentials{Login: "root", Password: goodPassword})
	for _, d := range []*tenant.Directory{here, there} {
		for name, s := range map[string]tenant.SessionToken{"old": old, "fresh": fresh} {
			eventually(t, func() error {
				_, err := d.VerifySession(t.Context(), s.Text)
				if err != nil {
					err = fmt.Errorf("%s: %w", name, err)
				}
				return err
			})
		}
	}
	if kid := headerOf(t, fresh.Text)["kid"]; kid != "k2" {
		t.Errorf("the fresh session is signed with %v, want k2", kid)
	}

	clock.Advance(13 * time.Hour)
	if err := here.RotateSessionKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { // k1's sessions are over, k2's may live on
		if here.KeysInMemory() != "k2 k3" || there.KeysInMemory() != "k2 k3" {
			return fmt.Errorf("keys are %s and %s", here.KeysInMemory(), there.KeysInMemory())
		}
		return nil
	})
	clock.Advance(30 * 24 * time.Hour)
	due := signIn(t, there, tenant.Credentials{Login: "root", Password: goodPassword})
	if kid := headerOf(t, due.Text)["kid"]; kid != "k4" {
		t.Errorf("after 30 days a session is signed with %v, want a new key k4", kid)
	}
}

func headerOf(t *testing.T, text string) map[string]any {
	t.Helper()
	token, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	return token.Header
}

func TestStaleSessionsFailClosedByRole(t *testing.T) {
	n := newFragileNATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, n.connect(t), withClock(clock))
	acme := newTenant(t, d, "acme")
	sessions := map[string]string{}
	for _, role := range tenant.Roles() {
		newUser(t, d, tenant.UserSpec{Login: string(role), Password: goodPassword, Memberships: member(acme.ID, role)})
		sessions[string(role)] = signIn(t, d, tenant.Credentials{Login: string(role), Password: goodPassword}).Text
	}
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	sessions["root"] = signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword}).Text
	n.stop()
	clock.Advance(31 * time.Second)
	for login, text := range sessions {
		_, err := d.VerifySession(t.Context(), text)
		if login == "viewer" {
			if err != nil {
				t.Errorf("viewer: %v", err)
			}
		} else if refused(err, "seamark-directory-stale") != nil {
			t.Errorf("%s: got %v, want stale", login, err)
		}
	}
	clock.Advance(5 * time.Minute)
	_, err := d.VerifySession(t.Context(), sessions["viewer"])
	wantError(t, err, seamark.Unavailable, "seamark-directory-stale")
}

func BenchmarkVerifySession(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	newUser(b, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(b, d, tenant.Credentials{Login: "root", Password: goodPassword})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.VerifySession(b.Context(), session.Text); err != nil {
			b.Fatal(err)
		}
	}
}
