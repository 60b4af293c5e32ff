package engine

import "github.com/seamarkhq/seamark/internal/seamark"

// unpackStage undoes Promtail's pack stage. A JSON object without _entry was not packed and stays as it is.
type unpackStage struct {
	scanner jsonScanner
	names   nameTable
	found   []seamark.Label
	packed  bool
	entry   string
}

// packedEntry is the field that holds a packed line.
const packedEntry = "_entry"

func newUnpackStage(wanted names) stage { return &unpackStage{names: newNameTable(wanted)} }

// process implements stage.
func (s *unpackStage) process(line string, labels *lineLabels) (string, bool) {
	if line == "" { // nothing was packed into it
		return line, true
	}
	s.found, s.packed = s.found[:0], false
	s.scanner.reset(line)
	s.names.begin()
	if s.scanner.peek() != jsonObject {
		s.scanner.ok = false
	} else {
		s.scanner.object(0, s.field)
	}
	if s.scanner.blank(); !s.scanner.ok || s.scanner.pos < len(line) {
		labels.fail(errorJSON, "the line is not a JSON object")
		return line, true
	}
	if !s.packed {
		return line, true
	}
	for _, l := range s.found {
		labels.extract(l.Name, l.Value)
	}
	return s.entry, true
}

// field takes the field that the scanner stands before; only texts were packed.
func (s *unpackStage) field(key string) {
	if s.scanner.peek() != jsonString {
		s.scanner.skip(1)
		return
	}
	value := s.scanner.string()
	if key == packedEntry {
		s.entry, s.packed = value, true
	} else if k := s.names.find(key); k.wanted {
		s.found = append(s.found, seamark.Label{Name: k.name, Value: value})
	}
}
