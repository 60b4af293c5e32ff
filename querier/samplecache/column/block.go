package column

import (
	"slices"
	"sort"
)

// block is one block of a run, to be read.
type block struct {
	first int64 // time of the first sample
	count int
	times frame
	body  []byte // of the times, and then the values
	list  valueBlock
}

// open fills b with the block that src starts with. Its first time and its number of samples are set.
func (b *block) open(src []byte) {
	b.body = b.times.read(src)
	b.times.start += b.first
}

// values opens the values' part.
func (b *block) values() *valueBlock {
	b.list.open(b.body[b.times.bodyBytes(b.count):])
	return &b.list
}

// appendAll appends every sample.
func (b *block) appendAll(times []int64, values []float64, buf *[blockLen]int64) ([]int64, []float64) {
	times, values = slices.Grow(times, b.count), slices.Grow(values, b.count)
	t, v := len(times), len(values)
	times, values = times[:t+b.count], values[:v+b.count]
	b.times.numbers(times[t:], 0, b.body)
	b.values().read(values[v:], 0, buf)
	return times, values
}

// appendSome appends the samples with from <= t <= to, of which to is not before the first.
func (b *block) appendSome(times []int64, values []float64, from, to int64, buf *[blockLen]int64) ([]int64, []float64) {
	low, some := b.window(from, to, buf)
	if len(some) == 0 {
		return times, values
	}
	times = append(times, some...)
	high, list := low+len(some), b.values()
	start := list.frame.seek(low)
	var read [blockLen]float64
	list.read(read[:high-start], start, buf)
	return times, append(values, read[low-start:high-start]...)
}

// window returns the times with from <= t <= to, in buf, and the index of the first. It reads no more than it must.
func (b *block) window(from, to int64, buf *[blockLen]int64) (low int, times []int64) {
	if b.times.delta {
		all := buf[:b.count]
		b.times.numbers(all, 0, b.body)
		low = sort.Search(len(all), func(i int) bool { return all[i] >= from })
		return low, all[low : low+sort.Search(len(all)-low, func(i int) bool { return all[low+i] > to })]
	}
	last, _ := b.newest(to)
	if from > b.first {
		older, _ := b.newest(from - 1)
		low = older + 1
	}
	if low > last {
		return low, nil
	}
	start := b.times.seek(low)
	b.times.numbers(buf[:last+1-start], start, b.body)
	return low, buf[low-start : last+1-start]
}

// newest returns the index and the time of the last sample with a time of at most t, which is not before the first.
func (b *block) newest(t int64) (index int, at int64) { return b.times.newest(t, b.body, b.count) }
