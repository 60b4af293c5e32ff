package hec

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeEvents appends the events of a body of /services/collector/event to b: objects one after the other, with or
// without white space between, or in an array. Events that cannot be taken are counted in b.Rejected while the rest is
// kept, and the outcome tells the first of them; behind one that is no JSON nothing can be read. Strings in b alias body,
// so body must stay unchanged as long as b is used. The error is a *seamark.Error: Invalid seamark-hec-empty for a body
// without data, Invalid seamark-hec-format when its first event is no JSON; the outcome goes with it.
func (d *Decoder) DecodeEvents(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) (Outcome, error) {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	rest := bytes.TrimLeft(body, blanks)
	if len(rest) == 0 {
		return Outcome{Reply: NoData}, empty()
	}
	var err error
	if rest[0] == '[' {
		err = s.array(rest)
	} else {
		err = s.objects(rest)
	}
	return s.outcome, err
}

const blanks = " \t\r\n"

// objects reads events one after the other.
func (s *state) objects(rest []byte) error {
	for len(rest) > 0 {
		n, err := record.Value(rest)
		if err != nil {
			return s.stop(err)
		}
		if err := s.event(bytes.TrimLeft(rest[:n], blanks)); err != nil {
			return err
		}
		s.number++
		rest = bytes.TrimLeft(rest[n:], blanks)
	}
	return nil
}

// array reads events out of an array.
func (s *state) array(raw []byte) error {
	var failure error // of an event, which ends the request
	err := record.Elements(raw, func(event []byte) error {
		failure = s.event(event)
		s.number++
		return failure
	})
	switch {
	case failure != nil:
		return failure
	case err != nil:
		return s.stop(err)
	case s.number == 0:
		s.outcome.Reply = NoData
		return empty()
	}
	return nil
}

// stop ends the reading at an event that is no JSON: what came before is kept.
func (s *state) stop(err error) error {
	if s.number == 0 {
		s.outcome = Outcome{Reply: InvalidFormat}
		return s.malformed(err)
	}
	s.broken(err)
	return nil
}

// envelope is an event whose values are still JSON.
type envelope struct {
	time, host, source, sourcetype, index, event, fields []byte
	rest                                                 bool // there are other members
}

func (e *envelope) member(key string, value []byte) error {
	if value[0] == 'n' { // null is nothing
		return nil
	}
	switch key {
	case "time":
		e.time = value
	case "host":
		e.host = value
	case "source":
		e.source = value
	case "sourcetype":
		e.sourcetype = value
	case "index":
		e.index = value
	case "event":
		e.event = value
	case "fields":
		e.fields = value
	default:
		e.rest = true
	}
	return nil
}

// metadata is what the event tells about itself, and what the request tells for all of its events.
func (e *envelope) metadata(d *Metadata) Metadata {
	m := Metadata{
		Time: either(e.time, d.Time), Host: either(e.host, d.Host), Source: either(e.source, d.Source),
		Sourcetype: either(e.sourcetype, d.Sourcetype), Index: either(e.index, d.Index),
	}
	if m.Host == unknownHost {
		m.Host = ""
	}
	return m
}

// unknownHost is what the OpenTelemetry exporter sends for a record without a host.
const unknownHost = "unknown"

func either(raw []byte, fallback string) string {
	if t := text(raw); t != "" {
		return t
	}
	return fallback
}

// event appends the rows of one event.
func (s *state) event(raw []byte) error {
	if raw[0] != '{' {
		s.reject(rejection{seamark.Logs, 1, InvalidFormat, formatID}, func() string {
			return fmt.Sprintf("Event %d is %.40q; it must be an object.", s.number, raw)
		})
		return nil
	}
	var e envelope
	if err := record.Members(raw, e.member); err != nil {
		return err
	}
	if e.event != nil && e.fields != nil && e.fields[0] != '{' {
		s.reject(rejection{seamark.Logs, 1, FieldsInvalid, fieldsID}, func() string {
			return fmt.Sprintf(`"fields" of event %d is %.40q; it must be an object.`, s.number, e.fields)
		})
		return nil
	}
	m := e.metadata(&s.opts.Default)
	nanos, ok := parseTime(m.Time)
	switch {
	case e.event == nil:
		s.rejectEvent(EventRequired, `has no "event"`)
	case e.event[0] == '"' && strings.TrimSpace(text(e.event)) == "":
		s.rejectEvent(EventBlank, `has a blank "event"`)
	case !ok:
		s.reject(rejection{seamark.Logs, 1, InvalidFormat, formatID}, func() string {
			return fmt.Sprintf("Event %d has the time %.40q; it must be seconds since 1970.", s.number, m.Time)
		})
	case string(e.event) == `"metric"` && e.fields != nil:
		return s.metrics(&e, &m, nanos)
	default:
		return s.log(raw, &e, &m, nanos)
	}
	return nil
}

func (s *state) rejectEvent(reply Reply, fault string) {
	s.reject(rejection{seamark.Logs, 1, reply, eventID}, func() string {
		return fmt.Sprintf(`Event %d %s; send {"event":"text"} or {"event":{...}}.`, s.number, fault)
	})
}

// log appends an event that is a line.
func (s *state) log(raw []byte, e *envelope, m *Metadata, nanos int64) error {
	if s.opts.Event != nil && e.event[0] == '{' && s.opts.Event(e.event) {
		return nil
	}
	b := s.record
	b.Reset()
	b.SetTime(nanos)
	var err error
	switch {
	case e.event[0] == '"':
		b.SetBody(text(e.event))
	case isDocker(e.event):
		err = record.Members(e.event, s.docker)
	default:
		err = b.AddJSON("", e.event)
	}
	if err == nil && e.fields != nil {
		err = record.Members(e.fields, s.field)
	}
	if err == nil && e.rest {
		err = record.Members(raw, s.other)
	}
	if err != nil {
		return s.refuse(seamark.Logs, 1, err)
	}
	s.addMetadata(m)
	return s.flush()
}

// isDocker tells the events of Docker's log driver, in its formats inline and json: the container's line stands in a member
// of an object, {"line":"text","source":"stdout","tag":"name","attrs":{}}.
func isDocker(event []byte) bool {
	return bytes.HasPrefix(event, []byte(`{"line":`)) &&
		(bytes.Contains(event, []byte(`"source":"stdout"`)) || bytes.Contains(event, []byte(`"source":"stderr"`)))
}

// docker adds a member of such an event. A line that is JSON itself is the record, the other members go beside it.
func (s *state) docker(key string, value []byte) error {
	switch {
	case key != "line":
		return s.record.AddJSON(key, value)
	case value[0] == '"':
		s.record.SetBody(text(value))
		return nil
	default:
		return s.record.AddJSON("", value)
	}
}

// field adds a member of "fields". Splunk's OpenTelemetry collector has names of its own for what other protocols tell.
func (s *state) field(key string, value []byte) error {
	switch key {
	case "otel.log.severity.text":
		key = "severity_text"
	case "otel.log.severity.number":
		key = "severity_number"
	}
	return s.record.AddJSON(key, value)
}

// other adds a member of the event's envelope that the collector does not define, so that it is not lost.
func (s *state) other(key string, value []byte) error {
	switch key {
	case "time", "host", "source", "sourcetype", "index", "event", "fields":
		return nil
	}
	return s.record.AddJSON(key, value)
}

// text returns the text of a JSON scalar, "" for everything else. The body's JSON is valid where this is called.
func text(raw []byte) string {
	if n := len(raw) - 1; n < 1 || raw[0] != '"' {
		if n < 0 {
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
		if c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

// cutLine cuts the first line from b, without its end; a line of blanks is empty.
func cutLine(b []byte) (line, rest []byte) {
	line = b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line, rest = b[:i], b[i+1:]
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(bytes.TrimLeft(line, blanks)) == 0 {
		return nil, rest
	}
	return line, rest
}
