package quota_test

import (
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestOverNATS runs three nodes, refreshing at the same moment, over a real bucket: they find slots of their own, share the
// limit, and one that is closed leaves its part.
func TestOverNATS(t *testing.T) {
	js := testkit.JetStream(t)
	presence, err := bus.OpenDocs[quota.Presence](t.Context(), js, "seamark_quota", 1)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := bus.OpenDocs[quota.Usage](t.Context(), js, "seamark_quota", 1)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.presence, w.usage = presence, usage
	limits := quota.Limits{RowsPerSecond: 900, RowsBurst: 900, DailyBytes: 1 << 30}
	nodes := []*quota.Limiter{w.node(t, "n1", limits), w.node(t, "n2", limits), w.node(t, "n3", limits)}
	taken := make([]int, len(nodes))
	second := func(nodes []*quota.Limiter) {
		for range 100 {
			w.clock.Advance(10 * time.Millisecond)
			for i, n := range nodes {
				if n.Admit(prod, seamark.Logs, 1000, 20) == nil {
					taken[i] += 20
				}
			}
		}
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() {
				if err := n.Refresh(t.Context()); err != nil {
					t.Logf("a refresh lost a race and will try again: %v", err)
				}
			})
		}
		all.Wait()
	}
	for range 5 {
		second(nodes)
	}
	clear(taken)
	for range 10 {
		second(nodes)
	}
	if sum := taken[0] + taken[1] + taken[2]; sum < 8_500 || sum > 9_300 {
		t.Errorf("three nodes took %v rows in 10 s, want 9000 together", taken)
	}
	if err := nodes[2].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		second(nodes[:2])
	}
	clear(taken)
	for range 10 {
		second(nodes[:2])
	}
	if sum := taken[0] + taken[1]; sum < 8_500 || sum > 9_300 {
		t.Errorf("the two that are left took %v rows in 10 s, want 9000 together", taken)
	}
	use, err := quota.NewReader(presence, usage, w.clock.Now).Find(t.Context(), tenantA)
	if err != nil {
		t.Fatal(err)
	}
	if got := use.Tenant.RowsPerSecond; got < 800 || got > 1000 {
		t.Errorf("the API would show %d rows a second, want about 900", got)
	}
	if use.Tenant.BytesToday < 1_000_000 || use.Clusters[clusterA] != use.Tenant {
		t.Errorf("got %+v of the tenant and %+v of its only cluster, want the same and more than 1 MB", use.Tenant, use.Clusters[clusterA])
	}
}
