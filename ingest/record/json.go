package record

// maxFlatten is how deep objects are taken apart; what lies deeper is kept as JSON text. Without it a chain of objects
// costs the length of its path at each step.
const maxFlatten = 16

// ReadJSON is AddJSON for the JSON value that raw begins with; n is the number of bytes read. What follows is not looked
// at.
func (b *Builder) ReadJSON(path string, raw []byte) (n int, err error) {
	b.scan = scanner{text: raw, arena: &b.arena}
	c := b.scan.peek()
	if len(path) > maxPathBytes {
		b.dropped++
		_, err = b.scan.skip(0)
		return b.scan.i, err
	}
	b.path = append(b.path[:0], path...)
	if path != "" {
		err = b.value(0)
		return b.scan.i, err
	}
	start, owned := b.scan.i, b.raw == nil
	if c != '{' {
		return b.scan.i, b.line()
	}
	if owned { // so that its members are not noted one by one
		b.raw = raw
	}
	err = b.object(0)
	if owned {
		b.raw = raw[start:b.scan.i]
	}
	return b.scan.i, err
}

// line reads a record that is no object: it is the line.
func (b *Builder) line() error {
	if b.scan.peek() == '"' {
		text, err := b.scan.str()
		if err == nil {
			b.put(b.names.findString(b.position, "message"), alias(text))
		}
		return err
	}
	text, err := b.scan.skip(0)
	if err == nil && string(text) != "null" {
		b.put(b.names.findString(b.position, "message"), alias(b.arena.repaired(text)))
	}
	return err
}

// value adds the value at the scanner's place under b.path.
func (b *Builder) value(depth int) error {
	s := &b.scan
	var text []byte
	var err error
	switch s.peek() {
	case '"':
		text, err = s.str()
	case '{':
		if depth < maxFlatten {
			return b.object(depth)
		}
		fallthrough
	case '[':
		if text, err = s.skip(depth); err == nil {
			text = b.arena.repaired(text)
		}
	default:
		if text, err = s.scalar(); string(text) == "null" {
			return err
		}
	}
	if err != nil {
		return err
	}
	if len(b.path) == 0 || len(b.path) > maxPathBytes {
		b.dropped++
		return nil
	}
	e := b.names.find(b.position, b.path)
	b.position++
	b.put(e, alias(text))
	return nil
}

// object adds the members of the object at the scanner's place.
func (b *Builder) object(depth int) error {
	s := &b.scan
	s.i++
	base := len(b.path)
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := s.key()
		if err != nil {
			return err
		}
		if base > 0 {
			b.path = append(b.path, '.')
		}
		b.path = append(b.path, name...)
		if len(b.path) > maxPathBytes { // not taken apart, for the length would be paid for each member
			b.dropped++
			_, err = s.skip(depth)
		} else {
			err = b.value(depth + 1)
		}
		if err != nil {
			return err
		}
		b.path = b.path[:base]
	}
}

// Members calls f with each member of the JSON object raw, the value as its JSON text without white space around it. The
// error is f's or Invalid seamark-record-json. Key and value are valid while raw is.
func Members(raw []byte, f func(key string, value []byte) error) error {
	s := scanner{text: raw}
	if s.peek() != '{' {
		return s.fail("an object")
	}
	s.i++
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			return s.end()
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		value, err := s.skip(0)
		if err != nil {
			return err
		}
		if err := f(alias(key), value); err != nil {
			return err
		}
	}
}

// Elements calls f with each element of the JSON array raw, as its JSON text without white space around it. The error is
// f's or Invalid seamark-record-json.
func Elements(raw []byte, f func(value []byte) error) error {
	s := scanner{text: raw}
	if s.peek() != '[' {
		return s.fail("an array")
	}
	s.i++
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil {
			return err
		}
		if !more {
			return s.end()
		}
		value, err := s.skip(0)
		if err != nil {
			return err
		}
		if err := f(value); err != nil {
			return err
		}
	}
}

func (s *scanner) end() error {
	if s.peek(); s.i < len(s.text) {
		return s.fail("the end")
	}
	return nil
}

// Value returns the length of the JSON value that raw begins with, white space before it included. It is how concatenated
// values are told apart. The error is Invalid seamark-record-json.
func Value(raw []byte) (n int, err error) {
	s := scanner{text: raw}
	_, err = s.skip(0)
	return s.i, err
}

// Unquote returns the text of a JSON string, or of a number or boolean as it is written; ok is false for anything else.
// The text is UTF-8; it is valid while raw is.
func Unquote(raw []byte) (text string, ok bool) {
	s := scanner{text: raw}
	if s.peek() == '"' {
		value, err := s.str()
		return alias(value), err == nil && s.end() == nil
	}
	value, err := s.scalar()
	if err != nil || s.end() != nil || string(value) == "null" {
		return "", false
	}
	return alias(value), true
}
