package column

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// packer packs blocks of whole numbers. It is scratch space that its user keeps on the stack.
type packer struct {
	line  [blockLen]int64 // what is left of the numbers along a line
	delta [blockLen]int64 // their differences
}

// span is the range of rests that are packed; those outside of it are patches.
type span struct {
	base    int64
	reach   uint64 // from base to the largest
	patches int
}

// width is how many bits a packed rest takes before a common divisor is known.
func (s *span) width() uint {
	if width := uint(bits.Len64(s.reach)); width <= wideBits {
		return width
	}
	return 64
}

// bits is the room the rests of count numbers take.
func (s *span) bits(count int) int { return count*int(s.width()) + s.patches*patchBytes*8 }

// contains reports whether a number is packed.
func (s *span) contains(num int64) bool { return uint64(num-s.base) <= s.reach }

// choice is how a block of numbers will be written.
type choice struct {
	frame
	span  span
	rests []int64
	bits  int // of the rests and patches
}

// choose finds the smallest form of the numbers. Writing it overwrites them.
func (p *packer) choose(nums []int64) choice {
	count := len(nums)
	best := choice{rests: nums, span: fit(nums)}
	if slope := lineSlope(nums); slope != 0 && best.span.reach != 0 {
		for i, num := range nums {
			p.line[i] = num - int64(i)*slope
		}
		best.prefer(choice{rests: p.line[:count], frame: frame{slope: slope}})
	}
	if best.span.reach != 0 || best.span.patches != 0 {
		for i := 1; i < count; i++ {
			p.delta[i] = nums[i] - nums[i-1]
		}
		p.delta[0] = p.delta[1] // before the first number there is none: one like the next costs least
		best.prefer(choice{rests: p.delta[:count], frame: frame{delta: true, start: nums[0] - p.delta[0]}})
	}
	best.settle()
	return best
}

// lineSlope is the slope of the straight line from the first number to the last, to the nearest whole number.
func lineSlope(nums []int64) int64 {
	steps := int64(len(nums) - 1)
	if steps <= 0 {
		return 0
	}
	rise := nums[len(nums)-1] - nums[0]
	if rise < 0 {
		return (rise - steps/2) / steps
	}
	return (rise + steps/2) / steps
}

// prefer becomes the other choice if that is smaller.
func (c *choice) prefer(other choice) {
	other.span = fit(other.rests)
	if other.span.bits(len(other.rests)) < c.span.bits(len(c.rests)) {
		*c = other
	}
}

// settle fills in the frame.
func (c *choice) settle() {
	s := &c.span
	c.base, c.patches, c.scale, c.width = s.base, s.patches, 1, s.width()
	if divisor := s.divisor(c.rests); divisor > 1 {
		c.scale = int64(divisor)
		reduced := span{reach: s.reach / divisor}
		c.width = reduced.width()
	}
	c.bits = len(c.rests)*int(c.width) + c.patches*patchBytes*8
}

// append writes the block. It overwrites the rests.
func (c *choice) append(dst []byte) []byte {
	dst = appendFrame(dst, &c.frame)
	if c.patches != 0 {
		for i, num := range c.rests {
			if !c.span.contains(num) {
				dst = binary.LittleEndian.AppendUint64(append(dst, byte(i)), uint64(num))
				c.rests[i] = c.base
			}
		}
	}
	for i, num := range c.rests {
		c.rests[i] = num - c.base
	}
	if c.scale != 1 {
		for i, rest := range c.rests {
			c.rests[i] = int64(uint64(rest) / uint64(c.scale))
		}
	}
	return pack(dst, c.rests, c.width)
}

// fit finds the range of numbers to pack, so that packing and patches take the least room.
func fit(nums []int64) span {
	low, high := nums[0], nums[0]
	for _, num := range nums {
		low, high = min(low, num), max(high, num)
	}
	whole := span{base: low, reach: uint64(high - low)}
	if whole.width() < worthPatching || len(nums) < worthPatching {
		return whole
	}
	if narrow := fitPatched(nums); narrow.bits(len(nums)) < whole.bits(len(nums)) {
		return narrow
	}
	return whole
}

// worthPatching is the width, and the count, below which patches save next to nothing.
const worthPatching = 4

// fitPatched is fit around the median, with outliers.
func fitPatched(nums []int64) span {
	center := roughMedian(nums)
	var lengths [65]int // by bits of the distance from the center
	for _, num := range nums {
		away := num - center
		lengths[bits.Len64(uint64(away^away>>63))]++
	}
	best, bestLength, outside := len(nums)*64, 64, 0
	for length := 64; length > 0; length-- {
		// Distances below 2^length to both sides take a bit more.
		if cost := len(nums)*(length+1) + outside*patchBytes*8; cost < best {
			best, bestLength = cost, length
		}
		outside += lengths[length]
	}
	if len(nums)+outside*patchBytes*8 < best {
		bestLength = 0
	}
	low, high := center, center
	for _, num := range nums {
		if away := num - center; bits.Len64(uint64(away^away>>63)) <= bestLength {
			low, high = min(low, num), max(high, num)
		}
	}
	s := span{base: low, reach: uint64(high - low)}
	for _, num := range nums {
		if !s.contains(num) {
			s.patches++
		}
	}
	return s
}

// roughMedian is the median of a few of the numbers.
func roughMedian(nums []int64) int64 {
	var some [9]int64
	for i := range some {
		some[i] = nums[i*(len(nums)-1)/(len(some)-1)]
	}
	slices.Sort(some[:])
	return some[len(some)/2]
}

// divisor is the greatest common divisor of the rests that are packed, 0 when all are 0.
func (s *span) divisor(nums []int64) uint64 {
	var divisor uint64
	for _, num := range nums {
		rest := uint64(num - s.base)
		if rest > s.reach {
			continue
		}
		for rest != 0 {
			divisor, rest = rest, divisor%rest
		}
		if divisor == 1 {
			break
		}
	}
	return divisor
}
