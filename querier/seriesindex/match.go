package seriesindex

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/store"
)

// condition is a matcher as the index looks at it.
type condition struct {
	name string
	// texts are the values of an equality or a list; pattern is set for a regular expression instead.
	texts   []string
	pattern *labels.FastRegexMatcher
	// negated conditions hold for the values that are not among texts or do not match.
	negated bool
	// absent says that the condition holds for series without the label, whose value is the empty text.
	absent bool
}

// newConditions fails for a regular expression that Go's syntax does not take.
func newConditions(matchers []store.MetricMatcher) ([]condition, error) {
	list := make([]condition, len(matchers))
	for i := range matchers {
		m, c := &matchers[i], &list[i]
		c.name, c.texts = m.Name, []string{m.Value}
		switch m.Op {
		case store.MetricEquals:
		case store.MetricNotEquals:
			c.negated = true
		case store.MetricIn:
			c.texts = m.Values
		case store.MetricNotIn:
			c.texts, c.negated = m.Values, true
		case store.MetricMatches, store.MetricNotMatches:
			pattern, err := labels.NewFastRegexMatcher(m.Value)
			if err != nil {
				return nil, fmt.Errorf("matcher of %q: %w", m.Name, err)
			}
			c.pattern, c.negated = pattern, m.Op == store.MetricNotMatches
		}
		c.absent = c.holds("")
	}
	return list, nil
}

func (c *condition) holds(value string) bool {
	if c.pattern != nil {
		return c.pattern.MatchString(value) != c.negated
	}
	return slices.Contains(c.texts, value) != c.negated
}

// places returns where in a segment's pairs the labels stand that decide: a condition that does not hold for the empty
// text needs one of them, one that does must have none of them.
func (c *condition) places(s *snapshot, g *segment) []int {
	r := g.name(c.name)
	if c.pattern == nil && c.negated == c.absent {
		return c.textPlaces(s, g, r)
	}
	var list []int
	if c.pattern == nil {
		// All values but the texts: mark the texts' places instead of comparing each value with each text.
		except := c.textPlaces(s, g, r)
		for at := r.from; at < r.to; at++ {
			if len(except) > 0 && except[0] == at {
				except = except[1:]
				continue
			}
			list = append(list, at)
		}
		return list
	}
	for at := r.from; at < r.to; at++ {
		if c.holds(s.pairs[g.pairs[at]].Value) != c.absent {
			list = append(list, at)
		}
	}
	return list
}

// textPlaces returns where the condition's texts stand, in order. Labels never have the empty text.
func (c *condition) textPlaces(s *snapshot, g *segment, r nameRange) []int {
	list := make([]int, 0, len(c.texts))
	for _, text := range c.texts {
		at, ok := slices.BinarySearchFunc(g.pairs[r.from:r.to], text, func(ref uint32, text string) int { return cmp.Compare(s.pairs[ref].Value, text) })
		if ok {
			list = append(list, r.from+at)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// test is a condition that is looked at series by series.
type test struct {
	pairs  bitmap // of labels: a series that has one of them; nil when series is set
	one    uint32 // the label, when there is only one and both sets are nil
	series bitmap // of the segment's series, from its lo
	want   bool   // whether the series must be in the set
}

func (t *test) passes(s *snapshot, g *segment, series uint32) bool {
	if t.series != nil {
		return t.series.has(series-g.lo) == t.want
	}
	for _, ref := range s.refsOf(series) {
		if t.pairs == nil && ref == t.one || t.pairs != nil && t.pairs.has(ref) {
			return t.want
		}
	}
	return !t.want
}

// need is a condition resolved in one segment.
type need struct {
	places []int
	series int // of all places together
	want   bool
}

// match appends the segment's series that meet the conditions and are visible, in order, up to the limit.
func (sc *scope) match(g *segment, conditions []condition, into []uint32, limit int) []uint32 {
	needs := make([]need, 0, len(conditions))
	for i := range conditions {
		c := &conditions[i]
		n := need{places: c.places(sc.snapshot, g), want: !c.absent}
		for _, at := range n.places {
			n.series += len(g.seriesOf(at))
		}
		switch {
		case n.want && n.series == 0:
			return into
		case n.series == 0:
			continue
		}
		needs = append(needs, n)
	}
	// The smallest set of series that one of the conditions leaves is looked at; the others test it.
	slices.SortFunc(needs, func(a, b need) int {
		if a.want != b.want {
			return cmp.Compare(rank(a.want), rank(b.want))
		}
		return cmp.Compare(a.series, b.series)
	})
	candidates := func(yield func(uint32) bool) {
		for n := g.lo; n < g.hi; n++ {
			if !yield(n) {
				return
			}
		}
	}
	count := int(g.hi - g.lo)
	if len(needs) > 0 && needs[0].want {
		first := needs[0]
		needs, count, candidates = needs[1:], first.series, sc.union(g, first)
	}
	tests := make([]test, len(needs))
	for i := range needs {
		tests[i] = sc.test(g, &needs[i], count)
	}
	for series := range candidates {
		if len(into) >= limit {
			break
		}
		if sc.visible(series) && !slices.ContainsFunc(tests, func(t test) bool { return !t.passes(sc.snapshot, g, series) }) {
			into = append(into, series)
		}
	}
	return into
}

func rank(want bool) int {
	if want {
		return 0
	}
	return 1
}

// union yields the series at all of a need's places, each once, in order.
func (sc *scope) union(g *segment, n need) func(func(uint32) bool) {
	if len(n.places) == 1 {
		return slices.Values(g.seriesOf(n.places[0]))
	}
	set := g.seriesAt(n.places)
	return func(yield func(uint32) bool) {
		for i, word := range set {
			for at := g.lo + uint32(64*i); word != 0; at, word = at+1, word>>1 {
				if word&1 != 0 && !yield(at) {
					return
				}
			}
		}
	}
}

func (g *segment) seriesAt(places []int) bitmap {
	set := newBitmap(int(g.hi - g.lo))
	for _, at := range places {
		for _, n := range g.seriesOf(at) {
			set.set(n - g.lo)
		}
	}
	return set
}

// refsPerSeries is about how many labels a series has: what a look at the labels of one costs.
const refsPerSeries = 12

// test prepares a need for so many candidates, whichever way costs less.
func (sc *scope) test(g *segment, n *need, candidates int) test {
	switch {
	case n.series <= refsPerSeries*candidates:
		return test{series: g.seriesAt(n.places), want: n.want}
	case len(n.places) == 1:
		return test{one: g.pairs[n.places[0]], want: n.want}
	}
	set := newBitmap(len(sc.pairs))
	for _, at := range n.places {
		set.set(g.pairs[at])
	}
	return test{pairs: set, want: n.want}
}
