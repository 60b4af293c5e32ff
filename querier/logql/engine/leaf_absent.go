package engine

import (
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// absent inverts presence: 1 at the steps at which no series of m has a value, with the labels that the selector fixes.
func absent(a *logql.RangeAggregation, m matrix, count int) matrix {
	fixed, seen := []seamark.Label{}, map[string]int{}
	for _, matcher := range a.Query.Matchers {
		seen[matcher.Name]++
	}
	for _, matcher := range a.Query.Matchers {
		if matcher.Op == logql.MatchEqual && matcher.Value != "" && seen[matcher.Name] == 1 {
			fixed = append(fixed, seamark.Label{Name: matcher.Name, Value: matcher.Value})
		}
	}
	seamark.SortLabels(fixed)
	out := newSeries(fixed, count)
	for k := range count {
		if !slices.ContainsFunc(m, func(s *series) bool { return s.has[k] }) {
			out.set(k, 1)
		}
	}
	return matrix{out}.trim()
}
