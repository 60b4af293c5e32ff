package store

import "github.com/seamarkhq/seamark/internal/seamark"

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
	b = e.appendSeriesColumns(b, s.Series, s.SeriesRef, rows)
	b = appendColumn(b, "ts", "DateTime64(3, 'UTC')")
	b = appendInt64s(b, s.TimeMilli, rows)
	return appendFloats(b, "v", s.Value, rows)
}
