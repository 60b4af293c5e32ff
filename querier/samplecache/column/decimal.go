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

// power returns ten to the given number of digits.
func power(digits int) float64 { return powers[digits] }

// powers is read only.
var powers = [32]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17}

// toDecimal returns the whole number that gives back every bit of v when it is divided by the power of ten, if there is one.
// Division rounds correctly, so it gives back what was read from a text of few digits; a product with 0.1 would not.
func toDecimal(v, power float64) (num int64, exact bool) {
	scaled := v * power
	if !(scaled > -maxExact && scaled < maxExact) { // NaN is neither
		return 0, false
	}
	num = int64(scaled + math.Copysign(0.5, scaled))
	return num, math.Float64bits(float64(num)/power) == math.Float64bits(v)
}

// digitsOf returns how many digits v has behind the point, at least as many as given.
func digitsOf(v float64, atLeast int) (digits int, found bool) {
	for digits = atLeast; digits <= maxDigits; digits++ {
		if _, exact := toDecimal(v, power(digits)); exact {
			return digits, true
		}
	}
	return 0, false
}

// decimals are the values of a block as whole numbers of 10^-digits.
type decimals struct {
	nums   [blockLen]int64
	digits int
	odds   [maxOdd]byte // positions of values that are no decimals; they have a neighbour's number
	odd    int          // how many
}

// fill converts values. It reports false when too many of them are no decimals.
func (d *decimals) fill(values []float64) bool {
	d.digits = 0
	searches := 0
	for _, v := range values {
		if _, exact := toDecimal(v, power(d.digits)); exact || !isFinite(v) {
			continue
		}
		if digits, found := digitsOf(v, d.digits+1); found {
			d.digits = digits
		} else if searches++; searches > maxSearches {
			return false
		}
	}
	return d.convert(values)
}

// convert converts values with the digits that were found.
func (d *decimals) convert(values []float64) bool {
	d.odd = 0
	scale := power(d.digits)
	last, known := int64(0), 0
	for i, v := range values {
		num, exact := toDecimal(v, scale)
		if exact {
			last = num
			known++
		} else {
			if d.odd == maxOdd {
				return false
			}
			d.odds[d.odd] = byte(i)
			d.odd++
		}
		d.nums[i] = last
	}
	if known == 0 {
		return false
	}
	// What stands before the first decimal takes its number.
	leading := 0
	for leading < d.odd && int(d.odds[leading]) == leading {
		leading++
	}
	for i := range leading {
		d.nums[i] = d.nums[leading]
	}
	return true
}

func isFinite(v float64) bool { return v-v == 0 }
