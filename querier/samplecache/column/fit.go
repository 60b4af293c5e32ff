package column

import (
	"math/bits"
	"slices"
)

// span is the range of rests that are packed; those outside of it are patches.
type span struct {
	base    int64
	reach   uint64 // from base to the largest
	patches int
}

// rangeOf is the span of all numbers.
func rangeOf(nums []int64) span {
	low, high := nums[0], nums[0]
	for _, num := range nums {
		low, high = min(low, num), max(high, num)
	}
	return span{base: low, reach: uint64(high - low)}
}

// widthOf is how many bits a packed rest takes.
func widthOf(reach uint64) uint {
	if width := uint(bits.Len64(reach)); width <= wideBits {
		return width
	}
	return 64
}

// bits is the room that the rests of count numbers take before a common divisor is known.
func (s *span) bits(count int) int {
	return count*int(widthOf(s.reach)) + s.patches*patchBytes*8
}

// contains reports whether a number is packed.
func (s *span) contains(num int64) bool { return uint64(num-s.base) <= s.reach }

// worthPatching is the width, and the count, from which on patches save more than they take to find.
const worthPatching = 4

// patched returns a span that leaves out what lies far from the median, if that takes less room than the limit.
func (s *span) patched(nums []int64, limit int) (narrow span, smaller bool) {
	width := bits.Len64(s.reach)
	if width < worthPatching || len(nums) < worthPatching || limit <= len(nums) {
		return span{}, false
	}
	center, spread := middle(nums)
	// Most samples are without outliers, and most spans have a better rival. Both show in a few of the numbers.
	if width <= spread+2 || len(nums)*(spread-1) >= limit {
		return span{}, false
	}
	length := bestLength(nums, center)
	low, high := center, center
	for _, num := range nums {
		if away := num - center; bits.Len64(uint64(away^away>>63)) <= length {
			low, high = min(low, num), max(high, num)
		}
	}
	narrow = span{base: low, reach: uint64(high - low)}
	for _, num := range nums {
		if !narrow.contains(num) {
			narrow.patches++
		}
	}
	return narrow, narrow.bits(len(nums)) < limit
}

// middle is the median of a few of the numbers, and how many bits the range of most of them has.
func middle(nums []int64) (center int64, spread int) {
	var some [9]int64
	for i := range some {
		some[i] = nums[i*(len(nums)-1)/(len(some)-1)]
	}
	slices.Sort(some[:])
	return some[4], bits.Len64(uint64(some[7] - some[1]))
}

// bestLength is how many bits a distance from the center has at most, so that packing the near and patching the far takes
// the least room.
func bestLength(nums []int64, center int64) int {
	var lengths [65]int
	for _, num := range nums {
		away := num - center
		lengths[bits.Len64(uint64(away^away>>63))]++
	}
	best, room, far := 64, len(nums)*64, 0
	for length := 64; length >= 0; length-- {
		width := length + 1 // to both sides
		if length == 0 {
			width = 0
		}
		if r := len(nums)*width + far*patchBytes*8; r < room {
			best, room = length, r
		}
		far += lengths[length]
	}
	return best
}
