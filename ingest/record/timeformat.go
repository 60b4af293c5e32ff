package record

import (
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TimeFormat is how a sender writes a time. The zero value finds out.
type TimeFormat struct {
	layout string // of package time
	unit   time.Duration
}

// ParseTimeFormat reads the name of a format: auto or nothing, rfc3339, unix, unix_ms, unix_us, unix_ns, or a layout in the
// notation of Go's package time, which has the year 2006. The error is Invalid seamark-mapping-time.
func ParseTimeFormat(name string) (TimeFormat, error) {
	switch strings.ToLower(name) {
	case "", "auto", "rfc3339":
		return TimeFormat{}, nil
	case "unix":
		return TimeFormat{unit: time.Second}, nil
	case "unix_ms":
		return TimeFormat{unit: time.Millisecond}, nil
	case "unix_us":
		return TimeFormat{unit: time.Microsecond}, nil
	case "unix_ns":
		return TimeFormat{unit: time.Nanosecond}, nil
	}
	if strings.Contains(name, "2006") && len(name) <= 64 {
		return TimeFormat{layout: name}, nil
	}
	return TimeFormat{}, seamark.Errorf(seamark.Invalid, "seamark-mapping-time",
		"The time format %.64q is unknown; use auto, rfc3339, unix, unix_ms, unix_us, unix_ns, or a layout such as 2006-01-02 15:04:05.", name)
}

// Parse reads a time and returns nanoseconds since 1970, UTC; ok is false when text is not in the format.
func (f TimeFormat) Parse(text string) (nanos int64, ok bool) {
	switch {
	case f.unit != 0:
		return parseNumber(text, uint64(f.unit))
	case f.layout == "":
		return ParseTime(text)
	}
	at, err := time.Parse(f.layout, text)
	if err != nil || at.Year() < 1678 || at.Year() > 2261 {
		return 0, false
	}
	return at.UnixNano(), true
}
