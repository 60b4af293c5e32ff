// Package quantity reads and prints the quantities of LogQL: durations and amounts of bytes. It knows text alone; LogQL's
// parser, templates and engine use it.
package quantity

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// errQuantity says that a text is not the wanted kind of quantity.
var errQuantity = errors.New("not a quantity of this kind")

type unit struct {
	name string
	size float64
}

// durationUnits are Go's, and Prometheus' d, w and y, from large to small as they are printed.
var durationUnits = [...]unit{
	{"y", float64(365 * 24 * time.Hour)}, {"w", float64(7 * 24 * time.Hour)}, {"d", float64(24 * time.Hour)},
	{"h", float64(time.Hour)}, {"m", float64(time.Minute)}, {"s", float64(time.Second)}, {"ms", float64(time.Millisecond)},
	{"us", float64(time.Microsecond)}, {"µs", float64(time.Microsecond)}, {"μs", float64(time.Microsecond)}, {"ns", 1},
}

// byteUnits are those of the documentation, in lower case; k, M, G ... alone stand for the decimal unit.
var byteUnits = [...]unit{
	{"", 1}, {"b", 1},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"pb", 1e15}, {"eb", 1e18},
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"pib", 1 << 50}, {"eib", 1 << 60},
	{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}, {"p", 1e15}, {"e", 1e18},
	{"ki", 1 << 10}, {"mi", 1 << 20}, {"gi", 1 << 30}, {"ti", 1 << 40}, {"pi", 1 << 50}, {"ei", 1 << 60},
}

// ParseDuration reads durations such as 5m, 1h30m, 1.5s, 2d and -10ms; 0 needs no unit.
func ParseDuration(s string) (time.Duration, error) {
	sign := 1.0
	if strings.HasPrefix(s, "-") {
		sign, s = -1, s[1:]
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, errQuantity
	}
	var total int64
	for s != "" {
		n := numberPrefix(s)
		value, err := strconv.ParseFloat(s[:n], 64)
		if err != nil {
			return 0, errQuantity
		}
		integer, intErr := strconv.ParseInt(s[:n], 10, 64)
		s = s[n:]
		end := strings.IndexFunc(s, func(r rune) bool { return r == '.' || r >= '0' && r <= '9' })
		if end < 0 {
			end = len(s)
		}
		size, ok := sizeOf(durationUnits[:], s[:end])
		if !ok {
			return 0, errQuantity
		}
		s = s[end:]
		if value*size+float64(total) >= math.MaxInt64 {
			return 0, errQuantity
		}
		if intErr == nil { // whole numbers stay exact where a float would round
			total += integer * int64(size)
		} else {
			total += int64(math.Round(value * size))
		}
		if total < 0 {
			return 0, errQuantity
		}
	}
	return time.Duration(sign) * time.Duration(total), nil
}

// FormatDuration prints d so that ParseDuration gives it back: 1h30m, 250ms.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	rest := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		rest = -rest
	}
	for _, u := range durationUnits {
		if u.name == "y" || u.name == "w" || u.name == "µs" || u.name == "μs" {
			continue
		}
		if n := rest / uint64(u.size); n > 0 {
			b.WriteString(strconv.FormatUint(n, 10))
			b.WriteString(u.name)
			rest %= uint64(u.size)
		}
	}
	return b.String()
}

// ParseBytes reads amounts of bytes such as 20KB (decimal), 1.5KiB (binary), "5 MiB", 3k and plain numbers. Units are not
// case-sensitive.
func ParseBytes(s string) (uint64, error) {
	n := numberPrefix(s)
	if n == 0 {
		return 0, errQuantity
	}
	size, ok := sizeOf(byteUnits[:], strings.ToLower(strings.TrimLeft(s[n:], " ")))
	if !ok {
		return 0, errQuantity
	}
	if integer, err := strconv.ParseUint(s[:n], 10, 64); err == nil && size == 1 {
		return integer, nil
	}
	value, err := strconv.ParseFloat(s[:n], 64)
	if err != nil || value*size >= math.MaxUint64 {
		return 0, errQuantity
	}
	return uint64(value * size), nil
}

func sizeOf(units []unit, name string) (float64, bool) {
	for _, u := range units {
		if u.name == name {
			return u.size, true
		}
	}
	return 0, false
}

// numberPrefix returns the length of the decimal number that s begins with.
func numberPrefix(s string) int {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	return n
}
