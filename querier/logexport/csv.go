package logexport

import (
	"io"
	"strings"
)

// csvEncoder writes a header and a record per line, as RFC 4180 has them but with plain line feeds.
type csvEncoder struct {
	fields
	buffer
}

func newCSVEncoder(p *Params, w io.Writer) *csvEncoder {
	e := &csvEncoder{fields: newFields(p), buffer: buffer{w: w}}
	e.buffer.buf = append(e.buffer.buf, timeColumn...)
	e.cell(lineColumn)
	for _, name := range e.names() {
		e.cell(name)
	}
	e.buffer.buf = append(e.buffer.buf, '\n')
	return e
}

// cell appends a cell that is not a record's first.
func (e *csvEncoder) cell(s string) {
	b := e.buffer.buf
	b = append(b, ',')
	switch {
	case !strings.ContainsAny(s, ",\"\r\n"):
		b = append(b, s...)
	default:
		b = append(b, '"')
		for {
			at := strings.IndexByte(s, '"')
			if at < 0 {
				break
			}
			b = append(append(b, s[:at]...), '"', '"')
			s = s[at+1:]
		}
		b = append(append(b, s...), '"')
	}
	e.buffer.buf = b
}

// Write implements encoder.
func (e *csvEncoder) Write(b *batch) error {
	e.begin(b)
	for i := range b.lines {
		l := &b.lines[i]
		e.buffer.buf = appendTime(e.buffer.buf, l.time)
		e.cell(l.text)
		for column := range e.names() {
			e.cell(e.value(b, l, column))
		}
		e.buffer.buf = append(e.buffer.buf, '\n')
		if err := e.spill(); err != nil {
			return err
		}
	}
	return nil
}
