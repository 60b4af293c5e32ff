package record

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MalformedID is the id of the error of JSON that is none.
const MalformedID = "seamark-record-json"

// maxDepth bounds how deep JSON is nested. Without it a body of brackets exhausts the stack.
const maxDepth = 64

// scanner reads RFC 8259 JSON from left to right, value by value, and changes nothing in it. Strings alias the text;
// those with escapes, and those that are not UTF-8, are made in the arena.
type scanner struct {
	text  []byte
	i     int
	arena *arena
}

// peek passes over white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.text) {
		c := s.text[s.i]
		if c > ' ' || !isBlank(c) {
			return c
		}
		s.i++
	}
	return 0
}

// next steps to an element of an array or a member of an object that closing ends; more is false behind the last one.
func (s *scanner) next(first bool, closing byte) (more bool, err error) {
	c := s.peek()
	switch {
	case c == closing && c != 0:
		s.i++
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, s.fail("a comma or " + strconv.Quote(string(closing)))
	}
	s.i++
	if s.peek() == closing {
		return false, s.fail("a value after the comma")
	}
	return true, nil
}

// key reads a member's name and the colon behind it, and steps to the value.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail("a name in double quotes")
	}
	name, err := s.str()
	if err != nil {
		return nil, err
	}
	if s.peek() != ':' {
		return nil, s.fail("a colon")
	}
	s.i++
	s.peek()
	return name, nil
}

// plain returns the index of the first byte from i on that is a quote, a backslash or a control character, else the
// text's length; high has high bits when a byte before it is not ASCII. It looks at eight bytes a step.
func (s *scanner) plain(i int) (end int, high uint64) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	t := s.text
	for ; i+8 <= len(t); i += 8 {
		w := binary.LittleEndian.Uint64(t[i:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		// A byte is zero, or less than a blank, where subtracting borrows into its high bit; only bytes above the first hit
		// can be hit falsely.
		hit := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-' '*ones)&^w) & highs
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8, high | w
		}
		high |= w
	}
	for i < len(t) && t[i] != '"' && t[i] != '\\' && t[i] >= ' ' {
		high |= uint64(t[i])
		i++
	}
	return i, high
}

const nonASCII = 0x8080808080808080

// str reads the string at the scanner's place, which stands at its opening quote.
func (s *scanner) str() ([]byte, error) {
	start := s.i + 1
	end, high := s.plain(start)
	if end < len(s.text) && s.text[end] == '"' {
		s.i = end + 1
		value := s.text[start:end]
		if high&nonASCII != 0 {
			value = s.arena.repaired(value)
		}
		return value, nil
	}
	return s.escaped(start, end)
}

// escaped reads on where plain stopped before the closing quote.
func (s *scanner) escaped(start, at int) ([]byte, error) {
	end, err := s.stringEnd(start, at)
	if err != nil {
		return nil, err
	}
	s.i = end + 1
	dst := append(s.arena.room(end-start), s.text[start:at]...) // an escape is never shorter than what it stands for
	for at < end {
		if s.text[at] == '\\' {
			n, r := unescape(s.text[at:])
			dst = utf8.AppendRune(dst, r)
			at += n
		}
		from := at
		at, _ = s.plain(at)
		dst = append(dst, s.text[from:at]...)
	}
	value := s.arena.keep(dst)
	if !isASCII(value) {
		return s.arena.repaired(dst), nil
	}
	return dst, nil
}

// stringEnd finds and checks the rest of a string; at is the first byte that is not plain.
func (s *scanner) stringEnd(start, at int) (end int, err error) {
	for at < len(s.text) {
		switch s.text[at] {
		case '"':
			return at, nil
		case '\\':
			n, _ := unescape(s.text[at:])
			if n == 0 {
				s.i = at
				return 0, s.fail(`an escape (\" \\ \/ \b \f \n \r \t or \u with four hex digits)`)
			}
			at += n
		default:
			s.i = at
			return 0, s.fail("a control character to be escaped")
		}
		at, _ = s.plain(at)
	}
	s.i = start - 1
	return 0, s.fail("a string with a closing quote")
}

// unescape reads the escape that b starts with: its length, 0 when it is none, and what it stands for. A lone half of a
// surrogate pair becomes U+FFFD, as encoding/json has it.
func unescape(b []byte) (n int, r rune) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return 2, rune(b[1])
	case 'b':
		return 2, '\b'
	case 'f':
		return 2, '\f'
	case 'n':
		return 2, '\n'
	case 'r':
		return 2, '\r'
	case 't':
		return 2, '\t'
	case 'u':
		r, ok := hexRune(b[2:])
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return 6, r
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := hexRune(b[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return 12, pair
				}
			}
		}
		return 6, utf8.RuneError
	}
	return 0, 0
}

func hexRune(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// scalar reads a number, true, false or null and returns its text.
func (s *scanner) scalar() ([]byte, error) {
	start := s.i
	for s.i < len(s.text) && isScalar(s.text[s.i]) {
		s.i++
	}
	text := s.text[start:s.i]
	switch string(text) {
	case "true", "false", "null":
		return text, nil
	}
	if !isNumber(text) {
		s.i = start
		return nil, s.fail("a JSON value")
	}
	return text, nil
}

func isScalar(c byte) bool { return isDigit(c) || isLetter(c) || c == '-' || c == '+' || c == '.' }

// isNumber checks JSON's grammar: an integer without leading zeros, a fraction, an exponent.
func isNumber(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	if s = s[whole:]; len(s) > 0 && s[0] == '.' {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if len(s) > 0 && s[0]|0x20 == 'e' {
		if s = s[1:]; len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	return len(s) == 0
}

func digits(s []byte) int {
	for i, c := range s {
		if !isDigit(c) {
			return i
		}
	}
	return len(s)
}

// skip passes over the value at the scanner's place and returns its text.
func (s *scanner) skip(depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, s.fail("JSON nested at most " + strconv.Itoa(maxDepth) + " deep")
	}
	c := s.peek()
	start := s.i
	var err error
	switch c {
	case '"':
		err = s.skipString()
	case '{', '[':
		err = s.skipNested(c, depth)
	default:
		_, err = s.scalar()
	}
	return s.text[start:s.i], err
}

func (s *scanner) skipNested(opening byte, depth int) error {
	s.i++
	closing := opening + 2 // '{' and '}', '[' and ']' lie two apart
	for first := true; ; first = false {
		more, err := s.next(first, closing)
		if err != nil || !more {
			return err
		}
		if opening == '{' {
			if s.peek() != '"' {
				return s.fail("a name in double quotes")
			}
			if err := s.skipString(); err != nil {
				return err
			}
			if s.peek() != ':' {
				return s.fail("a colon")
			}
			s.i++
		}
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
	}
}

func (s *scanner) skipString() error {
	start := s.i + 1
	at, _ := s.plain(start)
	end, err := s.stringEnd(start, at)
	if err == nil {
		s.i = end + 1
	}
	return err
}

func (s *scanner) fail(expected string) error {
	return seamark.Errorf(seamark.Invalid, MalformedID,
		"The record is not valid JSON (RFC 8259): at byte %d of %d %s is expected.", s.i, len(s.text), expected)
}
