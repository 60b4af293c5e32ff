package column

import "encoding/binary"

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

// steady reports whether the numbers need no rests.
func (f *frame) steady() bool { return !f.delta && f.width == 0 && f.patches == 0 }

// numbers reads the first len(dst) numbers of a block.
func (f *frame) numbers(dst []int64, body []byte) {
	f.parts(dst, body)
	if f.delta {
		sum := f.start
		for i, difference := range dst {
			sum += difference
			dst[i] = sum
		}
	}
}

// parts reads the first len(dst) numbers of a block along a line, or the differences that add up to them from start on.
func (f *frame) parts(dst []int64, body []byte) {
	l := line{lead: f.base, slope: f.slope, scale: f.scale}
	if !f.delta {
		l.lead += f.start
	}
	if f.width == 0 {
		l.fill(dst)
	} else {
		l.unpack(dst, body[f.patches*patchBytes:], f.width)
	}
	if f.patches != 0 {
		f.patch(dst, body)
	}
}

// patch replaces what is too far out to be packed. A patch takes the place of base + rest*scale.
func (f *frame) patch(dst []int64, body []byte) {
	for patches := body[:f.patches*patchBytes]; len(patches) > 0; patches = patches[patchBytes:] {
		at := int(patches[0])
		if at >= len(dst) {
			return
		}
		dst[at] = int64(binary.LittleEndian.Uint64(patches[1:]))
		if !f.delta {
			dst[at] += f.start + int64(at)*f.slope
		}
	}
}

// number reads the number at an index; buf is scratch space.
func (f *frame) number(index int, body []byte, buf *[blockLen]int64) int64 {
	if !f.delta && f.patches == 0 {
		return f.start + f.base + int64(index)*f.slope + unpackAt(body, index, f.width)*f.scale
	}
	f.numbers(buf[:index+1], body)
	return buf[index]
}
