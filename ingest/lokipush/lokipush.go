// Package lokipush turns the body of a Loki push request (already inflated), protobuf or JSON, into a seamark.Batch and
// does nothing else. Lines and metadata alias the body; a stream that the catalogue knows costs one hash over its labels
// as they were sent and one look-up. Package ingest imports it.
package lokipush

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The key spaces set the catalogue keys of the two forms apart from each other's and from other protocols' keys of the
// same bytes. They were drawn at random.
const (
	protoKeySpace = 0xc2a7f1908e5d364b
	jsonKeySpace  = 0x61d83b2ef4097ca5
)

// maxScratch bounds what scratch memory outlives a request. Without it one request with a huge label set or very many
// streams makes every later one pay for its memory.
const maxScratch = 4096

// Options says how one request is decoded.
type Options struct {
	// Now is the time of lines that carry none.
	Now time.Time
	// MaxAttrs bounds the structured metadata pairs of one line; zero means seamark.DefaultLimits().MaxAttrs. Without it one
	// line's metadata outweighs the lines around it.
	MaxAttrs int
	// NoDetection leaves the text of lines unread: level and trace id are then only what the sender told beside it.
	NoDetection bool
}

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any { return &state{refs: make(map[*seamark.Series]uint32)} }}}
}

// DecodeProto appends the lines of a logproto.PushRequest to b. Strings in b alias body, so body must stay unchanged as
// long as b is used. Lines that cannot be kept, and all lines of streams that cat refuses, are counted in b.Rejected
// while the rest is kept. The error is a *seamark.Error: Invalid seamark-body-protobuf when body is not a PushRequest,
// after which b holds a part of the request and must not be used.
func (d *Decoder) DecodeProto(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	return s.pushRequest()
}

// DecodeJSON is DecodeProto for the JSON form. It takes body over: strings with escapes are rewritten in place, so that
// a body cannot be decoded twice. The error is Invalid seamark-body-json, with the offset and what was expected there.
func (d *Decoder) DecodeJSON(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	return s.pushJSON()
}

// state is what one call works with.
type state struct {
	body   []byte
	cat    seamark.Catalog
	batch  *seamark.Batch
	now    int64
	most   int // pairs of one line
	detect bool

	json   scanner
	stream stream
	refs   map[*seamark.Series]uint32 // the batch's streams, because a request may name one of them twice
	labels []seamark.Label
	attrs  []seamark.Label
}

// stream is the stream whose lines are being read.
type stream struct {
	ref   uint32
	level seamark.Level // what its labels tell
}

func (d *Decoder) take(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) *state {
	s := d.scratch.Get().(*state)
	s.body, s.cat, s.batch, s.now, s.detect = body, cat, b, o.Now.UnixNano(), !o.NoDetection
	if s.most = o.MaxAttrs; s.most <= 0 {
		s.most = seamark.DefaultLimits().MaxAttrs
	}
	for i, series := range b.Logs.Streams {
		s.refs[series] = uint32(i)
	}
	return s
}

// give returns s to the pool without anything of the request.
func (d *Decoder) give(s *state) {
	if cap(s.labels) > maxScratch || cap(s.attrs) > maxScratch || len(s.refs) > maxScratch {
		return
	}
	clear(s.labels[:cap(s.labels)])
	clear(s.attrs[:cap(s.attrs)])
	clear(s.refs)
	*s = state{refs: s.refs, labels: s.labels[:0], attrs: s.attrs[:0]}
	d.scratch.Put(s)
}

// enter makes series the stream of the lines that follow.
func (s *state) enter(series *seamark.Series) {
	ref, known := s.refs[series]
	if !known {
		ref = s.batch.Logs.AddStream(series)
		s.refs[series] = ref
	}
	s.stream = stream{ref: ref, level: levelOfLabels(series.Labels)}
}

// levelOfLabels reads the level that a stream's labels tell.
func levelOfLabels(labels []seamark.Label) seamark.Level {
	for i := range labels {
		if labels[i].Name == "level" || labels[i].Name == "severity" {
			if l := level.Parse(labels[i].Value); l != seamark.LevelUnknown {
				return l
			}
		}
	}
	return seamark.LevelUnknown
}

// row appends one line of the current stream. Its metadata stands in s.attrs.
func (s *state) row(timeNano int64, line string) error {
	if len(s.attrs) > s.most {
		s.rejectLine(manyAttrsID, func() string {
			return fmt.Sprintf("A line has %d pairs of structured metadata; the limit is %d (--ingest.max-attrs).", len(s.attrs), s.most)
		})
		return nil
	}
	if err := s.batch.Reserve(seamark.LogRowBytes); err != nil {
		return err
	}
	if timeNano == 0 {
		timeNano = s.now
	}
	row := seamark.LogRow{Stream: s.stream.ref, TimeNano: timeNano, Body: line}
	told := s.stream.level
	if len(s.attrs) > 0 {
		told = liftAttrs(s.attrs, &row, told)
	}
	row.Level = told
	if s.detect {
		if told == seamark.LevelUnknown {
			row.Level = level.DetectLevel(line)
		}
		if row.TraceID == [16]byte{} {
			row.TraceID, _ = level.FindTraceID(line)
		}
	}
	s.batch.Logs.Append(&row)
	return nil
}

// liftAttrs moves what has a column of its own out of attrs into row, sets row.Attrs to the rest (in the memory of
// attrs), and returns the line's level: what level or severity say, else detected_level, else fallback.
func liftAttrs(attrs []seamark.Label, row *seamark.LogRow, fallback seamark.Level) seamark.Level {
	told, detected := seamark.LevelUnknown, seamark.LevelUnknown
	kept := attrs[:0]
	for _, a := range attrs {
		switch a.Name {
		case "trace_id", "traceID", "TraceId", "traceId":
			if id, ok := level.ParseTraceID(a.Value); ok {
				row.TraceID = id
				continue
			}
		case "span_id", "spanID", "SpanId", "spanId":
			if id, ok := level.ParseSpanID(a.Value); ok {
				row.SpanID = id
				continue
			}
		case "level", "severity", "severity_text":
			if l := level.Parse(a.Value); l != seamark.LevelUnknown {
				told = l
			}
		case "detected_level":
			// The level column is what detected_level is answered from; a second copy could only contradict it.
			detected = level.Parse(a.Value)
			continue
		}
		kept = append(kept, a)
	}
	row.Attrs = kept
	switch {
	case told != seamark.LevelUnknown:
		return told
	case detected != seamark.LevelUnknown:
		return detected
	}
	return fallback
}

// rejectStream counts the n lines of a stream whose labels were refused. An error that is not the sender's fault, or
// that ends the request, is returned.
func (s *state) rejectStream(n int, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID == malformedProtoID || e.ID == malformedJSONID {
		return err
	}
	s.batch.Rejected.Add(seamark.Logs, n, e.ID, e.Message)
	return nil
}

// rejectLine counts one refused line. The sentence is made only for the first of its reason: a body full of bad lines
// must not cost more than one full of good ones.
func (s *state) rejectLine(reason string, detail func() string) {
	for i := range s.batch.Rejected.Reasons {
		if s.batch.Rejected.Reasons[i].Reason == reason {
			s.batch.Rejected.Add(seamark.Logs, 1, reason, "")
			return
		}
	}
	s.batch.Rejected.Add(seamark.Logs, 1, reason, detail())
}

// Reasons for refusing a line.
const (
	badTimeID  = "seamark-line-timestamp"
	badShapeID = "seamark-line-shape"
	badAttrID  = "seamark-line-metadata"

	manyAttrsID = "seamark-attributes-limit"
)
