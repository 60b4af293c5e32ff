package syslog

import (
	"bytes"
	"time"
)

// parseTimestamp reads a timestamp of either RFC, with the stars and dots of clocks that are not set (Cisco), and returns
// the bytes it takes.
func parseTimestamp(text []byte, clock Clock) (nano int64, n int, ok bool) {
	if len(text) == 0 {
		return 0, 0, false
	}
	if isDigit(text[0]) {
		return parseISO(text, clock)
	}
	skip := 0
	if text[0] == '*' || text[0] == '.' {
		skip = 1
	}
	nano, n, ok = parseBSD(text[skip:], clock)
	return nano, n + skip, ok
}

// parseISO reads "2003-10-11T22:14:15.003Z" with up to nine digits of a fraction. Without a zone it is the clock's.
func parseISO(text []byte, clock Clock) (nano int64, n int, ok bool) {
	const date = len("2003-10-11T")
	if len(text) < date+len("22:14:15") || text[4] != '-' || text[7] != '-' || text[10]|0x20 != 't' {
		return 0, 0, false
	}
	year, ok1 := number(text[:4])
	month, ok2 := number(text[5:7])
	day, ok3 := number(text[8:10])
	seconds, fraction, n, ok4 := parseClock(text[date:])
	if !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, 0, false
	}
	n += date
	zone, size, ok := parseZone(text[n:])
	if !ok {
		return 0, 0, false
	}
	at := date1970(year, month, day, seconds, fraction, clock, size > 0)
	if at.Day() != day { // the 31st of a month of 30 days
		return 0, 0, false
	}
	return at.UnixNano() - int64(zone)*int64(time.Second), n + size, true
}

// date1970 makes a time of its parts, in the clock's zone unless utc.
func date1970(year, month, day, seconds, fraction int, clock Clock, utc bool) time.Time { //nolint:revive // the parts of a time
	location := clock.Location
	if utc || location == nil {
		location = time.UTC
	}
	return time.Date(year, time.Month(month), day, 0, 0, seconds, fraction, location)
}

// parseClock reads "22:14:15.003" as seconds of the day and nanoseconds. A leap second is the next one's first.
func parseClock(text []byte) (seconds, nanos, n int, ok bool) {
	const size = len("22:14:15")
	if len(text) < size || text[2] != ':' || text[5] != ':' {
		return 0, 0, 0, false
	}
	h, ok1 := number(text[:2])
	m, ok2 := number(text[3:5])
	s, ok3 := number(text[6:size])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 60 {
		return 0, 0, 0, false
	}
	n = size
	if len(text) > n+1 && (text[n] == '.' || text[n] == ',') && isDigit(text[n+1]) {
		n++
		for scale := 100_000_000; n < len(text) && isDigit(text[n]); n++ {
			nanos += int(text[n]-'0') * scale
			scale /= 10
		}
	}
	return h*3600 + m*60 + s, nanos, n, true
}

// parseZone reads "Z", "+02:00" or nothing as seconds east of UTC.
func parseZone(text []byte) (seconds, n int, ok bool) {
	if len(text) == 0 || text[0] == ' ' || text[0] == ':' {
		return 0, 0, true
	}
	switch text[0] {
	case 'Z', 'z':
		return 0, 1, true
	case '+', '-':
		const colon, plain = len("+02:00"), len("+0200")
		minutes, size := text[min(len(text), 3):], plain
		if len(text) >= colon && text[3] == ':' {
			minutes, size = text[4:], colon
		}
		if len(text) < size {
			return 0, 0, false
		}
		h, ok1 := number(text[1:3])
		m, ok2 := number(minutes[:2])
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return 0, 0, false
		}
		seconds = h*3600 + m*60
		if text[0] == '-' {
			seconds = -seconds
		}
		return seconds, size, true
	}
	return 0, 0, false
}

// parseBSD reads "Oct 11 22:14:15", where the day may be padded, a year may follow the day, and a fraction and the name of
// a zone may follow the time. Only UTC and GMT are known for zones: others mean different things in different places, and
// are read as the clock's.
func parseBSD(text []byte, clock Clock) (nano int64, n int, ok bool) {
	month, ok := monthOf(text)
	if !ok {
		return 0, 0, false
	}
	i := 4
	for i < len(text) && i < 6 && text[i] == ' ' {
		i++
	}
	day, i, ok := digits(text, i, 2)
	if !ok || day < 1 || day > 31 || i >= len(text) || text[i] != ' ' {
		return 0, 0, false
	}
	i++
	year := 0
	if len(text) > i+4 && text[i+4] == ' ' {
		if year, ok = number(text[i : i+4]); ok {
			i += 5
		}
	}
	if i+2 < len(text) && text[i] == ' ' {
		i++
	}
	seconds, fraction, size, ok := parseClock(text[min(i, len(text)):])
	if !ok {
		return 0, 0, false
	}
	i += size
	size, utc := zoneName(text[i:])
	i += size
	if i < len(text) && text[i] != ' ' && text[i] != ':' {
		return 0, 0, false
	}
	at, ok := inYear(year, day, clock, func(y int) time.Time { return date1970(y, month, day, seconds, fraction, clock, utc) })
	if !ok {
		return 0, 0, false
	}
	return at.UnixNano(), i, true
}

func digits(text []byte, from, most int) (value, end int, ok bool) {
	end = from
	for end < len(text) && end < from+most && isDigit(text[end]) {
		end++
	}
	if end == from {
		return 0, end, false
	}
	value, ok = number(text[from:end])
	return value, end, ok
}

// maxAhead is how far a time without a year may lie ahead of now before it is taken for last year's: a zone that was not
// told makes up to 14 hours.
const maxAhead = 25 * time.Hour

// inYear returns the time in the given year, or, when the message told none, in the latest year that does not put it into
// the future: around New Year a sender's December is last year's, and a clock that runs ahead is in the next.
func inYear(year, day int, clock Clock, in func(year int) time.Time) (at time.Time, ok bool) {
	if year != 0 {
		at = in(year)
		return at, at.Day() == day
	}
	for y := clock.Now.Year() + 1; y >= clock.Now.Year()-1; y-- {
		at = in(y)
		if at.Day() == day && at.Sub(clock.Now) <= maxAhead { // the 29th of February is not in every year
			return at, true
		}
	}
	return time.Time{}, false
}

// monthOf reads the month's three letters and the blank behind them.
func monthOf(text []byte) (month int, ok bool) {
	const months = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if len(text) < len("Oct 1 22:14:15") || text[3] != ' ' {
		return 0, false
	}
	i := bytes.Index([]byte(months), text[:3])
	return i/3 + 1, i >= 0 && i%3 == 0
}

// zoneName returns the length of " UTC" and the like before a colon. Any other word there is a hostname or a tag.
func zoneName(text []byte) (size int, utc bool) {
	word, _, found := bytes.Cut(text[:min(len(text), len(" AEST:"))], []byte(":"))
	if !found || len(word) < 2 || word[0] != ' ' {
		return 0, false
	}
	switch string(word[1:]) {
	case "UTC", "GMT":
		return len(word), true
	case "CET", "CEST", "EET", "EEST", "WET", "WEST", "BST", "MSK", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "IST", "JST", "KST", "AEST", "AEDT":
		return len(word), false
	}
	return 0, false
}
