package seriesindex

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// segment lists, for the series from lo to below hi, which have which label. It never changes. New series get a segment of
// their own, and segments of like size are merged, so that there are few and each series is sorted in a few times at most.
type segment struct {
	lo, hi uint32
	names  []nameRange // sorted by name
	pairs  []uint32    // the labels that the series have, sorted by name and value
	starts []uint32    // per label, and one more: where its series begin in series
	series []uint32    // per label, rising
	ranks  []uint32    // per series from lo: its place in the order of label sets, as Prometheus compares them
}

// nameRange says where the labels of one name stand in a segment's pairs.
type nameRange struct {
	name     string
	from, to int
}

// seriesOf returns the series with the label at a place in pairs.
func (g *segment) seriesOf(at int) []uint32 { return g.series[g.starts[at]:g.starts[at+1]] }

// name returns the range of a label name, which is empty when no series has it.
func (g *segment) name(name string) nameRange {
	at, ok := slices.BinarySearchFunc(g.names, name, func(r nameRange, name string) int { return strings.Compare(r.name, name) })
	if !ok {
		return nameRange{name: name}
	}
	return g.names[at]
}

func (g *segment) bytes() int64 {
	const nameBytes = 32
	return int64(4*(cap(g.pairs)+cap(g.starts)+cap(g.series)+cap(g.ranks)) + nameBytes*cap(g.names))
}

// newSegment sorts the series from lo to below hi by their labels.
func newSegment(s *snapshot, lo, hi uint32) *segment {
	g := &segment{lo: lo, hi: hi}
	counts := make([]uint32, len(s.pairs))
	total := 0
	for n := lo; n < hi; n++ {
		for _, ref := range s.refsOf(n) {
			if counts[ref]++; counts[ref] == 1 {
				total++
			}
		}
	}
	g.pairs = make([]uint32, 0, total)
	for ref, count := range counts {
		if count > 0 {
			g.pairs = append(g.pairs, uint32(ref))
		}
	}
	slices.SortFunc(g.pairs, func(a, b uint32) int { return compareLabels(&s.pairs[a], &s.pairs[b]) })
	g.nameRanges(s)
	g.starts = make([]uint32, len(g.pairs)+1)
	for at, ref := range g.pairs {
		g.starts[at+1] = g.starts[at] + counts[ref]
		counts[ref] = g.starts[at] // from here on: where the label's next series goes
	}
	g.rankSeries(s, counts)
	g.series = make([]uint32, g.starts[len(g.pairs)])
	for n := lo; n < hi; n++ {
		for _, ref := range s.refsOf(n) {
			g.series[counts[ref]] = n
			counts[ref]++
		}
	}
	return g
}

func (g *segment) nameRanges(s *snapshot) {
	for at, ref := range g.pairs {
		if n := len(g.names); n == 0 || g.names[n-1].name != s.pairs[ref].Name {
			g.names = append(g.names, nameRange{s.pairs[ref].Name, at, at})
		}
		g.names[len(g.names)-1].to = at + 1
	}
}

// rankSeries sorts the series by their labels. Of two labels the one with the larger order comes later.
func (g *segment) rankSeries(s *snapshot, order []uint32) {
	sorted := make([]uint32, g.hi-g.lo)
	for i := range sorted {
		sorted[i] = g.lo + uint32(i)
	}
	slices.SortFunc(sorted, func(a, b uint32) int {
		return slices.CompareFunc(s.refsOf(a), s.refsOf(b), func(x, y uint32) int { return cmp.Compare(order[x], order[y]) })
	})
	g.ranks = make([]uint32, len(sorted))
	for rank, n := range sorted {
		g.ranks[n-g.lo] = uint32(rank)
	}
}

// sortSeries sorts some of the segment's series by their labels.
func (g *segment) sortSeries(list []uint32) {
	const few = 16
	if len(list) < len(g.ranks)/few {
		slices.SortFunc(list, func(a, b uint32) int { return cmp.Compare(g.ranks[a-g.lo], g.ranks[b-g.lo]) })
		return
	}
	at := make([]uint32, len(g.ranks)) // by rank: number + 1
	for _, n := range list {
		at[g.ranks[n-g.lo]] = n + 1
	}
	list = list[:0]
	for _, n := range at {
		if n > 0 {
			list = append(list, n-1)
		}
	}
}

// compareSeries compares two series by their labels, of which equal ones have the same number.
func (s *snapshot) compareSeries(a, b uint32) int {
	x, y := s.refsOf(a), s.refsOf(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return compareLabels(&s.pairs[x[i]], &s.pairs[y[i]])
		}
	}
	return cmp.Compare(len(x), len(y))
}

func compareLabels(a, b *seamark.Label) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
}
