// Package level reads a log line's severity and trace id out of its text where the sender told neither. It looks at the
// first bytes only and never allocates. The log decoders import it.
package level

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// scanBytes is how much of a line is searched for a level key. Loggers write the level first or after the time; more
	// would cost more on every line that has no level at all.
	scanBytes = 256
	// wordBytes is how much is searched for a bare or bracketed word: beyond it such words are prose.
	wordBytes = 64
	// maxWord is longer than every word that names a level.
	maxWord = 11
)

// Parse is seamark.ParseLevel without its allocation for words that are not in lower case.
func Parse(word string) seamark.Level {
	if len(word) == 0 || len(word) > maxWord {
		return seamark.LevelUnknown
	}
	var lower [maxWord]byte
	for i := range len(word) {
		c := word[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(word)]) { // fast path: the words of nearly all lines
	case "info":
		return seamark.LevelInfo
	case "warn", "warning":
		return seamark.LevelWarn
	case "error":
		return seamark.LevelError
	case "debug":
		return seamark.LevelDebug
	}
	return seamark.ParseLevel(string(lower[:len(word)]))
}

// DetectLevel finds the level that a line states about itself, or LevelUnknown. It knows klog's prefix, syslog's
// priority, level keys of logfmt and JSON (with pino's numbers), a leading or bracketed word in any case, and a word in
// capitals near the start.
func DetectLevel(line string) seamark.Level {
	if len(line) < 3 {
		return seamark.LevelUnknown
	}
	if l := fromPrefix(line); l != seamark.LevelUnknown {
		return l
	}
	if l := fromKey(line[:min(len(line), scanBytes)]); l != seamark.LevelUnknown {
		return l
	}
	if line[0] == '{' {
		// What is left of a JSON line is the program's data, where a word tells nothing about the line.
		return seamark.LevelUnknown
	}
	head := line[:min(len(line), wordBytes)]
	if l := fromBrackets(head); l != seamark.LevelUnknown {
		return l
	}
	return fromCapitals(line)
}

// fromPrefix reads what can only stand at a line's start.
func fromPrefix(line string) seamark.Level {
	switch c := line[0]; {
	case c == 'I' || c == 'W' || c == 'E' || c == 'F':
		if isKlog(line) {
			return Parse(line[:1])
		}
	case c == '<':
		return fromPriority(line)
	}
	// "error: no such file" of git, .NET and scripts: the first word with a colon behind it.
	n := letters(line[:min(len(line), maxWord+1)])
	if n >= 3 && n < len(line) && line[n] == ':' {
		return Parse(line[:n])
	}
	return seamark.LevelUnknown
}

// isKlog tells the header "I0102 15:04:05.000000" of klog and glog.
func isKlog(line string) bool {
	return len(line) > 8 && line[5] == ' ' && line[8] == ':' &&
		isDigit(line[1]) && isDigit(line[2]) && isDigit(line[3]) && isDigit(line[4]) && isDigit(line[6]) && isDigit(line[7])
}

// fromPriority reads syslog's "<34>": the lowest three bits are the severity (RFC 5424).
func fromPriority(line string) seamark.Level {
	priority, i := 0, 1
	for i < len(line) && i < 4 && isDigit(line[i]) {
		priority = priority*10 + int(line[i]-'0')
		i++
	}
	if i == 1 || i == len(line) || line[i] != '>' || priority > 191 {
		return seamark.LevelUnknown
	}
	severities := [8]seamark.Level{
		seamark.LevelCritical, seamark.LevelCritical, seamark.LevelCritical, seamark.LevelError,
		seamark.LevelWarn, seamark.LevelInfo, seamark.LevelInfo, seamark.LevelDebug,
	}
	return severities[priority&7]
}

// fromKey finds level=, lvl= and severity= with JSON's and logfmt's quoting. All three have a 'v', which is rare in text,
// so one search for it finds them all.
func fromKey(head string) seamark.Level {
	for from := 0; ; {
		i := strings.IndexByte(head[from:], 'v')
		if i < 0 {
			return seamark.LevelUnknown
		}
		i += from
		from = i + 1
		if start, end := keyAround(head, i); end > 0 && keyStarts(head, start) {
			if l := fromValue(head[end:]); l != seamark.LevelUnknown {
				return l
			}
		}
	}
}

// keyAround returns where the key around the 'v' at i starts and ends; end is 0 when there is none.
func keyAround(head string, i int) (start, end int) {
	if i < 1 || i+2 > len(head) {
		return 0, 0
	}
	switch before, after := head[i-1], head[i+1:]; {
	case before == 'l' && after[0] == 'l':
		return i - 1, i + 2
	case before != 'e' || i < 2:
		return 0, 0
	case head[i-2]|0x20 == 'l' && strings.HasPrefix(after, "el"):
		end = i + 3
		if strings.HasPrefix(head[end:], "name") { // Python's levelname
			end += len("name")
		}
		return i - 2, end
	case head[i-2]|0x20 == 's' && strings.HasPrefix(after, "erity"):
		end = i + 1 + len("erity")
		switch rest := head[end:]; {
		case strings.HasPrefix(rest, "_text"):
			end += len("_text")
		case strings.HasPrefix(rest, "Text"):
			end += len("Text")
		}
		return i - 2, end
	}
	return 0, 0
}

// keyStarts tells whether a key can start at i: "sublevel" and the flag "--log-level" are other keys, "log.level" and
// "LogLevel" are not.
func keyStarts(head string, i int) bool {
	if i >= 3 && strings.EqualFold(head[i-3:i], "log") {
		i -= 3
	}
	if i == 0 {
		return true
	}
	c := head[i-1]
	return !isLetter(c) && !isDigit(c) && c != '_' && c != '-'
}

// fromValue reads the level behind a key: = or :, blanks, quotes (escaped ones too), the word.
func fromValue(rest string) seamark.Level {
	i := skipQuotes(rest, 0)
	if i = skipBlanks(rest, i); i >= len(rest) || rest[i] != '=' && rest[i] != ':' {
		return seamark.LevelUnknown
	}
	i = skipBlanks(rest, i+1)
	i = skipQuotes(rest, i)
	rest = rest[i:]
	n := letters(rest[:min(len(rest), maxWord+1)])
	if n == 0 {
		return fromNumber(rest)
	}
	return Parse(rest[:n])
}

// fromNumber reads the levels of pino and bunyan, 10 for trace to 60 for fatal.
func fromNumber(rest string) seamark.Level {
	if len(rest) < 2 || rest[1] != '0' || len(rest) > 2 && (isDigit(rest[2]) || rest[2] == '.') {
		return seamark.LevelUnknown
	}
	switch rest[0] {
	case '1', '2', '3', '4', '5', '6':
		return seamark.LevelTrace + seamark.Level(rest[0]-'1')
	}
	return seamark.LevelUnknown
}

// fromBrackets reads "[error]" and "[ WARN ]".
func fromBrackets(head string) seamark.Level {
	for {
		i := strings.IndexByte(head, '[')
		if i < 0 {
			return seamark.LevelUnknown
		}
		head = head[i+1:]
		j := skipBlanks(head, 0)
		n := letters(head[j:min(len(head), j+maxWord+1)])
		if end := skipBlanks(head, j+n); n >= 3 && end < len(head) && head[end] == ']' {
			if l := Parse(head[j : j+n]); l != seamark.LevelUnknown {
				return l
			}
		}
	}
}

// fromCapitals reads a word in capitals near the start. It first makes a map of the capitals, one bit per byte, because
// almost all lines have few and looking at each letter would cost three times as much.
func fromCapitals(line string) seamark.Level {
	capitals := capitalsOf(line)
	// A word starts where three capitals follow one that is none.
	for starts := capitals &^ (capitals << 1) & (capitals >> 1) & (capitals >> 2); starts != 0; starts &= starts - 1 {
		i := bits.TrailingZeros64(starts)
		n := bits.TrailingZeros64(^(capitals >> i))
		if !wordStarts(line, i) || !wordEnds(line, i+n) {
			continue
		}
		if l := ofCapitals(line[i : i+n]); l != seamark.LevelUnknown {
			return l
		}
	}
	return seamark.LevelUnknown
}

// capitalsOf returns a bit for each of the first 64 bytes that is an upper-case letter.
func capitalsOf(line string) (capitals uint64) {
	if len(line) < wordBytes {
		var padded [wordBytes]byte
		n := copy(padded[:], line)
		for i := 0; i < n; i += 8 {
			capitals |= capitalsIn(binary.LittleEndian.Uint64(padded[i:])) << i
		}
		return capitals
	}
	for i := 0; i < wordBytes; i += 8 {
		w := line[i : i+8]
		capitals |= capitalsIn(uint64(w[0])|uint64(w[1])<<8|uint64(w[2])<<16|uint64(w[3])<<24|
			uint64(w[4])<<32|uint64(w[5])<<40|uint64(w[6])<<48|uint64(w[7])<<56) << i // the compiler makes it one load
	}
	return capitals
}

// capitalsIn returns a bit for each of the eight bytes in word that is an upper-case letter.
func capitalsIn(word uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	low := word &^ high
	// The high bit of each byte becomes: ASCII, at least 'A', not above 'Z'.
	is := (low + (0x80-'A')*ones) &^ (low + (0x80-'Z'-1)*ones) &^ word & high
	// The multiplication brings the eight bits together in the top byte.
	return ((is >> 7) * 0x0102040810204080) >> 56
}

// ofCapitals takes fewer words than Parse: NORMAL, FINE and ALERT are prose when they stand alone.
func ofCapitals(word string) seamark.Level {
	switch word {
	case "INFO", "INF", "NOTICE":
		return seamark.LevelInfo
	case "WARN", "WARNING", "WRN":
		return seamark.LevelWarn
	case "ERROR", "ERR", "SEVERE":
		return seamark.LevelError
	case "DEBUG", "DBG":
		return seamark.LevelDebug
	case "TRACE", "TRC":
		return seamark.LevelTrace
	case "FATAL", "FTL", "CRITICAL", "CRIT", "PANIC", "EMERG":
		return seamark.LevelCritical
	}
	return seamark.LevelUnknown
}

func wordStarts(line string, i int) bool {
	if i == 0 {
		return true
	}
	switch c := line[i-1]; c {
	case ' ', '\t', '(', '[', '<', '|', ':', '"', '\'', ',', ']', '=', '*':
		return true
	case 'm': // the end of a terminal's colour sequence, "\x1b[1;32m"
		return strings.LastIndexByte(line[max(0, i-9):i], 0x1b) >= 0
	}
	return false
}

func wordEnds(line string, i int) bool {
	if i >= len(line) {
		return true
	}
	c := line[i]
	return !isLetter(c) && !isDigit(c) && c != '_' && c != '-'
}

// letters counts the letters at the start of s.
func letters(s string) int {
	for i := range len(s) {
		if !isLetter(s[i]) {
			return i
		}
	}
	return len(s)
}

func skipBlanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// skipQuotes passes over one quote, or an escaped one of JSON inside JSON.
func skipQuotes(s string, i int) int {
	for i < len(s) && (s[i] == '"' || s[i] == '\\' || s[i] == '\'') {
		i++
	}
	return i
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 }
func isDigit(c byte) bool  { return c-'0' < 10 }
