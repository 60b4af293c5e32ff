package otlp

import (
	"strings"

	"github.com/prometheus/otlptranslator"
)

// maxCachedNames bounds each name cache of a decoder. Senders use some dozens of names; one that makes up names per row
// empties the cache again and again and pays with its own time.
const maxCachedNames = 4096

// maxCachedNameBytes keeps freak names out of the caches.
const maxCachedNameBytes = 256

// attrName turns an attribute key into a name that a LogQL label filter can hold: what is not a letter, a digit or an
// underscore becomes an underscore, and a leading digit gets the prefix key_, as Loki names structured metadata.
func attrName(key string) string {
	if isAttrName(key) {
		return key
	}
	var b strings.Builder
	b.Grow(len(key) + len("key_"))
	if key != "" && isDigit(key[0]) {
		b.WriteString("key_")
	}
	for _, r := range key {
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

// nameCache remembers what a pure function of a name returned. It holds copies, so it outlives requests.
type nameCache struct {
	names map[string]cachedName
	build func(string) string
	// recent holds what was found at each position of the last row. Rows of one sender mostly have the same attributes in
	// the same order, and comparing a string costs a fifth of looking it up.
	recent [32]cachedName
}

type cachedName struct{ key, name string }

// findAt is find for the name at a position of a row.
func (c *nameCache) findAt(position int, key string) string {
	r := &c.recent[position%len(c.recent)]
	if r.key == key {
		return r.name
	}
	if len(key) > maxCachedNameBytes {
		return c.build(key)
	}
	*r = c.entry(key)
	return r.name
}

// find returns what build makes of key. For long keys the result may alias key.
func (c *nameCache) find(key string) string {
	if len(key) > maxCachedNameBytes {
		return c.build(key)
	}
	return c.entry(key).name
}

func (c *nameCache) entry(key string) cachedName {
	if e, ok := c.names[key]; ok {
		return e
	}
	if c.names == nil || len(c.names) >= maxCachedNames {
		c.names = make(map[string]cachedName)
	}
	e := cachedName{key: strings.Clone(key)}
	e.name = c.build(e.key)
	c.names[e.key] = e
	return e
}

// metricLabelName turns an attribute key into a Prometheus label name; "" when nothing valid is left of it.
func metricLabelName(key string) string {
	namer := otlptranslator.LabelNamer{}
	name, err := namer.Build(key)
	if err != nil {
		return ""
	}
	return name
}
