package datadog

import (
	"strconv"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// jsonID is the id of every fault of the JSON itself.
const jsonID = "seamark-body-json"

// notJSON turns the fault of a walk over the body into the request's error; other errors pass. want says what the body
// should be.
func notJSON(err error, want string) error {
	if e, ok := record.Refused(err); ok {
		return seamark.Errorf(seamark.Invalid, jsonID, "The body is not %s. %s", want, e.Message)
	}
	return err
}

// firstByte returns the first byte of raw that is no white space, 0 when there is none.
func firstByte(raw []byte) byte {
	for _, c := range raw {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// text returns the text of a JSON scalar, "" for everything else. The body's JSON is valid where this is called.
func text(raw []byte) string {
	if n := len(raw) - 1; n < 1 || raw[0] != '"' {
		if isNull(raw) {
			return ""
		}
	} else if isPlain(raw[1:n]) { // fast path: nothing to undo and nothing to repair
		return alias(raw[1:n])
	}
	s, _ := record.Unquote(raw)
	return s
}

// isPlain tells ASCII without escapes.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// number reads a JSON number.
func number(raw []byte) (float64, bool) {
	if len(raw) == 0 || raw[0] != '-' && raw[0]-'0' > 9 {
		return 0, false
	}
	f, err := strconv.ParseFloat(alias(raw), 64)
	return f, err == nil
}

// isNull tells a value that is absent.
func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }

// eachTag calls f for the tags of a JSON array of strings. What is no array has none.
func eachTag(raw []byte, f func(tag string) error) error {
	if firstByte(raw) != '[' {
		return nil
	}
	return record.Elements(raw, func(tag []byte) error { return f(text(tag)) })
}

// name appends a member to the bytes that name the current series. Each member begins with its mark, so that the same text
// in another member is another name.
func (s *state) name(mark byte, raw []byte) {
	if len(raw) > 0 {
		s.identity.scratch = append(append(s.identity.scratch, mark), raw...)
		s.identity.run = s.identity.scratch
	}
}
