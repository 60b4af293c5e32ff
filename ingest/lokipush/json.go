package lokipush

import (
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func (s *state) pushJSON() error {
	p := &s.json
	p.body = s.body
	if !p.take('{') {
		return p.fail("an object")
	}
	err := s.members(func(name string) error {
		if name != "streams" {
			return p.skip(0)
		}
		if p.peek() == 'n' { // null, as Go senders write an empty list
			return p.skip(0)
		}
		return s.elements("the list of streams", s.jsonStream)
	})
	if err != nil {
		return err
	}
	if p.peek(); p.i < len(p.body) {
		return p.fail("the end")
	}
	return nil
}

// members calls read at each value of an object whose opening brace is already read.
func (s *state) members(read func(name string) error) error {
	for first := true; ; first = false {
		more, err := s.json.next(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := s.json.key()
		if err != nil {
			return err
		}
		s.json.peek()
		if err := read(name); err != nil {
			return err
		}
	}
}

// elements calls read at each element of the array at the scanner's place.
func (s *state) elements(what string, read func() error) error {
	if !s.json.take('[') {
		return s.json.fail(what)
	}
	for first := true; ; first = false {
		more, err := s.json.next(first, ']')
		if err != nil || !more {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// jsonStream reads one stream. Its values may stand before its labels; then they are passed over and read at the end.
func (s *state) jsonStream() error {
	p := &s.json
	if !p.take('{') {
		return p.fail("a stream object")
	}
	const none = -1
	labels, labelsEnd, values := none, none, none
	done := false
	old := oldStream{entries: none}
	err := s.members(func(name string) (err error) {
		switch name {
		case "stream":
			if p.peek() != '{' {
				return p.fail("an object with the stream's labels")
			}
			labels = p.i
			err = p.skip(0)
			labelsEnd = p.i
			return err
		case "values":
			if values != none {
				return p.fail("each stream to have its values once")
			}
			if values = p.i; labels == none {
				return p.skip(0)
			}
			done = true
			return s.jsonValues(labels, labelsEnd)
		case "labels", "entries":
			return s.oldMember(&old, name)
		}
		return p.skip(0)
	})
	if err == nil && values == none && old.entries != none {
		return s.oldEntries(&old)
	}
	if err != nil || values == none || done {
		return err
	}
	end := p.i
	p.i = values
	if err := s.jsonValues(labels, labelsEnd); err != nil {
		return err
	}
	p.i = end
	return nil
}

// jsonValues reads the lines at the scanner's place. The stream's labels stand between labels and labelsEnd; a negative
// place means that it has none.
func (s *state) jsonValues(labels, labelsEnd int) error {
	p := &s.json
	if p.peek() == 'n' {
		return p.skip(0)
	}
	if p.peek() != '[' {
		return p.fail("an array of values")
	}
	values := p.i
	p.i++
	if p.peek() == ']' { // a stream without lines is not made
		p.i++
		return nil
	}
	p.i = values
	series, err := s.seriesOfObject(labels, labelsEnd)
	if err != nil {
		count := 0
		if skipErr := s.elements("an array of values", func() error { count++; return p.skip(0) }); skipErr != nil {
			return skipErr
		}
		return s.rejectStream(count, err)
	}
	s.enter(series)
	p.i = values
	return s.elements("an array of values", s.jsonEntry)
}

// seriesOfObject finds or makes the series of a label object.
func (s *state) seriesOfObject(labels, labelsEnd int) (*seamark.Series, error) {
	p := &s.json
	s.labels = s.labels[:0]
	if labels < 0 {
		return s.cat.Create(jsonKeySpace, seamark.LogStream, s.labels)
	}
	// The hash comes before the labels are read, because reading rewrites escapes.
	key := xxhash.Sum64(p.body[labels:labelsEnd]) ^ jsonKeySpace
	if series := s.cat.Find(key); series != nil {
		return series, nil
	}
	back := p.i
	p.i = labels
	var flat bool
	var err error
	s.labels, flat, err = s.pairs(s.labels)
	p.i = back
	if err != nil {
		return nil, err
	}
	if !flat {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-stream-labels",
			"A label of the stream at byte %d is an object or an array; send strings.", labels)
	}
	return s.cat.Create(key, seamark.LogStream, s.labels)
}

// pairs appends the members of the object at the scanner's place to dst. Numbers and booleans are taken as their text,
// and null as absent; flat is false when a value is none of these.
func (s *state) pairs(dst []seamark.Label) (pairs []seamark.Label, flat bool, err error) {
	p := &s.json
	p.i++ // the opening brace
	flat = true
	for first := true; ; first = false {
		more, err := p.next(first, '}')
		if err != nil || !more {
			return dst, flat, err
		}
		var pair seamark.Label
		if pair.Name, err = p.key(); err != nil {
			return dst, flat, err
		}
		switch p.peek() {
		case '"':
			pair.Value, err = p.str()
		case '{', '[':
			flat = false
			err = p.skip(0)
		default:
			if pair.Value, err = p.scalar(); pair.Value == "null" {
				continue
			}
		}
		if err != nil {
			return dst, flat, err
		}
		dst = append(dst, pair)
	}
}

// jsonEntry reads one line: [time, text] or [time, text, metadata].
func (s *state) jsonEntry() error {
	p := &s.json
	start := p.i
	if !p.take('[') {
		return p.fail("a line as an array of time and text")
	}
	var (
		nano  int64
		line  string
		fault string
	)
	s.attrs = s.attrs[:0]
	count := 0
	for ; ; count++ {
		more, err := p.next(count == 0, ']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		var found string
		switch p.peek(); count {
		case 0:
			nano, found, err = s.jsonTime()
		case 1:
			line, found, err = s.jsonLine()
		case 2:
			found, err = s.jsonAttrs()
		default:
			err = p.skip(0)
		}
		if err != nil {
			return err
		}
		if fault == "" {
			fault = found
		}
	}
	if count < 2 && fault == "" {
		fault = badShapeID
	}
	if fault != "" {
		s.rejectLine(fault, func() string { return p.fault(fault, start) })
		return nil
	}
	return s.row(nano, line)
}

// fault is the sentence for a line that was refused for the given reason; start is where the line stands.
func (p *scanner) fault(reason string, start int) string {
	at := seamark.Errorf(seamark.Invalid, reason, "The line at byte %d ", start).Message
	switch reason {
	case badTimeID:
		return at + "has a time that is not a whole number of nanoseconds since 1970 in 64 bits; send it as a string of digits."
	case badAttrID:
		return at + "has structured metadata that is not an object of strings; flatten it."
	}
	return at + "is not an array of time and text, both strings."
}

// jsonTime reads a time in nanoseconds, as a string or as a number. An empty string means that the line has none.
func (s *state) jsonTime() (nano int64, fault string, err error) {
	p := &s.json
	var text string
	switch c := p.peek(); {
	case c == '"':
		if text, err = p.str(); text == "" {
			return 0, "", err
		}
	case c == '-' || c-'0' < 10:
		text, err = p.scalar()
	default:
		return 0, badTimeID, p.skip(0)
	}
	nano, ok := parseNano(text)
	if !ok {
		fault = badTimeID
	}
	return nano, fault, err
}

// parseNano reads a decimal integer of 64 bits.
func parseNano(text string) (nano int64, ok bool) {
	text, negative := cutSign(text, "-")
	if len(text) == 0 || len(text) > 19 {
		return 0, false
	}
	var n uint64
	for i := range len(text) {
		c := text[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

func (s *state) jsonLine() (line, fault string, err error) {
	if s.json.peek() != '"' {
		return "", badShapeID, s.json.skip(0)
	}
	line, err = s.json.str()
	return line, "", err
}

func (s *state) jsonAttrs() (fault string, err error) {
	switch s.json.peek() {
	case '{':
		var flat bool
		if s.attrs, flat, err = s.pairs(s.attrs); !flat {
			fault = badAttrID
		}
		return fault, err
	case 'n':
		return "", s.json.skip(0)
	}
	return badAttrID, s.json.skip(0)
}
