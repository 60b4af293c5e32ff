package deflate

import "math/bits"

const (
	litBits  = 11 // bits that the first level of the literal/length table looks at
	distBits = 8
	codeBits = 7 // a code length's own code is at most this long, so that its table has one level

	// A second-level table of 2^k entries is as deep as one of its codes and the code is complete, so that k+1 codes end
	// in it. 288 literals and lengths take at most 288/5 tables of 2^4, 922 entries; 30 distances take at most 30/8 of 2^7,
	// 480. The sizes are the next powers of two, so that a masked index needs no check.
	litSize  = 1 << (litBits + 1)
	distSize = 1 << (distBits + 2)
	codeSize = 1 << codeBits

	maxLiterals = 288 // the fixed code has two beyond the 286 in use
	maxDists    = 32
	maxCodeLen  = 15
	endOfBlock  = 256
)

// An entry of the literal table says what the next bits mean; one of the distance table has the same low half:
//
//	bits 0-5    how many bits it takes, a length's or distance's extra bits with it
//	bit 6       literals
//	bit 7       something rare: the end of the block, a second level, an unused code
//	bits 8-11   how many bits come before the extra bits. A second level: how many bits it looks at.
//	bits 12-13  literals: how many, one or two. Rare: 1 is the end of the block, 2 a second level.
//	bits 16-31  literals, the first one lowest. A length: its base in nine bits and a mask of its extra bits.
//	            A distance: its base. A second level: where it starts.
//	bits 32-44  a mask of a distance's extra bits
//
// The base and the mask are together so that a length or distance costs one load, two shifts and an addition.
const (
	takeMask    = 63
	isLiteral   = 1 << 6
	isRare      = 1 << 7
	isEnd       = 1<<12 | isRare
	isSub       = 1<<13 | isRare
	beforeShift = 8
	beforeMask  = 15
	countShift  = 12
	valueShift  = 16
	baseMask    = 511
	maskShift   = valueShift + 9
	farShift    = 32
)

// symbols has the entry of each symbol but for its code's length, which differs from block to block.
type symbols struct {
	literals [maxLiterals]uint32
	dists    [maxDists]uint64
}

// fill computes the entries from the rules behind the two tables in RFC 1951, section 3.2.5.
func (s *symbols) fill() {
	for i := range s.literals {
		switch {
		case i < endOfBlock:
			s.literals[i] = uint32(i)<<valueShift | 1<<countShift | isLiteral
		case i == endOfBlock:
			s.literals[i] = isEnd
		case i < 265:
			s.literals[i] = uint32(i-254) << valueShift
		case i < 285: // four lengths for each number of extra bits
			extra := uint32(i-261) / 4
			base := (4+uint32(i-261)%4)<<extra + 3
			s.literals[i] = (1<<extra-1)<<maskShift | base<<valueShift | extra
		case i == 285:
			s.literals[i] = 258 << valueShift
		default:
			s.literals[i] = isRare
		}
	}
	for i := range s.dists {
		switch {
		case i < 4:
			s.dists[i] = uint64(i+1) << valueShift
		case i < 30: // two distances for each number of extra bits
			extra := uint64(i-2) / 2
			base := (2+uint64(i)%2)<<extra + 1
			s.dists[i] = (1<<extra-1)<<farShift | base<<valueShift | extra
		default:
			s.dists[i] = isRare
		}
	}
}

// code sorts the symbols of a Huffman code by the lengths of their bit strings.
type code struct {
	count   [maxCodeLen + 1]int
	first   [maxCodeLen + 2]int // where each length starts in sorted
	sorted  [maxLiterals]uint16
	longest int
}

// sort takes the length of each symbol, 0 for an unused one. It refuses what compress/flate and zlib refuse: a code with
// too many or too few bit strings. A code without symbols passes, and so does one with a single symbol of one bit.
func (c *code) sort(lengths []uint8) bool {
	c.count = [maxCodeLen + 1]int{}
	for _, n := range lengths {
		c.count[n&maxCodeLen]++
	}
	unused := c.count[0]
	c.count[0] = 0
	c.longest = 0
	space := 1 << maxCodeLen
	for n := 1; n <= maxCodeLen; n++ {
		c.first[n+1] = c.first[n] + c.count[n]
		if c.count[n] > 0 {
			space -= c.count[n] << (maxCodeLen - n)
			c.longest = n
		}
	}
	used := len(lengths) - unused
	if space != 0 && used > 0 && (used != 1 || c.longest != 1) {
		return false
	}
	next := c.first
	for i, n := range lengths {
		if n != 0 {
			c.sorted[next[n&maxCodeLen]] = uint16(i)
			next[n&maxCodeLen]++
		}
	}
	return true
}

// reversed is a bit string of n bits as it comes out of the stream, its first bit lowest.
func reversed(bitString, n int) int {
	return int(bits.Reverse16(uint16(bitString)) >> (16 - n))
}

// entry is a table's entry: 64 bits for distances, whose base and mask need them, else 32.
type entry interface{ uint32 | uint64 }

// build fills table, whose first level looks at width bits, for the sorted code. entries has each symbol's entry.
func build[E entry](c *code, table, entries []E, width int) {
	// The table of n bits is the one of n-1 bits twice, with the bit strings of n bits written over it. It starts as an
	// unused code.
	table[0] = isRare
	bitString, at := 0, 0
	for n := 1; n <= width; n++ {
		copy(table[1<<(n-1):1<<n], table[:1<<(n-1)])
		bitString <<= 1
		for _, symbol := range c.sorted[at : at+c.count[n]] {
			table[reversed(bitString, n)] = entries[symbol] + E(n|n<<beforeShift)
			bitString++
		}
		at += c.count[n]
	}
	if c.longest > width {
		buildSecond(c, table, entries, bitString, width)
	}
}

// buildSecond fills the second levels; bitString is the one after the last of width bits.
func buildSecond[E entry](c *code, table, entries []E, bitString, width int) {
	prefix, free := -1, 1<<width
	var sub []E
	for n := width + 1; n <= c.longest; n++ {
		bitString <<= 1
		for at := c.first[n]; at < c.first[n+1]; at++ {
			r := reversed(bitString, n)
			if p := r & (1<<width - 1); p != prefix {
				prefix = p
				depth := c.depth(n, c.first[n+1]-at, width)
				table[p] = E(free)<<valueShift | E(depth)<<beforeShift | E(width) | isSub
				sub = table[free : free+1<<depth]
				free += 1 << depth
			}
			e := entries[c.sorted[at]] + E((n-width)|(n-width)<<beforeShift)
			for i := r >> width; i < len(sub); i += 1 << (n - width) {
				sub[i] = e
			}
			bitString++
		}
	}
}

// depth is how many bits a second level needs whose first bit string is the next of left ones with n bits.
func (c *code) depth(n, left, width int) int {
	for space := 1 << (n - width); n < c.longest; space *= 2 {
		if space -= left; space <= 0 {
			break
		}
		n++
		left = c.count[n]
	}
	return n - width
}

// pair makes one entry of two literals wherever both fit the first level. Logs have their literals in runs.
func pair(table *[litSize]uint32) {
	// An entry looks at those of the bits behind it, which stand before it and must be single still.
	for i := 1<<litBits - 1; i >= 0; i-- {
		e := table[i]
		n := e >> beforeShift & beforeMask
		if e&isLiteral == 0 || n >= litBits {
			continue
		}
		second := table[i>>n]
		if second&isLiteral != 0 && n+second&takeMask <= litBits {
			table[i] = e + second&takeMask + (second>>valueShift&0xff)<<(valueShift+8) + 1<<countShift
		}
	}
}
