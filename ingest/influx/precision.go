package influx

import (
	"math"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Precision is the unit of a request's timestamps. The zero value is the default of both versions of the write API.
type Precision uint8

// The units.
const (
	Nanosecond Precision = iota
	Microsecond
	Millisecond
	Second
	Minute
	Hour
)

// ParsePrecisionV1 reads the parameter precision of /write. The error is Invalid seamark-precision-unknown.
func ParsePrecisionV1(s string) (Precision, error) {
	switch s {
	case "", "n", "ns":
		return Nanosecond, nil
	case "u", "us", "µ":
		return Microsecond, nil
	case "ms":
		return Millisecond, nil
	case "s":
		return Second, nil
	case "m":
		return Minute, nil
	case "h":
		return Hour, nil
	}
	return 0, unknownPrecision(s, "n, u, ms, s, m or h")
}

// ParsePrecisionV2 reads the parameter precision of /api/v2/write. The error is Invalid seamark-precision-unknown.
func ParsePrecisionV2(s string) (Precision, error) {
	switch s {
	case "", "ns":
		return Nanosecond, nil
	case "us":
		return Microsecond, nil
	case "ms":
		return Millisecond, nil
	case "s":
		return Second, nil
	}
	return 0, unknownPrecision(s, "ns, us, ms or s")
}

func unknownPrecision(got, want string) error {
	return seamark.Errorf(seamark.Invalid, "seamark-precision-unknown", "The parameter precision is %.16q; send %s.", got, want)
}

// milli brings a timestamp to milliseconds, rounding down; false when it does not fit.
func (p Precision) milli(t int64) (int64, bool) {
	switch p {
	case Nanosecond:
		return floorDiv(t, 1e6), true
	case Microsecond:
		return floorDiv(t, 1e3), true
	case Second:
		return scaled(t, 1e3)
	case Minute:
		return scaled(t, 60e3)
	case Hour:
		return scaled(t, 3600e3)
	}
	return t, true
}

func floorDiv(t, unit int64) int64 {
	q := t / unit
	if t%unit < 0 {
		q--
	}
	return q
}

func scaled(t, unit int64) (int64, bool) {
	if t > math.MaxInt64/unit || t < math.MinInt64/unit {
		return 0, false
	}
	return t * unit, true
}
