package engine

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScanner walks a JSON document (RFC 8259) without building it. Texts it returns are parts of the document where no
// escape stands in the way.
type jsonScanner struct {
	text string
	pos  int
	ok   bool // false after the first fault
}

// maxJSONDepth bounds nesting; without it one line overflows the stack.
const maxJSONDepth = 128

// jsonKind is the kind of a value, told by its first byte.
type jsonKind byte

const (
	jsonObject jsonKind = '{'
	jsonArray  jsonKind = '['
	jsonString jsonKind = '"'
	jsonWord   jsonKind = 't' // true and false
	jsonNull   jsonKind = 'n'
	jsonNumber jsonKind = '0'
)

func (s *jsonScanner) reset(text string) { s.text, s.pos, s.ok = text, 0, true }

func (s *jsonScanner) blank() {
	if s.pos < len(s.text) && s.text[s.pos] > ' ' {
		return // as in most documents that programs write
	}
	s.skipBlank()
}

func (s *jsonScanner) skipBlank() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take skips c and reports whether it stood there.
func (s *jsonScanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// peek returns the kind of the value that follows.
func (s *jsonScanner) peek() jsonKind {
	s.blank()
	if s.pos >= len(s.text) {
		s.ok = false
		return jsonNull
	}
	switch c := s.text[s.pos]; c {
	case '{', '[', '"', 't', 'n':
		return jsonKind(c)
	case 'f':
		return jsonWord
	}
	return jsonNumber
}

// object calls fn for each field with the scanner before its value, which fn must consume.
func (s *jsonScanner) object(depth int, fn func(key string)) {
	if depth > maxJSONDepth {
		s.ok = false
		return
	}
	s.pos++ // {
	s.blank()
	if s.take('}') {
		return
	}
	for s.ok {
		s.blank()
		if s.pos >= len(s.text) || s.text[s.pos] != '"' {
			s.ok = false
			return
		}
		key := s.string()
		s.blank()
		if !s.ok || !s.take(':') {
			s.ok = false
			return
		}
		fn(key)
		s.blank()
		if !s.ok || s.take('}') {
			return
		}
		s.ok = s.take(',')
	}
}

// array calls fn for each element with the scanner before it.
func (s *jsonScanner) array(depth int, fn func(index int)) {
	if depth > maxJSONDepth {
		s.ok = false
		return
	}
	s.pos++ // [
	s.blank()
	if s.take(']') {
		return
	}
	for index := 0; s.ok; index++ {
		fn(index)
		s.blank()
		if !s.ok || s.take(']') {
			return
		}
		s.ok = s.take(',')
	}
}

// skip consumes a value of any kind and returns its text as it stands.
func (s *jsonScanner) skip(depth int) string {
	kind := s.peek()
	start := s.pos
	switch kind {
	case jsonObject:
		s.object(depth, func(string) { s.skip(depth + 1) })
	case jsonArray:
		s.array(depth, func(int) { s.skip(depth + 1) })
	case jsonString:
		s.skipString()
	case jsonWord, jsonNull, jsonNumber:
		s.scalar()
	}
	if !s.ok {
		return ""
	}
	return s.text[start:s.pos]
}

// scalar consumes a number, true, false or null and returns its text.
func (s *jsonScanner) scalar() string {
	start := s.pos
	for _, word := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(s.text[s.pos:], word) {
			s.pos += len(word)
			return word
		}
	}
	s.take('-')
	if !s.take('0') {
		s.ok = s.digits()
	}
	if s.ok && s.take('.') {
		s.ok = s.digits()
	}
	if s.ok && (s.take('e') || s.take('E')) {
		if !s.take('+') {
			s.take('-')
		}
		s.ok = s.digits()
	}
	return s.text[start:s.pos]
}

func (s *jsonScanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// skipString consumes a string and reports whether it has escapes.
func (s *jsonScanner) skipString() (escaped bool) {
	pos := s.pos + 1 // "
	for {
		pos += plainPrefix(s.text[pos:])
		if pos >= len(s.text) {
			break
		}
		switch c := s.text[pos]; {
		case c == '"':
			s.pos = pos + 1
			return escaped
		case c == '\\':
			escaped = true
			n := escapeLen(s.text[pos:])
			if n == 0 {
				s.ok = false
				return escaped
			}
			pos += n
		default:
			s.ok = false
			return escaped
		}
	}
	s.ok = false
	return escaped
}

// plainPrefix returns how many bytes of s stand for themselves in a string: none is a quote, a backslash or a control
// character. It looks at eight at a time, by the bit tricks that strlen is made of.
func plainPrefix(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		// The lowest set bit is exact: a borrow reaches only bytes above a hit.
		hits := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*0x20) &^ w)
		if hits &= highs; hits != 0 {
			return n + bits.TrailingZeros64(hits)/8
		}
		n, s = n+8, s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' || c < 0x20 {
			return n + i
		}
	}
	return n + len(s)
}

// escapeLen returns the length of the escape that s begins with, 0 if it is none.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hexRune(s[2:]); ok {
			return 6
		}
	}
	return 0
}

// string consumes a string and returns its value.
func (s *jsonScanner) string() string {
	start := s.pos
	escaped := s.skipString()
	if !s.ok {
		return ""
	}
	raw := s.text[start+1 : s.pos-1]
	if !escaped {
		return raw
	}
	value, ok := unescapeJSON(raw)
	s.ok = s.ok && ok
	return value
}

func unescapeJSON(raw string) (string, bool) {
	var b strings.Builder
	b.Grow(len(raw))
	for {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			b.WriteString(raw)
			return b.String(), true
		}
		b.WriteString(raw[:i])
		c := raw[i+1]
		raw = raw[i+2:]
		switch c {
		case '"', '\\', '/':
			b.WriteByte(c)
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			r, n := unescapeRune(raw)
			if n == 0 {
				return "", false
			}
			b.WriteRune(r)
			raw = raw[n:]
		default:
			return "", false
		}
	}
}

// unescapeRune reads what follows \u, with the second half of a surrogate pair; n is 0 if it is malformed.
func unescapeRune(s string) (r rune, n int) {
	r, ok := hexRune(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 4
	}
	if len(s) >= 10 && s[4] == '\\' && s[5] == 'u' {
		if low, ok := hexRune(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10
			}
		}
	}
	return utf8.RuneError, 4
}

func hexRune(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(s[:4], 16, 16)
	return rune(v), err == nil
}
