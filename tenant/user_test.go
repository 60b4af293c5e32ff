package tenant_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestCreateUserChecksItsSpec(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	for name, spec := range map[string]tenant.UserSpec{
		"no login":    {Password: goodPassword},
		"odd login":   {Login: "a b", Password: goodPassword},
		"long login":  {Login: strings.Repeat("a", 255), Password: goodPassword},
		"no password": {Login: "ann"},
		"short":       {Login: "ann", Password: "seven77"},
		"common":      {Login: "ann", Password: "Password123!"},
		"role":        {Login: "ann", Password: goodPassword, Memberships: member(acme.ID, "god")},
		"tenant id":   {Login: "ann", Password: goodPassword, Memberships: member("acme", seamark.RoleOwner)},
	} {
		if _, err := d.CreateUser(t.Context(), spec); refused(err, "seamark-user-invalid") != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := d.CreateUser(t.Context(), tenant.UserSpec{
		Login: "ann", Password: goodPassword, Memberships: member("01JZZZZZZZZZZZZZZZZZZZZZZZ", seamark.RoleOwner),
	})
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")

	made := newUser(t, d, tenant.UserSpec{Login: "Ann", Password: goodPassword, Memberships: member(acme.ID, seamark.RoleOwner)})
	if made.Login != "ann" {
		t.Errorf("login is %q, want lower case", made.Login)
	}
	_, err = d.CreateUser(t.Context(), tenant.UserSpec{Login: "ANN", Password: goodPassword})
	wantError(t, err, seamark.Conflict, "seamark-user-exists")
	made.Memberships[acme.ID] = "changed by the caller"
	if got, err := d.FindUser(t.Context(), "aNN"); err != nil || got.ID != made.ID || got.Memberships[acme.ID] != seamark.RoleOwner {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = d.FindUser(t.Context(), "bob")
	wantError(t, err, seamark.NotFound, "seamark-user-unknown")
	wantError(t, d.SetPassword(t.Context(), "bob", goodPassword), seamark.NotFound, "seamark-user-unknown")
	wantError(t, d.SetPassword(t.Context(), "ann", "short"), seamark.Invalid, "seamark-user-invalid")
}

func TestBootstrapHappensOnce(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))}
	var mu sync.Mutex
	var passwords []string
	var wg sync.WaitGroup
	for _, d := range nodes {
		wg.Go(func() {
			login, password, created, err := d.Bootstrap(t.Context())
			if err != nil {
				t.Errorf("bootstrap: %v", err)
			}
			if created != (login == "operator") || created != (len(password) == 24) {
				t.Errorf("got %q, a password of %d characters, created %t", login, len(password), created)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				passwords = append(passwords, password)
			}
		})
	}
	wg.Wait()
	if len(passwords) != 1 {
		t.Fatalf("%d nodes made the operator, want 1", len(passwords))
	}
	again := openDirectory(t, jetStream(t, n))
	if _, _, created, err := again.Bootstrap(t.Context()); created || err != nil {
		t.Errorf("second start: created %t, %v", created, err)
	}
	session := signIn(t, again, tenant.Credentials{Login: "operator", Password: passwords[0]})
	p, err := again.VerifySession(t.Context(), session.Text)
	if err != nil || !p.Operator || p.Tenant != "" {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := again.Permit(p, "tenants:write"); err != nil {
		t.Errorf("the operator may not make tenants: %v", err)
	}
}

func TestTriesAreLimitedByAccountAndAddress(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	try := func(login, password, ip string) error {
		_, err := d.SignIn(t.Context(), tenant.Credentials{Login: login, Password: password, ClientIP: ip})
		return err
	}
	for i := range 5 {
		if err := refused(try("root", "wrong", "192.0.2.1"), "seamark-signin-refused"); err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
	}
	err := try("root", goodPassword, "192.0.2.2") // the right password does not help, from no address
	wantError(t, err, seamark.RateLimited, "seamark-signin-limit")
	clock.Advance(12 * time.Second)
	if err := try("root", goodPassword, "192.0.2.2"); err != nil {
		t.Fatalf("after 12 s: %v", err)
	}
	for i := range 5 { // success gave the tries back
		if err := refused(try("root", "wrong", "192.0.2.1"), "seamark-signin-refused"); err != nil {
			t.Fatalf("try %d after a success: %v", i+1, err)
		}
	}

	for i := range 20 { // one /64 is one address
		login := string(rune('a'+i)) + "-user"
		ip := []string{"2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"}[i%3]
		if err := refused(try(login, "wrong", ip), "seamark-signin-refused"); err != nil {
			t.Fatalf("address try %d: %v", i+1, err)
		}
	}
	wantError(t, try("z-user", "wrong", "2001:db8::4"), seamark.RateLimited, "seamark-signin-limit")
	if err := refused(try("z-user", "wrong", "2001:db8:0:1::4"), "seamark-signin-refused"); err != nil {
		t.Errorf("another network: %v", err)
	}
	clock.Advance(3 * time.Second)
	if err := refused(try("z-user", "wrong", "2001:db8::4"), "seamark-signin-refused"); err != nil {
		t.Errorf("after 3 s: %v", err)
	}
}

func TestPasswordIsRehashedWhenTheCostRises(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	weak := openDirectory(t, js)
	newUser(t, weak, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	hashOf := func() string {
		kv := openBucket(t, js, "users")
		for _, key := range keysOf(t, kv) {
			if strings.HasPrefix(key, "user.") {
				entry, err := kv.Get(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				return string(entry.Value())
			}
		}
		t.Fatal("no user")
		return ""
	}
	if got := hashOf(); !strings.Contains(got, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("stored user is %s", got)
	}
	old := signIn(t, weak, tenant.Credentials{Login: "root", Password: goodPassword})
	strong := openDirectory(t, js, func(o *tenant.Options) { o.PasswordCost = tenant.PasswordCost{MemoryKiB: 128, Passes: 2, Threads: 1} })
	signIn(t, strong, tenant.Credentials{Login: "root", Password: goodPassword})
	raised := hashOf()
	if !strings.Contains(raised, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("after a sign-in at a higher cost the stored user is %s", raised)
	}
	if _, err := strong.VerifySession(t.Context(), old.Text); err != nil {
		t.Errorf("rehashing ended a session: %v", err)
	}
	signIn(t, weak, tenant.Credentials{Login: "root", Password: goodPassword})
	if hashOf() != raised {
		t.Error("a node with a lower cost weakened the hash")
	}
}
