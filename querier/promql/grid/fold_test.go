package grid_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// TestFold adds rows with holes. What Prometheus' engine makes of them is compared by the random queries in package promql.
func TestFold(t *testing.T) {
	none := math.Float64frombits(value.StaleNaN)
	rows := [][]float64{{1, none, math.NaN(), none, math.MaxFloat64}, {2, none, 3, 4, math.MaxFloat64}, {6, none, 5, 2, 0}}
	for op, want := range map[grid.Op]string{
		grid.Sum: "9 _ NaN 6 +Inf", grid.Avg: "3 _ NaN 3 1.1984620899082103e+308", grid.Min: "1 _ 3 2 0",
		grid.Max: "6 _ 5 4 1.7976931348623157e+308", grid.Count: "3 _ 3 2 3", grid.Group: "1 _ 1 1 1",
	} {
		f := grid.NewFold(op)
		f.AddGroup(5)
		f.AddGroup(5)
		for _, row := range rows {
			f.Add(1, row, 0, 2)
			f.Add(1, row, 2, 5)
		}
		require.Equal(t, 2, f.Groups())
		require.Equal(t, "_ _ _ _ _", show(f.Row(0)))
		require.Equal(t, want, show(f.Row(1)), "operation %d", op)
	}
}

func show(row []float64) string {
	text := ""
	for k, v := range row {
		if k > 0 {
			text += " "
		}
		if grid.IsMissing(v) {
			text += "_"
			continue
		}
		text += fmt.Sprint(v)
	}
	return text
}
