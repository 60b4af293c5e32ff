package engine

import (
	"github.com/seamarkhq/seamark/querier/logql"
)

// jsonStage makes labels of a line's fields. Nested names are joined with an underscore; arrays and nulls are skipped.
type jsonStage struct {
	scanner jsonScanner
	names   nameTable
	paths   []logql.JSONExtraction
	name    []byte // the label name so far
	labels  *lineLabels
	before  []lineLabel // what the line had, for documents that turn out broken
}

func newJSONStage(j *logql.JSON, wanted names) stage {
	return &jsonStage{names: newNameTable(wanted), paths: j.Extractions}
}

// process implements stage.
func (s *jsonStage) process(line string, labels *lineLabels) (string, bool) {
	s.labels = labels
	s.before = append(s.before[:0], labels.list...)
	s.scanner.reset(line)
	if s.scanner.peek() != jsonObject {
		s.scanner.ok = false
	}
	switch {
	case !s.scanner.ok:
	case len(s.paths) > 0:
		s.extract()
	default:
		s.flatten(0)
	}
	if s.scanner.blank(); s.scanner.pos < len(line) {
		s.scanner.ok = false
	}
	if !s.scanner.ok {
		// A document that breaks off is not half a document.
		labels.list = append(labels.list[:0], s.before...)
		labels.fail(errorJSON, "the line is not a JSON object")
	}
	return line, true
}

// flatten makes labels of the object that the scanner stands before; the name so far is the path to it.
func (s *jsonStage) flatten(depth int) {
	prefix := len(s.name)
	s.scanner.object(depth, func(key string) {
		if prefix > 0 {
			s.name = append(s.name, '_')
		}
		s.name = appendLabelName(s.name, key)
		switch s.scanner.peek() {
		case jsonObject:
			s.flatten(depth + 1)
		case jsonArray, jsonNull:
			s.scanner.skip(depth + 1)
		case jsonString:
			s.set(s.scanner.string())
		case jsonWord, jsonNumber:
			s.set(s.scanner.scalar())
		}
		s.name = s.name[:prefix]
	})
}

func (s *jsonStage) set(value string) {
	if !s.scanner.ok {
		return
	}
	if k := s.names.findName(s.name); k.wanted {
		s.labels.extract(k.name, value)
	}
}

// extract makes a label of the value at each path, in one walk over the line.
func (s *jsonStage) extract() {
	found := make([]string, len(s.paths))
	active := make([]int, len(s.paths))
	for i := range active {
		active[i] = i
	}
	s.walk(0, active, found)
	if !s.scanner.ok {
		return
	}
	for i, x := range s.paths {
		if found[i] != "" && s.names.wanted.has(x.Label) {
			s.labels.extract(x.Label, found[i])
		}
	}
}

// walk consumes a value; active are the paths whose first depth steps lead to it.
func (s *jsonStage) walk(depth int, active []int, found []string) {
	start := s.scanner.pos
	kind := s.scanner.peek()
	if len(active) == 0 {
		s.scanner.skip(depth)
		return
	}
	start = max(start, s.scanner.pos)
	text := ""
	switch kind {
	case jsonObject:
		s.scanner.object(depth, func(key string) {
			s.walk(depth+1, s.matching(active, depth, func(step logql.JSONStep) bool { return !step.Array && step.Field == key }), found)
		})
	case jsonArray:
		s.scanner.array(depth, func(index int) {
			s.walk(depth+1, s.matching(active, depth, func(step logql.JSONStep) bool { return step.Array && step.Index == index }), found)
		})
	case jsonString:
		text = s.scanner.string()
	case jsonNull:
		s.scanner.scalar()
	case jsonWord, jsonNumber:
		text = s.scanner.scalar()
	}
	if !s.scanner.ok {
		return
	}
	if kind == jsonObject || kind == jsonArray {
		text = s.scanner.text[start:s.scanner.pos]
	}
	for _, i := range active {
		if len(s.paths[i].Path) == depth && found[i] == "" {
			found[i] = text
		}
	}
}

func (s *jsonStage) matching(active []int, depth int, matches func(logql.JSONStep) bool) []int {
	var next []int
	for _, i := range active {
		if path := s.paths[i].Path; len(path) > depth && matches(path[depth]) {
			next = append(next, i)
		}
	}
	return next
}
