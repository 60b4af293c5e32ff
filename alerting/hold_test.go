package alerting

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestRulesWaitForWhatIsLate has the store behind: a group waits until it has caught up.
func TestRulesWaitForWhatIsLate(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down", labels.FromStrings("pod", "a"))
	var behind atomic.Int64
	p := w.start(t, "one", func(o *Options) {
		o.Behind = func(seamark.TenantID) time.Duration { return time.Duration(behind.Load()) }
		o.MaxHold = time.Hour
	})
	p.leads(t)
	p.saveGroup(t, tenantA, "ns", alertGroup("Down", "down", "0s"))
	var own *tenant
	testkit.Eventually(t, patience, func() (err error) {
		if own, err = p.tenant(tenantA, false); err == nil && own == nil {
			err = fmt.Errorf("the tenant does not run")
		}
		return err
	})
	offset := time.Minute
	plain := rules.NewGroup(rules.GroupOptions{Name: "g", File: "f", Interval: 2 * time.Hour, Opts: &rules.ManagerOptions{}})
	shifted := rules.NewGroup(rules.GroupOptions{Name: "g", File: "f", Interval: 2 * time.Hour, QueryOffset: &offset, Opts: &rules.ManagerOptions{}})
	waits := func(ctx context.Context, g *rules.Group, at time.Time) chan bool {
		before := testutil.ToFloat64(p.metrics.holds)
		ended := make(chan bool, 1)
		go func() { ended <- own.awaitLate(ctx, g, at) }()
		testkit.Eventually(t, patience, func() error {
			if testutil.ToFloat64(p.metrics.holds) <= before {
				return fmt.Errorf("the group does not wait")
			}
			return nil
		})
		return ended
	}
	behind.Store(int64(4 * time.Second))
	if !own.awaitLate(t.Context(), plain, time.Now()) {
		t.Error("what is usual keeps a group")
	}
	behind.Store(int64(50 * time.Second))
	if !own.awaitLate(t.Context(), shifted, time.Now()) || !own.awaitLate(t.Context(), plain, time.Now().Add(-time.Minute)) {
		t.Error("what came after the moment that a group looks at keeps it")
	}
	ended := waits(t.Context(), plain, time.Now())
	behind.Store(0)
	if !<-ended {
		t.Error("the group is not evaluated after the store has caught up")
	}
	behind.Store(int64(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	ended = waits(ctx, shifted, time.Now())
	cancel()
	if <-ended {
		t.Error("a group is evaluated that ends")
	}
}

// TestRulesDoNotWaitForEver has a store that does not catch up: rules are evaluated without it.
func TestRulesDoNotWaitForEver(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down", labels.FromStrings("pod", "a"))
	p := w.start(t, "one", func(o *Options) {
		o.Behind = func(seamark.TenantID) time.Duration { return time.Hour }
		o.MaxHold = 10 * time.Millisecond
	})
	p.leads(t)
	p.saveGroup(t, tenantA, "ns", alertGroup("Down", "down", "0s"))
	testkit.Eventually(t, patience, func() error {
		groups, err := p.RuleGroups(t.Context(), tenantA)
		if err == nil && (len(groups) != 1 || groups[0].GetLastEvaluation().IsZero()) {
			err = fmt.Errorf("no group was evaluated: %v", groups)
		}
		return err
	})
	if n := testutil.ToFloat64(p.metrics.holdsEnded); n == 0 {
		t.Error("no group is counted that did without what is late")
	}
}
