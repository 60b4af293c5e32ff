package engine

// nameTable turns a line's keys into label names and remembers them: lines have the same keys again and again, so a key
// costs one look-up.
type nameTable struct {
	wanted names
	known  map[string]knownName
	buffer []byte
}

type knownName struct {
	name   string
	wanted bool // parsers leave other names out
}

// maxKnownNames bounds what a table remembers; lines with made-up keys would grow it without end.
const maxKnownNames = 4096

func newNameTable(wanted names) nameTable {
	return nameTable{wanted: wanted, known: map[string]knownName{}}
}

// findKey returns the label name of a key.
func (t *nameTable) findKey(key string) knownName {
	if k, ok := t.known[key]; ok {
		return k
	}
	t.buffer = appendLabelName(t.buffer[:0], key)
	return t.remember(key, string(t.buffer))
}

// findName returns what is known of a name that is a label name already.
func (t *nameTable) findName(name []byte) knownName {
	if k, ok := t.known[string(name)]; ok {
		return k
	}
	text := string(name)
	return t.remember(text, text)
}

func (t *nameTable) remember(key, name string) knownName {
	k := knownName{name: name, wanted: name != "" && t.wanted.has(name)}
	if len(t.known) < maxKnownNames {
		t.known[key] = k
	}
	return k
}

// appendLabelName appends key as a label name: what is not an ASCII letter, digit, underscore or colon becomes an
// underscore, and a leading digit gets one before it.
func appendLabelName(name []byte, key string) []byte {
	for i, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == ':':
			name = append(name, byte(r))
		case r >= '0' && r <= '9':
			if i == 0 && len(name) == 0 {
				name = append(name, '_')
			}
			name = append(name, byte(r))
		default:
			name = append(name, '_')
		}
	}
	return name
}
