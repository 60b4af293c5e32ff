package column

import "math"

const (
	// maxDigits is how many digits behind the point a value may have as a whole number of tenths, hundredths and so on.
	// Powers of ten up to 10^22 are floats without rounding; beyond 17 digits nothing is gained over bit patterns.
	maxDigits = 17
	// maxExact is where floats stop to hold every whole number.
	maxExact = 1 << 53
	// maxOdd is how many values of a block may be no decimals. Each takes as much room as a bit pattern.
	maxOdd = 16
	// maxSearches is how many finite values of a block may be no decimals: each is tried with every power of ten.
	maxSearches = 4
)

// powers are those of ten by the number of digits. It is read only.
var powers = [maxDigits + 1]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17}

// toDecimal returns the whole number that gives back every bit of v when it is divided by a power of ten, if there is one.
// Division rounds correctly, so it gives back what was read from a text of few digits; a product with 0.1 would not.
func toDecimal(v, power float64) (num int64, exact bool) {
	// What is added leaves no room for digits behind the point. It rounds wrongly from 2^51 on, which the bits then show.
	const rounding = 3 << 51
	scaled := v * power
	if !(scaled > -maxExact && scaled < maxExact) { // NaN is neither
		return 0, false
	}
	if power == 1 {
		num = int64(v)
		return num, math.Float64bits(float64(num)) == math.Float64bits(v)
	}
	num = int64(scaled + rounding - rounding)
	return num, math.Float64bits(float64(num)/power) == math.Float64bits(v)
}

// digitsOf returns how many digits v has behind the point, at least as many as given.
func digitsOf(v float64, atLeast int) (digits int, found bool) {
	for digits = atLeast; digits <= maxDigits; digits++ {
		if _, exact := toDecimal(v, powers[digits]); exact {
			return digits, true
		}
	}
	return 0, false
}

func isFinite(v float64) bool { return v-v == 0 }

// decimals are the values of a block as whole numbers of 10^-digits.
type decimals struct {
	packer
	digits int
	odds   [maxOdd]byte // positions of values that are no decimals; they have the number of a neighbour
	odd    int          // how many
}

// fill converts values. It reports false when too many of them are no decimals.
func (d *decimals) fill(values []float64) bool {
	d.digits, _ = digitsOf(values[0], 0)
	for {
		digits, filled := d.convert(values)
		if digits == d.digits {
			return filled
		}
		d.digits = digits
	}
}

// convert converts values with the digits there are. It gives up at a value that has more, and returns how many.
func (d *decimals) convert(values []float64) (digits int, filled bool) {
	d.odd = 0
	searches, last, scale := 0, int64(0), powers[d.digits]
	for i, v := range values {
		num, exact := toDecimal(v, scale)
		if exact {
			last = num
			d.nums[i] = num
			continue
		}
		if isFinite(v) {
			if more, found := digitsOf(v, d.digits+1); found {
				return more, false
			}
			searches++
		}
		if d.odd == maxOdd || searches > maxSearches {
			return d.digits, false
		}
		d.odds[d.odd] = byte(i)
		d.odd++
		d.nums[i] = last
	}
	return d.digits, d.fillLeading(len(values))
}

// fillLeading gives the values before the first decimal its number. It reports false when there is none.
func (d *decimals) fillLeading(count int) bool {
	leading := 0
	for leading < d.odd && int(d.odds[leading]) == leading {
		leading++
	}
	if leading == count {
		return false
	}
	for i := range leading {
		d.nums[i] = d.nums[leading]
	}
	return true
}
