package logql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

type tokenKind uint8

const (
	tokenEOF      tokenKind = iota
	tokenIdent              // label and function names, keywords
	tokenString             // "..." or `...`; value holds the unquoted text
	tokenQuantity           // a number, a duration or an amount of bytes, told apart by the parser
	tokenFlag               // --strict
	tokenPunct              // operators and brackets
)

// token is one word of a query.
type token struct {
	kind   tokenKind
	text   string // as written
	value  string // strings only
	offset int    // byte offset in the query
}

// describe names the token in an error message.
func (t token) describe() string {
	switch t.kind {
	case tokenEOF:
		return "the end of the query"
	case tokenString:
		return "the string " + clip(t.text)
	case tokenIdent, tokenQuantity, tokenFlag, tokenPunct:
	}
	return fmt.Sprintf("%q", clip(t.text))
}

// is reports whether t is the given operator or bracket.
func (t token) is(punct string) bool { return t.kind == tokenPunct && t.text == punct }

// isWord reports whether t is the given keyword.
func (t token) isWord(word string) bool { return t.kind == tokenIdent && t.text == word }

func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// syntaxError makes the error for a fault at a byte offset of query. Line and column count from 1; the column counts
// characters, as editors do.
func syntaxError(query string, offset int, format string, args ...any) *seamark.Error {
	before := query[:offset]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return seamark.Errorf(seamark.Invalid, "seamark-logql-syntax", "LogQL parse error at %d:%d: %s.",
		line, column, fmt.Sprintf(format, args...))
}
