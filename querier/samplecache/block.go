package samplecache

import (
	"cmp"
	"math"
	"slices"
	"unsafe"

	"github.com/seamarkhq/seamark/querier/samplecache/column"
)

const (
	// sealAt is how many samples a tail has when its older ones are compressed, keepTail how many stay: rows that are read
	// twice are the newest, and meet their like in the tail at no cost.
	sealAt   = 128
	keepTail = 32
)

// block is the samples of one series in one window. It never changes once it is published, but for what is written behind
// the length of its tail.
type block struct {
	runs []column.Run // in the order of time, none empty
	// one is what runs points to when there is one, as in every window that has ended: half as many objects to collect.
	one [1]column.Run
	// times and values are the tail: later than the runs, not compressed.
	times  []int64
	values []float64
}

// newBlock compresses samples in strictly rising time. With open they are of a window that goes on.
func newBlock(times []int64, values []float64, open bool) *block {
	b := &block{}
	packed := len(times)
	if open {
		packed = max(0, packed-keepTail)
		b.times, b.values = slices.Clone(times[packed:]), slices.Clone(values[packed:])
	}
	if packed > 0 {
		b.one[0] = column.Encode(times[:packed], values[:packed])
		b.runs = b.one[:]
	}
	return b
}

// bytes returns the memory that the block takes.
func (b *block) bytes() int64 {
	if b == nil {
		return 0
	}
	const runBytes = int(unsafe.Sizeof(column.Run{}))
	n := int(unsafe.Sizeof(block{})) + 8*cap(b.times) + 8*cap(b.values)
	for i := range b.runs {
		n += b.runs[i].Bytes() - runBytes
	}
	if len(b.runs) > 1 {
		n += cap(b.runs) * runBytes
	}
	return int64(n)
}

// size returns how many samples the block has.
func (b *block) size() int {
	n := len(b.times)
	for i := range b.runs {
		n += b.runs[i].Len()
	}
	return n
}

// tailHas reports whether no sample outside the tail is of the time or later. To look at a run would wait for memory.
func (b *block) tailHas(from int64) bool { return len(b.times) > 0 && b.times[0] <= from }

// most returns a number of samples that the block does not exceed from a time on.
func (b *block) most(from int64) int {
	if b.tailHas(from) {
		return len(b.times)
	}
	return b.size()
}

// last returns the time of the newest sample.
func (b *block) last() int64 {
	if n := len(b.times); n > 0 {
		return b.times[n-1]
	}
	return b.runs[len(b.runs)-1].Last()
}

// appendTo appends the samples with from <= t <= to.
func (b *block) appendTo(times []int64, values []float64, from, to int64) ([]int64, []float64) {
	n := len(b.times)
	if !b.tailHas(from) {
		for i := range b.runs {
			times, values = b.runs[i].AppendTo(times, values, from, to)
		}
	}
	if n == 0 || b.times[0] > to || b.times[n-1] < from {
		return times, values
	}
	lo, hi := 0, n
	if b.times[0] < from {
		lo, _ = slices.BinarySearch(b.times, from)
	}
	if b.times[n-1] > to {
		hi, _ = slices.BinarySearch(b.times, to+1)
	}
	return append(times, b.times[lo:hi]...), append(values, b.values[lo:hi]...)
}

// newest returns the newest sample with from <= t <= to.
func (b *block) newest(from, to int64) (t int64, v float64, ok bool) {
	for i := len(b.times) - 1; i >= 0; i-- {
		if b.times[i] <= to {
			return b.times[i], b.values[i], b.times[i] >= from
		}
	}
	for i := len(b.runs) - 1; i >= 0; i-- {
		if t, v, ok = b.runs[i].Newest(from, to); ok {
			return t, v, true
		}
	}
	return 0, 0, false
}

// add returns the block with more samples, which rise strictly. The block's tail may be written to behind its length, so a
// block is added to once.
func (b *block) add(times []int64, values []float64) *block {
	if b == nil {
		return (&block{}).appended(times, values)
	}
	last := b.last()
	for len(times) > 0 && times[0] <= last && b.inTail(times[0], values[0]) {
		times, values = times[1:], values[1:]
	}
	switch {
	case len(times) == 0:
		return b
	case times[0] > last:
		return b.appended(times, values)
	}
	return b.merged(times, values)
}

// inTail reports whether a sample changes nothing: the tail has one of its time whose value prevails.
func (b *block) inTail(t int64, v float64) bool {
	for i := len(b.times) - 1; i >= 0 && b.times[i] >= t; i-- {
		if b.times[i] == t {
			return math.Float64bits(b.values[i]) >= math.Float64bits(v)
		}
	}
	return false
}

// appended returns the block with samples that are newer than all it has.
func (b *block) appended(times []int64, values []float64) *block {
	next := &block{runs: b.runs, one: b.one, times: append(b.times, times...), values: append(b.values, values...)}
	if len(b.runs) == 1 {
		next.runs = next.one[:] // not the other's, which can go
	}
	for len(next.times) >= sealAt {
		n := sealAt - keepTail
		run := column.Encode(next.times[:n], next.values[:n])
		if len(next.runs) == 0 {
			next.one[0], next.runs = run, next.one[:]
		} else {
			next.runs = append(next.runs, run)
		}
		next.times, next.values = slices.Clone(next.times[n:]), slices.Clone(next.values[n:])
	}
	return next
}

// merged returns the block with samples anywhere in it. It has the same tail, if any.
func (b *block) merged(times []int64, values []float64) *block {
	size := b.size() + len(times)
	oldTimes, oldValues := b.appendTo(make([]int64, 0, size), make([]float64, 0, size), math.MinInt64, math.MaxInt64)
	allTimes, allValues := mergeSamples(oldTimes, oldValues, times, values)
	return newBlock(allTimes, allValues, len(b.times) > 0)
}

// closed returns the block of a window that has ended, in as few bytes as possible.
func (b *block) closed() *block {
	if len(b.times) == 0 && len(b.runs) < 2 {
		return b
	}
	size := b.size()
	times, values := b.appendTo(make([]int64, 0, size), make([]float64, 0, size), math.MinInt64, math.MaxInt64)
	return newBlock(times, values, false)
}

// mergeSamples merges two lists in strictly rising time. Of two samples at one time the one with the larger bits prevails,
// as in the store.
func mergeSamples(t1 []int64, v1 []float64, t2 []int64, v2 []float64) ([]int64, []float64) {
	times, values := make([]int64, 0, len(t1)+len(t2)), make([]float64, 0, len(t1)+len(t2))
	i, k := 0, 0
	for i < len(t1) && k < len(t2) {
		switch {
		case t1[i] < t2[k]:
			times, values = append(times, t1[i]), append(values, v1[i])
			i++
		case t1[i] > t2[k]:
			times, values = append(times, t2[k]), append(values, v2[k])
			k++
		default:
			v := v1[i]
			if math.Float64bits(v2[k]) > math.Float64bits(v) {
				v = v2[k]
			}
			times, values = append(times, t1[i]), append(values, v)
			i, k = i+1, k+1
		}
	}
	times, values = append(times, t1[i:]...), append(values, v1[i:]...)
	return append(times, t2[k:]...), append(values, v2[k:]...)
}

// tidy returns samples in strictly rising time, the same ones when they are that already.
func tidy(times []int64, values []float64) ([]int64, []float64) {
	rising := true
	for i := 1; i < len(times) && rising; i++ {
		rising = times[i-1] < times[i]
	}
	if rising {
		return times, values
	}
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(times[a], times[b]), cmp.Compare(math.Float64bits(values[b]), math.Float64bits(values[a])))
	})
	outTimes, outValues := make([]int64, 0, len(times)), make([]float64, 0, len(times))
	for _, i := range order {
		if n := len(outTimes); n == 0 || outTimes[n-1] != times[i] {
			outTimes, outValues = append(outTimes, times[i]), append(outValues, values[i])
		}
	}
	return outTimes, outValues
}
