// Package lz4 writes blocks of the LZ4 format (lz4_Block_format.md). It is the encoder of everything that ingest sends, where
// the general packages spend more time than all decoding together; it favours speed over ratio and has no decoder, because
// ClickHouse is the reader. It imports nothing of ours.
package lz4

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

const (
	minMatch     = 4
	maxOffset    = 1<<16 - 1
	lastLiterals = 5  // a block ends in at least so many literals
	matchMargin  = 12 // and no match begins later than so many bytes before its end
	tableBits    = 13 // 32 KiB: the table stays in the first-level cache
	// skipFrom is the bytes from one look to the next at first: looking at each byte takes a third longer and gains half a
	// percent on log lines.
	skipFrom = 3
	// skipShift sets how fast the search hurries through data that does not compress: one byte more per step after each
	// 64 misses.
	skipShift = 6
)

// Encoder holds the table of places seen. It is not safe for concurrent use.
type Encoder struct {
	table [1 << tableBits]uint32
}

// Bound returns the largest size of the block of n bytes.
func Bound(n int) int { return n + n/255 + 16 }

// AppendBlock appends src as one block to dst. src must be shorter than 2 GiB.
func (e *Encoder) AppendBlock(dst, src []byte) []byte {
	start := len(dst)
	if need := Bound(len(src)); cap(dst)-start < need {
		dst = append(make([]byte, 0, 2*cap(dst)+need), dst...)
	}
	if len(src) <= matchMargin {
		n := putLast(dst[start:cap(dst)], src)
		return dst[:start+n]
	}
	return dst[:start+e.compress(dst[start:cap(dst)], src)]
}

// compress writes the block of src to dst, which has room for Bound(len(src)), and returns its size. Reads of src stay below
// its end by the margins; they go past Go's bounds checks because those are a third of the time here.
func (e *Encoder) compress(dst, src []byte) int {
	clear(e.table[:])
	base := unsafe.Pointer(unsafe.SliceData(src))
	var (
		out    int
		anchor uint32
		ip     uint32 = 1
	)
	matchLimit, end := uint32(len(src)-matchMargin), uint32(len(src)-lastLiterals)
	for {
		ref, found := e.search(base, &ip, matchLimit)
		if !found {
			return out + putLast(dst[out:], src[anchor:])
		}
		for ip > anchor && ref > 0 && load8(base, ip-1) == load8(base, ref-1) {
			ip, ref = ip-1, ref-1
		}
		for {
			length := matchLength(base, ref+minMatch, ip+minMatch, end)
			out += putSequence(dst[out:], src[anchor:ip], ip-ref, length)
			ip += minMatch + length
			anchor = ip
			if ip > matchLimit {
				return out + putLast(dst[out:], src[anchor:])
			}
			e.table[hash(load64(base, ip-2))] = ip - 2
			h := hash(load64(base, ip))
			ref = e.table[h]
			e.table[h] = ip
			if ip-ref > maxOffset || load32(base, ref) != load32(base, ip) {
				break
			}
		}
		ip++
	}
}

// search looks for the next place at or behind *at whose four bytes were seen less than 64 KiB before.
func (e *Encoder) search(base unsafe.Pointer, at *uint32, limit uint32) (ref uint32, found bool) {
	ip, step := *at, uint32(skipFrom<<skipShift)
	for ip <= limit {
		word := load64(base, ip)
		h := hash(word)
		ref = e.table[h]
		e.table[h] = ip
		if ip-ref <= maxOffset && ref < ip && load32(base, ref) == load32(base, ip) {
			*at = ip
			return ref, true
		}
		ip += step >> skipShift
		step++
	}
	return 0, false
}

// hash spreads the lowest five bytes of word over the table.
func hash(word uint64) uint32 {
	const prime = 889523592379 // of the reference implementation: mixes five bytes well
	return uint32((word << 24 * prime) >> (64 - tableBits))
}

// matchLength counts the equal bytes from a and b on, up to limit for b.
func matchLength(base unsafe.Pointer, a, b, limit uint32) uint32 {
	start := b
	for b+8 <= limit {
		if diff := load64(base, a) ^ load64(base, b); diff != 0 {
			return b - start + uint32(bits.TrailingZeros64(diff)>>3)
		}
		a, b = a+8, b+8
	}
	for b < limit && load8(base, a) == load8(base, b) {
		a, b = a+1, b+1
	}
	return b - start
}

// putSequence writes literals and the match behind them; length is without the four bytes that every match has.
func putSequence(dst, literals []byte, offset, length uint32) int {
	token := &dst[0]
	n := putLiterals(dst, literals)
	binary.LittleEndian.PutUint16(dst[n:], uint16(offset))
	n += 2
	if length < 15 {
		*token |= byte(length)
		return n
	}
	*token |= 15
	return n + putLength(dst[n:], length-15)
}

// putLast writes the literals that end a block.
func putLast(dst, literals []byte) int { return putLiterals(dst, literals) }

func putLiterals(dst, literals []byte) int {
	n := 1
	if size := uint32(len(literals)); size < 15 {
		dst[0] = byte(size << 4)
	} else {
		dst[0] = 15 << 4
		n += putLength(dst[1:], size-15)
	}
	return n + copy(dst[n:], literals)
}

func putLength(dst []byte, rest uint32) int {
	n := 0
	for rest >= 255 {
		dst[n] = 255
		n, rest = n+1, rest-255
	}
	dst[n] = byte(rest)
	return n + 1
}

func load8(base unsafe.Pointer, i uint32) byte { return *(*byte)(unsafe.Add(base, i)) }

func load32(base unsafe.Pointer, i uint32) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(base, i))[:])
}

func load64(base unsafe.Pointer, i uint32) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(base, i))[:])
}
