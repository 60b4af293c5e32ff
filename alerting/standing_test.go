package alerting

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// groups waits until a tenant runs so many groups.
func (p *process) groups(t *testing.T, tenant seamark.TenantID, want int) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		list, err := p.RuleGroups(t.Context(), tenant)
		if err == nil && len(list) != want {
			err = fmt.Errorf("%d groups run, want %d", len(list), want)
		}
		return err
	})
}

// TestPausedTenant stops evaluating a tenant and tells nobody that its alerts ended; it goes on when the tenant does. Another
// tenant notices nothing.
func TestPausedTenant(t *testing.T) {
	w, hook, other := newWorld(t), newReceiver(t), newReceiver(t)
	var paused atomic.Bool
	p := w.start(t, "one", func(o *Options) {
		o.Standing = func(id seamark.TenantID) Standing {
			if id == tenantA && paused.Load() {
				return Paused
			}
			return Running
		}
	})
	for tenant, r := range map[seamark.TenantID]*receiver{tenantA: hook, tenantB: other} {
		w.set(tenant, "down", pod("api"))
		p.saveHook(t, tenant, r.URL)
		p.saveGroup(t, tenant, "ns", alertGroup("PodDown", "down", "0s"))
		r.hears(t, "firing PodDown")
	}
	paused.Store(true)
	p.Touch(tenantA)
	p.groups(t, tenantA, 0)
	w.set(tenantA, "down")
	w.set(tenantB, "down")
	other.hears(t, "resolved PodDown") // evaluations later, the paused tenant's alert would have ended, too
	hook.heardExactly(t, "firing PodDown")
	paused.Store(false)
	w.set(tenantA, "late", pod("api"))
	p.saveGroup(t, tenantA, "ns", alertGroup("Late", "late", "0s"))
	p.groups(t, tenantA, 2)
	hook.hears(t, "firing Late")
}

// TestGoneTenant ends all that runs for a tenant; nothing starts it anew.
func TestGoneTenant(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	var gone atomic.Bool
	p := w.start(t, "one", func(o *Options) {
		o.Standing = func(id seamark.TenantID) Standing {
			if id == tenantA && gone.Load() {
				return Gone
			}
			return Running
		}
	})
	w.set(tenantA, "down", pod("api"))
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	gone.Store(true)
	p.Touch(tenantA)
	testkit.Eventually(t, patience, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.tenants[tenantA] != nil {
			return errors.New("the tenant still runs")
		}
		return nil
	})
	if _, err := p.Alertmanager(t.Context(), tenantA); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("its Alertmanager: got %v, want not found", err)
	}
	// Its documents go as the purger removes them, which wakes the leader: it must not start the tenant for that.
	if err := p.rules.remove(t.Context(), tenantA, p.onlyRule(t)); err != nil {
		t.Fatal(err)
	}
	w.set(tenantB, "down", pod("api"))
	p.saveGroup(t, tenantB, "ns", alertGroup("PodDown", "down", "0s"))
	p.groups(t, tenantB, 1) // the leader has come by
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenants[tenantA] != nil {
		t.Error("the tenant was started anew")
	}
	if got := strings.Join(hook.story(), ","); got != "firing PodDown" {
		t.Errorf("heard %q, want nothing since the tenant was gone", got)
	}
}

// onlyRule returns the rest of the key of tenant A's one rule group.
func (p *process) onlyRule(t *testing.T) string {
	t.Helper()
	docs, err := p.rules.of(tenantA)
	if err != nil || len(docs) != 1 {
		t.Fatalf("got %d rule documents, %v, want 1", len(docs), err)
	}
	for rest := range docs {
		return rest
	}
	return ""
}
