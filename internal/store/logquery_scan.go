package store

import (
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// logScan reads rows into a block. The driver writes into its fields, so one scan serves a whole answer.
type logScan struct {
	block       LogBlock
	columns     LogColumns
	time        int64
	fp          uint64
	body, level string
	trace, span string
	attrs       attrScan
	levels      map[string]seamark.Level
	into        []any
}

func newLogScan(c LogColumns) *logScan {
	s := &logScan{columns: c}
	s.into = []any{&s.time, &s.fp}
	if c.Body {
		s.into = append(s.into, &s.body)
	}
	if c.Level {
		s.into = append(s.into, &s.level)
		s.levels = map[string]seamark.Level{}
		for value, name := range seamark.LevelNames() {
			s.levels[name] = seamark.Level(value)
		}
	}
	if c.Trace {
		s.into = append(s.into, &s.trace, &s.span)
	}
	if c.Attrs {
		s.attrs.block = &s.block
		s.into = append(s.into, &s.attrs)
	}
	return s
}

// row appends the current row of rows to the block.
func (s *logScan) row(rows driver.Rows) error {
	if err := rows.Scan(s.into...); err != nil {
		return err
	}
	b := &s.block
	b.Time = append(b.Time, s.time)
	b.FP = append(b.FP, s.fp)
	if s.columns.Body {
		b.Body = append(b.Body, s.body)
	}
	if s.columns.Level {
		b.Level = append(b.Level, s.levels[s.level])
	}
	if s.columns.Trace {
		b.TraceID = append(b.TraceID, [16]byte([]byte(s.trace)))
		b.SpanID = append(b.SpanID, [8]byte([]byte(s.span)))
	}
	if s.columns.Attrs {
		b.AttrEnd = append(b.AttrEnd, uint32(len(b.Attrs)))
	}
	return nil
}

// attrScan takes a map column pair by pair; it implements the driver's IterableOrderedMap, whose other way, a Go map per
// row by reflection, costs more than the row.
type attrScan struct{ block *LogBlock }

// Put implements column.IterableOrderedMap.
func (a *attrScan) Put(key, value any) {
	name, _ := key.(string)
	text, _ := value.(string)
	a.block.Attrs = append(a.block.Attrs, seamark.Label{Name: name, Value: text})
}

// Iterator implements column.IterableOrderedMap; it is called for inserts only.
func (a *attrScan) Iterator() column.MapIterator { return nil }
