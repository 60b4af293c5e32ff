package record

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// levelOfText reads a level: a word, a digit of syslog's severities (RFC 5424; journald's PRIORITY), or the tens of pino
// and bunyan.
func levelOfText(text string) seamark.Level {
	if text == "" || !isDigit(text[0]) {
		return level.Parse(text)
	}
	switch {
	case len(text) == 1 && text[0] <= '7':
		return [...]seamark.Level{
			seamark.LevelCritical, seamark.LevelCritical, seamark.LevelCritical, seamark.LevelError,
			seamark.LevelWarn, seamark.LevelInfo, seamark.LevelInfo, seamark.LevelDebug,
		}[text[0]-'0']
	case len(text) == 2 && text[0] >= '1' && text[0] <= '6' && text[1] == '0':
		return seamark.LevelTrace + seamark.Level(text[0]-'1')
	}
	return seamark.LevelUnknown
}

func levelOfSeverity(text string) seamark.Level {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return level.Parse(strings.TrimPrefix(text, "SEVERITY_NUMBER_")) // as protobuf's JSON writes it
	}
	return seamark.LevelOfSeverity(int32(n))
}

// ParseTime reads a point in time and returns it in nanoseconds since 1970, UTC. It takes RFC 3339 and its usual
// departures (a blank for the T, a comma before the fraction, a zone without colon or none, which is UTC) and epoch
// numbers, whose unit follows from their size: below 10^11 seconds, 10^14 milliseconds, 10^17 microseconds, else
// nanoseconds; so each unit reaches from 1973 to 5138. Numbers below 10^8 are no time, because "time" is a duration in
// many logs. Years are 1678 to 2261, the range of nanoseconds in 64 bits.
func ParseTime(text string) (nanos int64, ok bool) {
	if len(text) >= len("2006-01-02") && text[4] == '-' && text[7] == '-' {
		return parseDate(text)
	}
	return parseEpoch(text)
}

// parseDate reads "2006-01-02T15:04:05.999999999Z07:00" and what ParseTime says beside.
func parseDate(s string) (int64, bool) {
	if len(s) < len("2006-01-02T15:04:05") || s[10]|0x20 != 't' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year1, ok1 := number(s[0:2])
	year2, ok2 := number(s[2:4])
	month, ok3 := number(s[5:7])
	day, ok4 := number(s[8:10])
	hour, ok5 := number(s[11:13])
	minute, ok6 := number(s[14:16])
	second, ok7 := number(s[17:19])
	year := year1*100 + year2
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 || year < 1678 || year > 2261 ||
		month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	nanos, s := fraction(s[19:])
	offset, ok := zone(s)
	if !ok {
		return 0, false
	}
	seconds := daysSince1970(year, month, day)*86400 + hour*3600 + minute*60 + second - offset
	return seconds*int64(time.Second) + nanos, true
}

// number reads two digits.
func number(s string) (int64, bool) {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	return int64(s[0]-'0')*10 + int64(s[1]-'0'), true
}

// fraction reads a fraction of a second, of which nine digits count, and returns what is behind it.
func fraction(s string) (nanos int64, rest string) {
	if len(s) < 2 || s[0] != '.' && s[0] != ',' || !isDigit(s[1]) {
		return 0, s
	}
	i, unit := 1, int64(100_000_000)
	for ; i < len(s) && isDigit(s[i]); i++ {
		nanos += int64(s[i]-'0') * unit
		unit /= 10
	}
	return nanos, s[i:]
}

// zone reads a time zone's offset in seconds: Z, ±07:00, ±0700, ±07, or nothing for UTC.
func zone(s string) (offset int64, ok bool) {
	s = strings.TrimPrefix(s, " ")
	if s == "" || s == "Z" || s == "z" || s == "UTC" {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) != 2 && len(digits) != 4 {
		return 0, false
	}
	hours, ok := number(digits[:2])
	minutes := int64(0)
	if ok && len(digits) == 4 {
		minutes, ok = number(digits[2:])
	}
	if !ok || hours > 23 || minutes > 59 {
		return 0, false
	}
	return sign * (hours*3600 + minutes*60), true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts days in the Gregorian calendar, with years that begin in March, so that leap days come last.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	const from0To1970 = 719468 // from 0000-03-01 to 1970-01-01
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - from0To1970
}

// parseEpoch reads a number of seconds, milliseconds, microseconds or nanoseconds, with or without a fraction.
func parseEpoch(s string) (int64, bool) { return parseNumber(s, 0) }

// parseNumber reads a number of units of so many nanoseconds; unit 0 goes by the number's size.
func parseNumber(s string, unit uint64) (int64, bool) {
	whole, i := uint64(0), 0
	for ; i < len(s) && isDigit(s[i]); i++ {
		if i == 19 { // more digits than 64 bits of nanoseconds have
			return 0, false
		}
		whole = whole*10 + uint64(s[i]-'0')
	}
	if i == 0 {
		return 0, false
	}
	nanos, rest := fraction(s[i:])
	if rest != "" {
		return parseExponent(s, unit)
	}
	if unit == 0 {
		unit = unitOf(float64(whole))
	}
	if unit == 0 || whole > math.MaxInt64/unit {
		return 0, false
	}
	at := whole*unit + uint64(nanos)*unit/uint64(time.Second)
	return int64(at), at <= math.MaxInt64
}

// parseExponent reads "1.785e9", as some encoders write large floats; it is exact to about a microsecond.
func parseExponent(s string, unit uint64) (int64, bool) {
	if strings.Trim(s, "0123456789.eE+-") != "" { // ParseFloat takes "0x1p3" and "1_0" too
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if unit == 0 {
		unit = unitOf(f)
	}
	if err != nil || unit == 0 || f < 0 || f*float64(unit) >= math.MaxInt64 {
		return 0, false
	}
	whole := math.Floor(f)
	return int64(whole)*int64(unit) + int64((f-whole)*float64(unit)), true
}

// unitOf returns the nanoseconds in the unit of an epoch number, 0 when it is too small to be one.
func unitOf(n float64) uint64 {
	switch {
	case n < 1e8:
		return 0
	case n < 1e11:
		return 1e9
	case n < 1e14:
		return 1e6
	case n < 1e17:
		return 1e3
	}
	return 1
}
