package events

import (
	"encoding/json"
	"strings"
	"time"
)

// timestamp reads the times that senders write; null, "" and Go's zero time are the zero timestamp.
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
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return &timestampError{string(b)}
	}
	parsed, err := parseTime(text)
	*t = timestamp(parsed)
	return err
}

// parseTime reads RFC 3339, Kubernetes' own form, and the layout of Go's Time.String, which kube-eventer's template
// prints. The zone's name is ignored, the offset before it tells all; so is the suffix of the monotonic clock.
func parseTime(text string) (time.Time, error) {
	if text == "" || text == "<nil>" || strings.HasPrefix(text, "0001-01-01") {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	wall, _, _ := strings.Cut(text, " m=")
	if fields := strings.Fields(wall); len(fields) == 3 || len(fields) == 4 {
		if t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", strings.Join(fields[:3], " ")); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &timestampError{text}
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
