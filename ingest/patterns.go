package ingest

import (
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Patterns finds the templates of log lines; package patterns has the one of the product.
type Patterns interface {
	// Mine sets the pattern of each row that has one.
	Mine(tenant seamark.TenantID, logs *seamark.LogRows, now time.Time)
}

// maxPatternRows is how many log rows a message may have to carry the counts of their templates with it. Of so many, counts take
// less than 512 KiB before compression, texts included, which the payload limit leaves room for. Whether counts go with their rows
// depends on the rows alone, so that a repeat of a message never has what the message itself had not.
const maxPatternRows = 8192

// withPatterns returns what a part of a request carries, with the counts of its templates, and those that need messages of their
// own. They are counted once: in the part's own message, or under its name. first is the place of the part's first segment in
// the request.
func withPatterns(p *part, first int, counts []store.PatternSegment) (segments []store.Segment, apart []store.Segment) {
	var own []store.Segment
	rows := uint32(0)
	for i := range counts {
		if at := counts[i].Logs - first; at >= 0 && at < len(p.segments) {
			own = append(own, counts[i].Segment)
			rows += p.segments[at].Rows
		}
	}
	if rows > maxPatternRows {
		return p.segments, own
	}
	return slices.Concat(p.segments, own), nil
}
