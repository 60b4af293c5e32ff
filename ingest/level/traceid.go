package level

import "strings"

// traceBytes is how much of a line is searched for a trace id; it bounds the price of very long lines.
const traceBytes = 2048

// FindTraceID finds a trace id that a line states as trace_id, traceID, traceId, trace-id or trace.id with = or : and
// 32 hex digits, or as W3C's traceparent. ok is false when there is none, or it is all zero.
func FindTraceID(line string) (id [16]byte, ok bool) {
	head := line[:min(len(line), traceBytes)]
	// 'c' is the rarest letter of "trace"; searching for the word itself stops at every 'r' or 't'.
	for from := 0; ; {
		i := strings.IndexByte(head[from:], 'c')
		if i < 0 {
			return id, false
		}
		i += from
		from = i + 1
		if i < 3 || i+1 >= len(head) || head[i+1] != 'e' || head[i-1] != 'a' || head[i-2] != 'r' || head[i-3]|0x20 != 't' {
			continue
		}
		if id, ok = traceIDBehind(line[i+2:]); ok {
			return id, true
		}
	}
}

// traceIDBehind reads what follows the word "trace".
func traceIDBehind(rest string) (id [16]byte, ok bool) {
	i := 0
	parent := strings.HasPrefix(rest, "parent")
	switch {
	case parent:
		i = len("parent")
	default:
		if i < len(rest) && (rest[i] == '_' || rest[i] == '-' || rest[i] == '.') {
			i++
		}
		if i+1 >= len(rest) || rest[i]|0x20 != 'i' || rest[i+1]|0x20 != 'd' {
			return id, false
		}
		i += len("id")
	}
	i = skipBlanks(rest, skipQuotes(rest, i))
	if i >= len(rest) || rest[i] != '=' && rest[i] != ':' {
		return id, false
	}
	i = skipQuotes(rest, skipBlanks(rest, i+1))
	if parent { // version "00-", then the trace id, then "-" and the span id
		if i+3 > len(rest) || rest[i+2] != '-' {
			return id, false
		}
		i += 3
	}
	if i+32 > len(rest) || i+32 < len(rest) && hexValue(rest[i+32]) < 16 {
		return id, false
	}
	return ParseTraceID(rest[i : i+32])
}

// ParseTraceID reads 32 hex digits; ok is false for anything else and for the all-zero id, which means none.
func ParseTraceID(text string) (id [16]byte, ok bool) {
	if len(text) != len(id)*2 || !parseHex(id[:], text) {
		return [16]byte{}, false
	}
	return id, true
}

// ParseSpanID reads 16 hex digits; ok is false for anything else and for the all-zero id, which means none.
func ParseSpanID(text string) (id [8]byte, ok bool) {
	if len(text) != len(id)*2 || !parseHex(id[:], text) {
		return [8]byte{}, false
	}
	return id, true
}

// parseHex decodes text, which has two digits per byte of id, and tells whether it is hex and not all zero. It looks at
// every digit before it decides, because nearly all are good and a branch per digit costs more.
func parseHex(id []byte, text string) bool {
	text = text[:2*len(id)]
	digits, seen := byte(0), byte(0)
	for i := range id {
		high, low := hexValue(text[2*i]), hexValue(text[2*i+1])
		digits |= high | low
		id[i] = high<<4 | low
		seen |= id[i]
	}
	return digits <= 15 && seen != 0
}

// hexValue returns a hex digit's value, more than 15 for every other byte.
func hexValue(c byte) byte { return hexValues[c] }

// hexValues is a constant because a table is four times as fast as comparing, and an id has 32 digits.
const (
	none16    = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	decimals  = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xff\xff\xff\xff\xff\xff"
	aToF      = "\xff\x0a\x0b\x0c\x0d\x0e\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	hexValues = none16 + none16 + none16 + decimals + aToF + none16 + aToF + none16 +
		none16 + none16 + none16 + none16 + none16 + none16 + none16 + none16
)
