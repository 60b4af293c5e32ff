package quantity

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1.5s": 1500 * time.Millisecond, "2d": 48 * time.Hour,
		"1w": 168 * time.Hour, "1y": 365 * 24 * time.Hour, "-10ms": -10 * time.Millisecond, "0": 0, "3µs": 3 * time.Microsecond,
		"7ns": 7, "1d1ns": 24*time.Hour + 1, "9007199254740993ns": 9007199254740993,
	} {
		got, err := ParseDuration(s)
		if err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", s, got, err, want)
		}
		if again, err := ParseDuration(FormatDuration(want)); err != nil || again != want {
			t.Errorf("FormatDuration(%v) = %q, which reads as %v, %v", want, FormatDuration(want), again, err)
		}
	}
	for _, s := range []string{"", "5", "m", "5x", "1h 5m", "1..5s", "300y", "-", "1e3s"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", s, got)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]uint64{
		"20B": 20, "20KB": 20000, "20kb": 20000, "1.5KiB": 1536, "5 MiB": 5 << 20, "3k": 3000, "1G": 1e9, "42": 42, "2TiB": 2 << 40,
		"18446744073709551615B": 1<<64 - 1,
	} {
		if got, err := ParseBytes(s); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "KB", "5X", "-5B", "1.2.3B", "99999EiB"} {
		if got, err := ParseBytes(s); err == nil {
			t.Errorf("ParseBytes(%q) = %v, want an error", s, got)
		}
	}
}
