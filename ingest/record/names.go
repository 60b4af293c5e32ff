package record

import "strings"

// maxPathBytes bounds the path of a field; fields beyond it are left out and counted. It holds every name that Kubernetes
// allows for an annotation, and keeps nested objects with long names from costing their length once per member.
const maxPathBytes = 512

// maxNames bounds the names that a Builder remembers. Senders use some dozens; one that makes up names per record empties
// the cache again and again and pays with its own time.
const maxNames = 2048

// entry is what a path is known to mean.
type entry struct {
	path string
	name string // the attribute's name
	spelling
}

// nameCache remembers entries by path. It holds copies, so it outlives requests.
type nameCache struct {
	mapping *Mapping // nil for none
	entries map[string]*entry
	// recent holds what was found at each position of the last record. Records of one sender mostly have the same fields in
	// the same order, and comparing a path costs a fifth of looking it up.
	recent [64]*entry
}

func (c *nameCache) find(position int, path []byte) *entry {
	r := &c.recent[position%len(c.recent)]
	if *r != nil && (*r).path == string(path) {
		return *r
	}
	e := c.entries[string(path)]
	if e == nil {
		e = c.learn(string(path))
	}
	*r = e
	return e
}

func (c *nameCache) findString(position int, path string) *entry {
	r := &c.recent[position%len(c.recent)]
	if *r != nil && (*r).path == path {
		return *r
	}
	e := c.entries[path]
	if e == nil {
		e = c.learn(strings.Clone(path))
	}
	*r = e
	return e
}

func (c *nameCache) learn(path string) *entry {
	if c.entries == nil || len(c.entries) >= maxNames {
		c.entries = make(map[string]*entry)
	}
	e := &entry{path: path, name: AttrName(path)}
	mapped := false
	if c.mapping != nil {
		e.spelling, mapped = c.mapping.spelling(path)
	}
	if !mapped {
		e.spelling = spellingOf(path)
	}
	c.entries[path] = e
	return e
}

// AttrName turns a field's path into a name that a LogQL label filter can hold, as OTLP's attributes are named: what is
// not a letter, a digit or an underscore becomes an underscore, and a leading digit gets the prefix key_.
func AttrName(path string) string {
	if isAttrName(path) {
		return path
	}
	var b strings.Builder
	b.Grow(len(path) + len("key_"))
	if path != "" && isDigit(path[0]) {
		b.WriteString("key_")
	}
	for _, r := range path {
		if r < 0x80 && (isLetter(byte(r)) || isDigit(byte(r))) {
			b.WriteByte(byte(r))
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

func isAttrName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && c != '_' && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
