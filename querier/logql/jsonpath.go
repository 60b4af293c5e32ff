package logql

import (
	"strconv"
	"strings"
)

// JSONPath leads to a value in a JSON document: request.headers["User-Agent"], servers[0].
type JSONPath []JSONStep

// JSONStep is one step of a path: into the field Field of an object, or with Array into element Index of an array.
type JSONStep struct {
	Field string
	Array bool
	Index int
}

// String returns the path as LogQL's json stage takes it.
func (p JSONPath) String() string {
	var b strings.Builder
	for i, step := range p {
		switch {
		case step.Array:
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(step.Index))
			b.WriteByte(']')
		case !isPlainField(step.Field):
			b.WriteByte('[')
			b.WriteString(strconv.Quote(step.Field))
			b.WriteByte(']')
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step.Field)
		}
	}
	return b.String()
}

// parseJSONPath reads a path; the error says in words what was expected.
func parseJSONPath(s string) (JSONPath, string) {
	var path JSONPath
	for rest := s; rest != "" || len(path) == 0; {
		switch {
		case strings.HasPrefix(rest, "["):
			step, n, fault := parseBracket(rest)
			if fault != "" {
				return nil, fault
			}
			path, rest = append(path, step), rest[n:]
			continue
		case len(path) > 0 && strings.HasPrefix(rest, "."):
			rest = rest[1:]
		case len(path) > 0:
			return nil, "expected . or [ before " + strconv.Quote(clip(rest))
		}
		n := 0
		for n < len(rest) && isFieldByte(rest[n]) {
			n++
		}
		if n == 0 {
			return nil, "expected a field name before " + strconv.Quote(clip(rest))
		}
		path, rest = append(path, JSONStep{Field: rest[:n]}), rest[n:]
	}
	return path, ""
}

// parseBracket reads [0] or ["field"] at the start of s.
func parseBracket(s string) (step JSONStep, n int, fault string) {
	inner := s[1:]
	if strings.HasPrefix(inner, `"`) {
		quoted, err := strconv.QuotedPrefix(inner)
		if err != nil || !strings.HasPrefix(inner[len(quoted):], "]") {
			return step, 0, `expected ["field"] at ` + strconv.Quote(clip(s))
		}
		field, err := strconv.Unquote(quoted)
		if err != nil {
			return step, 0, `expected ["field"] at ` + strconv.Quote(clip(s))
		}
		return JSONStep{Field: field}, len(quoted) + 2, ""
	}
	digits := 0
	for digits < len(inner) && isDigit(inner[digits]) {
		digits++
	}
	index, err := strconv.Atoi(inner[:digits])
	if err != nil || !strings.HasPrefix(inner[digits:], "]") {
		return step, 0, "expected [index] at " + strconv.Quote(clip(s))
	}
	return JSONStep{Array: true, Index: index}, digits + 2, ""
}

func isPlainField(s string) bool {
	for i := range len(s) {
		if !isFieldByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isFieldByte reports whether c may stand in a field name without quotes: anything that does not structure the path.
func isFieldByte(c byte) bool {
	switch c {
	case '.', '[', ']', '"', '\\', ' ':
		return false
	}
	return c > 0x20 && c != 0x7f
}
