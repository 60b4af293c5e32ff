package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogPosition is where a row stands in the one order of all log rows: by time, then stream, then the batch it came with,
// then a hash of what it says. None of it ever changes, whatever is inserted or merged. Rows that agree in all of it say the
// same, so nobody can tell in which order they stand.
type LogPosition struct {
	Time            int64 // nanoseconds since 1970
	FP, Batch, Hash uint64
}

// LogContextQuery asks for the rows next to a position, in one direction.
type LogContextQuery struct {
	Streams []LogStream
	From    LogPosition
	Newer   bool // rows behind From in the order; else those before it
	// Past leaves out the rows that stand at From. Otherwise they come first, without Skip of them.
	Past  bool
	Skip  int
	Until int64 // nanoseconds: no rows from then on, or when not Newer, of before
	Limit int   // from 1 up
}

// LogContextRows is an answer, From's nearest row first.
type LogContextRows struct {
	LogBlock
	At []LogPosition // parallel to the rows
}

// logHash is the part of a position that tells rows of one time, stream and batch apart.
const logHash = "cityHash64(body, toString(level), trace_id, span_id, mapKeys(attrs), mapValues(attrs))"

// LogContext returns the rows next to a position. It first finds how far they reach, which takes narrow columns alone, and
// then reads them whole: the order within a time cannot be had without reading lines.
func (s *Store) LogContext(ctx context.Context, tenant seamark.TenantID, q LogContextQuery) (*LogContextRows, error) {
	found := &LogContextRows{}
	if len(q.Streams) == 0 {
		return found, nil
	}
	edge := q.Until
	sql, params := logEdgeSQL(&q)
	_, err := s.logQuery(ctx, tenant, sql, params, func(rows driver.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&edge); err != nil {
				return err
			}
			if q.Newer {
				edge++ // that row's time is the last to be read
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	scan := newLogScan(LogColumns{Body: true, Level: true, Trace: true, Attrs: true})
	at := LogPosition{}
	scan.into = append(scan.into, &at.Batch, &at.Hash)
	sql, params = logContextSQL(&q, edge)
	_, err = s.logQuery(ctx, tenant, sql, params, func(rows driver.Rows) error {
		for rows.Next() {
			if err := scan.row(rows); err != nil {
				return err
			}
			at.Time, at.FP = scan.time, scan.fp
			found.At = append(found.At, at)
		}
		return rows.Err()
	})
	found.LogBlock = scan.block
	return found, err
}

// LogPositionOf returns the position of the first row of a stream at a time, and with a line of the first that says it. It
// returns false when there is no such row.
func (s *Store) LogPositionOf(ctx context.Context, tenant seamark.TenantID, stream LogStream, time int64, line *string) (at LogPosition, ok bool, err error) {
	b := newLogSQL()
	b.WriteString("SELECT _b, " + logHash + " AS hash\nFROM logs\n")
	b.where(&LogScope{Streams: []LogStream{stream}, Start: time, End: time + 1})
	if line != nil {
		b.WriteString("\n  AND body = " + b.string(*line))
	}
	b.WriteString("\nORDER BY _b, hash\nLIMIT 1")
	at = LogPosition{Time: time, FP: stream.FP}
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&at.Batch, &at.Hash); err != nil {
				return err
			}
			ok = true
		}
		return rows.Err()
	})
	return at, ok, err
}

// logEdgeSQL asks for the time of the last row of an answer, not counting those of From's own time.
func logEdgeSQL(q *LogContextQuery) (string, clickhouse.Parameters) {
	b := newLogSQL()
	b.WriteString("SELECT toUnixTimestamp64Nano(ts) AS t\nFROM logs\n")
	order := "\nORDER BY ts"
	if q.Newer {
		b.where(&LogScope{Streams: q.Streams, Start: q.From.Time + 1, End: q.Until})
	} else {
		b.where(&LogScope{Streams: q.Streams, Start: q.Until, End: q.From.Time})
		order += " DESC"
	}
	b.WriteString(order + "\nLIMIT 1 OFFSET " + b.int64(int64(q.Limit-1)))
	return b.String(), b.params
}

// logContextSQL asks for the rows from From's time to the edge.
func logContextSQL(q *LogContextQuery, edge int64) (string, clickhouse.Parameters) {
	b := newLogSQL()
	b.WriteString("SELECT toUnixTimestamp64Nano(ts) AS t, fp, body, level, trace_id, span_id, attrs, _b, " + logHash + " AS hash\nFROM logs\n")
	scope, compare, order := LogScope{Streams: q.Streams, Start: edge, End: q.From.Time + 1}, "<", " DESC"
	if q.Newer {
		scope.Start, scope.End, compare, order = q.From.Time, max(edge, q.From.Time+1), ">", ""
	}
	if !q.Past {
		compare += "="
	}
	b.where(&scope)
	from := make([]string, 0, 3)
	for _, n := range []uint64{q.From.FP, q.From.Batch, q.From.Hash} {
		from = append(from, b.bind("UInt64", strconv.FormatUint(n, 10)))
	}
	b.WriteString("\n  AND (toUnixTimestamp64Nano(ts) != " + b.int64(q.From.Time) + " OR (fp, _b, hash) " + compare + " (" + strings.Join(from, ", ") + "))")
	b.WriteString("\nORDER BY ts" + order + ", fp" + order + ", _b" + order + ", hash" + order)
	b.WriteString("\nLIMIT " + b.int64(int64(q.Limit)) + " OFFSET " + b.int64(int64(q.Skip)))
	return b.String(), b.params
}
