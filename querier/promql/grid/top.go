package grid

import "math"

// Top chooses, at every step and in every group, the rows with the largest or the smallest values. Rows are added in the order in
// which Prometheus' engine would see their series: of equal values it keeps what its heap happens to keep, and so does this.
type Top struct {
	most, steps int
	smallest    bool
	groups      []heaps
	cells       int
}

// heaps are the chosen of one group, one binary heap per step, whose first is the one to go next.
type heaps struct {
	room   int // of each step's heap
	rows   int // that were announced
	length []int
	chosen []Chosen // steps one after the other
	// floor is the value that a full heap of a step lets go next. It is NaN while a heap is not full, so that nothing is below it.
	floor []float64
}

// Chosen is a value that was chosen, and the row that it is from.
type Chosen struct {
	Value float64
	Row   int32
}

// NewTop returns a choice of the given number of rows, which is at least 1, for each of so many steps.
func NewTop(most, steps int, smallest bool) *Top {
	return &Top{most: most, steps: steps, smallest: smallest}
}

// Groups returns how many groups there are.
func (t *Top) Groups() int { return len(t.groups) }

// Cells returns for how many chosen values there is memory, 16 bytes each.
func (t *Top) Cells() int { return t.cells }

// AddGroup makes a group; it has the next number from zero.
func (t *Top) AddGroup() {
	g := heaps{length: make([]int, t.steps), floor: make([]float64, t.steps)}
	for k := range g.floor {
		g.floor[k] = math.NaN()
	}
	t.groups = append(t.groups, g)
}

// Announce makes room for one more row of a group, before Add.
func (t *Top) Announce(group int) {
	g := &t.groups[group]
	if g.rows++; g.rows <= g.room || g.room == t.most {
		return
	}
	before, room := g.chosen, min(t.most, max(1, 2*g.room))
	g.chosen = make([]Chosen, t.steps*room)
	for k, n := range g.length {
		copy(g.chosen[k*room:], before[k*g.room:k*g.room+n])
	}
	t.cells += t.steps * (room - g.room)
	g.room = room
}

// Add offers the steps [from, to) of a row that was announced. Calls for disjoint steps may run at once.
func (t *Top) Add(group int, number int32, row []float64, from, to int) {
	g := &t.groups[group]
	for k := from; k < to; k++ {
		v := row[k]
		if t.smallest {
			v = -v // which turns the order of all but NaNs around
		}
		if v <= g.floor[k] || IsMissing(row[k]) {
			continue
		}
		t.offer(g, k, Chosen{v, number})
	}
}

func (t *Top) offer(g *heaps, k int, c Chosen) {
	n := g.length[k]
	heap := g.chosen[k*g.room : (k+1)*g.room]
	switch {
	case n < t.most:
		heap[n] = c
		g.length[k]++
		siftUp(heap[:n+1])
	case math.IsNaN(c.Value):
		return // a full heap has nothing below it
	default:
		heap[0] = c
		siftDown(heap)
	}
	if g.length[k] == t.most {
		g.floor[k] = heap[0].Value
	}
}

// goesBefore is the engine's order of a heap. NaN goes before all, other NaNs included.
func (c *Chosen) goesBefore(other *Chosen) bool { return c.Value < other.Value || math.IsNaN(c.Value) }

// siftUp and siftDown do what Push and Fix of package heap do, in the same order, on which it depends which of equals stay.
func siftUp(heap []Chosen) {
	for at := len(heap) - 1; at > 0; {
		parent := (at - 1) / 2
		if !heap[at].goesBefore(&heap[parent]) {
			return
		}
		heap[at], heap[parent] = heap[parent], heap[at]
		at = parent
	}
}

func siftDown(heap []Chosen) {
	for at := 0; ; {
		child := 2*at + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && heap[child+1].goesBefore(&heap[child]) {
			child++
		}
		if !heap[child].goesBefore(&heap[at]) {
			return
		}
		heap[at], heap[child] = heap[child], heap[at]
		at = child
	}
}

// Each calls yield with everything that was chosen, in no order.
func (t *Top) Each(yield func(step int, c Chosen)) {
	for i := range t.groups {
		g := &t.groups[i]
		for k, n := range g.length {
			for _, c := range g.chosen[k*g.room : k*g.room+n] {
				if t.smallest {
					c.Value = -c.Value
				}
				yield(k, c)
			}
		}
	}
}
