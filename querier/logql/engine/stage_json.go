package engine

import (
	"strings"

	"github.com/seamarkhq/seamark/querier/logql"
)

// jsonStage makes labels of a line's fields. Nested names are joined with an underscore; arrays and nulls are skipped.
type jsonStage struct {
	scanner jsonScanner
	wanted  names
	paths   []logql.JSONExtraction
	root    *jsonNode
	nodes   int // below root
	labels  *lineLabels
	before  []lineLabel // what the line had, for documents that turn out broken
}

func newJSONStage(j *logql.JSON, wanted names) stage {
	return &jsonStage{wanted: wanted, paths: j.Extractions, root: &jsonNode{inside: true}}
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
		s.flatten(s.root, 0)
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

// flatten makes labels of the object that the scanner stands before.
func (s *jsonStage) flatten(node *jsonNode, depth int) {
	next := 0
	s.scanner.object(depth, func(key string) {
		child := s.child(node, key, &next)
		switch kind := s.scanner.peek(); {
		case kind == jsonObject && child.inside:
			s.flatten(child, depth+1)
		case kind == jsonString && child.wanted:
			if value := s.scanner.string(); s.scanner.ok {
				s.labels.extract(child.name, value)
			}
		case (kind == jsonWord || kind == jsonNumber) && child.wanted:
			if value := s.scanner.scalar(); s.scanner.ok {
				s.labels.extract(child.name, value)
			}
		default:
			s.scanner.skip(depth + 1)
		}
	})
}

// jsonNode is a place in documents, reached by a row of keys. Lines have the same fields again and again, mostly in the
// same order, so a field costs a comparison with the key that stood there in the line before.
type jsonNode struct {
	name     string // of the label that a value here makes
	wanted   bool   // values here are part of the result
	inside   bool   // some of an object here may be
	children []*jsonNode
	index    map[string]int // of children, by key
	key      string
}

// child returns the node of a key below node; next is where in its children it is expected.
func (s *jsonStage) child(node *jsonNode, key string, next *int) *jsonNode {
	if at := *next; at < len(node.children) && node.children[at].key == key {
		*next = at + 1
		return node.children[at]
	}
	if at, ok := node.index[key]; ok {
		*next = at + 1
		return node.children[at]
	}
	name := make([]byte, 0, len(node.name)+1+len(key))
	if node != s.root {
		name = append(append(name, node.name...), '_')
	}
	child := &jsonNode{name: string(appendLabelName(name, key)), key: strings.Clone(key)}
	child.wanted = child.name != "" && s.wanted.has(child.name)
	child.inside = s.wanted.hasBelow(child.name + "_")
	if s.nodes < maxKnownNames {
		s.nodes++
		if node.index == nil {
			node.index = map[string]int{}
		}
		node.index[child.key] = len(node.children)
		node.children = append(node.children, child)
		*next = len(node.children)
	}
	return child
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
		if found[i] != "" && s.wanted.has(x.Label) {
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
