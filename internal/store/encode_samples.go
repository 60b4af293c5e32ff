package store

import (
	"encoding/binary"
	"math"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sampleRowBytes is the size of one sample in the native block.
const sampleRowBytes = 4 + 8 + 8 + 8

func (e *Encoder) encodeSamples(s *seamark.SampleRows) error {
	return e.eachDay(s.TimeMilli, dayMillis, func(day int32, rows []uint32) error {
		return chunks(rows, func(uint32) int { return sampleRowBytes }, func(rows []uint32) error {
			e.raw = e.appendSamples(e.raw[:0], s, rows)
			return e.emit(TableSamples, 4, day, len(rows))
		})
	})
}

// appendSamples writes the columns of the samples table.
func (e *Encoder) appendSamples(b []byte, s *seamark.SampleRows, rows []uint32) []byte {
	e.names.reset()
	last, ref := "", uint32(math.MaxUint32) // neighbours mostly share the metric, which spares the look-up
	for _, r := range rows {
		name := s.Series[s.SeriesRef[r]].Name
		if ref == math.MaxUint32 || name != last {
			last, ref = name, e.names.ref(name)
		}
		e.names.keys = append(e.names.keys, ref)
	}
	b = e.names.appendLowCardinality(b, "metric")
	b = appendColumn(b, "fp", "UInt64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, s.Series[s.SeriesRef[r]].FP)
	}
	b = appendColumn(b, "ts", "DateTime64(3, 'UTC')")
	b = appendInt64s(b, s.TimeMilli, rows)
	b = appendColumn(b, "v", "Float64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Value[r]))
	}
	return b
}
