package quota

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// simNode is a node of the simulation: it reads what is published, waits a moment, publishes, and uses what it published.
type simNode struct {
	alive         bool
	demand        float64
	published     stake // as the others see it
	using         float64
	woken         bool
	readAt, actAt int // ticks
	seen          []stake
	seenNodes     int
}

// TestSharesKeepToTheLimit simulates nodes that join, leave, read and publish at times of their own, with demand that
// jumps. A tick is 10 ms, a refresh 100 ticks, a node that is gone is noticed after 400.
func TestSharesKeepToTheLimit(t *testing.T) {
	// A node wakes and takes all, as it has not read yet that another has come; that one reads before the first has told
	// what it took, and takes all, too.
	const unaware = 17522176435673846095
	for name, r := range map[string]*rand.Rand{"random": testkit.Seed(t), "unaware": rand.New(rand.NewPCG(unaware, unaware))} {
		for round := range 60 {
			t.Run(fmt.Sprint(name, " ", round), func(t *testing.T) { simulate(t, r, 2+r.IntN(6), r.IntN(20)) })
		}
	}
}

const (
	simRefresh = 100
	// simExcess is how much more than the limit may pass before the nodes have found together again, in refreshes' worth: what a
	// node takes when it wakes is all of the limit at most, it tells of it a refresh later, and another one later all have read that.
	simExcess = 2
)

func simulate(t *testing.T, r *rand.Rand, count, delay int) {
	t.Helper()
	nodes := make([]*simNode, count)
	for i := range nodes {
		nodes[i] = &simNode{alive: i == 0 || r.IntN(2) == 0, readAt: r.IntN(simRefresh)}
		nodes[i].actAt = nodes[i].readAt + delay
	}
	deadSince := map[int]int{}
	excess, joined := 0.0, -10*simRefresh
	for tick := range 60 * simRefresh {
		if r.IntN(50) == 0 {
			nodes[r.IntN(count)].demand = r.Float64() * []float64{0, 0.1, 1, 20}[r.IntN(4)]
		}
		if i := r.IntN(count); r.IntN(300) == 0 && tick-joined > 5*simRefresh {
			n := nodes[i]
			if n.alive {
				n.alive, deadSince[i] = false, tick
			} else if tick-deadSince[i] > 5*simRefresh { // its stake has been forgotten
				*n = simNode{alive: true, demand: n.demand, readAt: tick + 1, actAt: tick + 1 + delay}
				joined = tick
			}
		}
		for i, n := range nodes {
			if n.alive {
				n.step(tick, delay, visible(nodes, deadSince, i, tick))
			}
		}
		if sum := inUse(nodes); sum > 1+1e-9 {
			excess += (sum - 1) / simRefresh
		} else {
			excess = 0
		}
		if excess > simExcess {
			t.Fatalf("at tick %d the shares have been over the limit by more than %d refreshes' worth", tick, simExcess)
		}
	}
	checkRest(t, r, nodes, deadSince, delay)
}

// inUse returns the sum of the shares that the living use.
func inUse(nodes []*simNode) (sum float64) {
	for _, n := range nodes {
		if n.alive {
			sum += n.using
		}
	}
	return sum
}

// visible returns the stakes that node i reads at a time: of the living, and of the dead until they are noticed.
func visible(nodes []*simNode, deadSince map[int]int, i, tick int) []stake {
	var list []stake
	for j, n := range nodes {
		if j != i && (n.alive || tick-deadSince[j] < 4*simRefresh && deadSince[j] > 0) {
			list = append(list, n.published)
		}
	}
	return list
}

func (n *simNode) step(tick, delay int, others []stake) {
	if tick == n.readAt {
		n.seen, n.seenNodes = others, len(others)+1
	}
	if n.using == 0 && n.demand > 0 && n.seenNodes > 0 {
		n.using, n.woken = firstShare(n.seen, n.seenNodes), true
	}
	if tick != n.actAt {
		return
	}
	next := 0.0
	if n.demand > 0 {
		next = nextShare(stake{n.demand, n.using}, n.seen, n.seenNodes)
	}
	if n.woken && n.seenNodes > 1 {
		next = min(next, n.using)
	}
	n.published, n.using, n.woken = stake{n.demand, next}, next, false
	n.readAt, n.actAt = tick-delay+simRefresh, tick+simRefresh
}

// checkRest lets demand rest: ten refreshes later the shares are within the limit and stay there, and in the end every node has its
// floor and the whole limit is used.
func checkRest(t *testing.T, r *rand.Rand, nodes []*simNode, deadSince map[int]int, delay int) {
	t.Helper()
	alive := 0
	for _, n := range nodes {
		if n.alive {
			n.demand = 0.1 + r.Float64()
			alive++
		}
	}
	start := 60 * simRefresh
	for tick := start; tick < start+30*simRefresh; tick++ {
		for i, n := range nodes {
			if n.alive {
				n.step(tick, delay, visible(nodes, deadSince, i, tick))
			}
		}
		if sum := inUse(nodes); tick > start+10*simRefresh && sum > 1.001 {
			t.Fatalf("%d ticks after the last change the shares are %.3f of the limit together", tick-start, sum)
		}
	}
	sum := inUse(nodes)
	for i, n := range nodes {
		if !n.alive {
			continue
		}
		if n.using < floorPart/float64(alive)-1e-9 {
			t.Errorf("node %d of %d with demand %.2f has %.3f of the limit", i, alive, n.demand, n.using)
		}
	}
	if alive > 0 && (sum < 0.99 || sum > 1+1e-9) {
		t.Errorf("%d nodes at rest use %.3f of the limit together, want all of it", alive, sum)
	}
}

func TestNextShare(t *testing.T) {
	for _, c := range []struct {
		name   string
		mine   stake
		others []stake
		nodes  int
		want   float64
	}{
		{"alone", stake{0.2, 0}, nil, 1, 1},
		{"alone without demand", stake{0, 0.3}, nil, 1, 1},
		{"the others are idle", stake{0.2, 0.5}, []stake{{}, {}}, 3, 1},
		{"gives way at once", stake{1, 1}, []stake{{1, 0.25}}, 2, 0.5},
		{"waits for room", stake{1, 0}, []stake{{1, 1}}, 2, 0.25},
		{"takes the room that is left", stake{1, 0.25}, []stake{{1, 0.5}}, 2, 0.5},
		{"shares the room with one that also wants", stake{1, 0}, []stake{{1, 0}}, 2, 0.5},
		{"by demand above the floor", stake{3, 1}, []stake{{1, 0.25}}, 2, 0.625},
		{"after a node's death", stake{1, 0.5}, nil, 1, 1},
	} {
		if got := nextShare(c.mine, c.others, c.nodes); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFirstShare(t *testing.T) {
	for _, c := range []struct {
		name   string
		others []stake
		nodes  int
		want   float64
	}{
		{"alone", nil, 1, 1},
		{"nobody uses it", nil, 4, 0.25},
		{"others use all", []stake{{1, 1}}, 2, 0.25},
		{"others use some", []stake{{1, 0.6}}, 2, 0.4},
	} {
		if got := firstShare(c.others, c.nodes); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
