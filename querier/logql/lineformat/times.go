package lineformat

import (
	"fmt"
	"strconv"
	"text/template"
	"time"

	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

func (e *Executor) timeFunctions() template.FuncMap {
	return template.FuncMap{
		timeFunction:   func() time.Time { return time.Unix(0, e.at).UTC() },
		"now":          func() time.Time { return e.now().UTC() },
		"date":         date,
		"toDate":       func(layout, s string) time.Time { return parseTime(layout, s, time.UTC) },
		"toDateInZone": func(layout, zone, s string) time.Time { return parseTime(layout, s, e.zone(zone)) },
		"unixEpoch":    func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
		"unixEpochMillis": func(t time.Time) string {
			return strconv.FormatInt(t.UnixMilli(), 10)
		},
		"unixEpochNanos":   func(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) },
		"unixToTime":       unixToTime,
		"duration":         seconds,
		"duration_seconds": seconds,
		"bytes": func(s string) (float64, error) {
			n, err := quantity.ParseBytes(s)
			if err != nil {
				return 0, fmt.Errorf("%q is no amount of bytes such as 5MB", s)
			}
			return float64(n), nil
		},
	}
}

// parseTime reads a time; one that is not as the layout says is the zero time.
func parseTime(layout, s string, zone *time.Location) time.Time {
	t, err := time.ParseInLocation(layout, s, zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// date prints a time, or seconds since 1970.
func date(layout string, v any) (string, error) {
	switch v := v.(type) {
	case time.Time:
		return v.Format(layout), nil
	case int, int64, float64:
		return time.Unix(whole(v), 0).UTC().Format(layout), nil
	}
	return "", fmt.Errorf("date takes a time, such as what toDate and unixToTime return, and not %v", v)
}

// unixToTime reads days, seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits.
func unixToTime(epoch string) (time.Time, error) {
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err == nil {
		switch len(epoch) {
		case 5:
			return time.Unix(n*24*60*60, 0).UTC(), nil
		case 10:
			return time.Unix(n, 0).UTC(), nil
		case 13:
			return time.UnixMilli(n).UTC(), nil
		case 16:
			return time.UnixMicro(n).UTC(), nil
		case 19:
			return time.Unix(0, n).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time in days, seconds, milliseconds, microseconds or nanoseconds since 1970", epoch)
}

func seconds(s string) (float64, error) {
	d, err := quantity.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as 1m30s", s)
	}
	return d.Seconds(), nil
}
