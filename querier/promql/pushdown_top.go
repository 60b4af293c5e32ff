package promql

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// rank gives a series the next number and a place among those that its group chooses from.
func (r *leafRun) rank(group int, ls labels.Labels) error {
	if group == r.top.Groups() {
		r.top.AddGroup()
	}
	r.ranked = append(r.ranked, ls)
	r.top.Announce(group)
	if r.top.Cells()+r.top.Groups()*r.plan.Steps > r.maxSamples {
		return errFallback
	}
	return nil
}

// offerSteps offers the steps [from, to) of the batch's rows, which are those of the last numbers.
func (r *leafRun) offerSteps(from, to int) {
	number := len(r.ranked)
	for i := range r.group {
		if r.group[i] >= 0 {
			number--
		}
	}
	for i, group := range r.group {
		if group >= 0 {
			r.top.Add(group, int32(number), r.row(i), from, to) //nolint:gosec // series are fewer
			number++
		}
	}
}

// choose makes the result of what was chosen: series with values at the steps at which they are among the first. They stay in
// the order of their labels; the engine, which collects them in a map, promises none.
func (r *leafRun) choose() error {
	chosen := make([][]float64, len(r.ranked))
	held := 0
	r.top.Each(func(step int, c grid.Chosen) {
		if chosen[c.Row] == nil {
			if held += r.plan.Steps; held > r.maxSamples {
				return
			}
			chosen[c.Row] = noValues(r.plan.Steps)
		}
		chosen[c.Row][step] = c.Value
	})
	if held > r.maxSamples {
		return errFallback
	}
	for number, values := range chosen {
		if values != nil {
			r.done = append(r.done, r.series(r.ranked[number], values))
		}
	}
	return nil
}

func noValues(steps int) []float64 {
	values := make([]float64, steps)
	for k := range values {
		values[k] = math.Float64frombits(value.StaleNaN)
	}
	return values
}
