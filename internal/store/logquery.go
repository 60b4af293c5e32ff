package store

import (
	"context"
	"sync/atomic"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MaxLogPage is the largest number of rows that LogRows orders by time without reading all of them. Above it the server
// stops pruning by the best rows found so far, which costs two to twelve times as much.
const MaxLogPage = 1000

// LogScope says which rows a log query looks at: those of Streams with Start <= time < End, in nanoseconds since 1970.
type LogScope struct {
	Streams    []LogStream
	Start, End int64
	Filters    []LogFilter // all must hold
	// Narrowed says that rows for which Filters hold lie in Ranges alone, sorted by group and time and apart (NarrowLogs).
	Narrowed bool
	Ranges   []LogRange
}

// LogField is what a LogFilter looks at.
type LogField uint8

// The fields. Level, trace id and span id are compared as text; the unknown level and absent ids are the empty string.
const (
	LogBody LogField = iota
	LogLevel
	LogTraceID
	LogSpanID
	LogAttr
)

// LogOp is how a LogFilter compares.
type LogOp uint8

// The comparisons. Regular expressions are RE2.
const (
	LogContains LogOp = iota // a text stands somewhere in the field
	LogSearch                // a regular expression matches somewhere in the field; its dot matches line breaks
	LogEquals                // the field is the text
	LogMatches               // a regular expression matches the whole field
	// LogJSONField is for bodies alone: the line is no JSON object, or what it has under a key may satisfy a comparison. It lets
	// lines through that do not, wherever it costs less to let them.
	LogJSONField
)

// LogFilter is a condition on one field: one of Texts must hold, or with Not none of them.
type LogFilter struct {
	Field LogField
	Attr  string // LogAttr: the attribute's name; an absent one is the empty string
	Op    LogOp
	Not   bool
	Texts []string
	// Compare is LogJSONField's: one of == != > >= < <=. Attr is the key, without an underscore, and Texts the number.
	Compare string
}

// LogColumns says which columns beside time and fingerprint a query needs.
type LogColumns struct{ Body, Level, Trace, Attrs bool }

// LogOrder is the order of rows by time.
type LogOrder uint8

// The orders. AnyOrder costs nothing; the others sort.
const (
	AnyOrder LogOrder = iota
	NewestFirst
	OldestFirst
)

// LogRowsQuery asks for rows.
type LogRowsQuery struct {
	LogScope
	Columns LogColumns
	Order   LogOrder
	Limit   int // 0: all rows; at most MaxLogPage otherwise
}

// LogBlock is some consecutive rows of an answer, one column per field; columns that were not asked for are empty.
type LogBlock struct {
	Time    []int64 // nanoseconds since 1970
	FP      []uint64
	Body    []string
	Level   []seamark.Level
	TraceID [][16]byte
	SpanID  [][8]byte
	Attrs   []seamark.Label // all rows' attributes, row after row
	AttrEnd []uint32        // per row: end of its attributes in Attrs
}

// Len returns the number of rows.
func (b *LogBlock) Len() int { return len(b.Time) }

// AttrsOf returns the attributes of row i.
func (b *LogBlock) AttrsOf(i int) []seamark.Label {
	if len(b.AttrEnd) == 0 {
		return nil
	}
	start := uint32(0)
	if i > 0 {
		start = b.AttrEnd[i-1]
	}
	return b.Attrs[start:b.AttrEnd[i]]
}

// Reset empties b and keeps its memory.
func (b *LogBlock) Reset() {
	clear(b.Body)
	clear(b.Attrs)
	*b = LogBlock{
		Time: b.Time[:0], FP: b.FP[:0], Body: b.Body[:0], Level: b.Level[:0], TraceID: b.TraceID[:0], SpanID: b.SpanID[:0],
		Attrs: b.Attrs[:0], AttrEnd: b.AttrEnd[:0],
	}
}

// LogStats counts what the server read for a query.
type LogStats struct{ Rows, Bytes uint64 }

// logBlockRows is how many rows LogRows hands over at once: enough that the call does not matter, few enough that a
// block of long lines stays small.
const logBlockRows = 1024

// LogRows streams rows to fn, in blocks. A block and its strings' slices are reused after fn returns; the strings stay
// valid. An error of fn ends the query and is returned.
func (s *Store) LogRows(ctx context.Context, tenant seamark.TenantID, q LogRowsQuery, fn func(*LogBlock) error) (LogStats, error) {
	if q.Empty() {
		return LogStats{}, nil
	}
	sql, params := logRowsSQL(&q)
	return s.logQuery(ctx, tenant, sql, params, func(rows driver.Rows) error {
		scan := newLogScan(q.Columns)
		for rows.Next() {
			if err := scan.row(rows); err != nil {
				return err
			}
			if scan.block.Len() < logBlockRows {
				continue
			}
			if err := fn(&scan.block); err != nil {
				return err
			}
			scan.block.Reset()
		}
		if scan.block.Len() == 0 || rows.Err() != nil {
			return rows.Err()
		}
		return fn(&scan.block)
	})
}

// LogCountsQuery asks how many rows and bytes each stream has in each bucket of a grid. Start and End of the scope must
// be those of the grid.
type LogCountsQuery struct {
	LogScope
	Grid  LogGrid
	Split []LogSplit // split a stream's rows by these fields too
	Bytes bool       // sum the bodies' bytes
	// Into, parallel to Streams, makes streams count as one: each is the fingerprint that a stream's counts are reported
	// under. Nil reports every stream by itself. Without it an answer has a row per stream and bucket, however few the
	// series that the caller makes of them.
	Into []uint64
}

// LogSplit is a field that counts are split by.
type LogSplit struct {
	Field LogField // not LogBody
	Attr  string
}

// LogCount is the count of one stream, one combination of split values and one bucket.
type LogCount struct {
	FP     uint64
	Values []string // of Split, in its order; valid until the callback returns
	Bucket int
	Lines  uint64
	Bytes  uint64
}

// logQuery runs a statement, lets read consume its rows and counts what the server read.
func (s *Store) logQuery(ctx context.Context, tenant seamark.TenantID, sql string, params clickhouse.Parameters,
	read func(driver.Rows) error,
) (LogStats, error) {
	// The driver reports progress from its own goroutine.
	var rowsRead, bytesRead atomic.Uint64
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close, which else would drain what is left of the answer
	ctx = clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) {
		rowsRead.Add(p.Rows)
		bytesRead.Add(p.Bytes)
	}))
	rows, err := s.query(ctx, tenant, sql, params)
	if err != nil {
		return LogStats{}, err
	}
	err = read(rows)
	if err != nil {
		cancel()
	}
	closeErr := rows.Close()
	if err == nil {
		err = closeErr
	}
	return LogStats{Rows: rowsRead.Load(), Bytes: bytesRead.Load()}, queryError(ctx, err)
}
