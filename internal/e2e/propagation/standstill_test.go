package propagation_test

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// standstill freezes the store's process. No connection is closed and nothing fails; only answers do not come. Every node must say
// so in time, and know all again once the store goes on.
func (f *fleet) standstill(t *testing.T) {
	nodes := append(slices.Clone(f.nodes), f.apart)
	testkit.Eventually(t, startWithin, func() error {
		for _, node := range nodes {
			if err := f.ready(node); err != nil {
				return err
			}
		}
		return nil
	})
	testkit.Freeze(t, f.bus.Pid())
	begin := time.Now()
	turns, came := make([]turn, len(nodes)), make([]bool, len(nodes))
	var wait sync.WaitGroup
	for i, node := range nodes {
		wait.Go(func() { turns[i], came[i] = await(begin, func() bool { return f.stale(node) }) })
	}
	wait.Wait()
	for i, node := range nodes {
		if flag, err := node.Metric(t.Context(), "seamark_directory_stale", ""); err != nil || flag < 1 { // one for each process of the node
			t.Errorf("node %d: seamark_directory_stale is %g, %v; want 1", i, flag, err)
		}
	}
	if err := syscall.Kill(f.bus.Pid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for i := range nodes {
		t.Logf("node %d: not flagged %s after the standstill began, flagged %s after it", i, round(turns[i].asked), round(turns[i].answered))
		if !came[i] || turns[i].asked > flaggedWithin {
			t.Errorf("node %d: flagged: %t; not flagged %s after the standstill began, want %s at most", i, came[i], turns[i].asked, flaggedWithin)
		}
	}
	testkit.Eventually(t, freshWithin, func() error {
		for _, node := range nodes {
			if err := f.ready(node); err != nil {
				return err
			}
		}
		return nil
	})
}
