package column

import "encoding/binary"

// wideBits is the widest packing but 64 bits: a number of it, wherever its first bit lies in a byte, is in one load of 8
// bytes.
const wideBits = 56

// wordBytes is the size of the load that numbers are unpacked with, and so what must follow the last packed byte.
const wordBytes = 8

// packedBytes is the room that count numbers take.
func packedBytes(count int, width uint) int { return (count*int(width) + 7) / 8 }

// pack appends the lowest width bits of each number, the first number in the lowest bits. Higher bits must be zero.
func pack(dst []byte, nums []int64, width uint) []byte {
	var word uint64
	var used uint
	for _, num := range nums {
		word |= uint64(num) << used
		if used += width; used >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, word)
			used -= 64
			word = uint64(num) >> (width - used)
		}
	}
	for ; used > 0; used -= min(used, 8) {
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst
}

// line is the rule that rests are added to, held in registers while they are unpacked.
type line struct {
	lead  int64 // of the first number
	slope int64
	scale int64
}

// unpack reads as many rests as dst holds and makes numbers of them: lead + i*slope + rest*scale. Src goes on for wordBytes
// after the last packed byte.
func (l line) unpack(dst []int64, src []byte, width uint) {
	if width <= wordBytes {
		l.unpackEights(dst, src, width)
	} else {
		l.unpackEach(dst, src, width)
	}
}

// fill makes numbers without rests.
func (l line) fill(dst []int64) {
	lead := l.lead
	for len(dst) >= 4 {
		out := dst[:4:4]
		out[0], out[1], out[2], out[3] = lead, lead+l.slope, lead+2*l.slope, lead+3*l.slope
		lead += 4 * l.slope
		dst = dst[4:]
	}
	for i := range dst {
		dst[i] = lead
		lead += l.slope
	}
}

// unpackEights takes eight numbers, which are width bytes, out of each load. It takes two thirds of the time of unpackEach,
// unrolled; as a loop it gains nothing.
func (l line) unpackEights(dst []int64, src []byte, width uint) {
	lead := l.lead
	mask, w := uint64(1)<<width-1, width&63 // which says that shifts need no check
	for len(dst) >= 8 {
		word, out := binary.LittleEndian.Uint64(src), dst[:8:8]
		out[0] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[1] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[2] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[3] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[4] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[5] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[6] = lead + int64(word&mask)*l.scale
		word >>= w
		lead += l.slope
		out[7] = lead + int64(word&mask)*l.scale
		lead += l.slope
		dst, src = dst[8:], src[width:]
	}
	if len(dst) > 0 {
		word := binary.LittleEndian.Uint64(src)
		for i := range dst {
			dst[i] = lead + int64(word&mask)*l.scale
			word >>= w
			lead += l.slope
		}
	}
}

// unpackEach takes one number out of each load.
func (l line) unpackEach(dst []int64, src []byte, width uint) {
	lead, mask := l.lead, ^uint64(0)>>((64-width)&63)
	at := uint(0)
	for i := range dst {
		first := at / 8
		dst[i] = lead + int64(binary.LittleEndian.Uint64(src[first:first+wordBytes])>>(at%8)&mask)*l.scale
		at += width
		lead += l.slope
	}
}

// unpackAt reads the rest at an index.
func unpackAt(src []byte, index int, width uint) int64 {
	if width == 0 {
		return 0
	}
	at := uint(index) * width
	return int64(binary.LittleEndian.Uint64(src[at/8:]) >> (at % 8) & (^uint64(0) >> (64 - width)))
}
