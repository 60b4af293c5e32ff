package column

import (
	"math"
	"math/bits"
)

// divisor divides without a division, which would take longer than everything else that is done to a number. It is a power
// of two times an odd number, and that has an inverse modulo 2^64: its product with a multiple is the quotient, and with
// anything else is more than any quotient.
type divisor struct {
	num     uint64
	shift   uint
	inverse uint64 // of the odd part
	most    uint64 // largest quotient by the odd part
}

func newDivisor(num uint64) divisor {
	shift := uint(bits.TrailingZeros64(num))
	odd := num >> shift
	inverse := odd * odd * odd // right in the lowest 4 bits, and each step doubles them
	for range 4 {
		inverse *= 2 - odd*inverse
	}
	return divisor{num: num, shift: shift, inverse: inverse, most: math.MaxUint64 / odd}
}

// divides reports whether a number is a multiple.
func (d *divisor) divides(num uint64) bool {
	return num&(1<<d.shift-1) == 0 && num>>d.shift*d.inverse <= d.most
}

// quotient divides a multiple.
func (d *divisor) quotient(multiple uint64) uint64 { return multiple >> d.shift * d.inverse }

// commonDivisor is the greatest that divides every distance from the base in a span of more than one number.
func (s *span) commonDivisor(nums []int64) divisor {
	common := newDivisor(s.reach) // the distance of the largest
	for _, num := range nums {
		if distance := uint64(num - s.base); distance <= s.reach && !common.divides(distance) {
			if common = newDivisor(gcd(common.num, distance)); common.num == 1 {
				break
			}
		}
	}
	return common
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
