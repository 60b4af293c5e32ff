package guard

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// position is a place in a customer's text, both from 1; columns count characters.
type position struct{ line, column int }

func positionOf(text string, offset int) position {
	before := text[:min(offset, len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return position{line: 1 + strings.Count(before, "\n"), column: 1 + utf8.RuneCountInString(before[start:])}
}

// The error ids of refused statements.
const (
	idSyntax   = "seamark-sql-syntax"   // it is no statement that guard understands
	idRefused  = "seamark-sql-refused"  // it is understood and not allowed
	idTooLarge = "seamark-sql-too-long" // it is over a limit
)

// fault makes the error of a place in the text.
func (l *lexer) fault(offset int, id, format string, args ...any) error {
	at := positionOf(l.text, offset)
	return seamark.Errorf(seamark.Invalid, id, "Line %d, column %d: %s", at.line, at.column, fmt.Sprintf(format, args...))
}

// clip shortens a piece of the customer's text for a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
