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
	b.times.numbers(times[t:], b.body)
	b.values().read(values[v:], buf)
	return times, values
}

// appendSome appends the samples with from <= t <= to.
func (b *block) appendSome(times []int64, values []float64, from, to int64, buf *[blockLen]int64) ([]int64, []float64) {
	all := buf[:b.count]
	b.times.numbers(all, b.body)
	low := sort.Search(len(all), func(i int) bool { return all[i] >= from })
	high := sort.Search(len(all), func(i int) bool { return all[i] > to })
	if low >= high {
		return times, values
	}
	times = append(times, all[low:high]...)
	var some [blockLen]float64
	b.values().read(some[:high], buf)
	return times, append(values, some[low:high]...)
}

// after returns the index behind the last sample with a time of at most t.
func (b *block) after(t int64, buf *[blockLen]int64) int {
	all := buf[:b.count]
	b.times.numbers(all, b.body)
	return sort.Search(len(all), func(i int) bool { return all[i] > t })
}

// time returns the time of the sample at an index.
func (b *block) time(at int, buf *[blockLen]int64) int64 { return b.times.number(at, b.body, buf) }

// value returns the value of the sample at an index.
func (b *block) value(at int, buf *[blockLen]int64) float64 {
	return b.values().value(at, buf)
}
