package seriesindex

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// builder makes a tenant's snapshots, each from the last. It is used by one refresh at a time.
type builder struct {
	head      snapshot // what the next snapshot will show; grows behind what the last one shows
	names     map[string]string
	byPair    slots
	byFP      slots
	weeks     map[int32]*week
	textBytes int64
	maxBytes  int64
	kind      seamark.SeriesKind
}

// week is what was read of a week.
type week struct {
	days     []uint8 // per series; a published one is not written to
	mark     int64   // the largest number of an insert that was read
	mutation int64
	parts    []store.SeriesIndexPart // of the last listing
}

var (
	errTooLarge = errors.New("the tenant's index would be larger than one tenant's may be")
	errNameless = errors.New("a series' metric is not what its label says")
)

func newBuilder(kind seamark.SeriesKind, maxBytes int64) *builder {
	return &builder{names: map[string]string{}, weeks: map[int32]*week{}, maxBytes: maxBytes, kind: kind}
}

// stale reports whether the parts show that rows have left a week that was read.
func (b *builder) stale(parts []store.SeriesIndexPart) bool {
	for monday, w := range b.weeks {
		for _, known := range w.parts {
			if !slices.ContainsFunc(parts, func(p store.SeriesIndexPart) bool {
				return p.Week == monday && p.MinBlock <= known.MinBlock && p.MaxBlock >= known.MaxBlock
			}) {
				return true
			}
		}
		for _, p := range parts {
			if p.Week == monday && p.Mutation > w.mutation {
				return true
			}
		}
	}
	return false
}

// change is the new state of a week while it is read.
type change struct {
	*builder
	days []uint8
	rows int
}

// begin prepares to read a week's rows. The published days are copied: readers look at them.
func (b *builder) begin(monday int32) *change {
	c := &change{builder: b}
	if w := b.weeks[monday]; w != nil {
		c.days = make([]uint8, len(w.days), len(w.days)+len(w.days)/16)
		copy(c.days, w.days)
	}
	return c
}

// sizeCheckRows is how many rows come between two looks at the index's size.
const sizeCheckRows = 1024

// add takes one series.
func (c *change) add(s *store.IndexedSeries) error {
	if c.rows++; c.rows%sizeCheckRows == 0 && c.bytes() > c.maxBytes {
		return errTooLarge
	}
	number, known := c.byFP.find(s.FP, func(n uint32) bool { return c.head.fps[n] == s.FP })
	if !known {
		var err error
		if number, err = c.create(s); err != nil {
			return err
		}
	}
	for int(number) >= len(c.days) {
		c.days = append(c.days, make([]uint8, int(number)+1-len(c.days))...)
	}
	c.days[number] |= s.Days
	return nil
}

// create adds a series that is not there.
func (b *builder) create(s *store.IndexedSeries) (uint32, error) {
	h := &b.head
	if b.kind == seamark.LogStream {
		h.groups = append(h.groups, b.pair(groupName, s.Name))
	} else if labelOf(s.Labels, seamark.MetricNameLabel) != s.Name {
		return 0, errNameless
	}
	for i := range s.Labels {
		h.refs = append(h.refs, b.pair(s.Labels[i].Name, s.Labels[i].Value))
	}
	number := uint32(len(h.fps))
	h.fps, h.ends = append(h.fps, s.FP), append(h.ends, uint32(len(h.refs)))
	b.byFP.add(number, func(n uint32) uint64 { return h.fps[n] })
	return number, nil
}

// groupName stands before the groups of streams among the labels. No label has it.
const groupName = ""

func labelOf(labels []seamark.Label, name string) string {
	for i := range labels {
		if labels[i].Name == name {
			return labels[i].Value
		}
	}
	return ""
}

// pair returns the number of a label. Texts are copied: a value shares the memory of its whole row.
func (b *builder) pair(name, value string) uint32 {
	h := &b.head
	number, known := b.byPair.find(hashPair(name, value), func(n uint32) bool { return h.pairs[n].Value == value && h.pairs[n].Name == name })
	if known {
		return number
	}
	own, ok := b.names[name]
	if !ok {
		own = strings.Clone(name)
		b.names[own] = own
		b.textBytes += mapEntryBytes + int64(len(own))
	}
	number = uint32(len(h.pairs))
	h.pairs = append(h.pairs, seamark.Label{Name: own, Value: strings.Clone(value)})
	b.textBytes += int64(len(value)+7) &^ 7
	b.byPair.add(number, func(n uint32) uint64 { return hashPair(h.pairs[n].Name, h.pairs[n].Value) })
	return number
}

// mapEntryBytes is what a text takes in a Go map beside its bytes.
const mapEntryBytes = 48

// end makes what was read of a week part of the next snapshot.
func (b *builder) end(monday int32, c *change, parts []store.SeriesIndexPart) {
	w := b.weeks[monday]
	if w == nil {
		w = &week{mark: -1}
		b.weeks[monday] = w
	}
	if c != nil {
		w.days = c.days
	}
	w.note(monday, parts)
}

// note remembers a listing's parts of the week, all of which were read.
func (w *week) note(monday int32, parts []store.SeriesIndexPart) {
	w.parts = w.parts[:0]
	for _, p := range parts {
		if p.Week == monday {
			w.parts = append(w.parts, p)
			w.mark, w.mutation = max(w.mark, p.MaxBlock), max(w.mutation, p.Mutation)
		}
	}
}

// publish sorts the new series in and returns the state as a snapshot.
func (b *builder) publish(present []int32) *snapshot {
	h := &b.head
	h.present = present
	h.weeks = make(map[int32][]uint8, len(b.weeks))
	for monday, w := range b.weeks {
		h.weeks[monday] = w.days
	}
	b.sortIn()
	h.bytes = b.bytes()
	s := *h
	return &s
}

// mergeRatio is how many times larger than its successors a segment stays unmerged. A smaller one merges more often, a
// larger one leaves more segments to look at.
const mergeRatio = 3

// sortIn makes a segment of the series that are in none, together with its predecessors while those are not much larger.
func (b *builder) sortIn() {
	h := &b.head
	hi, keep := uint32(len(h.fps)), len(h.segments)
	lo := uint32(0)
	if keep > 0 {
		lo = h.segments[keep-1].hi
	}
	if lo == hi {
		return
	}
	for keep > 0 && h.segments[keep-1].hi-h.segments[keep-1].lo <= mergeRatio*(hi-lo) {
		keep--
		lo = h.segments[keep].lo
	}
	h.segments = append(slices.Clone(h.segments[:keep]), newSegment(h, lo, hi))
}

// bytes returns the memory that the index takes, on the builder's side and on that of the last snapshot.
func (b *builder) bytes() int64 {
	const pairBytes = 32
	h := &b.head
	n := b.textBytes + int64(pairBytes*cap(h.pairs)+8*cap(h.fps)+4*(cap(h.refs)+cap(h.ends)+cap(h.groups)+len(b.byPair.cells)+len(b.byFP.cells)))
	for _, g := range h.segments {
		n += g.bytes()
	}
	for _, w := range b.weeks {
		n += int64(cap(w.days))
	}
	return n
}

// loaded returns the weeks that were read, in order.
func (b *builder) loaded() []int32 { return slices.Sorted(maps.Keys(b.weeks)) }
