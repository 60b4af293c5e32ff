package lokipush

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ParseLabels appends the labels of a set in selector form, {name="value", other="value"}, to dst. Values are quoted as
// in Go and PromQL: "…" and '…' with escapes, `…` without; names may be quoted too, and a comma may follow the last one.
// Names and values without escapes alias text. Names are taken as they are: the catalogue judges them. The error is
// Invalid seamark-stream-labels and names the position.
func ParseLabels(dst []seamark.Label, text string) ([]seamark.Label, error) {
	p := labelParser{text: text}
	if !p.take('{') {
		return dst, p.fail("an opening brace")
	}
	for first := true; !p.take('}'); first = false {
		if !first && !p.take(',') {
			return dst, p.fail("a comma or the closing brace")
		}
		if !first && p.take('}') {
			break
		}
		name, err := p.name()
		if err != nil {
			return dst, err
		}
		if !p.take('=') {
			return dst, p.fail("an equals sign")
		}
		value, err := p.quoted()
		if err != nil {
			return dst, err
		}
		dst = append(dst, seamark.Label{Name: name, Value: value})
	}
	if p.space(); p.i < len(text) {
		return dst, p.fail("the end")
	}
	return dst, nil
}

type labelParser struct {
	text string
	i    int
}

func (p *labelParser) space() {
	for p.i < len(p.text) {
		switch p.text[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// take passes over blanks and then c; it tells whether c was there.
func (p *labelParser) take(c byte) bool {
	p.space()
	if p.i < len(p.text) && p.text[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *labelParser) name() (string, error) {
	p.space()
	if p.i < len(p.text) && isQuote(p.text[p.i]) {
		return p.quoted()
	}
	start := p.i
	for p.i < len(p.text) && strings.IndexByte(" \t\n\r=,{}!~\"'`", p.text[p.i]) < 0 {
		p.i++
	}
	if p.i == start {
		return "", p.fail("a label name")
	}
	return p.text[start:p.i], nil
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

func (p *labelParser) quoted() (string, error) {
	p.space()
	if p.i >= len(p.text) || !isQuote(p.text[p.i]) {
		return "", p.fail("a quoted value")
	}
	quote := p.text[p.i]
	p.i++
	start := p.i
	if quote == '`' {
		n := strings.IndexByte(p.text[start:], quote)
		if n < 0 {
			return "", p.fail("a closing backquote")
		}
		p.i += n + 1
		return p.text[start : start+n], nil
	}
	for ; p.i < len(p.text); p.i++ {
		switch p.text[p.i] {
		case quote:
			p.i++
			return p.text[start : p.i-1], nil
		case '\\':
			return p.escaped(start, quote)
		}
	}
	p.i = start - 1
	return "", p.fail("a closing quote after it")
}

// escaped reads on from the first escape of the quoted text that begins at start. It is the slow path: it allocates.
func (p *labelParser) escaped(start int, quote byte) (string, error) {
	value := []byte(p.text[start:p.i])
	for p.i < len(p.text) && p.text[p.i] != quote {
		if p.text[p.i] != '\\' { // UnquoteChar would replace a byte that is not UTF-8, and refuse a newline
			value = append(value, p.text[p.i])
			p.i++
			continue
		}
		r, multibyte, rest, err := strconv.UnquoteChar(p.text[p.i:], quote)
		if err != nil {
			return "", p.fail("an escape as in Go strings")
		}
		p.i = len(p.text) - len(rest)
		if r < utf8.RuneSelf || !multibyte {
			value = append(value, byte(r))
		} else {
			value = utf8.AppendRune(value, r)
		}
	}
	if p.i >= len(p.text) {
		return "", p.fail("a closing quote")
	}
	p.i++
	return string(value), nil
}

func (p *labelParser) fail(expected string) error {
	const most = 128
	text := p.text
	if len(text) > most {
		text = text[:most] + "..."
	}
	return seamark.Errorf(seamark.Invalid, "seamark-stream-labels",
		`The labels %q of a stream cannot be read: at position %d %s is expected. Write them as {name="value", other="value"}.`,
		text, p.i+1, expected)
}
