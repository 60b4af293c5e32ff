package engine

import "strings"

// nameTable turns a line's keys into label names and remembers them, and their order: lines have the same keys again and
// again, mostly in the same order, so a key costs a comparison with the one that stood there in the line before.
type nameTable struct {
	wanted names
	known  map[string]knownName
	buffer []byte
	order  []orderedName // of the last line
	next   int           // in order
}

type orderedName struct {
	key  string
	name knownName
}

type knownName struct {
	key    string
	name   string
	wanted bool // parsers leave other names out
}

// maxKnownNames bounds what a table remembers; lines with made-up keys would grow it without end.
const maxKnownNames = 4096

func newNameTable(wanted names) nameTable {
	return nameTable{wanted: wanted, known: map[string]knownName{}}
}

// begin says that the keys of another line follow.
func (t *nameTable) begin() { t.next = 0 }

// find returns the label name of a line's next key.
func (t *nameTable) find(key string) knownName {
	at := t.next
	if at < len(t.order) && t.order[at].key == key {
		t.next++
		return t.order[at].name
	}
	k, ok := t.known[key]
	if !ok {
		key = strings.Clone(key) // it is a part of the line, which it would keep in memory
		t.buffer = appendLabelName(t.buffer[:0], key)
		name := string(t.buffer)
		k = knownName{name: name, wanted: name != "" && t.wanted.has(name), key: key}
		if len(t.known) < maxKnownNames {
			t.known[key] = k
		}
	}
	switch {
	case at < len(t.order):
		t.order[at] = orderedName{k.key, k}
		t.next++
	case at < maxKnownNames:
		t.order = append(t.order, orderedName{k.key, k})
		t.next++
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
