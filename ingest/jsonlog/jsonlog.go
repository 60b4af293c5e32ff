package jsonlog

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	emptyID = "seamark-body-empty"
	arrayID = "seamark-body-json"
)

// Options says how one request is read.
type Options struct {
	// Now is the time of records that tell none.
	Now time.Time
	// Event, when set, is shown each record's JSON before it becomes a line, and takes it when it is a Kubernetes event.
	Event func(raw []byte) bool
	// MaxAttrs bounds the attributes of a record, see record.Options.
	MaxAttrs int
	// Mapping says what the sender's fields mean; nil leaves all to the known names.
	Mapping *record.Mapping
	// Refused, when set, is told of each refused record: the number of its line, or of its place in the array, from 1.
	Refused func(number int, err *seamark.Error)
}

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any { return &state{record: record.New(record.Options{})} }}}
}

// state is what one call works with.
type state struct {
	record  *record.Builder
	cat     seamark.Catalog
	batch   *seamark.Batch
	refused func(number int, err *seamark.Error)
	event   func(raw []byte) bool
}

// Decode appends the records of body to b. Strings in b alias body, so body must stay unchanged as long as b is used.
// Records that cannot be taken are counted in b.Rejected with the number of the first one's line, or place in the array. The error is
// a *seamark.Error: Invalid seamark-body-empty when there is nothing in body, Invalid seamark-body-json when an array is
// broken, for then nobody knows where its next record begins, or what b's memory or the catalogue says. After an error b
// must not be used.
func (d *Decoder) Decode(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s, _ := d.scratch.Get().(*state)
	s.cat, s.batch, s.refused, s.event = cat, b, o.Refused, o.Event
	s.record.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs, Mapping: o.Mapping})
	defer d.give(s)
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // Windows' tools mark UTF-8
	start := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(start) == 0:
		return seamark.Errorf(seamark.Invalid, emptyID, "The body is empty; send one JSON object per line, or an array of objects.")
	case start[0] == '[':
		return s.array(body, len(body)-len(start))
	}
	return s.lines(body)
}

// give returns s to the pool without anything of the request.
func (d *Decoder) give(s *state) {
	s.record.Release()
	*s = state{record: s.record}
	d.scratch.Put(s)
}

// array reads an array of records that begins at offset at.
func (s *state) array(body []byte, at int) error {
	i := skipBlanks(body, at+1)
	if i < len(body) && body[i] == ']' {
		return end(body, i+1)
	}
	for number := 1; ; number++ {
		n, err := s.element(body, skipBlanks(body, i), number)
		if err != nil {
			return err
		}
		i = skipBlanks(body, n)
		switch {
		case i < len(body) && body[i] == ',':
			i++
		case i < len(body) && body[i] == ']':
			return end(body, i+1)
		default:
			return broken(i, len(body), "A comma or the end of the array is expected.")
		}
	}
}

// element reads the record at offset i and returns where it ends.
func (s *state) element(body []byte, i, number int) (end int, err error) {
	if i == len(body) || body[i] != '{' {
		n, err := record.Value(body[i:])
		if err != nil {
			return 0, broken(i, len(body), messageOf(err))
		}
		return i + n, s.refuse(number, notObject("Element", number))
	}
	n, err := s.record.ReadJSON("", body[i:])
	if err != nil {
		return 0, broken(i, len(body), messageOf(err))
	}
	if s.event != nil && s.event(body[i:i+n]) {
		s.record.Reset()
		return i + n, nil
	}
	return i + n, s.flush(number, "Element")
}

func end(body []byte, i int) error {
	if i = skipBlanks(body, i); i < len(body) {
		return broken(i, len(body), "Nothing is expected behind the array.")
	}
	return nil
}

// broken is the error of an array in which something is wrong with what begins at offset at.
func broken(at, size int, why string) error {
	return seamark.Errorf(seamark.Invalid, arrayID,
		"The body is not a valid JSON array at byte %d of %d: %s Send one JSON object per line to have good records kept beside bad ones.", at, size, why)
}

// lines reads one record per line. The first ones may span lines, because a single object is often sent indented.
func (s *state) lines(body []byte) error {
	indented := true
	number := 1
	for i := 0; i < len(body); {
		end := lineEnd(body, i)
		if line := bytes.TrimSpace(body[i:end]); len(line) > 0 {
			err := s.line(line, number)
			if indented = indented && err != nil && line[0] == '{'; indented {
				n, spanErr := record.Value(body[i:])
				if indented = spanErr == nil && i+n > end; indented {
					end = i + n
					err = s.line(bytes.TrimSpace(body[i:end]), number)
				}
			}
			if err := s.refuse(number, err); err != nil {
				return err
			}
		}
		number += bytes.Count(body[i:end], []byte("\n"))
		if i = end; i < len(body) && body[i] == '\n' {
			i++
			number++
		}
	}
	return nil
}

func lineEnd(body []byte, i int) int {
	if n := bytes.IndexByte(body[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(body)
}

// line reads one record. The error says why it cannot be one; nothing was counted then.
func (s *state) line(line []byte, number int) error {
	if line[0] != '{' {
		return notObject("Line", number)
	}
	if s.event != nil && s.event(line) {
		return nil
	}
	if err := s.record.AddJSON("", line); err != nil {
		s.record.Reset()
		return seamark.Errorf(seamark.Invalid, record.MalformedID, "Line %d: %s", number, messageOf(err))
	}
	return s.flush(number, "Line")
}

// flush appends the record's row, or refuses it.
func (s *state) flush(number int, what string) error {
	err := s.record.Flush(s.cat, s.batch)
	if e, refused := record.Refused(err); refused {
		return s.refuse(number, &seamark.Error{Kind: e.Kind, ID: e.ID, Message: fmt.Sprintf("%s %d: %s", what, number, e.Message)})
	}
	return err
}

// refuse counts a record that err refuses; other errors, which end the request, come back.
func (s *state) refuse(number int, err error) error {
	e, refused := record.Refused(err)
	if !refused {
		return err
	}
	s.batch.Rejected.Add(seamark.Logs, 1, e.ID, e.Message)
	if s.refused != nil {
		s.refused(number, e)
	}
	return nil
}

func notObject(what string, number int) error {
	return seamark.Errorf(seamark.Invalid, record.MalformedID, "%s %d is no JSON object; send one object per record.", what, number)
}

func messageOf(err error) string {
	if e, ok := record.Refused(err); ok {
		return e.Message
	}
	return err.Error()
}

func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
