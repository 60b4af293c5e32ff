package store

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxSegmentRawBytes bounds a segment before compression, so that a bus message stays below the bus's payload limit even
// when its rows do not compress.
const maxSegmentRawBytes = 3 << 20

const (
	dayNanos  = int64(24 * time.Hour)
	dayMillis = dayNanos / int64(time.Millisecond)
)

// Encoder turns batches into segments. It keeps its buffers between calls and is not safe for concurrent use; callers
// pool encoders.
type Encoder struct {
	raw     []byte
	out     []byte
	spans   []span // payload spans of out, resolved to slices at the end because out moves while it grows
	comp    *compressor
	names   dict
	levels  dict
	attrs   labelMap
	rows    []uint32
	fps     []uint64
	seen    map[seriesDay]struct{}
	fresh   []seriesDay
	segs    []Segment
	columns []*dict

	patterns patternRows
}

type span struct{ from, to int }

type seriesDay struct {
	series *seamark.Series
	day    int32
}

// NewEncoder returns an empty encoder.
func NewEncoder() *Encoder {
	e := &Encoder{comp: newCompressor(), seen: map[seriesDay]struct{}{}}
	for range 8 {
		e.columns = append(e.columns, &dict{})
	}
	return e
}

// Encoded is one batch, ready for the bus.
type Encoded struct {
	// Segments hold the rows; their payloads are valid until the encoder's next call. Series segments stand first.
	Segments []Segment
	// Patterns count the templates of segments of log lines. What they hold is not decided by the lines alone, so they are no
	// part of Segments, by whose bytes a message and its repeat are known as the same.
	Patterns []PatternSegment
	fresh    []seriesDay
	texts    []patternDay
}

// Ack marks the series rows and the templates' texts of this batch as held by the bus. It is called only after the acknowledgement.
func (e *Encoded) Ack() {
	for _, f := range e.fresh {
		f.series.MarkAcked(f.day)
	}
	for _, t := range e.texts {
		t.pattern.MarkAcked(t.day)
	}
}

// Encode turns b into segments of at most a few MiB each, series rows of label sets that the bus does not hold yet for
// that day first. now stamps series and metadata rows.
func (e *Encoder) Encode(b *seamark.Batch, now time.Time) (Encoded, error) {
	e.out, e.spans, e.segs, e.fresh = e.out[:0], e.spans[:0], e.segs[:0], e.fresh[:0]
	clear(e.seen)
	e.patterns.reset()
	e.collectFresh(b)
	steps := []func() error{
		func() error { return e.encodeSeries(now) },
		func() error { return e.encodeLogs(&b.Logs) },
		func() error { return e.encodeSamples(&b.Samples) },
		func() error { return e.encodeHistograms(b.Samples.Series, &b.Histograms) },
		func() error { return e.encodeExemplars(b.Samples.Series, b.Exemplars) },
		func() error { return e.encodeEvents(b.Events) },
		func() error { return e.encodeSpans(b.Spans) },
		func() error { return e.encodeDrops(b.Drops) },
		func() error { return e.encodeMetadata(b.Metadata, now) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return Encoded{}, err
		}
	}
	for i := range e.segs {
		e.segs[i].Payload = e.out[e.spans[i].from:e.spans[i].to:e.spans[i].to]
	}
	for i := range e.patterns.segs {
		e.patterns.segs[i].Payload = e.out[e.patterns.spans[i].from:e.patterns.spans[i].to:e.patterns.spans[i].to]
	}
	return Encoded{Segments: e.segs, Patterns: e.patterns.segs, fresh: e.fresh, texts: e.patterns.texts}, nil
}

// collectFresh finds the (series, day) pairs of b that the bus has not acknowledged.
func (e *Encoder) collectFresh(b *seamark.Batch) {
	for i, ref := range b.Logs.Stream {
		e.markFresh(b.Logs.Streams[ref], dayOf(b.Logs.TimeNano[i], dayNanos))
	}
	for i, ref := range b.Samples.SeriesRef {
		e.markFresh(b.Samples.Series[ref], dayOf(b.Samples.TimeMilli[i], dayMillis))
	}
	for i, ref := range b.Histograms.SeriesRef {
		e.markFresh(b.Samples.Series[ref], dayOf(b.Histograms.TimeMilli[i], dayMillis))
	}
	for i := range b.Exemplars {
		e.markFresh(b.Samples.Series[b.Exemplars[i].Series], dayOf(b.Exemplars[i].TimeMilli, dayMillis))
	}
}

func (e *Encoder) markFresh(s *seamark.Series, day int32) {
	if s.Acked(day) {
		return
	}
	key := seriesDay{s, day}
	if _, ok := e.seen[key]; ok {
		return
	}
	e.seen[key] = struct{}{}
	e.fresh = append(e.fresh, key)
}

// dayOf returns the day of a timestamp, rounding down also before 1970.
func dayOf(t, perDay int64) int32 {
	d := t / perDay
	if t%perDay < 0 {
		d--
	}
	return int32(d)
}

// mondayOf returns the Monday of a day's week; 1970-01-01 was a Thursday.
func mondayOf(day int32) int32 {
	const mondayShift = 3
	m := (day + mondayShift) % 7
	if m < 0 {
		m += 7
	}
	return day - m
}

// emit compresses e.raw as one segment.
func (e *Encoder) emit(t Table, columns uint8, day int32, rows int) error {
	from := len(e.out)
	e.out = e.comp.appendFrames(e.out, e.raw)
	e.segs = append(e.segs, Segment{Table: t, Columns: columns, Day: day, Rows: uint32(rows)})
	e.spans = append(e.spans, span{from, len(e.out)})
	return nil
}

// eachDay calls fn with the row numbers of each day in turn. Nearly every batch has one day, which costs one pass.
func (e *Encoder) eachDay(times []int64, perDay int64, fn func(day int32, rows []uint32) error) error {
	if len(times) == 0 {
		return nil
	}
	lo, hi := int32(math.MaxInt32), int32(math.MinInt32)
	for _, t := range times {
		d := dayOf(t, perDay)
		lo, hi = min(lo, d), max(hi, d)
	}
	for day := lo; ; day++ {
		e.rows = e.rows[:0]
		for i, t := range times {
			if lo == hi || dayOf(t, perDay) == day {
				e.rows = append(e.rows, uint32(i))
			}
		}
		if len(e.rows) > 0 {
			if err := fn(day, e.rows); err != nil {
				return err
			}
		}
		if day == hi {
			return nil
		}
	}
}

// chunks calls fn with runs of rows whose size stays below the segment limit.
func chunks(rows []uint32, size func(row uint32) int, fn func(rows []uint32) error) error {
	start, total := 0, 0
	for i, r := range rows {
		n := size(r)
		if total+n > maxSegmentRawBytes && i > start {
			if err := fn(rows[start:i]); err != nil {
				return err
			}
			start, total = i, 0
		}
		total += n
	}
	return fn(rows[start:])
}

func appendInt64s(b []byte, values []int64, rows []uint32) []byte {
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, uint64(values[r]))
	}
	return b
}
