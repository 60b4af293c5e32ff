package guard

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	end    kind = iota
	word        // a keyword or a name without quotes
	quoted      // a name in quotes
	text        // a string; the token's text is its value
	number
	operator
	parameter // {name:Type}; the token's text is the name, its extra the type
)

// token is one piece of a statement.
type token struct {
	kind   kind
	text   string
	extra  string
	upper  string // of words: in capitals
	offset int
}

// lexer cuts a statement into tokens. What it does not know it refuses: comments end at the first end, letters outside of quotes are
// ASCII, and there is one way to write a string.
type lexer struct {
	text string
	at   int
	list []token
}

// cut returns the tokens of a text, the last of kind end.
func cut(sql string, maxBytes int) ([]token, *lexer, error) {
	l := &lexer{text: sql}
	if len(sql) > maxBytes {
		err := l.fault(0, idTooLarge, "The statement has %d bytes; at most %d are allowed.", len(sql), maxBytes)
		return nil, l, err
	}
	if err := l.checkBytes(); err != nil {
		return nil, l, err
	}
	for {
		if err := l.skipBlank(); err != nil {
			return nil, l, err
		}
		if l.at == len(l.text) {
			l.list = append(l.list, token{kind: end, offset: l.at})
			return l.list, l, nil
		}
		if err := l.next(); err != nil {
			return nil, l, err
		}
	}
}

// checkBytes refuses what has no place in a statement, quoted or not.
func (l *lexer) checkBytes() error {
	for i, r := range l.text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(l.text[i:], string(utf8.RuneError)):
			return l.fault(i, idSyntax, "The text is not UTF-8 here.")
		case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == 0x7f:
			return l.fault(i, idSyntax, "The control character U+%04X is not allowed; write it as an escape inside a string.", r)
		}
	}
	return nil
}

func (l *lexer) skipBlank() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "--"):
			length := strings.IndexByte(rest, '\n')
			if length < 0 {
				length = len(rest)
			}
			l.at += length
		case strings.HasPrefix(rest, "/*"):
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return l.fault(l.at, idSyntax, "The comment has no end.")
			}
			if inner := rest[2 : 2+length]; strings.Contains(inner, "/*") || strings.HasPrefix(inner, "!") {
				return l.fault(l.at, idRefused, "Comments inside comments and comments with code (/*! */) are not allowed.")
			}
			l.at += length + 4
		default:
			return nil
		}
	}
	return nil
}

// operators are all of them, longer ones before those they begin with.
func operators() []string {
	return []string{
		"<=>", "->", "::", "||", "==", "!=", "<>", "<=", ">=", "(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "%", "=", "<", ">", "?", ":", ";",
	}
}

func (l *lexer) next() error {
	c := l.text[l.at]
	switch {
	case isLetter(c):
		l.word()
		return nil
	case isDigit(c), c == '.' && l.at+1 < len(l.text) && isDigit(l.text[l.at+1]) && !l.afterValue():
		return l.number()
	case c == '\'':
		return l.string()
	case c == '`' || c == '"':
		return l.quotedName(c)
	case c == '{':
		return l.parameter()
	}
	for _, op := range operators() {
		if strings.HasPrefix(l.text[l.at:], op) {
			l.push(token{kind: operator, text: op, offset: l.at}, len(op))
			return nil
		}
	}
	r, _ := utf8.DecodeRuneInString(l.text[l.at:])
	if r == '$' || r == '#' || r == '@' || r == '\\' {
		return l.fault(l.at, idRefused, "%q is not allowed: there are no heredocs, no variables and no # comments. Strings stand in '...', names in \"...\".", r)
	}
	return l.fault(l.at, idSyntax, "The character %q (U+%04X) is not allowed outside of quotes.", r, r)
}

func (l *lexer) push(t token, length int) {
	l.list = append(l.list, t)
	l.at += length
}

// afterValue reports whether a dot here selects from what stands before it.
func (l *lexer) afterValue() bool {
	if len(l.list) == 0 {
		return false
	}
	last := &l.list[len(l.list)-1]
	return last.kind == word || last.kind == quoted || last.kind == operator && (last.text == ")" || last.text == "]") || last.kind == number && l.selects(last)
}

// selects reports whether a number stands behind a dot of its own, as in tuple.1.
func (l *lexer) selects(n *token) bool { return n.extra == "element" }

func (l *lexer) word() {
	length := 1
	for l.at+length < len(l.text) && isNameByte(l.text[l.at+length]) {
		length++
	}
	name := l.text[l.at : l.at+length]
	l.push(token{kind: word, text: name, upper: strings.ToUpper(name), offset: l.at}, length)
}

// number reads a decimal, hexadecimal or binary number. Behind a dot it reads digits alone: the place of an element.
func (l *lexer) number() error {
	rest := l.text[l.at:]
	n := len(l.list)
	if n > 0 && l.list[n-1].kind == operator && l.list[n-1].text == "." {
		length := digits(rest)
		return l.pushNumber(token{kind: number, text: rest[:length], extra: "element", offset: l.at}, length)
	}
	length := numberLength(rest)
	return l.pushNumber(token{kind: number, text: rest[:length], offset: l.at}, length)
}

func (l *lexer) pushNumber(t token, length int) error {
	if next := l.at + length; next < len(l.text) && isNameByte(l.text[next]) {
		return l.fault(l.at, idSyntax, "%q is not a number.", clip(l.text[l.at:next+1]))
	}
	l.push(t, length)
	return nil
}

func numberLength(s string) int {
	if len(s) > 2 && s[0] == '0' && (s[1]|0x20 == 'x' || s[1]|0x20 == 'b') {
		length := 2
		for length < len(s) && (isDigit(s[length]) || s[1]|0x20 == 'x' && s[length]|0x20 >= 'a' && s[length]|0x20 <= 'f') {
			length++
		}
		return length
	}
	length := digits(s)
	if length < len(s) && s[length] == '.' {
		length += 1 + digits(s[length+1:])
	}
	if length < len(s) && s[length]|0x20 == 'e' {
		sign := 1
		if length+1 < len(s) && (s[length+1] == '+' || s[length+1] == '-') {
			sign = 2
		}
		if n := digits(s[min(length+sign, len(s)):]); n > 0 {
			length += sign + n
		}
	}
	return length
}

func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// string reads '...' with two quotes for one and the engine's escapes.
func (l *lexer) string() error {
	var value strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		switch c := l.text[i]; c {
		case '\'':
			if i+1 < len(l.text) && l.text[i+1] == '\'' {
				value.WriteByte('\'')
				i++
				continue
			}
			l.push(token{kind: text, text: value.String(), offset: l.at}, i+1-l.at)
			return nil
		case '\\':
			skip, err := l.escape(&value, i)
			if err != nil {
				return err
			}
			i += skip
		default:
			value.WriteByte(c)
		}
	}
	return l.fault(l.at, idSyntax, "The string has no end.")
}

// escape reads the escape that begins at i and returns how many bytes it has behind the backslash. An escape that the engine does not
// know keeps its backslash, so that regular expressions can be written as they are.
func (l *lexer) escape(value *strings.Builder, i int) (int, error) {
	if i+1 >= len(l.text) {
		return 0, l.fault(l.at, idSyntax, "The string has no end.")
	}
	c := l.text[i+1]
	if at := strings.IndexByte("bfrnt0ave", c); at >= 0 {
		value.WriteByte("\b\f\r\n\t\x00\a\v\x1b"[at])
		return 1, nil
	}
	switch c {
	case '\\', '\'', '"', '`', '/', '=':
		value.WriteByte(c)
		return 1, nil
	case 'x':
		if i+3 < len(l.text) {
			high, low := hexDigit(l.text[i+2]), hexDigit(l.text[i+3])
			if high >= 0 && low >= 0 {
				value.WriteByte(byte(high<<4 | low))
				return 3, nil
			}
		}
		return 0, l.fault(i, idSyntax, "\\x needs two hexadecimal digits.")
	case 'N':
		return 0, l.fault(i, idSyntax, "\\N is no character; write NULL.")
	}
	value.WriteByte('\\')
	value.WriteByte(c)
	return 1, nil
}

// quotedName reads `...` or "...", in which nothing is escaped.
func (l *lexer) quotedName(quote byte) error {
	length := strings.IndexByte(l.text[l.at+1:], quote)
	if length < 0 {
		return l.fault(l.at, idSyntax, "The quoted name has no end.")
	}
	name := l.text[l.at+1 : l.at+1+length]
	if name == "" || strings.ContainsAny(name, "\\`\"") || l.at+length+2 < len(l.text) && l.text[l.at+length+2] == quote {
		return l.fault(l.at, idRefused, "A quoted name is not empty and has no quotes and backslashes in it.")
	}
	l.push(token{kind: quoted, text: name, offset: l.at}, length+2)
	return nil
}

// parameter reads {name:Type}.
func (l *lexer) parameter() error {
	inside, _, ok := strings.Cut(l.text[l.at+1:], "}")
	name, of, typed := strings.Cut(inside, ":")
	if !ok || !typed {
		return l.fault(l.at, idSyntax, "A parameter is written {name:Type}, such as {ns:String}.")
	}
	length := len(inside) + 2
	name, of = strings.TrimSpace(name), strings.TrimSpace(of)
	if name == "" || !isLetter(name[0]) || name[0] == '_' || len(name) > maxParameterName {
		return l.fault(l.at, idSyntax, "The name of a parameter begins with a letter and has at most %d letters, digits and underscores.", maxParameterName)
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return l.fault(l.at, idSyntax, "The name of a parameter has letters, digits and underscores only.")
		}
	}
	l.push(token{kind: parameter, text: name, extra: of, offset: l.at}, length)
	return nil
}

// maxParameterName bounds the names of parameters: each stands in the address of the engine's request.
const maxParameterName = 64

func isLetter(c byte) bool   { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isNameByte(c byte) bool { return isLetter(c) || isDigit(c) }

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
