package engine

import "encoding/hex"

// idCache turns ids into text. Lines of one trace stand together, so the last id is often the next.
type idCache struct {
	last map[int]idText // by the id's length
}

type idText struct {
	id   string
	text string
}

// text returns the id as hex digits, "" for the all-zero id, which means none.
func (c *idCache) text(id []byte) string {
	if isZero(id) {
		return ""
	}
	if t := c.last[len(id)]; t.id == string(id) {
		return t.text
	}
	t := idText{id: string(id), text: hex.EncodeToString(id)}
	if c.last == nil {
		c.last = map[int]idText{}
	}
	c.last[len(id)] = t
	return t.text
}

func isZero(id []byte) bool {
	for _, b := range id {
		if b != 0 {
			return false
		}
	}
	return true
}
