package store

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// histogramRowOverhead is the size of a native histogram's fixed columns in the native block.
const histogramRowOverhead = 4 + 8 + 8 + 8 + 8 + 3

// encodeHistograms writes native histograms. series are the batch's metric series, which the rows refer to.
func (e *Encoder) encodeHistograms(series []*seamark.Series, h *seamark.HistogramRows) error {
	return e.eachDay(h.TimeMilli, dayMillis, func(day int32, rows []uint32) error {
		size := func(r uint32) int { return histogramRowOverhead + len(h.Data[r]) }
		return chunks(rows, size, func(rows []uint32) error {
			e.raw = e.appendHistograms(e.raw[:0], series, h, rows)
			return e.emit(TableHistograms, 6, day, len(rows))
		})
	})
}

func (e *Encoder) appendHistograms(b []byte, series []*seamark.Series, h *seamark.HistogramRows, rows []uint32) []byte {
	b = e.appendSeriesColumns(b, series, h.SeriesRef, rows)
	b = appendColumn(b, "ts", "DateTime64(3, 'UTC')")
	b = appendInt64s(b, h.TimeMilli, rows)
	b = appendFloats(b, "cnt", h.Count, rows)
	b = appendFloats(b, "sum", h.Sum, rows)
	b = appendColumn(b, "hist", "String")
	for _, r := range rows {
		b = appendString(b, h.Data[r])
	}
	return b
}

// appendSeriesColumns writes metric and fp, with which the rows of all metric tables begin.
func (e *Encoder) appendSeriesColumns(b []byte, series []*seamark.Series, refs []uint32, rows []uint32) []byte {
	e.names.reset()
	last, key := "", uint32(math.MaxUint32) // neighbours mostly share the metric, which spares the look-up
	for _, r := range rows {
		name := series[refs[r]].Name
		if key == math.MaxUint32 || name != last {
			last, key = name, e.names.ref(name)
		}
		e.names.keys = append(e.names.keys, key)
	}
	b = e.names.appendLowCardinality(b, "metric")
	b = appendColumn(b, "fp", "UInt64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, series[refs[r]].FP)
	}
	return b
}

func appendFloats(b []byte, name string, values []float64, rows []uint32) []byte {
	b = appendColumn(b, name, "Float64")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(values[r]))
	}
	return b
}

// exemplarRowBytes is about the size of one exemplar in the native block.
const exemplarRowBytes = 128

func (e *Encoder) encodeExemplars(series []*seamark.Series, list []seamark.Exemplar) error {
	times, refs, values := make([]int64, len(list)), make([]uint32, len(list)), make([]float64, len(list))
	for i := range list {
		times[i], refs[i], values[i] = list[i].TimeMilli, list[i].Series, list[i].Value
	}
	return e.eachDay(times, dayMillis, func(day int32, rows []uint32) error {
		size := func(r uint32) int { return exemplarRowBytes + labelBytes(list[r].Labels) }
		return chunks(rows, size, func(rows []uint32) error {
			b := e.appendSeriesColumns(e.raw[:0], series, refs, rows)
			b = appendColumn(b, "ts", "DateTime64(3, 'UTC')")
			b = appendInt64s(b, times, rows)
			b = appendFloats(b, "v", values, rows)
			b = appendColumn(b, "trace_id", "FixedString(16)")
			for _, r := range rows {
				b = append(b, list[r].TraceID[:]...)
			}
			e.raw = e.appendLabels(b, "labels", rows, func(r uint32) []seamark.Label { return list[r].Labels })
			return e.emit(TableExemplars, 6, day, len(rows))
		})
	})
}

func labelBytes(labels []seamark.Label) int {
	n := 0
	for _, l := range labels {
		n += len(l.Value) + 8
	}
	return n
}

func (e *Encoder) appendLabels(b []byte, name string, rows []uint32, of func(row uint32) []seamark.Label) []byte {
	e.attrs.reset()
	for _, r := range rows {
		for _, l := range of(r) {
			e.attrs.addPair(l.Name, l.Value)
		}
		e.attrs.endRow()
	}
	return e.attrs.appendColumn(b, name)
}

// encodeDrops writes lines of the drop ledger, one segment per week.
func (e *Encoder) encodeDrops(list []seamark.Drop) error {
	const perWeek = 7 * dayMillis
	times := make([]int64, len(list))
	for i := range list {
		times[i] = int64(mondayOf(dayOf(list[i].Time.UnixMilli(), dayMillis))) * dayMillis
	}
	return e.eachDay(times, perWeek, func(_ int32, rows []uint32) error {
		size := func(r uint32) int { return 96 + len(list[r].Detail) + len(list[r].Sample) }
		return chunks(rows, size, func(rows []uint32) error {
			e.raw = e.appendDrops(e.raw[:0], list, rows)
			return e.emit(TableDrops, 12, int32(times[rows[0]]/dayMillis), len(rows))
		})
	})
}

func (e *Encoder) appendDrops(b []byte, list []seamark.Drop, rows []uint32) []byte {
	words := func(b []byte, name string, column int, of func(*seamark.Drop) string) []byte {
		d := e.columns[column]
		d.reset()
		for _, r := range rows {
			d.add(of(&list[r]))
		}
		return d.appendLowCardinality(b, name)
	}
	counts := func(b []byte, name string, of func(*seamark.Drop) uint64) []byte {
		b = appendColumn(b, name, "UInt64")
		for _, r := range rows {
			b = binary.LittleEndian.AppendUint64(b, of(&list[r]))
		}
		return b
	}
	text := func(b []byte, name string, of func(*seamark.Drop) string) []byte {
		b = appendColumn(b, name, "String")
		for _, r := range rows {
			b = appendString(b, of(&list[r]))
		}
		return b
	}
	b = appendColumn(b, "ts", "DateTime64(3, 'UTC')")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, uint64(list[r].Time.Truncate(time.Millisecond).UnixMilli()))
	}
	b = words(b, "cluster", 0, func(d *seamark.Drop) string { return d.Cluster })
	b = words(b, "token", 1, func(d *seamark.Drop) string { return d.Token })
	b = words(b, "protocol", 2, func(d *seamark.Drop) string { return d.Protocol })
	b = words(b, "signal", 3, func(d *seamark.Drop) string { return d.Signal.String() })
	b = words(b, "reason", 4, func(d *seamark.Drop) string { return d.Reason })
	b = appendColumn(b, "status", "UInt16")
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint16(b, list[r].Status)
	}
	b = counts(b, "requests", func(d *seamark.Drop) uint64 { return d.Requests })
	b = counts(b, "rows", func(d *seamark.Drop) uint64 { return d.Rows })
	b = counts(b, "bytes", func(d *seamark.Drop) uint64 { return d.Bytes })
	b = text(b, "detail", func(d *seamark.Drop) string { return d.Detail })
	return text(b, "sample", func(d *seamark.Drop) string { return d.Sample })
}
