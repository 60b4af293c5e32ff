package influx

import (
	"bytes"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// valueField is the field that carries a measurement's only value: the metric is named after the measurement alone. The
// name depends on nothing beside the field, so that a series keeps it whatever other fields a point has.
const valueField = "value"

// create parses the head and gives the field's series to the catalogue, which copies what it keeps.
func (s *state) create(key uint64, field []byte) (*seamark.Series, error) {
	if !s.parsed {
		if err := s.parseHead(); err != nil {
			return nil, err
		}
	}
	if err := s.batch.Reserve((1 + len(s.tags)) * seamark.LabelBytes); err != nil {
		return nil, err
	}
	name := s.name
	if string(field) != valueField {
		from := len(s.text)
		s.text = append(append(s.text, s.name...), '_')
		s.text = appendName(s.text, field, true, false)
		name = alias(s.text[from:])
	}
	s.labels = append(s.labels[:0], seamark.Label{Name: seamark.MetricNameLabel, Value: name})
	s.labels = append(s.labels, s.tags...) // Create may change the labels it is given
	return s.cat.Create(key, seamark.MetricSeries, s.labels)
}

// parseHead reads measurement and tags of the current point into name and tags.
func (s *state) parseHead() error {
	s.tags, s.text = s.tags[:0], s.text[:0]
	rest := s.head
	end := unescaped(rest, ',')
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return &fault{syntaxID, "A point without a measurement", s.offset(rest)}
	}
	from := len(s.text)
	s.text = appendName(s.text, rest[:end], true, true)
	s.name = alias(s.text[from:])
	for rest = rest[end:]; len(rest) > 0; {
		rest = rest[1:]
		end := unescaped(rest, ',')
		if end < 0 {
			end = len(rest)
		}
		if err := s.parseTag(rest[:end]); err != nil {
			return err
		}
		rest = rest[end:]
	}
	s.parsed = true
	return nil
}

func (s *state) parseTag(tag []byte) error {
	equals := unescaped(tag, '=')
	switch {
	case equals < 0 || equals == len(tag)-1:
		return &fault{syntaxID, "A tag without a value", s.offset(tag)}
	case equals == 0:
		return &fault{syntaxID, "A tag without a name", s.offset(tag)}
	case unescaped(tag[equals+1:], '=') >= 0:
		return &fault{syntaxID, "A tag whose value holds an equals sign without a backslash", s.offset(tag)}
	case string(tag[:equals]) == seamark.MetricNameLabel:
		return &fault{nameID, "A tag named __name__, which is the name of the metric,", s.offset(tag)}
	}
	from := len(s.text)
	s.text = appendName(s.text, tag[:equals], false, true)
	name := alias(s.text[from:])
	raw := tag[equals+1:]
	value := alias(raw)
	if bytes.IndexByte(raw, '\\') >= 0 {
		from = len(s.text)
		s.text = appendUnescaped(s.text, raw)
		value = alias(s.text[from:])
	}
	s.tags = append(s.tags, seamark.Label{Name: name, Value: value})
	return nil
}

// offset returns where in the body a part of it begins. Sub-slices keep the body's capacity.
func (s *state) offset(part []byte) int { return cap(s.body) - cap(part) }

// appendUnescaped appends text without the backslashes before separators.
func appendUnescaped(dst, text []byte) []byte {
	for i, c := range text {
		if c == '\\' && i+1 < len(text) && isSeparator(text[i+1]) {
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

func isSeparator(c byte) bool { return c == ',' || c == '=' || c == ' ' }

// appendName appends text as a name in Prometheus' legacy form: what is not a letter, a digit or an underscore (or, in
// the name of a metric, a colon) becomes an underscore, and a digit at the start of a name gets one before it.
func appendName(dst, text []byte, metric, start bool) []byte {
	if start && text[0]-'0' <= 9 {
		dst = append(dst, '_')
	}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c-'0' <= 9 || c == '_' || metric && c == ':':
			dst = append(dst, c)
			i++
		case c == '\\' && i+1 < len(text) && isSeparator(text[i+1]):
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, '_')
			i++
		default:
			_, n := utf8.DecodeRune(text[i:])
			dst = append(dst, '_')
			i += n
		}
	}
	return dst
}
