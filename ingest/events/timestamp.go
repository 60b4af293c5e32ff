package events

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// timestamp reads the times that senders write, text or numbers; null, "" and Go's zero time are the zero timestamp.
type timestamp time.Time

// timestampError is the fault of a text that is no time.
type timestampError struct{ text string }

func (e *timestampError) Error() string {
	return "has the time " + clip(e.text) + ", which is not in RFC 3339"
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *timestamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	text := string(b)
	if b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return &timestampError{text}
		}
	}
	parsed, err := parseTime(text)
	*t = timestamp(parsed)
	return err
}

// parseTime reads RFC 3339, Kubernetes' own form; the layout of Go's Time.String, which kube-eventer's template prints; the
// same without a zone; and a number. Of Go's layout the zone's name is ignored, the offset before it tells all; so is the suffix of the monotonic
// clock.
func parseTime(text string) (time.Time, error) {
	if text == "" || text == "<nil>" || strings.HasPrefix(text, "0001-01-01") {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	if t, ok := numericTime(text); ok {
		return t, nil
	}
	wall, _, _ := strings.Cut(text, " m=")
	switch fields := strings.Fields(wall); len(fields) {
	case 2: // Fluent Bit's java_sql_timestamp, which is in UTC
		if t, err := time.Parse("2006-01-02 15:04:05.999999999", strings.Join(fields, " ")); err == nil {
			return t, nil
		}
	case 3, 4:
		if t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", strings.Join(fields[:3], " ")); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &timestampError{text}
}

// numericTime reads the time since 1970 in seconds, milliseconds, microseconds or nanoseconds, which its size tells: each
// unit has the years 1973 to 5138 to itself. Digits behind the point count exactly, as a float64 could not.
func numericTime(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || strings.ContainsFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }) {
		return time.Time{}, false
	}
	const oldest = 100_000_000_000 // as a number of milliseconds; more than any number of seconds
	switch {
	case n < oldest:
		nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64) // are nine digits
		return time.Unix(n, nanos).UTC(), true
	case n < oldest*1000:
		micros, _ := strconv.ParseInt((fraction + "000")[:3], 10, 64) // are three digits
		return time.UnixMilli(n).Add(time.Duration(micros) * time.Microsecond).UTC(), true
	case n < oldest*1_000_000:
		return time.UnixMicro(n).UTC(), true
	}
	return time.Unix(0, n).UTC(), true
}

// recordTime returns the time of the record around an event, the first of times that can be read.
func recordTime(times ...json.RawMessage) time.Time {
	for _, raw := range times {
		var t timestamp
		if len(raw) == 0 || t.UnmarshalJSON(raw) != nil || time.Time(t).IsZero() {
			continue
		}
		return time.Time(t)
	}
	return time.Time{}
}

// firstTime returns the first of times that is told.
func firstTime(times ...timestamp) time.Time {
	for _, t := range times {
		if !time.Time(t).IsZero() {
			return time.Time(t)
		}
	}
	return time.Time{}
}
