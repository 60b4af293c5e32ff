package column

import (
	"encoding/binary"
	"slices"
	"sort"
	"unsafe"
)

// blockLen is how many samples are unpacked at once; the last block of a run has what is left. Larger blocks take less room
// for their headers, which are some 20 bytes, and smaller ones waste less on a window's ends.
const blockLen = 128

// Run is an immutable, compressed run of samples of one series in strictly rising time. The zero Run is empty. It may be
// read by any number of goroutines.
//
// Its bytes are a header (number of samples, first time), an index of the blocks but the first (time of the first sample,
// position), the blocks, each with its times before its values, and the last time, which is what unpack may read beyond.
type Run struct {
	data []byte
}

const (
	headerBytes = 4 + 8
	// wideTimes marks, in the number of samples, an index with whole times instead of 4 bytes from the first on.
	wideTimes = 1 << 31
	// maxLen keeps the number of samples and every position below 2^31.
	maxLen = 1 << 27
)

// Len returns how many samples the run has.
func (r Run) Len() int {
	if len(r.data) == 0 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(r.data) &^ wideTimes)
}

// Bytes returns the memory that the run holds, itself included.
func (r Run) Bytes() int { return int(unsafe.Sizeof(r)) + cap(r.data) }

// First returns the time of the first sample; it means nothing when the run is empty.
func (r Run) First() int64 {
	if len(r.data) == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(r.data[4:]))
}

// Last returns the time of the last sample; it means nothing when the run is empty.
func (r Run) Last() int64 {
	if len(r.data) == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(r.data[len(r.data)-wordBytes:]))
}

// AppendTo appends the samples with from <= t <= to to times and values and returns both. It allocates only what these lack.
func (r Run) AppendTo(times []int64, values []float64, from, to int64) ([]int64, []float64) {
	if len(r.data) == 0 || from > to || to < r.First() || from > r.Last() {
		return times, values
	}
	x := r.index()
	if from <= x.first && to >= x.last {
		times, values = slices.Grow(times, x.count), slices.Grow(values, x.count)
	}
	var b block
	var buf [blockLen]int64
	for number := x.find(max(from, r.First())); number < x.blocks; number++ {
		x.open(number, &b)
		if b.first > to {
			break
		}
		if b.first >= from && x.end(number) <= to {
			times, values = b.appendAll(times, values, &buf)
		} else {
			times, values = b.appendSome(times, values, from, to, &buf)
		}
	}
	return times, values
}

// Newest returns the newest sample with from <= t <= to.
func (r Run) Newest(from, to int64) (t int64, v float64, ok bool) {
	if len(r.data) == 0 || from > to || to < r.First() || from > r.Last() {
		return 0, 0, false
	}
	x := r.index()
	var b block
	to = min(to, x.last)
	x.open(x.find(to), &b)
	index, t := b.newest(to)
	if t < from {
		return 0, 0, false
	}
	return t, b.values().value(index), true
}

// index finds blocks.
type index struct {
	data    []byte
	entries []byte
	first   int64
	last    int64
	count   int
	blocks  int
	wide    bool
}

func (r Run) index() index {
	x := index{data: r.data, first: r.First(), last: r.Last(), count: r.Len(), entries: r.data[headerBytes:]}
	x.blocks = (x.count + blockLen - 1) / blockLen
	x.wide = binary.LittleEndian.Uint32(r.data)&wideTimes != 0
	return x
}

// entryBytes is the size of an index entry: a time and a position.
func entryBytes(wide bool) int {
	if wide {
		return 8 + 4
	}
	return 4 + 4
}

// start returns the time of a block's first sample.
func (x *index) start(number int) int64 {
	switch {
	case number == 0:
		return x.first
	case x.wide:
		return int64(binary.LittleEndian.Uint64(x.entries[(number-1)*entryBytes(true):]))
	default:
		return x.first + int64(binary.LittleEndian.Uint32(x.entries[(number-1)*entryBytes(false):]))
	}
}

// end returns a time that no sample of the block lies behind and every sample of the next does.
func (x *index) end(number int) int64 {
	if number == x.blocks-1 {
		return x.last
	}
	return x.start(number+1) - 1
}

// find returns the last block that starts at or before t, which is not before the first.
func (x *index) find(t int64) int {
	return sort.Search(x.blocks-1, func(i int) bool { return x.start(i+1) > t })
}

// open fills b with a block.
func (x *index) open(number int, b *block) {
	size := entryBytes(x.wide)
	position := headerBytes + (x.blocks-1)*size
	if number > 0 {
		position = int(binary.LittleEndian.Uint32(x.entries[number*size-4:]))
	}
	b.first, b.count = x.start(number), min(blockLen, x.count-number*blockLen)
	b.open(x.data[position:])
}
