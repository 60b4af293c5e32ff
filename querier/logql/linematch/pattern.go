// Package linematch compares texts in the ways that LogQL has beyond substrings and regular expressions: by patterns such
// as `<ip> - <user> [<_>]`, and by the IP addresses that stand in them. It knows text alone; LogQL's parser and engine use
// it.
package linematch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pattern is a row of literals and captures. It is read only after it was parsed, so it may be shared.
type Pattern struct {
	parts []part
	names []string // of the named captures, in order
}

// part is a literal, or a capture if literal is empty.
type part struct {
	literal string
	named   bool
}

// ParseExtractor reads the pattern of LogQL's parser stage: it has a named capture such as <ip>, no name twice, and a
// literal between any two captures. <_> captures nothing.
func ParseExtractor(text string) (*Pattern, error) {
	p, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(p.names) == 0 {
		return nil, errors.New("it needs a named capture such as <status>")
	}
	for i, name := range p.names {
		if slices.Contains(p.names[:i], name) {
			return nil, fmt.Errorf("it has the capture <%s> twice", name)
		}
	}
	return p, nil
}

// ParseFilter reads the pattern of a line filter, whose only captures are <_>. The empty pattern matches empty lines.
func ParseFilter(text string) (*Pattern, error) {
	p, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(p.names) > 0 {
		return nil, fmt.Errorf("a line filter takes no named capture, so write <_> instead of <%s>", p.names[0])
	}
	return p, nil
}

func parse(text string) (*Pattern, error) {
	p := &Pattern{}
	literal := 0 // where the literal begins that is being read
	for i := 0; i < len(text); {
		n := captureLen(text[i:])
		if n == 0 {
			i++
			continue
		}
		if i > literal {
			p.parts = append(p.parts, part{literal: text[literal:i]})
		} else if i > 0 {
			return nil, fmt.Errorf("the capture %s follows another one without a text between them", text[i:i+n])
		}
		name := text[i+1 : i+n-1]
		p.parts = append(p.parts, part{named: name != "_"})
		if name != "_" {
			p.names = append(p.names, name)
		}
		i += n
		literal = i
	}
	if literal < len(text) {
		p.parts = append(p.parts, part{literal: text[literal:]})
	}
	return p, nil
}

// captureLen returns the length of the capture that s begins with: a label name in angle brackets.
func captureLen(s string) int {
	if s[0] != '<' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c >= '0' && c <= '9' && i > 1:
		case c == '>' && i > 1:
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// Names returns the names of the captures in their order.
func (p *Pattern) Names() []string { return p.names }

// Literals returns the texts between the captures. A line that matches has all of them.
func (p *Pattern) Literals() []string {
	var literals []string
	for _, part := range p.parts {
		if part.literal != "" {
			literals = append(literals, part.literal)
		}
	}
	return literals
}

// Capture appends the values of the named captures in line to values, in the order of Names. A capture reaches to the
// first place where the literal behind it stands; where that is missing it reaches to the line's end and is the last
// value. A pattern that begins with a literal matches only at the line's start.
func (p *Pattern) Capture(values []string, line string) []string {
	parts := p.parts
	if line == "" || len(parts) == 0 {
		return values
	}
	if head := parts[0].literal; head != "" {
		rest, found := strings.CutPrefix(line, head)
		if !found {
			return values
		}
		line, parts = rest, parts[1:]
	}
	for len(parts) > 0 {
		value, rest, found := line, "", false
		if len(parts) > 1 {
			value, rest, found = strings.Cut(line, parts[1].literal)
		}
		if parts[0].named {
			values = append(values, value)
		}
		if !found {
			return values
		}
		line, parts = rest, parts[2:]
	}
	return values
}

// Match reports whether the whole line is as the pattern says: literals one after the other, each at the first place where
// it stands, and at least one byte for each capture.
func (p *Pattern) Match(line string) bool {
	if line == "" || len(p.parts) == 0 {
		return line == "" && len(p.parts) == 0
	}
	captured := false // a capture is open
	for _, part := range p.parts {
		if part.literal == "" {
			captured = true
			continue
		}
		at := strings.Index(line, part.literal)
		if at < 0 || captured != (at > 0) {
			return false
		}
		line, captured = line[at+len(part.literal):], false
	}
	return captured == (line != "")
}
