package store

import (
	"encoding/binary"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// logRowOverhead is the size of a row's fixed columns in the native block.
const logRowOverhead = 1 + 8 + 8 + 1 + 16 + 8 + 5 + 8

func (e *Encoder) encodeLogs(l *seamark.LogRows) error {
	return e.eachDay(l.TimeNano, dayNanos, func(day int32, rows []uint32) error {
		size := func(r uint32) int {
			n := logRowOverhead + len(l.Body[r])
			for _, a := range l.AttrsOf(int(r)) {
				n += len(a.Value) + 8
			}
			return n
		}
		return chunks(rows, size, func(rows []uint32) error {
			e.raw = e.appendLogs(e.raw[:0], l, rows)
			if err := e.emit(TableLogs, 8, day, len(rows)); err != nil {
				return err
			}
			e.encodePatterns(l, day, rows)
			return nil
		})
	})
}

// appendLogs writes the columns of the logs table, in the order of its table spec.
func (e *Encoder) appendLogs(b []byte, l *seamark.LogRows, rows []uint32) []byte {
	e.names.reset()
	e.levels.reset()
	refs := e.fps[:0] // per stream of the batch: its index in the dictionary of groups, plus one
	for range l.Streams {
		refs = append(refs, 0)
	}
	e.fps = refs
	for _, r := range rows {
		s := l.Stream[r]
		if refs[s] == 0 {
			refs[s] = uint64(e.names.ref(l.Streams[s].Name)) + 1
		}
		e.names.keys = append(e.names.keys, uint32(refs[s]-1))
	}
	b = e.names.appendLowCardinality(b, "grp")
	b = appendColumn(b, "ts", "DateTime64(9, 'UTC')")
	b = appendInt64s(b, l.TimeNano, rows)
	b = appendColumn(b, "fp", "UInt64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, l.Streams[l.Stream[r]].FP)
	}
	e.levels.values = append(e.levels.values, seamark.LevelNames()...)
	for _, r := range rows {
		e.levels.keys = append(e.levels.keys, uint32(l.Level[r]))
	}
	b = e.levels.appendLowCardinality(b, "level")
	b = appendColumn(b, "trace_id", "FixedString(16)")
	for _, r := range rows {
		b = append(b, l.TraceID[r][:]...)
	}
	b = appendColumn(b, "span_id", "FixedString(8)")
	for _, r := range rows {
		b = append(b, l.SpanID[r][:]...)
	}
	b = appendColumn(b, "body", "String")
	for _, r := range rows {
		b = appendString(b, l.Body[r])
	}
	e.attrs.reset()
	for _, r := range rows {
		for _, a := range l.AttrsOf(int(r)) {
			e.attrs.addPair(a.Name, a.Value)
		}
		e.attrs.endRow()
	}
	return e.attrs.appendColumn(b, "attrs")
}
