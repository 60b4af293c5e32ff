package alerting

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// evaluations waits until the tenant's only group was evaluated so many more times, whoever may do so.
func (p *process) evaluations(t *testing.T, more int) {
	t.Helper()
	p.mu.Lock()
	running := p.tenants[tenantA]
	p.mu.Unlock()
	var last time.Time
	seen := -1
	testkit.Eventually(t, patience, func() error {
		if groups := running.manager.RuleGroups(); len(groups) == 1 && groups[0].GetLastEvaluation().After(last) {
			last = groups[0].GetLastEvaluation()
			seen++
		}
		if seen < more {
			return fmt.Errorf("%d evaluations, want %d", seen, more)
		}
		return nil
	})
}

// TestProcessThatLostTheTenantTellsNobody has a process go on for which nothing has changed but the time: what it wants to say and to
// store is for its successor.
func TestProcessThatLostTheTenantTellsNobody(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	s := w.stateService(t)
	p := &process{Service: s}
	ctx, stop := context.WithCancel(context.Background())
	for _, run := range []func(context.Context){s.rules.run, s.configs.run, s.follow, s.deliveries.run} {
		s.work.Go(func() { run(ctx) })
	}
	t.Cleanup(func() { stop(); s.work.Wait() })
	held, lose := holdOf(t, s)
	held.ctx = ctx
	s.install([]*tenure{held}, nil)
	w.set(tenantA, "down", pod("a"))
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	if err := s.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	published := len(w.published[tenantA])
	w.mu.Unlock()
	lose()
	w.set(tenantA, "down") // the alert ends
	p.evaluations(t, 5)
	hook.heardExactly(t, "firing PodDown")
	w.mu.Lock()
	if more := len(w.published[tenantA]) - published; more > 3 { // an evaluation that was under way
		t.Errorf("%d samples were published after the tenant was lost", more)
	}
	w.mu.Unlock()
	next, _ := holdOf(t, s)
	stored, err := s.loadState(t.Context(), []*tenure{next})
	if err != nil {
		t.Fatal(err)
	}
	for rest, entry := range stored[tenantA] {
		if kind(rest) != alertState {
			continue
		}
		if doc, err := decodeAlert(entry.body); err != nil || !doc.ResolvedAt.IsZero() {
			t.Errorf("its end was stored: %+v, %v", doc, err)
		}
	}
	for name, err := range map[string]error{
		"rule groups": second(p.RuleGroups(t.Context(), tenantA)), "alertmanager": second(p.Alertmanager(t.Context(), tenantA)), "sync": p.SyncAlertmanager(t.Context(), tenantA),
	} {
		if seamark.KindOf(err) != seamark.Unavailable {
			t.Errorf("%s: %v, want Unavailable", name, err)
		}
	}
}

// TestReplicasShareTenants starts two replicas and gives them tenants; one says who the other's are.
func TestReplicasShareTenants(t *testing.T) {
	w := newWorld(t)
	one, two := w.start(t, "one"), w.start(t, "two")
	byShard := map[int]seamark.TenantID{}
	for n := 0; len(byShard) < shardCount; n++ {
		id := seamark.TenantID(fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G%04d", n))
		byShard[shardOf(id)] = id
	}
	testkit.Eventually(t, patience, func() error {
		count := 0
		for _, id := range byShard {
			first, here := one.Holder(id)
			second, there := two.Holder(id)
			if here == there || first != second || here != (first == "one") {
				return fmt.Errorf("%s is held by %q %t and %q %t", id, first, here, second, there)
			}
			if here {
				count++
			}
		}
		if count != shardCount/2 {
			return fmt.Errorf("one holds %d of %d shards", count, shardCount)
		}
		return nil
	})
}

// TestFencesHaveHistory begins epochs and reads the fence that remains.
func TestFencesHaveHistory(t *testing.T) {
	s := newWorld(t).stateService(t)
	var last *tenure
	for range maxFences + 5 {
		last, _ = holdOf(t, s)
	}
	if last.epoch != maxFences+5 || len(last.fences) != maxFences+1 {
		t.Errorf("epoch %d with %d fences, want %d with %d", last.epoch, len(last.fences), maxFences+5, maxFences+1)
	}
	for i := 1; i < len(last.fences); i++ {
		if last.fences[i] >= last.fences[i-1] {
			t.Fatalf("fences %v do not fall", last.fences)
		}
	}
	if _, err := s.state.Get(t.Context(), fmt.Sprintf("%s%d", fencePrefix, shardOf(tenantA)+1)); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("another shard's fence: %v, want none", err)
	}
}
