package quota_test

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const mib = 1 << 20

func TestDailyBytesSurviveARestart(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{DailyBytes: 10 * mib}
	l := w.node(t, "n1", limits)
	if err := l.Admit(prod, seamark.Logs, 9*mib, 1); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(6 * time.Second)
	refresh(t, l)
	again := w.node(t, "n1", limits)
	if err := again.Admit(prod, seamark.Logs, 2*mib, 1); err != nil {
		t.Fatal(err)
	}
	e := wantRefusal(t, again.Check(prod, seamark.Logs), "seamark-quota-daily")
	if e.RetryAfter != 5*time.Minute {
		t.Errorf("got a wait of %s, want 5 min: a raised quota must be noticed", e.RetryAfter)
	}
	w.clock.Set(noon.Truncate(24 * time.Hour).Add(24*time.Hour + time.Second))
	refresh(t, again)
	if err := again.Check(prod, seamark.Logs); err != nil {
		t.Errorf("refused on the next day: %v", err)
	}
}

// TestDailyBytesAreAllNodes counts what two nodes take, also after one of them is gone and a third has its place.
func TestDailyBytesAreAllNodes(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{DailyBytes: 100 * mib}
	one, two := w.node(t, "n1", limits), w.node(t, "n2", limits)
	admit := func(l *quota.Limiter, bytes int) {
		t.Helper()
		if err := l.Admit(prod, seamark.Logs, bytes, 1); err != nil {
			t.Fatal(err)
		}
	}
	admit(one, 30*mib)
	admit(two, 30*mib)
	w.clock.Advance(6 * time.Second)
	refresh(t, one, two)
	w.clock.Advance(2 * time.Minute) // two is dead and its slot free
	refresh(t, one)
	three := w.node(t, "n3", limits)
	admit(three, 30*mib)
	w.clock.Advance(6 * time.Second)
	refresh(t, three, one)
	admit(one, 11*mib)
	wantRefusal(t, one.Check(prod, seamark.Logs), "seamark-quota-daily")
	w.clock.Advance(6 * time.Second)
	refresh(t, one, three)
	wantRefusal(t, three.Check(prod, seamark.Logs), "seamark-quota-daily")
}

// TestDailyBytesOfASlotThatWasLost lets a node fall silent until another has taken its slot, and come back: nothing is
// counted twice and nothing is lost.
func TestDailyBytesOfASlotThatWasLost(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{DailyBytes: 1000 * mib}
	one := w.node(t, "n1", limits)
	if err := one.Admit(prod, seamark.Logs, 10*mib, 1); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(6 * time.Second)
	refresh(t, one)
	two := w.node(t, "n2", limits)
	w.clock.Advance(2 * time.Minute)
	refresh(t, two) // it has a slot of its own, the next node takes the silent one's
	three := w.node(t, "n3", limits)
	w.clock.Advance(2 * time.Minute)
	refresh(t, two, three)
	four := w.node(t, "n4", limits)
	if err := four.Admit(prod, seamark.Logs, 5*mib, 1); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(6 * time.Second)
	refresh(t, four)
	if err := one.Admit(prod, seamark.Logs, 1*mib, 1); err != nil {
		t.Fatal(err)
	}
	_ = one.Refresh(t.Context()) // learns that its slot is gone
	for range 3 {
		w.clock.Advance(6 * time.Second)
		refresh(t, one, two, three, four)
	}
	use, err := quota.NewReader(w.presence, w.usage, w.clock.Now).Find(t.Context(), tenantA)
	if err != nil {
		t.Fatal(err)
	}
	if got := use.Tenant.BytesToday; got != 16*mib {
		t.Errorf("got %d bytes of the day, want %d", got, 16*mib)
	}
	if got := use.Clusters[clusterA].BytesToday; got != 16*mib {
		t.Errorf("got %d bytes of the cluster's day, want %d", got, 16*mib)
	}
}
