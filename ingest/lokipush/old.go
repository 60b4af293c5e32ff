package lokipush

import (
	"time"
)

// oldStream is a stream in the JSON form of Loki before 1.0, which senders to /api/prom/push still write:
// {"labels": "{app=\"shop\"}", "entries": [{"ts": "2018-12-18T08:28:06.8Z", "line": "text"}]}.
type oldStream struct {
	labels  string
	entries int // place of the entries; negative while they were not met
}

// oldMember reads the labels, or notes where the entries stand and passes over them.
func (s *state) oldMember(old *oldStream, name string) (err error) {
	p := &s.json
	if name == "entries" {
		old.entries = p.i
		return p.skip(0)
	}
	if p.peek() != '"' {
		return p.skip(0)
	}
	old.labels, err = p.str()
	return err
}

// oldEntries reads the lines of a stream whose end the scanner has reached.
func (s *state) oldEntries(old *oldStream) error {
	p := &s.json
	end := p.i
	p.i = old.entries
	if p.peek() != '[' {
		return p.fail("an array of entries")
	}
	series, err := s.seriesOfText([]byte(old.labels))
	if err != nil {
		count := 0
		if skipErr := s.elements("an array of entries", func() error { count++; return p.skip(0) }); skipErr != nil {
			return skipErr
		}
		if err := s.rejectStream(count, err); err != nil {
			return err
		}
		p.i = end
		return nil
	}
	s.enter(series)
	p.i = old.entries
	if err := s.elements("an array of entries", s.oldEntry); err != nil {
		return err
	}
	p.i = end
	return nil
}

// oldEntry reads one line: {"ts": RFC 3339, "line": text}. A line without a time has the time of its arrival.
func (s *state) oldEntry() error {
	p := &s.json
	start, fault := p.i, ""
	if !p.take('{') {
		return p.fail("an entry object")
	}
	var line string
	var at time.Time
	shaped := false
	err := s.members(func(name string) (err error) {
		switch {
		case name == "ts" && p.peek() == '"':
			var text string
			if text, err = p.str(); err != nil {
				return err
			}
			if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
				fault = badTimeID
			}
			return nil
		case name == "line" && p.peek() == '"':
			shaped = true
			line, err = p.str()
			return err
		}
		return p.skip(0)
	})
	if err != nil {
		return err
	}
	if !shaped && fault == "" {
		fault = badShapeID
	}
	if fault != "" {
		s.rejectLine(fault, func() string { return p.fault(fault, start) })
		return nil
	}
	s.attrs = s.attrs[:0]
	nano := int64(0)
	if !at.IsZero() {
		nano = at.UnixNano()
	}
	return s.row(nano, line)
}
