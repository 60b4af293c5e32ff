package column

import (
	"encoding/binary"
	"sort"
)

// frame says how the whole numbers of a block follow from their packed rests. All sums are modulo 2^64, so any numbers can
// be packed, if not small.
//
//	along a line:  number[i] = start + i*slope + base + rest[i]*scale
//	by difference: number[i] = number[i-1] + base + rest[i]*scale, and number[-1] = start
type frame struct {
	delta   bool
	start   int64 // along a line it is 0 when written
	slope   int64
	base    int64
	scale   int64 // common divisor of the rests
	width   uint  // bits per rest
	patches int   // rests that are too far out: each stands before the packed ones and takes the place of base + rest*scale
}

// Flags in the first byte of a frame.
const (
	flagDelta   = 1 << iota
	flagSlope   // else 0
	flagScale   // else 1
	flagPatches // else 0
)

// patchBytes is the size of a patch or of a value that stands aside: position and number.
const patchBytes = 1 + 8

// appendFrame writes everything but the rests and the patches.
func appendFrame(dst []byte, f *frame) []byte {
	var flags byte
	if f.delta {
		flags |= flagDelta
	}
	if f.slope != 0 {
		flags |= flagSlope
	}
	if f.scale != 1 {
		flags |= flagScale
	}
	if f.patches != 0 {
		flags |= flagPatches
	}
	dst = append(dst, flags, byte(f.width))
	dst = binary.AppendVarint(dst, f.base)
	if f.delta {
		dst = binary.AppendVarint(dst, f.start)
	}
	if f.slope != 0 {
		dst = binary.AppendVarint(dst, f.slope)
	}
	if f.scale != 1 {
		dst = binary.AppendVarint(dst, f.scale)
	}
	if f.patches != 0 {
		dst = append(dst, byte(f.patches))
	}
	return dst
}

// read fills f with what appendFrame wrote and returns the bytes behind it. It fills in place: a frame that is returned is
// copied in larger pieces than it was written in, for which the processor waits longer than reading takes.
func (f *frame) read(src []byte) []byte {
	flags := src[0]
	f.delta, f.width = flags&flagDelta != 0, uint(src[1])
	f.start, f.slope, f.scale, f.patches = 0, 0, 1, 0
	f.base, src = readVarint(src[2:])
	if flags&flagDelta != 0 {
		f.start, src = readVarint(src)
	}
	if flags&flagSlope != 0 {
		f.slope, src = readVarint(src)
	}
	if flags&flagScale != 0 {
		f.scale, src = readVarint(src)
	}
	if flags&flagPatches != 0 {
		f.patches, src = int(src[0]), src[1:]
	}
	return src
}

func readVarint(src []byte) (num int64, rest []byte) {
	num, size := binary.Varint(src)
	return num, src[size:]
}

// bodyBytes is the size of the rests and patches of count numbers.
func (f *frame) bodyBytes(count int) int { return packedBytes(count, f.width) + f.patches*patchBytes }

// constant reports whether all numbers are the same.
func (f *frame) constant() bool { return !f.delta && f.width == 0 && f.slope == 0 && f.patches == 0 }

// seek returns where to start to read, so that the number at an index is read, too.
func (f *frame) seek(index int) int {
	if f.delta {
		return 0
	}
	return index &^ 7 // the next that starts at a whole byte, whatever the width
}

// numbers reads len(dst) numbers of a block from where seek says.
func (f *frame) numbers(dst []int64, from int, body []byte) {
	f.parts(dst, from, body)
	if f.delta {
		sum := f.start
		for i, difference := range dst {
			sum += difference
			dst[i] = sum
		}
	}
}

// parts is numbers without the sum of differences, which add up to numbers from start on.
func (f *frame) parts(dst []int64, from int, body []byte) {
	l := line{lead: f.base + int64(from)*f.slope, slope: f.slope, scale: f.scale}
	if !f.delta {
		l.lead += f.start
	}
	if f.width == 0 {
		l.fill(dst)
	} else {
		l.unpack(dst, body[f.patches*patchBytes+packedBytes(from, f.width):], f.width)
	}
	if f.patches != 0 {
		f.patch(dst, from, body)
	}
}

// patch replaces what is too far out to be packed. A patch takes the place of base + rest*scale.
func (f *frame) patch(dst []int64, from int, body []byte) {
	for patches := body[:f.patches*patchBytes]; len(patches) > 0; patches = patches[patchBytes:] {
		if at := int(patches[0]) - from; at >= 0 && at < len(dst) {
			dst[at] = f.lead(int(patches[0])) + int64(binary.LittleEndian.Uint64(patches[1:]))
		}
	}
}

// lead is what the rule says of the number at an index, without base and rest.
func (f *frame) lead(index int) int64 {
	if f.delta {
		return 0
	}
	return f.start + int64(index)*f.slope
}

// number reads the number at an index.
func (f *frame) number(index int, body []byte) int64 {
	if f.delta {
		var all [blockLen]int64
		f.numbers(all[:index+1], 0, body)
		return all[index]
	}
	for patches := body[:f.patches*patchBytes]; len(patches) > 0; patches = patches[patchBytes:] {
		if int(patches[0]) == index {
			return f.lead(index) + int64(binary.LittleEndian.Uint64(patches[1:]))
		}
	}
	return f.lead(index) + f.base + unpackAt(body[f.patches*patchBytes:], index, f.width)*f.scale
}

// newest returns the index of the last of count rising numbers that is not larger than limit, and the number. The first is
// not larger.
func (f *frame) newest(limit int64, body []byte, count int) (index int, num int64) {
	if f.delta || f.slope <= 0 {
		var all [blockLen]int64
		f.numbers(all[:count], 0, body)
		index = sort.Search(count, func(i int) bool { return all[i] > limit }) - 1
		return index, all[index]
	}
	// Along a line the place can be told from the slope, give or take what the rests make of it.
	index = int(max(0, min(int64(count-1), (limit-f.start-f.base)/f.slope)))
	for num = f.number(index, body); num > limit; num = f.number(index, body) {
		index--
	}
	for index+1 < count {
		next := f.number(index+1, body)
		if next > limit {
			break
		}
		index, num = index+1, next
	}
	return index, num
}
