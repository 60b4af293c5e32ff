package influx

import (
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// valueKind is what a field's value is.
type valueKind uint8

const (
	badValue valueKind = iota
	numberValue
	stringValue
)

// value reads the value at start and returns the offset behind it; what stands there is the caller's to judge.
func (s *state) value(start int) (value float64, next int, kind valueKind) {
	if start >= len(s.body) {
		return 0, start, badValue
	}
	switch c := s.body[start]; {
	case c == '"':
		if next = endOfString(s.body, start+1); next > 0 {
			return 0, next, stringValue
		}
		return 0, start, badValue
	case c-'0' <= 9, c == '-', c == '+', c == '.':
		return number(s.body, start)
	}
	return boolean(s.body, start)
}

// endOfString returns the offset behind the quote that ends the string whose text begins at i, 0 when none does. Strings
// may hold newlines; \" and \\ are escapes in them.
func endOfString(body []byte, i int) int {
	for ; i < len(body); i++ {
		switch body[i] {
		case '"':
			return i + 1
		case '\\':
			if i+1 < len(body) && (body[i+1] == '"' || body[i+1] == '\\') {
				i++
			}
		}
	}
	return 0
}

// boolean reads one of the spellings that InfluxDB knows.
func boolean(body []byte, start int) (value float64, next int, kind valueKind) {
	end := start
	for end < len(body) && end < start+6 && body[end]|0x20 >= 'a' && body[end]|0x20 <= 'z' {
		end++
	}
	switch string(body[start:end]) {
	case "t", "T", "true", "True", "TRUE":
		return 1, end, numberValue
	case "f", "F", "false", "False", "FALSE":
		return 0, end, numberValue
	}
	return 0, start, badValue
}

// maxDigits is how many decimal digits always fit a uint64.
const maxDigits = 19

// powers of ten that a float64 holds exactly.
var powers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// decimal is a number as it is written.
type decimal struct {
	negative, whole bool // whole: neither a point nor an exponent
	mantissa        uint64
	digits          int // of the mantissa, without leading zeros; beyond maxDigits the mantissa is wrong
	exponent        int
}

// number reads a float, or an integer that ends in i or u.
func number(body []byte, start int) (value float64, next int, kind valueKind) {
	d, i, ok := readDecimal(body, start)
	if !ok {
		return 0, start, badValue
	}
	text := body[start:i]
	if i < len(body) && (body[i] == 'i' || body[i] == 'u') {
		value, ok = d.integer(text, body[i] == 'u')
		i++
	} else {
		value, ok = d.float(text)
	}
	if !ok {
		return 0, start, badValue
	}
	return value, i, numberValue
}

func readDecimal(body []byte, start int) (d decimal, i int, ok bool) {
	i, d.whole = start, true
	if body[i] == '-' || body[i] == '+' {
		d.negative = body[i] == '-'
		i++
	}
	seen := false
	for ; i < len(body) && body[i]-'0' <= 9; i++ {
		d.add(body[i] - '0')
		seen = true
	}
	if i < len(body) && body[i] == '.' {
		d.whole = false
		for i++; i < len(body) && body[i]-'0' <= 9; i++ {
			d.add(body[i] - '0')
			d.exponent--
			seen = true
		}
	}
	if !seen {
		return d, start, false
	}
	if i < len(body) && body[i]|0x20 == 'e' {
		d.whole = false
		i++
		sign := 1
		if i < len(body) && (body[i] == '-' || body[i] == '+') {
			if body[i] == '-' {
				sign = -1
			}
			i++
		}
		from, e := i, 0
		for ; i < len(body) && body[i]-'0' <= 9; i++ {
			e = min(e*10+int(body[i]-'0'), 1<<20)
		}
		if i == from {
			return d, start, false
		}
		d.exponent += sign * e
	}
	return d, i, true
}

func (d *decimal) add(digit byte) {
	d.mantissa = d.mantissa*10 + uint64(digit)
	if d.digits > 0 || digit != 0 {
		d.digits++
	}
}

// integer returns the value of a 64-bit integer. Beyond 2^53 it is the nearest float.
func (d *decimal) integer(text []byte, unsigned bool) (float64, bool) {
	switch {
	case !d.whole:
		return 0, false
	case unsigned && d.digits <= maxDigits:
		return float64(d.mantissa), !d.negative || d.mantissa == 0
	case unsigned:
		v, err := strconv.ParseUint(strings.TrimPrefix(alias(text), "+"), 10, 64)
		return float64(v), err == nil
	case d.digits > maxDigits || d.mantissa > math.MaxInt64 && (!d.negative || d.mantissa > 1<<63):
		return 0, false
	case d.negative:
		return -float64(d.mantissa), true
	}
	return float64(d.mantissa), true
}

// float returns the nearest float64. Where mantissa and power are both exact, one operation rounds once, and that is the
// nearest already (Clinger's fast path).
func (d *decimal) float(text []byte) (float64, bool) {
	if d.digits > maxDigits || d.mantissa >= 1<<53 || d.exponent < -22 || d.exponent > 22 {
		v, err := strconv.ParseFloat(alias(text), 64)
		return v, err == nil
	}
	v := float64(d.mantissa)
	if d.exponent < 0 {
		v /= powers[-d.exponent]
	} else {
		v *= powers[d.exponent]
	}
	if d.negative {
		v = -v
	}
	return v, true
}

// alias returns b as a string that shares its memory.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
