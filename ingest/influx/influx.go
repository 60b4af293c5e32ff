// Package influx turns InfluxDB line protocol (already inflated) into a seamark.Batch, and makes the bodies that InfluxDB's
// clients expect; it does nothing else. A field whose series the catalogue knows costs one hash over the bytes of its
// measurement and tags, one over its key, and one look-up. Package ingest imports it.
//
// A field becomes the metric <measurement>_<field>; a field named value becomes <measurement>. Tags become labels, and
// names are brought to Prometheus' legacy form. Integers become floats, booleans 0 and 1. A string is no metric: it is
// counted as refused under seamark-field-string, the other fields of its point are kept, and the sender is not told,
// because many of Telegraf's plugins send one and it would complain about every batch.
package influx

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxScratch bounds what scratch memory outlives a request. Without it one line with a huge tag set makes every later
// request pay for its memory.
const maxScratch = 4096

// Options says how one request is decoded.
type Options struct {
	// Now is the time of points that carry none.
	Now time.Time
	// Precision is the unit of the timestamps.
	Precision Precision
	// Faults, when set, is told which lines were refused.
	Faults *Faults
}

// Faults names the refused lines of a request, as far as a response has room for them.
type Faults struct {
	List  []Fault // the first MaxFaults
	Total int
}

// Fault is one refused line.
type Fault struct {
	Line    int // from 1
	Reason  string
	Message string // a sentence without the line's number
}

// MaxFaults is how many refused lines a response names. Without it a body of bad lines is answered with one as large.
const MaxFaults = 10

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any { return new(state) }}}
}

// Decode appends the numeric and boolean fields of body's points to b. A line that is malformed, or whose series cat
// refuses, is refused as a whole, counts as one sample in b.Rejected and is named in o.Faults; its neighbours are kept.
// No text makes a whole body unreadable, so the error is a refusal of memory or the catalogue's own failure, after which
// b holds a part of the request and must not be used. Nothing in b aliases body.
func (d *Decoder) Decode(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s, _ := d.scratch.Get().(*state)
	s.body, s.cat, s.batch, s.options, s.now, s.line = body, cat, b, o, o.Now.UnixMilli(), 1
	err := s.lines()
	if s.strings > 0 {
		b.Rejected.Add(seamark.Metrics, s.strings, stringFieldID, fmt.Sprintf("String fields are not stored, because they are no metrics; "+
			"the first stands in line %d. The other fields of their points are kept.", s.firstString))
	}
	if cap(s.labels) <= maxScratch && cap(s.text) <= maxScratch*16 {
		clear(s.tags[:cap(s.tags)])
		clear(s.labels[:cap(s.labels)])
		*s = state{tags: s.tags[:0], labels: s.labels[:0], text: s.text[:0]}
		d.scratch.Put(s)
	}
	return err
}

// state is what one call of Decode works with.
type state struct {
	body    []byte
	cat     seamark.Catalog
	batch   *seamark.Batch
	options Options
	now     int64

	line    int // number of the line in which counted lies
	counted int // offset up to which newlines were counted

	head   []byte // measurement and tags of the current point, as sent
	parsed bool   // tags, measurement and text belong to head
	tags   []seamark.Label
	name   string // of the measurement
	labels []seamark.Label
	text   []byte // names and values that differ from what was sent

	strings     int
	firstString int
}

// lines walks the body. Blank lines and comments are passed over.
func (s *state) lines() error {
	for at := 0; at < len(s.body); {
		switch s.body[at] {
		case '\n', ' ', '\t', '\r':
			at++
			continue
		case '#':
			at = s.lineEnd(at) + 1
			continue
		}
		samples, series, stringsBefore := s.batch.Samples.Len(), len(s.batch.Samples.Series), s.strings
		next, err := s.point(at)
		if err == nil {
			if s.strings > 0 && stringsBefore == 0 {
				s.firstString = s.lineOf(at)
			}
			at = next
			continue
		}
		s.undo(samples, series)
		s.strings = stringsBefore
		if err := s.refuse(at, err); err != nil {
			return err
		}
		// A quote that was never closed has swallowed good lines: go on behind the line that the point began in.
		at = s.lineEnd(at) + 1
	}
	return nil
}

// lineEnd returns the offset of the newline behind at, or the body's length.
func (s *state) lineEnd(at int) int {
	if n := bytes.IndexByte(s.body[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(s.body)
}

// lineOf returns the number of the line in which at lies. Offsets must rise from call to call.
func (s *state) lineOf(at int) int {
	s.line += bytes.Count(s.body[s.counted:at], []byte{'\n'})
	s.counted = at
	return s.line
}

// undo takes back what a refused line has appended.
func (s *state) undo(samples, series int) {
	rows := &s.batch.Samples
	clear(rows.Series[series:])
	rows.Series = rows.Series[:series]
	rows.SeriesRef, rows.TimeMilli, rows.Value = rows.SeriesRef[:samples], rows.TimeMilli[:samples], rows.Value[:samples]
}

// fault is why a line cannot be read: a stable reason, and what is wrong at an offset of the body.
type fault struct {
	reason string
	what   string
	at     int
}

// Error implements error; lines that are refused over and over must not cost a formatted sentence each.
func (f *fault) Error() string { return f.what }

// Reasons for refusing a line or a field.
const (
	syntaxID      = "seamark-point-syntax"
	valueID       = "seamark-point-value"
	timeID        = "seamark-point-timestamp"
	nameID        = "seamark-point-name"
	stringFieldID = "seamark-field-string"
)

// refuse counts the line that begins at start, or returns err when it is not about the line.
func (s *state) refuse(start int, err error) error {
	var reason string
	bad, isFault := errors.AsType[*fault](err)
	if isFault {
		reason = bad.reason
	} else {
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.Kind != seamark.Invalid {
			return err
		}
		reason = e.ID
	}
	faults := s.options.Faults
	listed := faults != nil && len(faults.List) < MaxFaults
	line := s.lineOf(start)
	message, detail := "", ""
	if listed || !s.known(reason) {
		message = err.Error()
		if isFault {
			message = s.describe(start, bad)
		}
		detail = fmt.Sprintf("Line %d: %s", line, message)
	}
	s.batch.Rejected.Add(seamark.Metrics, 1, reason, detail)
	if faults != nil {
		faults.Total++
	}
	if listed {
		faults.List = append(faults.List, Fault{Line: line, Reason: reason, Message: message})
	}
	return nil
}

// known reports whether a line was refused for reason before, so that nobody reads another sentence.
func (s *state) known(reason string) bool {
	for i := range s.batch.Rejected.Reasons {
		if s.batch.Rejected.Reasons[i].Reason == reason {
			return true
		}
	}
	return false
}

// describe makes the sentence of a malformed line: what is wrong, at which byte of the line, and the text there.
func (s *state) describe(start int, f *fault) string {
	const most = 40
	text := s.body[f.at:min(f.at+most, s.lineEnd(f.at))]
	if len(text) == 0 {
		return fmt.Sprintf("%s at byte %d, where the line ends.", f.what, f.at-start+1)
	}
	return fmt.Sprintf("%s at byte %d, before %q.", f.what, f.at-start+1, strings.ToValidUTF8(string(text), "\uFFFD"))
}
