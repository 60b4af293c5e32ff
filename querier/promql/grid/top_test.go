package grid_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// reference is a heap as the engine has it: NaN first, then what is to go next.
type reference struct {
	list     []grid.Chosen
	smallest bool
}

func (r *reference) Len() int { return len(r.list) }

func (r *reference) Less(i, k int) bool {
	a, b := r.list[i].Value, r.list[k].Value
	return math.IsNaN(a) || !r.smallest && a < b || r.smallest && a > b
}

func (r *reference) Swap(i, k int) { r.list[i], r.list[k] = r.list[k], r.list[i] }

func (r *reference) Push(c any) { r.list = append(r.list, c.(grid.Chosen)) } //nolint:forcetypeassert // it is never another

func (r *reference) Pop() any { panic("nothing is taken out") }

func (r *reference) add(c grid.Chosen, most int) {
	switch {
	case len(r.list) < most:
		heap.Push(r, c)
	case !r.smallest && r.list[0].Value < c.Value, r.smallest && r.list[0].Value > c.Value, math.IsNaN(r.list[0].Value) && !math.IsNaN(c.Value):
		r.list[0] = c
		heap.Fix(r, 0)
	}
}

// TestTop compares which of many equal values are chosen with what package heap does.
func TestTop(t *testing.T) {
	const steps = 7
	values := []float64{math.Float64frombits(value.StaleNaN), math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1, 2, 3}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // the same data every time
		most, smallest := 1+r.IntN(9), r.IntN(2) == 0
		some := values[r.IntN(4):]
		top := grid.NewTop(most, steps, smallest)
		var want [2][steps]reference
		top.AddGroup()
		top.AddGroup()
		for number := range int32(r.IntN(60)) {
			group, row := r.IntN(2), make([]float64, steps)
			for k := range row {
				row[k] = some[r.IntN(len(some))]
				if want[group][k].smallest = smallest; !grid.IsMissing(row[k]) {
					want[group][k].add(grid.Chosen{Value: row[k], Row: number}, most)
				}
			}
			top.Announce(group)
			top.Add(group, number, row, 0, 3)
			top.Add(group, number, row, 3, steps)
		}
		require.Equal(t, 2, top.Groups())
		require.LessOrEqual(t, top.Cells(), 2*steps*most)
		type cell struct {
			step int
			row  int32
			bits uint64
		}
		var got, expected []cell
		top.Each(func(step int, c grid.Chosen) { got = append(got, cell{step, c.Row, math.Float64bits(c.Value)}) })
		for _, group := range want {
			for k := range group {
				for _, c := range group[k].list {
					expected = append(expected, cell{k, c.Row, math.Float64bits(c.Value)})
				}
			}
		}
		require.Equal(t, len(expected), len(got))
		slices.SortFunc(got, func(a, b cell) int { return (a.step-b.step)*1000 + int(a.row-b.row) })
		slices.SortFunc(expected, func(a, b cell) int { return (a.step-b.step)*1000 + int(a.row-b.row) })
		require.Equal(t, expected, got, "seed %d", seed)
	}
}
