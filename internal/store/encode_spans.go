package store

import (
	"encoding/binary"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// spanRowOverhead is the size of a span's fixed columns in the native block.
const spanRowOverhead = 2 + 2 + 8 + 8 + 16 + 8 + 8 + 1 + 1 + 2 + 16

func (e *Encoder) encodeSpans(list []seamark.Span) error {
	times := make([]int64, len(list))
	for i := range list {
		times[i] = list[i].TimeNano
	}
	return e.eachDay(times, dayNanos, func(day int32, rows []uint32) error {
		size := func(r uint32) int {
			s := &list[r]
			return spanRowOverhead + len(s.StatusMessage) + len(s.TraceState) + len(s.Events) + len(s.Links) + labelBytes(s.Resource) + labelBytes(s.Attrs)
		}
		return chunks(rows, size, func(rows []uint32) error {
			e.raw = e.appendSpans(e.raw[:0], list, rows)
			return e.emit(TableSpans, 16, day, len(rows))
		})
	})
}

// appendSpans writes the columns of the spans table, in the order of its table spec.
func (e *Encoder) appendSpans(b []byte, list []seamark.Span, rows []uint32) []byte {
	words := func(b []byte, name string, column int, of func(*seamark.Span) string) []byte {
		d := e.columns[column]
		d.reset()
		for _, r := range rows {
			d.add(of(&list[r]))
		}
		return d.appendLowCardinality(b, name)
	}
	text := func(b []byte, name string, of func(*seamark.Span) string) []byte {
		b = appendColumn(b, name, "String")
		for _, r := range rows {
			b = appendString(b, of(&list[r]))
		}
		return b
	}
	b = words(b, "service", 0, func(s *seamark.Span) string { return s.Service })
	b = words(b, "name", 1, func(s *seamark.Span) string { return s.Name })
	b = appendColumn(b, "ts", "DateTime64(9, 'UTC')")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, uint64(list[r].TimeNano))
	}
	b = appendColumn(b, "duration", "UInt64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, list[r].DurationNano)
	}
	b = appendColumn(b, "trace_id", "FixedString(16)")
	for _, r := range rows {
		b = append(b, list[r].TraceID[:]...)
	}
	b = appendColumn(b, "span_id", "FixedString(8)")
	for _, r := range rows {
		b = append(b, list[r].SpanID[:]...)
	}
	b = appendColumn(b, "parent_id", "FixedString(8)")
	for _, r := range rows {
		b = append(b, list[r].ParentID[:]...)
	}
	b = words(b, "kind", 2, func(s *seamark.Span) string { return s.Kind })
	b = words(b, "status", 3, func(s *seamark.Span) string { return s.Status })
	b = text(b, "status_message", func(s *seamark.Span) string { return s.StatusMessage })
	b = text(b, "trace_state", func(s *seamark.Span) string { return s.TraceState })
	b = words(b, "scope", 4, func(s *seamark.Span) string { return s.Scope })
	b = e.appendLabels(b, "resource", rows, func(r uint32) []seamark.Label { return list[r].Resource })
	b = e.appendLabels(b, "attrs", rows, func(r uint32) []seamark.Label { return list[r].Attrs })
	b = text(b, "events", func(s *seamark.Span) string { return s.Events })
	return text(b, "links", func(s *seamark.Span) string { return s.Links })
}
