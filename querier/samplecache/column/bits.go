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

// unpack reads as many numbers as dst holds. Src goes on for wordBytes after the last of them.
func unpack(dst []int64, src []byte, width uint) {
	switch {
	case width == 0:
		clear(dst)
	case width <= 8:
		unpackNarrow(dst, src, width)
	default:
		unpackWide(dst, src, width)
	}
}

// unpackNarrow takes eight numbers, which are width bytes, out of each load.
func unpackNarrow(dst []int64, src []byte, width uint) {
	mask := uint64(1)<<width - 1
	w := width & 63 // says that shifts need no check
	for len(dst) >= 8 {
		word := binary.LittleEndian.Uint64(src)
		out := dst[:8:8]
		out[0] = int64(word & mask)
		out[1] = int64(word >> w & mask)
		word >>= 2 * w & 63
		out[2] = int64(word & mask)
		out[3] = int64(word >> w & mask)
		word >>= 2 * w & 63
		out[4] = int64(word & mask)
		out[5] = int64(word >> w & mask)
		word >>= 2 * w & 63
		out[6] = int64(word & mask)
		out[7] = int64(word >> w & mask)
		dst, src = dst[8:], src[width:]
	}
	if len(dst) > 0 {
		word := binary.LittleEndian.Uint64(src)
		for i := range dst {
			dst[i] = int64(word & mask)
			word >>= w
		}
	}
}

// unpackWide takes one number out of each load.
func unpackWide(dst []int64, src []byte, width uint) {
	mask := ^uint64(0) >> ((64 - width) & 63)
	at := uint(0)
	for i := range dst {
		dst[i] = int64(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask)
		at += width
	}
}

// unpackOne reads the number at an index.
func unpackOne(src []byte, index int, width uint) int64 {
	if width == 0 {
		return 0
	}
	at := uint(index) * width
	return int64(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & (^uint64(0) >> ((64 - width) & 63)))
}
