package hec

import (
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options says how one request is decoded.
type Options struct {
	// Now is the time of what carries none.
	Now time.Time
	// Event, when set, is shown each record's JSON before it becomes a line, and takes it when it is a Kubernetes event.
	Event func(raw []byte) bool
	// MaxAttrs bounds the attributes of a log row, see record.Options; zero means its default.
	MaxAttrs int
	// Default is what the request's query parameters tell; an event's own fields go before it.
	Default Metadata
}

// Metadata is what Splunk keeps beside an event. Empty fields are not set.
type Metadata struct {
	Time                            string // seconds since 1970, with or without a fraction
	Host, Source, Sourcetype, Index string
}

// Outcome says what to answer about the events that were decoded: Success, or the first fault and the number of the event
// that has it, from 0.
type Outcome struct {
	Reply Reply
	Event int
}

// Ids of refused requests and events. The collector's codes follow from them.
const (
	emptyID  = "seamark-hec-empty"  // 5, no data
	formatID = "seamark-hec-format" // 6, invalid data format
	eventID  = "seamark-hec-event"  // 12 and 13, an event without an event
	fieldsID = "seamark-hec-fields" // 15, fields that are no object
	valueID  = "seamark-hec-value"  // 6, a metric without a number
)

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
	body  []byte
	cat   seamark.Catalog
	batch *seamark.Batch
	opts  Options

	outcome Outcome
	number  int // of the event that is being read
	record  *record.Builder
	metric  metricEvent
}

// maxScratch bounds what scratch memory outlives a request, in elements.
const maxScratch = 4096

func (d *Decoder) take(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) *state {
	s := d.scratch.Get().(*state)
	s.body, s.cat, s.batch, s.opts = body, cat, b, o
	s.record.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs})
	return s
}

// give returns s to the pool without anything of the request.
func (d *Decoder) give(s *state) {
	if s.metric.large() {
		return
	}
	s.record.Release()
	s.metric.release()
	*s = state{record: s.record, metric: s.metric}
	d.scratch.Put(s)
}

// reject counts n rows of the current event and remembers the first fault. The sentence is made only for the first of its
// reason: a body full of bad events must not cost more than one full of good ones.
func (s *state) reject(r rejection, detail func() string) {
	text := ""
	if !s.refusedBefore(r.reason) {
		text = detail()
	}
	s.batch.Rejected.Add(r.signal, r.rows, r.reason, text)
	if s.outcome.Reply == Success {
		s.outcome = Outcome{r.reply, s.number}
	}
}

// rejection is what is refused and why.
type rejection struct {
	signal seamark.Signal
	rows   int
	reply  Reply
	reason string
}

func (s *state) refusedBefore(reason string) bool {
	for i := range s.batch.Rejected.Reasons {
		if s.batch.Rejected.Reasons[i].Reason == reason {
			return true
		}
	}
	return false
}

// refuse counts n rows that the catalogue refused. An error that ends the request is returned.
func (s *state) refuse(signal seamark.Signal, n int, err error) error {
	e, ok := record.Refused(err)
	if !ok {
		return err
	}
	s.reject(rejection{signal, n, InvalidFormat, e.ID}, func() string { return e.Message })
	return nil
}

// empty is the error of a request without data.
func empty() error {
	return seamark.Errorf(seamark.Invalid, emptyID, "The body has no data; send at least one event.")
}

// malformed is the error of a body whose first event cannot be read.
func (s *state) malformed(err error) error {
	return seamark.Wrap(err, seamark.Invalid, formatID,
		`The body is not a list of events. Event 0 is broken: %s Send {"event":...} objects one after the other.`, message(err))
}

// message returns the customer's text of an error of package record.
func message(err error) string {
	if e, ok := record.Refused(err); ok {
		return e.Message
	}
	return ""
}

// DecodeRaw appends each line of a body of /services/collector/raw to b; blank lines are none. What the lines have beside
// their text comes from o.Default. Strings in b alias body, so body must stay unchanged as long as b is used. The error is
// a *seamark.Error: Invalid seamark-hec-empty when there is no line, Invalid seamark-hec-format when o.Default.Time is no
// time; lines whose labels cat refuses are counted in b.Rejected.
func (d *Decoder) DecodeRaw(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) (Outcome, error) {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	nanos, ok := parseTime(o.Default.Time)
	if !ok {
		return Outcome{Reply: InvalidFormat}, seamark.Errorf(seamark.Invalid, formatID,
			"The parameter time is %.40q; it must be seconds since 1970.", o.Default.Time)
	}
	for rest := body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			continue
		}
		s.record.Reset()
		s.record.SetTime(nanos)
		s.record.SetBody(alias(line))
		s.addMetadata(&o.Default)
		if err := s.flush(); err != nil {
			return s.outcome, err
		}
		s.number++
	}
	if s.number == 0 {
		return Outcome{Reply: NoData}, empty()
	}
	return s.outcome, nil
}

// parseTime reads a time in seconds; nothing and zero are none.
func parseTime(text string) (nanos int64, ok bool) {
	if text == "" || text == "0" {
		return 0, true
	}
	return record.ParseTime(text)
}

// addMetadata adds what Splunk keeps beside an event.
func (s *state) addMetadata(m *Metadata) {
	b := s.record
	if m.Host != "" {
		b.Add("host", m.Host)
	}
	if m.Source != "" {
		b.Add("com.splunk.source", m.Source)
	}
	if m.Sourcetype != "" {
		b.Add("com.splunk.sourcetype", m.Sourcetype)
		b.SetDefault("service_name", m.Sourcetype)
	}
	if m.Index != "" {
		b.Add("com.splunk.index", m.Index)
	}
}

func (s *state) flush() error {
	if err := s.record.Flush(s.cat, s.batch); err != nil {
		return s.refuse(seamark.Logs, 1, err)
	}
	return nil
}

// alias returns b as a string without copying it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// broken counts an event that cannot be read.
func (s *state) broken(err error) {
	s.reject(rejection{seamark.Logs, 1, InvalidFormat, formatID}, func() string {
		return fmt.Sprintf("Event %d and what follows cannot be read. %s", s.number, message(err))
	})
}
