package store

import (
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeLogs returns the rows of a segment of the logs table, with all columns. Strings share the segment's bytes: who keeps one
// keeps all. An error means that no Encoder of this build wrote the segment.
func DecodeLogs(s *Segment) (*LogBlock, error) {
	if s.Table != TableLogs {
		return nil, fmt.Errorf("a segment of %s has no log lines", s.Table)
	}
	r, err := newNativeReader(s)
	if err != nil {
		return nil, fmt.Errorf("decode logs: %w", err)
	}
	b := &LogBlock{}
	r.lowCardinality("grp")
	r.column("ts", "DateTime64(9, 'UTC')")
	b.Time = make([]int64, r.rows)
	for i := range b.Time {
		b.Time[i] = int64(r.uint64())
	}
	r.column("fp", "UInt64")
	b.FP = make([]uint64, r.rows)
	for i := range b.FP {
		b.FP[i] = r.uint64()
	}
	b.Level = r.levels()
	r.column("trace_id", "FixedString(16)")
	b.TraceID = make([][16]byte, r.rows)
	for i := range b.TraceID {
		copy(b.TraceID[i][:], r.take(len(b.TraceID[i])))
	}
	r.column("span_id", "FixedString(8)")
	b.SpanID = make([][8]byte, r.rows)
	for i := range b.SpanID {
		copy(b.SpanID[i][:], r.take(len(b.SpanID[i])))
	}
	r.column("body", "String")
	b.Body = make([]string, r.rows)
	for i := range b.Body {
		b.Body[i] = r.string()
	}
	b.Attrs, b.AttrEnd = r.labels("attrs")
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("decode logs: %w", err)
	}
	return b, nil
}

// levels reads the column of levels. Names that this build does not know are the unknown level.
func (r *nativeReader) levels() []seamark.Level {
	names := r.lowCardinality("level")
	levels := make([]seamark.Level, len(names))
	for i, name := range names {
		for value, known := range seamark.LevelNames() {
			if name == known {
				levels[i] = seamark.Level(value)
				break
			}
		}
	}
	return levels
}

// DecodeLogStreams returns the log streams of a segment of the series table.
func DecodeLogStreams(s *Segment) ([]LogStream, error) {
	if s.Table != TableSeries {
		return nil, fmt.Errorf("a segment of %s has no streams", s.Table)
	}
	r, err := newNativeReader(s)
	if err != nil {
		return nil, fmt.Errorf("decode series: %w", err)
	}
	r.column("kind", "Enum8('metric' = 1, 'log' = 2)")
	kinds := r.take(r.rows)
	groups := r.lowCardinality("name")
	r.column("day", "Date")
	r.take(2 * r.rows)
	r.column("fp", "UInt64")
	fps := make([]uint64, r.rows)
	for i := range fps {
		fps[i] = r.uint64()
	}
	pairs, ends := r.labels("labels")
	r.column("last_seen", "DateTime('UTC')")
	r.take(4 * r.rows)
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("decode series: %w", err)
	}
	var streams []LogStream
	start := uint32(0)
	for i := range fps {
		if seamark.SeriesKind(kinds[i]) == seamark.LogStream {
			streams = append(streams, LogStream{FP: fps[i], Group: groups[i], Labels: pairs[start:ends[i]:ends[i]]})
		}
		start = ends[i]
	}
	return streams, nil
}
