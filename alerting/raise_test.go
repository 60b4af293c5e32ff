package alerting

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestRaisedAlertsReachTheirTenant raises an alert again and again: its tenant hears of it once, another tenant never, and a process
// that does not evaluate says that it is not the one.
func TestRaisedAlertsReachTheirTenant(t *testing.T) {
	w, hookA, hookB := newWorld(t), newReceiver(t), newReceiver(t)
	p := w.start(t, "one")
	p.leads(t)
	p.saveHook(t, tenantA, hookA.URL)
	p.saveHook(t, tenantB, hookB.URL)
	raised := []Raised{{
		Labels:      map[string]string{"alertname": "SeamarkBudget", "severity": "warning", "threshold": "80%"},
		Annotations: map[string]string{"summary": "Eighty."},
	}}
	raise := func(tenant seamark.TenantID, list []Raised) {
		t.Helper()
		testkit.Eventually(t, patience, func() error { return p.Raise(t.Context(), tenant, list, time.Hour) })
	}
	raise(tenantB, nil)
	for range 3 {
		raise(tenantA, raised)
	}
	hookA.hears(t, "firing SeamarkBudget")
	raise(tenantA, raised)
	messages, _ := hookA.heard()
	if a := messages[0].Alerts[0]; a.Labels["threshold"] != "80%" || a.Annotations["summary"] != "Eighty." || !a.EndsAt.IsZero() {
		t.Errorf("got %+v", a)
	}
	hookA.heardExactly(t, "firing SeamarkBudget")
	hookB.heardExactly(t)

	// Upstream's dispatcher takes alerts in by several goroutines: what is said of one within a moment may change its order.
	if err := p.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	p.sees(t, tenantA, "SeamarkBudget", "active")
	// Who raises says so again and again, and so does who ends: a word that was overtaken is made good by the next.
	testkit.Eventually(t, patience, func() error {
		if err := p.Resolve(t.Context(), tenantA, raised); err != nil {
			return err
		}
		if got := hookA.story(); !slices.Contains(got, "resolved SeamarkBudget") {
			return fmt.Errorf("heard %q", got)
		}
		return nil
	})

	o, _ := w.options(t, "two")
	standby, err := New(t.Context(), o) // it does not run, or it might be the one before it is asked
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := standby.Raise(t.Context(), tenantA, raised, time.Hour); seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("a standby raised, with %v", err)
	}
}
