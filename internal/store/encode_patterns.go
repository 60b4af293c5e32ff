package store

import (
	"encoding/binary"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// patternBucket is the time that one row of log_patterns counts lines of.
const patternBucket = time.Minute

// maxPatternTextBytes bounds the texts of templates in one segment. Others wait for the next: until then a template has an id and
// counts alone.
const maxPatternTextBytes = 256 << 10

// PatternSegment counts the templates of one segment of log lines.
type PatternSegment struct {
	Segment
	Logs int // the place of the lines in Encoded.Segments
}

// patternRows collects rows of log_patterns. Its memory is kept between batches.
type patternRows struct {
	segs   []PatternSegment
	spans  []span       // payload spans of out, as in Encoder
	texts  []patternDay // that this batch tells
	told   map[patternDay]struct{}
	index  map[patternKey]int
	counts []patternCount
}

// patternDay is a template and a day that its text is needed on.
type patternDay struct {
	pattern *seamark.LogPattern
	day     int32
}

// patternKey is what a count is kept by. The stream is told by its place in the batch.
type patternKey struct {
	pattern *seamark.LogPattern
	minute  int64
	stream  uint32
	level   seamark.Level
}

// patternCount is one row: a count, or with a text, a template.
type patternCount struct {
	patternKey
	lines uint32
	bytes uint64
	text  string
}

func (p *patternRows) reset() {
	p.segs, p.spans, p.texts = p.segs[:0], p.spans[:0], p.texts[:0]
	if p.told == nil {
		p.told, p.index = map[patternDay]struct{}{}, map[patternKey]int{}
	}
	clear(p.told)
}

// encodePatterns counts the templates of the rows of the segment that was emitted last.
func (e *Encoder) encodePatterns(l *seamark.LogRows, day int32, rows []uint32) {
	p := &e.patterns
	if len(l.Patterns) == 0 {
		return
	}
	p.count(l, rows)
	p.tell(day)
	if len(p.counts) == 0 {
		return
	}
	from := len(e.out)
	e.raw = e.appendPatterns(e.raw[:0], l, day)
	e.out = e.comp.appendFrames(e.out, e.raw)
	p.segs = append(p.segs, PatternSegment{
		Segment: Segment{Table: TablePatterns, Columns: 8, Day: day, Rows: uint32(len(p.counts))}, Logs: len(e.segs) - 1,
	})
	p.spans = append(p.spans, span{from, len(e.out)})
}

// count fills counts with one row per stream, minute, level and template. Neighbours mostly share them, which spares the look-up.
func (p *patternRows) count(l *seamark.LogRows, rows []uint32) {
	clear(p.index)
	clear(p.counts)
	p.counts = p.counts[:0]
	last, at := patternKey{}, 0
	for _, r := range rows {
		if l.Patterns[r] == nil {
			continue
		}
		key := patternKey{l.Patterns[r], l.TimeNano[r] / int64(patternBucket), l.Stream[r], l.Level[r]}
		if key != last {
			var ok bool
			if at, ok = p.index[key]; !ok {
				at = len(p.counts)
				p.index[key] = at
				p.counts = append(p.counts, patternCount{patternKey: key})
			}
			last = key
		}
		p.counts[at].lines++
		p.counts[at].bytes += uint64(len(l.Body[r]))
	}
}

// tell adds the texts of templates that the bus does not hold yet for the day.
func (p *patternRows) tell(day int32) {
	size := 0
	for i := range p.counts {
		pattern := p.counts[i].pattern
		key := patternDay{pattern, day}
		if _, ok := p.told[key]; ok || pattern.Acked(day) || size+len(pattern.Text) > maxPatternTextBytes {
			continue
		}
		size += len(pattern.Text)
		p.told[key] = struct{}{}
		p.texts = append(p.texts, key)
		p.counts = append(p.counts, patternCount{patternKey: patternKey{pattern: pattern}, text: pattern.Text})
	}
}

// appendPatterns writes the columns of log_patterns, in the order of its table spec. A text stands at the day's begin in the group
// without a name, where reads find the texts of all groups side by side.
func (e *Encoder) appendPatterns(b []byte, l *seamark.LogRows, day int32) []byte {
	rows := e.patterns.counts
	e.names.reset()
	for i := range rows {
		if rows[i].text != "" {
			e.names.add("")
		} else {
			e.names.add(l.Streams[rows[i].stream].Name)
		}
	}
	b = e.names.appendLowCardinality(b, "grp")
	b = appendColumn(b, "ts", "DateTime('UTC')")
	for i := range rows {
		at := rows[i].minute * int64(patternBucket/time.Second)
		if rows[i].text != "" {
			at = int64(day) * (dayNanos / int64(time.Second))
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(at))
	}
	b = appendColumn(b, "pattern", "UInt64")
	for i := range rows {
		b = binary.LittleEndian.AppendUint64(b, rows[i].pattern.ID)
	}
	b = appendColumn(b, "fp", "UInt64")
	for i := range rows {
		fp := uint64(0)
		if rows[i].text == "" {
			fp = l.Streams[rows[i].stream].FP
		}
		b = binary.LittleEndian.AppendUint64(b, fp)
	}
	return e.appendPatternValues(b, rows)
}

func (e *Encoder) appendPatternValues(b []byte, rows []patternCount) []byte {
	e.levels.reset()
	e.levels.values = append(e.levels.values, seamark.LevelNames()...)
	for i := range rows {
		e.levels.keys = append(e.levels.keys, uint32(rows[i].level))
	}
	b = e.levels.appendLowCardinality(b, "level")
	b = appendColumn(b, "lines", "UInt32")
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, rows[i].lines)
	}
	b = appendColumn(b, "bytes", "UInt64")
	for i := range rows {
		b = binary.LittleEndian.AppendUint64(b, rows[i].bytes)
	}
	b = appendColumn(b, "text", "String")
	for i := range rows {
		b = appendString(b, rows[i].text)
	}
	return b
}
