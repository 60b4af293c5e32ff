package tenant_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestSweepRemovesWhatIsLongOver(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, js, withClock(clock))
	acme := newTenant(t, d, "acme")
	prod, dev := newCluster(t, d, acme.ID, "prod"), newCluster(t, d, acme.ID, "dev")
	revoked, _ := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken, Expires: clock.Now().Add(time.Hour)})
	kept, _ := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	d.Arrived(acme.ID, prod.ID, seamark.Logs, clock.Now())
	d.Arrived(acme.ID, dev.ID, seamark.Logs, clock.Now())
	if err := d.FlushArrivals(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.RevokeToken(t.Context(), acme.ID, revoked.KeyID); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteCluster(t.Context(), acme.ID, dev.ID); err != nil {
		t.Fatal(err)
	}
	clock.Advance(89 * 24 * time.Hour)
	if err := d.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(d.ListTokens(t.Context(), acme.ID)); got != 3 {
		t.Errorf("after 89 days %d tokens are listed, want 3", got)
	}
	clock.Advance(2 * 24 * time.Hour)
	eventually(t, func() error {
		if err := d.Sweep(t.Context()); err != nil {
			return err
		}
		if list := d.ListTokens(t.Context(), acme.ID); len(list) != 1 || list[0].KeyID != kept.KeyID {
			return fmt.Errorf("after 91 days the tokens are %v", list)
		}
		want := "arrival." + string(acme.ID) + "." + string(prod.ID)
		if keys := keysOf(t, openBucket(t, js, "arrivals")); !slices.Equal(keys, []string{want}) {
			return fmt.Errorf("arrivals are %v, want %s", keys, want)
		}
		return nil
	})
}
