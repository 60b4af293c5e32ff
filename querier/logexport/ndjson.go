package logexport

import (
	"time"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// timeForm is RFC 3339 with all nine digits, so that times sort as text.
const timeForm = "2006-01-02T15:04:05.000000000Z"

// appendTime appends nanoseconds since 1970 in timeForm.
func appendTime(b []byte, nanos int64) []byte {
	return time.Unix(0, nanos).UTC().AppendFormat(b, timeForm)
}

// jsonEncoder writes an object per line. Maps without labels are left out, as are chosen labels that a line does not have.
type jsonEncoder struct {
	fields
	buffer
}

// Write implements encoder.
func (e *jsonEncoder) Write(b *batch) error {
	e.begin(b)
	for i := range b.lines {
		l := &b.lines[i]
		out := e.buffer.buf
		out = append(out, `{"time":"`...)
		out = append(appendTime(out, l.time), `","line":`...)
		out = appendJSON(out, l.text)
		for column, name := range e.names() {
			value := e.value(b, l, column)
			chosen := len(e.chosen) > 0
			if value == "" || value == "{}" && !chosen {
				continue
			}
			out = append(appendJSON(append(out, ','), name), ':')
			if chosen {
				out = appendJSON(out, value)
			} else {
				out = append(out, value...)
			}
		}
		out = append(out, '}', '\n')
		e.buffer.buf = out
		if err := e.spill(); err != nil {
			return err
		}
	}
	return nil
}

// appendObject appends labels as a JSON object.
func appendObject(b []byte, labels []seamark.Label) []byte {
	b = append(b, '{')
	for i, l := range labels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, l.Name), ':')
		b = appendJSON(b, l.Value)
	}
	return append(b, '}')
}

// appendJSON appends a JSON string. Bytes that are not UTF-8 are replaced: JSON has none.
func appendJSON(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0 // what is before was appended
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\t':
			b = append(b, `\t`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
