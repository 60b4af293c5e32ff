package lokipush

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	malformedJSONID = "seamark-body-json"
	// maxDepth bounds the nesting of JSON that is passed over. Without it a body of brackets exhausts the stack.
	maxDepth = 64
)

// scanner reads RFC 8259 JSON out of a body from left to right, value by value. It builds nothing: strings alias the
// body, and those with escapes are rewritten in place, because what an escape stands for is never longer than itself.
type scanner struct {
	body []byte
	i    int
}

// peek passes over white space and returns the next byte, 0 at the end.
func (p *scanner) peek() byte {
	for p.i < len(p.body) {
		switch c := p.body[p.i]; c {
		case ' ', '\n', '\t', '\r':
			p.i++
		default:
			return c
		}
	}
	return 0
}

// take passes over white space and then c; it tells whether c was there.
func (p *scanner) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

// next steps to an element of an array or a member of an object that closing ends; more is false behind the last one.
func (p *scanner) next(first bool, closing byte) (more bool, err error) {
	c := p.peek()
	switch {
	case c == closing:
		p.i++
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, p.fail("a comma or " + strconv.Quote(string(closing)))
	}
	p.i++
	if p.peek() == closing {
		return false, p.fail("a value after the comma")
	}
	return true, nil
}

// key reads a member's name and the colon behind it.
func (p *scanner) key() (string, error) {
	if p.peek() != '"' {
		return "", p.fail("a name in double quotes")
	}
	name, err := p.str()
	if err == nil && !p.take(':') {
		err = p.fail("a colon")
	}
	return name, err
}

// str reads the string at the scanner's place, which stands at its opening quote.
func (p *scanner) str() (string, error) {
	start := p.i + 1
	end := p.plain(start)
	if end < len(p.body) && p.body[end] == '"' {
		p.i = end + 1
		return alias(p.body[start:end]), nil
	}
	return p.escaped(start, end)
}

// plain returns the index of the first byte from i on that is a quote, a backslash or a control character, else the
// body's length. It looks at eight bytes a step.
func (p *scanner) plain(i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	b := p.body
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		// A byte is zero, or less than ' ', where subtracting borrows into its high bit; only bytes above the first hit
		// can be hit falsely.
		hit := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-' '*ones)&^w) & high
		if hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// escaped reads on where plain stopped before the closing quote. What follows the first escape moves forward in the body.
func (p *scanner) escaped(start, at int) (string, error) {
	to := at
	for {
		if at >= len(p.body) {
			p.i = start - 1
			return "", p.fail("a string with a closing quote")
		}
		switch p.body[at] {
		case '"':
			p.i = at + 1
			return alias(p.body[start:to]), nil
		case '\\':
			n, r := unescape(p.body[at:])
			if n == 0 {
				p.i = at
				return "", p.fail(`an escape (\" \\ \/ \b \f \n \r \t or \u with four hex digits)`)
			}
			to += utf8.EncodeRune(p.body[to:at+n], r)
			at += n
		default:
			p.i = at
			return "", p.fail(`a control character to be escaped as \u` + hex4(p.body[at]))
		}
		from := at
		at = p.plain(at)
		to += copy(p.body[to:], p.body[from:at])
	}
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

func hex4(c byte) string {
	const digits = "0123456789abcdef"
	return "00" + string(digits[c>>4]) + string(digits[c&15])
}

// scalar reads a number, true, false or null and returns its text.
func (p *scanner) scalar() (string, error) {
	start := p.i
	for p.i < len(p.body) && isScalar(p.body[p.i]) {
		p.i++
	}
	text := alias(p.body[start:p.i])
	switch text {
	case "true", "false", "null":
		return text, nil
	}
	if !isNumber(text) {
		p.i = start
		return "", p.fail("a JSON value")
	}
	return text, nil
}

func isScalar(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '-' || c == '+' || c == '.'
}

// isNumber checks JSON's grammar: an integer without leading zeros, a fraction, an exponent.
func isNumber(s string) bool {
	s, _ = cutSign(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if len(s) > 0 && s[0] == '.' {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if len(s) > 0 && s[0]|0x20 == 'e' {
		s, _ = cutSign(s[1:], "+-")
		n := digits(s)
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	return s == ""
}

// cutSign cuts one of the given signs from the start of s.
func cutSign(s, signs string) (rest string, cut bool) {
	for i := range len(signs) {
		if s != "" && s[0] == signs[i] {
			return s[1:], true
		}
	}
	return s, false
}

func digits(s string) int {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return i
		}
	}
	return len(s)
}

// skip passes over the value at the scanner's place and changes nothing in the body.
func (p *scanner) skip(depth int) error {
	if depth > maxDepth {
		return p.fail("JSON nested less than " + strconv.Itoa(maxDepth) + " deep")
	}
	switch c := p.peek(); c {
	case '"':
		return p.skipString()
	case '{', '[':
		p.i++
		closing := c + 2 // '{' and '}', '[' and ']' lie two apart
		for first := true; ; first = false {
			more, err := p.next(first, closing)
			if err != nil || !more {
				return err
			}
			if c == '{' {
				if p.peek() != '"' {
					return p.fail("a name in double quotes")
				}
				if err := p.skipString(); err != nil {
					return err
				}
				if !p.take(':') {
					return p.fail("a colon")
				}
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
	default:
		_, err := p.scalar()
		return err
	}
}

func (p *scanner) skipString() error {
	start := p.i
	for at := p.plain(start + 1); at < len(p.body); at = p.plain(at) {
		switch p.body[at] {
		case '"':
			p.i = at + 1
			return nil
		case '\\':
			n, _ := unescape(p.body[at:])
			if n == 0 {
				p.i = at
				return p.fail(`an escape (\" \\ \/ \b \f \n \r \t or \u with four hex digits)`)
			}
			at += n
		default:
			p.i = at
			return p.fail(`a control character to be escaped as \u` + hex4(p.body[at]))
		}
	}
	p.i = start
	return p.fail("a string with a closing quote")
}

// fail is the error of a body that is not the JSON it should be.
func (p *scanner) fail(expected string) error {
	return seamark.Errorf(seamark.Invalid, malformedJSONID,
		`The body is not a valid Loki push in JSON: at byte %d of %d %s is expected. The form is {"streams":[{"stream":{"name":"value"},"values":[["<unix ns>","line"]]}]}.`,
		p.i, len(p.body), expected)
}
