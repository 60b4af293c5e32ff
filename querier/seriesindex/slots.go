package seriesindex

import "github.com/cespare/xxhash/v2"

// slots finds numbers by hash: a table with open addressing that holds the numbers alone, four bytes each, and leaves the
// keys where they are. A Go map of the same would hold every key twice.
type slots struct {
	cells []uint32 // number + 1; 0 is free
	used  int
}

// find returns the number under hash for which same holds.
func (s *slots) find(hash uint64, same func(number uint32) bool) (uint32, bool) {
	if len(s.cells) == 0 {
		return 0, false
	}
	mask := uint64(len(s.cells) - 1)
	for at := mix(hash) & mask; s.cells[at] != 0; at = (at + 1) & mask {
		if number := s.cells[at] - 1; same(number) {
			return number, true
		}
	}
	return 0, false
}

// add puts a number that is not there. hashOf gives the hash of any number, for when the table grows.
func (s *slots) add(number uint32, hashOf func(uint32) uint64) {
	if 4*(s.used+1) > 3*len(s.cells) {
		old := s.cells
		s.cells = make([]uint32, max(64, 2*len(old)))
		for _, cell := range old {
			if cell != 0 {
				s.put(cell, hashOf(cell-1))
			}
		}
	}
	s.put(number+1, hashOf(number))
	s.used++
}

func (s *slots) put(cell uint32, hash uint64) {
	mask := uint64(len(s.cells) - 1)
	at := mix(hash) & mask
	for s.cells[at] != 0 {
		at = (at + 1) & mask
	}
	s.cells[at] = cell
}

// mix spreads hashes that differ in their high bits alone, by Fibonacci hashing.
func mix(hash uint64) uint64 { return (hash * 0x9e3779b97f4a7c15) >> 20 }

// hashPair hashes a label.
func hashPair(name, value string) uint64 {
	return xxhash.Sum64String(value)*31 + xxhash.Sum64String(name)
}
