// Package gram makes filters that tell which runs of log lines cannot hold a text. A filter is the set of the grams of its
// lines: their runs of five bytes, without regard to case, as numbers of 16 bits. A line holds a text only if the lines'
// set holds all grams of the text, whatever stands around it in the line, so a filter serves LogQL's `|=`, which finds parts
// of words. A set has 8 KiB at most and holds half a MiB of lines before it is too full to tell ids apart.
package gram

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

const (
	// Size is the number of different grams.
	Size = 1 << 16
	// Width is the length of a gram in bytes; shorter texts have none. Of four there are 65,536 that hexadecimal ids are made
	// of, and two thousand lines have most of them; of five they have a tenth.
	Width = 5

	gramBits = 1<<(8*Width) - 1

	// lower folds ASCII letters to lower case, all bytes at once. It also folds some other characters onto each other, which
	// costs nothing: both sides do.
	lower = 0x2020202020
	// multiplier spreads the bits of the bytes, which stand in the upper ones, over the topmost (Fibonacci hashing, Knuth, TAOCP 6.4).
	multiplier = 0x9e3779b97f4a7c15
)

// hash numbers a gram: its five bytes, the first lowest.
func hash(g uint64) uint16 { return uint16(((g | lower) * multiplier) >> 48) }

// Set is a set of grams. The zero Set is empty.
type Set [Size / 64]uint64

// Add adds the grams of a line.
func (s *Set) Add(line string) {
	if len(line) < 8 {
		for _, n := range Of(line) {
			s.Insert(n)
		}
		return
	}
	for ; len(line) > 8; line = line[4:] {
		s.addFour(line)
		if len(line) < 12 { // the last eight bytes hold the grams that are left; some of them for the second time
			line = line[len(line)-8:]
			break
		}
	}
	s.addFour(line)
}

// addFour adds the grams of the first eight bytes of a text.
func (s *Set) addFour(text string) {
	_ = text[7]
	w := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
	s.Insert(hash(w & gramBits))
	s.Insert(hash(w >> 8 & gramBits))
	s.Insert(hash(w >> 16 & gramBits))
	s.Insert(hash(w >> 24))
}

// Len returns how many grams are in s.
func (s *Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Has reports whether all of grams are in s.
func (s *Set) Has(grams []uint16) bool {
	for _, n := range grams {
		if s[n>>6]&(1<<(n&63)) == 0 {
			return false
		}
	}
	return true
}

// Of returns the different grams of a text, in ascending order; none if it is too short to have one.
func Of(text string) []uint16 {
	var grams []uint16
	g := uint64(0)
	for i := range len(text) {
		g = g>>8 | uint64(text[i])<<56
		if i >= Width-1 {
			grams = append(grams, hash(g>>24))
		}
	}
	slices.Sort(grams)
	return slices.Compact(grams)
}

// The parts of a state that are the same for all sets.
const (
	kindBitmap = 1     // not the list that ClickHouse keeps of up to 32 numbers
	cookie     = 12346 // of a bitmap without runs
	headBytes  = 16
	// maxArray is the largest number of values that is written as a list of them.
	maxArray = 4096
)

// AppendState appends s as a state of ClickHouse's groupBitmap over UInt16: the kind, the size, and a Roaring bitmap of one
// container (AggregateFunctionGroupBitmapData.h; the Roaring format specification, "Roaring bitmap on disk").
func (s *Set) AppendState(b []byte) []byte {
	n := s.Len()
	if n == 0 {
		return append(b, 0, 0)
	}
	size := headBytes + Size/8
	if n <= maxArray {
		size = headBytes + 2*n
	}
	b = append(b, kindBitmap)
	b = binary.AppendUvarint(b, uint64(size))
	b = binary.LittleEndian.AppendUint32(b, cookie)
	b = binary.LittleEndian.AppendUint32(b, 1) // containers
	b = binary.LittleEndian.AppendUint16(b, 0) // the upper halves of its values
	b = binary.LittleEndian.AppendUint16(b, uint16(n-1))
	b = binary.LittleEndian.AppendUint32(b, headBytes)
	if n > maxArray {
		for _, w := range s {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		return b
	}
	for _, v := range s.List() {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// The rest of what ClickHouse writes: the cookie of a bitmap with runs, which one byte of flags follows if it has one container.
const (
	cookieRuns   = 12347
	runHeadBytes = 9
)

var errState = errors.New("a state of grams is broken")

// ParseState sets s to a state of ClickHouse's groupBitmap over UInt16, as AppendState or the server has written it.
func (s *Set) ParseState(state string) error {
	*s = Set{}
	b := []byte(state)
	if len(b) < 2 {
		return errState
	}
	kind := b[0]
	size, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return errState
	}
	b = b[1+n:]
	if kind != kindBitmap { // a list
		return s.addList(b, int(size))
	}
	if size != uint64(len(b)) || len(b) < 4 {
		return errState
	}
	switch cookieOf := binary.LittleEndian.Uint32(b); {
	case cookieOf == cookieRuns && len(b) >= runHeadBytes && b[4] == 1:
		return s.addRuns(b[runHeadBytes:])
	case cookieOf == cookieRuns && len(b) >= runHeadBytes && b[4] == 0:
		return s.addContainer(b[runHeadBytes:], binary.LittleEndian.Uint16(b[7:]))
	case cookieOf == cookie && len(b) == 8 && binary.LittleEndian.Uint32(b[4:]) == 0:
		return nil
	case cookieOf == cookie && len(b) >= headBytes && binary.LittleEndian.Uint32(b[4:]) == 1:
		return s.addContainer(b[headBytes:], binary.LittleEndian.Uint16(b[10:]))
	}
	return errState
}

// Insert adds a gram.
func (s *Set) Insert(n uint16) { s[n>>6] |= 1 << (n & 63) }

func (s *Set) addList(b []byte, n int) error {
	if n < 0 || len(b) != 2*n {
		return errState
	}
	for ; len(b) > 0; b = b[2:] {
		s.Insert(binary.LittleEndian.Uint16(b))
	}
	return nil
}

// addContainer adds a list or a bitmap of one more value than last.
func (s *Set) addContainer(b []byte, last uint16) error {
	if n := int(last) + 1; n <= maxArray {
		return s.addList(b, n)
	}
	if len(b) != Size/8 {
		return errState
	}
	for i := range s {
		s[i] |= binary.LittleEndian.Uint64(b[8*i:])
	}
	return nil
}

// addRuns adds runs, each a value and how many follow it.
func (s *Set) addRuns(b []byte) error {
	if len(b) < 2 || len(b) != 2+4*int(binary.LittleEndian.Uint16(b)) {
		return errState
	}
	for b = b[2:]; len(b) > 0; b = b[4:] {
		first, more := int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
		if first+more >= Size {
			return errState
		}
		for n := first; n <= first+more; n++ {
			s.Insert(uint16(n))
		}
	}
	return nil
}

// Union adds all grams of o to s.
func (s *Set) Union(o *Set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// List returns the grams in s, in ascending order.
func (s *Set) List() []uint16 {
	list := make([]uint16, 0, s.Len())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, uint16(i<<6|bits.TrailingZeros64(w)))
		}
	}
	return list
}
