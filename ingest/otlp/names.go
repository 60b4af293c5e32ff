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

// nameCache remembers what a pure function of a name returned. Its keys are copies, so it outlives requests.
type nameCache struct {
	names map[string]string
	build func(string) string
}

func (c *nameCache) find(key string) string {
	if name, ok := c.names[key]; ok {
		return name
	}
	name := c.build(key)
	if len(key) > maxCachedNameBytes {
		return name
	}
	if c.names == nil || len(c.names) >= maxCachedNames {
		c.names = make(map[string]string)
	}
	own := strings.Clone(key)
	if name == key {
		name = own
	} else {
		name = strings.Clone(name)
	}
	c.names[own] = name
	return name
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
