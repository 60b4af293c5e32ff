package record

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

// arenaBytes is what an arena takes from the heap at once.
const arenaBytes = 32 << 10

// arena makes strings that outlive the Builder's work on a record: a string with escapes cannot alias the body, because
// the body is also the text of a record without a message. Chunks are never used twice, so strings stay what they are. A
// nil arena makes each string by itself.
type arena struct {
	free []byte
	used int // bytes since takeUsed
}

// takeUsed returns how many bytes were taken since the last call.
func (a *arena) takeUsed() int {
	n := a.used
	a.used = 0
	return n
}

// room returns an empty slice with room for n bytes.
func (a *arena) room(n int) []byte {
	if a == nil || n > arenaBytes/4 {
		return make([]byte, 0, n)
	}
	if n > len(a.free) {
		a.free = make([]byte, arenaBytes)
	}
	return a.free[:0:n]
}

// keep makes the string of dst, which room returned and which was filled within its capacity.
func (a *arena) keep(dst []byte) string {
	if a == nil {
		return alias(dst)
	}
	a.used += len(dst)
	if len(a.free) > 0 && len(dst) > 0 && unsafe.SliceData(a.free) == unsafe.SliceData(dst) {
		a.free = a.free[len(dst):]
	}
	return alias(dst)
}

// repaired returns b as UTF-8, with U+FFFD for what is none.
func (a *arena) repaired(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	fixed := bytes.ToValidUTF8(b, []byte("\uFFFD"))
	if a != nil {
		a.used += len(fixed)
	}
	return fixed
}

// compact returns JSON without the white space between its tokens and with U+FFFD for what is not UTF-8. Most senders
// write none, and then it is the text itself.
func (a *arena) compact(raw []byte) string {
	raw = a.repaired(raw)
	first := blankIn(raw, 0)
	if first < 0 {
		return alias(raw)
	}
	dst := append(a.room(len(raw)), raw[:first]...)
	for from := first; ; {
		for from < len(raw) && isBlank(raw[from]) {
			from++
		}
		to := blankIn(raw, from)
		if to < 0 {
			return a.keep(append(dst, raw[from:]...))
		}
		dst = append(dst, raw[from:to]...)
		from = to
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// blankIn returns the index of the first white space at or behind from that is not in a string, -1 when there is none.
// From is not inside a string.
func blankIn(raw []byte, from int) int {
	for i := from; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case isBlank(c):
			return i
		}
	}
	return -1
}

// object writes fields as one JSON object of strings, with dots in the names.
func (a *arena) object(fields []field) string {
	size := 2
	for _, f := range fields {
		size += quotedBytes(f.entry.path) + quotedBytes(f.value) + 2
	}
	dst := append(a.room(size), '{')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, f.entry.path)
		dst = appendQuoted(append(dst, ':'), f.value)
	}
	return a.keep(append(dst, '}'))
}

// quotedBytes bounds what appendQuoted appends.
func quotedBytes(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			n += len(`\u0000`) - 1
		case c >= utf8.RuneSelf:
			n += len("\uFFFD") - 1 // a path need not be UTF-8
		}
	}
	return n
}

// AppendQuoted appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func AppendQuoted(dst []byte, s string) []byte { return appendQuoted(dst, s) }

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}

// alias returns b as a string without copying it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// isASCII looks at eight bytes a step.
func isASCII(s string) bool {
	const high = 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
