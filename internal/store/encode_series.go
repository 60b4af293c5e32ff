package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// encodeSeries writes the rows of the label sets in e.fresh, one segment per week.
func (e *Encoder) encodeSeries(now time.Time) error {
	slices.SortStableFunc(e.fresh, func(a, b seriesDay) int { return cmp.Compare(mondayOf(a.day), mondayOf(b.day)) })
	for start := 0; start < len(e.fresh); {
		week, end, size := mondayOf(e.fresh[start].day), start, 0
		for end < len(e.fresh) && mondayOf(e.fresh[end].day) == week && size < maxSegmentRawBytes {
			for _, l := range e.fresh[end].series.Labels {
				size += len(l.Value) + 8
			}
			end++
		}
		e.raw = e.appendSeries(e.raw[:0], e.fresh[start:end], now)
		if err := e.emit(TableSeries, 6, week, end-start); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func (e *Encoder) appendSeries(b []byte, fresh []seriesDay, now time.Time) []byte {
	b = appendColumn(b, "kind", "Enum8('metric' = 1, 'log' = 2)")
	for _, f := range fresh {
		b = append(b, byte(f.series.Kind))
	}
	e.names.reset()
	for _, f := range fresh {
		e.names.add(f.series.Name)
	}
	b = e.names.appendLowCardinality(b, "name")
	b = appendColumn(b, "day", "Date")
	for _, f := range fresh {
		b = binary.LittleEndian.AppendUint16(b, uint16(f.day))
	}
	b = appendColumn(b, "fp", "UInt64")
	for _, f := range fresh {
		b = binary.LittleEndian.AppendUint64(b, f.series.FP)
	}
	e.attrs.reset()
	for _, f := range fresh {
		for _, l := range f.series.Labels {
			e.attrs.addPair(l.Name, l.Value)
		}
		e.attrs.endRow()
	}
	b = e.attrs.appendColumn(b, "labels")
	b = appendColumn(b, "last_seen", "DateTime('UTC')")
	for range fresh {
		b = binary.LittleEndian.AppendUint32(b, uint32(now.Unix()))
	}
	return b
}

// encodeMetadata writes metric metadata.
func (e *Encoder) encodeMetadata(list []seamark.MetricMetadata, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	b := appendColumn(e.raw[:0], "metric", "String")
	types, units := e.columns[0], e.columns[1]
	types.reset()
	units.reset()
	for i := range list {
		b = appendString(b, list[i].Metric)
		types.add(list[i].Type)
		units.add(list[i].Unit)
	}
	b = types.appendLowCardinality(b, "type")
	b = appendColumn(b, "help", "String")
	for i := range list {
		b = appendString(b, list[i].Help)
	}
	b = units.appendLowCardinality(b, "unit")
	b = appendColumn(b, "updated", "DateTime('UTC')")
	for range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(now.Unix()))
	}
	e.raw = b
	return e.emit(TableMetadata, 5, 0, len(list))
}
