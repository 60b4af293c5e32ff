package seriesindex

import (
	"math"
	"slices"
	"strings"
)

// series returns the series that match, up to the limit, in the order of their labels.
func (sc *scope) series(conditions []condition, limit int) []uint32 {
	var all []uint32
	for _, g := range sc.segments {
		list := sc.match(g, conditions, nil, limit-len(all))
		g.sortSeries(list)
		if all = sc.mergeSeries(all, list); len(all) >= limit {
			break
		}
	}
	return all
}

// anyOrder returns series that match, up to the limit.
func (sc *scope) anyOrder(conditions []condition, limit int) []uint32 {
	var all []uint32
	for _, g := range sc.segments {
		all = sc.match(g, conditions, all, limit)
	}
	return all
}

// mergeSeries returns the union of two sorted lists, of which the second is mostly much shorter: later segments are smaller.
func (sc *scope) mergeSeries(a, b []uint32) []uint32 {
	if len(a) == 0 || len(b) == 0 {
		return append(a, b...)
	}
	all := make([]uint32, 0, len(a)+len(b))
	for _, n := range b {
		// The next place lies near where there are many, so look in steps that double.
		hi := 1
		for hi < len(a) && sc.compareSeries(a[hi], n) < 0 {
			hi *= 2
		}
		before, _ := slices.BinarySearchFunc(a[:min(hi, len(a))], n, sc.compareSeries)
		all, a = append(append(all, a[:before]...), n), a[before:]
	}
	return append(all, a...)
}

// labelNames returns the sorted names of the labels of the series that match, up to the limit.
func (sc *scope) labelNames(conditions []condition, limit int) []string {
	var all []string
	for _, g := range sc.segments {
		has := sc.labelsOf(g, conditions)
		var list []string
		for _, r := range g.names {
			for at := r.from; at < r.to; at++ {
				if has(at) {
					list = append(list, r.name)
					break
				}
			}
		}
		all = merge(all, list)
	}
	return all[:min(limit, len(all))]
}

// labelValues returns the sorted values that the label has in the series that match, up to the limit.
func (sc *scope) labelValues(name string, conditions []condition, limit int) []string {
	var all []string
	for _, g := range sc.segments {
		r := g.name(name)
		if r.from == r.to {
			continue
		}
		has := sc.labelsOf(g, conditions)
		list := make([]string, 0, min(r.to-r.from, limit))
		for at := r.from; at < r.to && len(list) < limit; at++ {
			if has(at) {
				list = append(list, sc.pairs[g.pairs[at]].Value)
			}
		}
		all = merge(all, list)
	}
	return all[:min(limit, len(all))]
}

// labelsOf returns a function that reports whether one of the segment's series that match has the label at a place.
func (sc *scope) labelsOf(g *segment, conditions []condition) func(at int) bool {
	if len(conditions) == 0 {
		return func(at int) bool { return slices.ContainsFunc(g.seriesOf(at), sc.visible) }
	}
	set := newBitmap(len(sc.pairs))
	for _, n := range sc.match(g, conditions, nil, math.MaxInt) {
		for _, ref := range sc.refsOf(n) {
			set.set(ref)
		}
	}
	return func(at int) bool { return set.has(g.pairs[at]) }
}

// merge returns the union of two sorted lists, either of which may be given back as it is.
func merge(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	all := make([]string, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0], b[0]); {
		case c < 0:
			all, a = append(all, a[0]), a[1:]
		case c > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, a[0]), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}
