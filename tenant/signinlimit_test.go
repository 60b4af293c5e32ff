package tenant_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func trySignIn(t *testing.T, d *tenant.Directory, login, password, ip string) error {
	t.Helper()
	_, err := d.SignIn(t.Context(), tenant.Credentials{Login: login, Password: password, ClientIP: ip})
	return err
}

// TestWaitGrowsAndEnds: each try that is used at once doubles the way to the next, up to a bound, and quiet forgets it.
func TestWaitGrowsAndEnds(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	wait := func() time.Duration {
		t.Helper()
		for try := 0; ; try++ {
			err := trySignIn(t, d, "root", "wrong", fmt.Sprintf("192.0.2.%d", try))
			if e, ok := errors.AsType[*seamark.Error](err); ok && e.ID == "seamark-signin-limit" {
				return e.RetryAfter
			}
			if refused(err, "seamark-signin-refused") != nil {
				t.Fatal(err)
			}
		}
	}
	for i, want := range []time.Duration{12, 24, 48, 96, 192, 192, 192} {
		got := wait()
		if got < (want-2)*time.Second || got > want*time.Second+time.Second {
			t.Errorf("wait %d is %s, want %d s", i+1, got, want)
		}
		clock.Advance(got)
	}
	clock.Advance(20 * time.Minute)
	if got := wait(); got > 13*time.Second {
		t.Errorf("after a quiet time the wait is %s, want 12 s", got)
	}
}

// TestNobodyIsKeptOutWhereTheyWere: whoever tries passwords elsewhere does not use up the person's own tries.
func TestNobodyIsKeptOutWhereTheyWere(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	if err := trySignIn(t, d, "root", goodPassword, "198.51.100.1"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := refused(trySignIn(t, d, "root", "wrong", "203.0.113.9"), "seamark-signin-refused"); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, trySignIn(t, d, "root", goodPassword, "203.0.113.9"), seamark.RateLimited, "seamark-signin-limit")
	wantError(t, trySignIn(t, d, "root", goodPassword, "203.0.113.10"), seamark.RateLimited, "seamark-signin-limit")
	if err := trySignIn(t, d, "root", goodPassword, "198.51.100.1"); err != nil {
		t.Errorf("where the person is signed in: %v", err)
	}
}

// TestNodesCountTogether: tries on one node use up those of the others, and a success gives them back everywhere.
func TestNodesCountTogether(t *testing.T) {
	n := testkit.NATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	here, there := openDirectory(t, jetStream(t, n), withClock(clock)), openDirectory(t, jetStream(t, n), withClock(clock))
	newUser(t, here, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	for range 5 {
		if err := refused(trySignIn(t, here, "root", "wrong", "192.0.2.1"), "seamark-signin-refused"); err != nil {
			t.Fatal(err)
		}
	}
	counted := func(want int) func() error {
		return func() error {
			if got := there.AccountTries("root"); got != want {
				return fmt.Errorf("the other node counts %d tries, want %d", got, want)
			}
			return nil
		}
	}
	eventually(t, counted(5))
	wantError(t, trySignIn(t, there, "root", goodPassword, "192.0.2.2"), seamark.RateLimited, "seamark-signin-limit")
	var wait time.Duration
	if e, ok := errors.AsType[*seamark.Error](trySignIn(t, here, "root", "wrong", "192.0.2.2")); ok {
		wait = e.RetryAfter
	}
	clock.Advance(wait)
	if err := trySignIn(t, here, "root", goodPassword, "192.0.2.3"); err != nil {
		t.Fatal(err)
	}
	eventually(t, counted(0))
	if err := refused(trySignIn(t, there, "root", "wrong", "192.0.2.4"), "seamark-signin-refused"); err != nil {
		t.Error(err)
	}
}
