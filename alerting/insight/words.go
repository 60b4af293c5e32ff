package insight

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unit says how a value is written.
type Unit string

// Units lists the units that values can have.
func Units() []Unit { return []Unit{"", "percent", "ratio", "bytes", "seconds", "per_second"} }

// Words writes a value in its unit, with three figures.
func (u Unit) Words(v float64) string {
	switch u {
	case "percent":
		return figures(v) + " %"
	case "ratio":
		return figures(100*v) + " %"
	case "bytes":
		return bytesWords(v)
	case "seconds":
		return secondsWords(v)
	case "per_second":
		return figures(v) + "/s"
	}
	return figures(v)
}

// Range writes what lies between two values.
func (u Unit) Range(low, high float64) string {
	a, b := u.Words(low), u.Words(high)
	if a == b {
		return a
	}
	if numA, unitA, ok := strings.Cut(a, " "); ok && strings.HasSuffix(b, " "+unitA) {
		return numA + " to " + b
	}
	return a + " to " + b
}

func figures(v float64) string {
	switch abs := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case abs >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	case abs >= 10:
		return trimmed(strconv.FormatFloat(v, 'f', 1, 64))
	case abs >= 0.01 || v == 0:
		return trimmed(strconv.FormatFloat(v, 'f', 2, 64))
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

func trimmed(s string) string {
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func bytesWords(v float64) string {
	names := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(names)-1 {
		v /= 1024
		i++
	}
	return figures(v) + " " + names[i]
}

func secondsWords(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 120:
		return Duration(time.Duration(v * float64(time.Second)))
	case abs >= 1 || v == 0:
		return figures(v) + " s"
	case abs >= 1e-3:
		return figures(v*1e3) + " ms"
	}
	return figures(v*1e6) + " µs"
}

// Duration writes a duration in its two largest units.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs()
	switch {
	case d >= 10*day:
		return fmt.Sprintf("%d d", d.Round(day)/day)
	case d >= day:
		d = d.Round(time.Hour)
		return two(int64(d/day), "d", int64(d%day/time.Hour), "h")
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return two(int64(d/time.Hour), "h", int64(d%time.Hour/time.Minute), "min")
	case d >= time.Minute:
		d = d.Round(time.Second)
		return two(int64(d/time.Minute), "min", int64(d%time.Minute/time.Second), "s")
	}
	return fmt.Sprintf("%d s", d.Round(time.Second)/time.Second)
}

func two(a int64, unitA string, b int64, unitB string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unitA)
	}
	return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
}

// When names the hour that a season compares a time with, like `on Fridays at 14:00 UTC`.
func (s Season) When(t time.Time) string {
	t = t.UTC()
	at := t.Format(" at 15:00 UTC")
	switch s {
	case HourOfWeek:
		return " on " + t.Weekday().String() + "s" + at
	case DayKind:
		if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
			return " on weekends" + at
		}
		return " on working days" + at
	case HourOfDay:
		return at
	case NoSeason:
	}
	return ""
}

// Span writes how much history a baseline was learned from.
func (b *Baseline) Span() string {
	const week = 7 * 24 * time.Hour
	d := time.Duration(b.Weeks * float64(week))
	if weeks := int(math.Round(b.Weeks)); weeks >= 2 {
		return fmt.Sprintf("%d weeks", weeks)
	}
	return Duration(d.Round(time.Hour))
}
