package logql

import (
	"strconv"
	"strings"
)

// lexer cuts a query into tokens.
type lexer struct {
	query  string
	offset int
}

// operators, longest first, so that "|=" is not read as "|" and "=".
var operators = [...]string{
	"|=", "|~", "|>", "!=", "!~", "!>", "==", "=~", ">=", "<=",
	"{", "}", "(", ")", "[", "]", ",", "|", "=", ">", "<", "+", "-", "*", "/", "%", "^",
}

// next returns the next token; at the end of the query it returns tokenEOF for ever.
func (l *lexer) next() (token, error) {
	l.skipBlank()
	start := l.offset
	if start == len(l.query) {
		return token{kind: tokenEOF, offset: start}, nil
	}
	rest := l.query[start:]
	switch c := rest[0]; {
	case isIdentStart(c):
		return l.take(tokenIdent, scanIdent(rest)), nil
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.take(tokenQuantity, scanQuantity(rest)), nil
	case c == '"':
		return l.quoted()
	case c == '`':
		return l.raw()
	case c == '-' && len(rest) > 2 && rest[1] == '-' && isIdentStart(rest[2]):
		return l.take(tokenFlag, scanFlag(rest)), nil
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return l.take(tokenPunct, len(op)), nil
		}
	}
	return token{}, syntaxError(l.query, start, "unexpected character %q", firstRune(rest))
}

func (l *lexer) take(kind tokenKind, n int) token {
	t := token{kind: kind, text: l.query[l.offset : l.offset+n], offset: l.offset}
	l.offset += n
	return t
}

// skipBlank skips white space and comments, which run from # to the end of the line.
func (l *lexer) skipBlank() {
	for l.offset < len(l.query) {
		switch l.query[l.offset] {
		case ' ', '\t', '\n', '\r':
			l.offset++
		case '#':
			end := strings.IndexByte(l.query[l.offset:], '\n')
			if end < 0 {
				l.offset = len(l.query)
				return
			}
			l.offset += end
		default:
			return
		}
	}
}

// quoted reads a double-quoted string with Go's escapes.
func (l *lexer) quoted() (token, error) {
	rest := l.query[l.offset:]
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '\n':
			return token{}, syntaxError(l.query, l.offset, `the string is not closed on its line; write \n for a line break, or use backticks`)
		case '"':
			t := l.take(tokenString, i+1)
			value, err := strconv.Unquote(t.text)
			if err != nil {
				return token{}, syntaxError(l.query, t.offset,
					"the string %s has an unknown escape; double the backslashes or use backticks", clip(t.text))
			}
			t.value = value
			return t, nil
		}
	}
	return token{}, syntaxError(l.query, l.offset, "the string is not closed")
}

// raw reads a string in backticks, in which no character is special.
func (l *lexer) raw() (token, error) {
	end := strings.IndexByte(l.query[l.offset+1:], '`')
	if end < 0 {
		return token{}, syntaxError(l.query, l.offset, "the string is not closed")
	}
	t := l.take(tokenString, end+2)
	t.value = t.text[1 : len(t.text)-1]
	return t, nil
}

func scanIdent(s string) int {
	i := 1
	for i < len(s) && (isIdentStart(s[i]) || isDigit(s[i])) {
		i++
	}
	return i
}

// scanQuantity takes digits with the letters that follow them: 1.5e-3, 1h30m, 20KiB.
func scanQuantity(s string) int {
	i := 0
	for i < len(s) {
		c := s[i]
		sign := (c == '+' || c == '-') && i > 0 && (s[i-1] == 'e' || s[i-1] == 'E') && i+1 < len(s) && isDigit(s[i+1])
		if !isDigit(c) && !isLetter(c) && c != '.' && c < 0x80 && !sign {
			break
		}
		i++
	}
	return i
}

func scanFlag(s string) int {
	i := 2
	for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '-') {
		i++
	}
	return i
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func isLetter(c byte) bool     { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool      { return c >= '0' && c <= '9' }
func isIdentStart(c byte) bool { return isLetter(c) || c == '_' || c == ':' }
