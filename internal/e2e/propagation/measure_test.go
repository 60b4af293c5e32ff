package propagation_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	// maxChange is the promise for every change on every node.
	maxChange = time.Second
	rounds    = 3
	// probePause is between two requests to one node while a change is made: the figures are as fine as that.
	probePause = 3 * time.Millisecond
	// before is how many requests a node has treated by the old rule in a row when the change is made, and after how many follow
	// the first that it treats by the new rule.
	before, after = 2, 5
)

// change is one change, and a request that tells whether a node goes by it.
type change struct {
	make func()
	// probe sends a request to a node and reports whether it was treated by the new rule. An answer that fits neither rule is an
	// error.
	probe func(node int) (byNew bool, err error)
}

// kind makes changes of one sort, one a round; the change is to be made on the given node.
type kind struct {
	name  string
	round func(t *testing.T, f *fleet, round, node int) change
}

// probing is what one node answered while a change was made.
type probing struct {
	old                    atomic.Int64 // requests in a row that were treated by the old rule
	lastOldBegun, firstNew time.Time
	again                  int // requests that were treated by the old rule after one by the new
	err                    error
}

// follow probes a node until it has gone by the new rule for a while.
func (p *probing) follow(node int, probe func(int) (bool, error), until <-chan time.Time) {
	for seen := 0; seen <= after; {
		begin := time.Now()
		byNew, err := probe(node)
		switch {
		case err != nil:
			p.err = err
			return
		case byNew:
			if seen == 0 {
				p.firstNew = time.Now()
			}
			seen++
		default:
			p.old.Add(1)
			p.lastOldBegun = begin
			if seen > 0 {
				p.again++
			}
		}
		select {
		case <-time.After(probePause):
		case <-until:
			p.err = fmt.Errorf("the new rule does not hold after %s", 20*maxChange)
			return
		}
	}
}

// figures are what one kind of change took on each node.
type figures struct{ old, first [nodeCount][]time.Duration }

// measure makes one change of a kind and adds what it took.
func (f *fleet) measure(t *testing.T, k kind, round int, into *figures) {
	t.Helper()
	c := k.round(t, f, round, round%nodeCount)
	testkit.Eventually(t, startWithin, func() error { // what was prepared, and a change that was taken back, are known everywhere
		for node := range f.nodes {
			byNew, err := c.probe(node)
			if err == nil && byNew {
				err = errors.New("it goes by the new rule")
			}
			if err != nil {
				return fmt.Errorf("node %d before the change: %w", node, err)
			}
		}
		return nil
	})
	var nodes [nodeCount]probing
	var wait sync.WaitGroup
	for node := range nodes {
		wait.Go(func() { nodes[node].follow(node, c.probe, time.After(20*maxChange)) })
	}
	testkit.Eventually(t, startWithin, func() error {
		for node := range nodes {
			if nodes[node].old.Load() < before {
				return fmt.Errorf("node %d is not probed yet", node)
			}
		}
		return nil
	})
	c.make()
	acked := time.Now()
	wait.Wait()
	for node := range nodes {
		p := &nodes[node]
		old, first := max(0, p.lastOldBegun.Sub(acked)), max(0, p.firstNew.Sub(acked))
		into.old[node], into.first[node] = append(into.old[node], old), append(into.first[node], first)
		switch {
		case p.err != nil:
			t.Errorf("round %d: node %d: %v", round, node, p.err)
		case p.again > 0:
			t.Errorf("round %d: node %d treated %d requests by the old rule after one by the new", round, node, p.again)
		case old > maxChange: // when a request was sent counts, since what is under way may finish
			t.Errorf("round %d: node %d treated a request by the old rule that was sent %s after the change was answered; the promise is %s", round, node, old, maxChange)
		}
	}
}

// report prints the middle and the slowest of each node.
func (x *figures) report(t *testing.T) {
	t.Helper()
	for node := range nodeCount {
		t.Logf("node %d: first answer by the new rule %s after the change's own (p50), %s at most; last request by the old rule sent %s after it at most",
			node, middle(x.first[node]), round(slices.Max(x.first[node])), round(slices.Max(x.old[node])))
	}
}

func middle(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return round(sorted[len(sorted)/2])
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
