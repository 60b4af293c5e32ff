package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogMatcher is a condition on one label of a stream; an absent label is the empty string. Op is LogEquals or LogMatches.
type LogMatcher struct {
	Name  string
	Op    LogOp
	Not   bool
	Value string
}

// LogStream is one stream of log lines.
type LogStream struct {
	FP     uint64
	Group  string // first part of the logs table's sort key
	Labels []seamark.Label
}

// LogStreamsQuery selects the streams that have lines on the days of a time range (nanoseconds, half-open) and match.
type LogStreamsQuery struct {
	Matchers   []LogMatcher
	Start, End int64
	Limit      int // at most so many
}

// oneThread is for statements on the series table, which is small: starting and joining threads costs as much as reading it.
const oneThread = "\nSETTINGS max_threads = 1"

// LogStreams returns the streams that match, in no particular order; their labels are sorted. It reads the series table
// alone.
func (s *Store) LogStreams(ctx context.Context, tenant seamark.TenantID, q LogStreamsQuery) ([]LogStream, error) {
	b := newLogSQL()
	b.WriteString("SELECT fp, name, labels\nFROM series\n")
	b.whereSeries(&q)
	// A replacing table may hold a stream once per day and, until it merges, more than once.
	b.WriteString("\nLIMIT 1 BY fp\nLIMIT " + b.int64(int64(q.Limit)) + oneThread)
	var streams []LogStream
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var stream LogStream
			var labels LogBlock
			if err := rows.Scan(&stream.FP, &stream.Group, &attrScan{block: &labels}); err != nil {
				return err
			}
			stream.Labels = labels.Attrs
			seamark.SortLabels(stream.Labels)
			streams = append(streams, stream)
		}
		return rows.Err()
	})
	return streams, err
}

// LogLabelNames returns the label names of the streams that match, sorted.
func (s *Store) LogLabelNames(ctx context.Context, tenant seamark.TenantID, q LogStreamsQuery) ([]string, error) {
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT arrayJoin(labels.keys) AS text\nFROM series\n")
	b.whereSeries(&q)
	b.WriteString("\nORDER BY text\nLIMIT " + b.int64(int64(q.Limit)) + oneThread)
	return s.logTexts(ctx, tenant, b)
}

// LogLabelValues returns the values that the label has in the streams that match, sorted.
func (s *Store) LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q LogStreamsQuery) ([]string, error) {
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT labels[" + b.string(name) + "] AS text\nFROM series\n")
	b.whereSeries(&q)
	b.WriteString("\n  AND text != ''\nORDER BY text\nLIMIT " + b.int64(int64(q.Limit)) + oneThread)
	return s.logTexts(ctx, tenant, b)
}

func (s *Store) logTexts(ctx context.Context, tenant seamark.TenantID, b *logSQL) ([]string, error) {
	var texts []string
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			texts = append(texts, text)
		}
		return rows.Err()
	})
	return texts, err
}

// whereSeries writes the conditions on the series table. The server turns nanoseconds into days itself, so that both
// tables agree on what a day is. Times before 1970, which have no day, are brought there: the server would make days of the
// far future of them.
func (b *logSQL) whereSeries(q *LogStreamsQuery) {
	b.WriteString("WHERE kind = 'log'")
	b.WriteString("\n  AND day >= toDate(fromUnixTimestamp64Nano(" + b.int64(max(q.Start, 0)) + ", 'UTC'))")
	b.WriteString(" AND day <= toDate(fromUnixTimestamp64Nano(" + b.int64(max(q.End-1, 0)) + ", 'UTC'))")
	for _, m := range q.Matchers {
		field := "labels[" + b.string(m.Name) + "]"
		condition := field + " = "
		switch {
		case m.Op == LogMatches && m.Not:
			b.WriteString("\n  AND NOT match(" + field + ", " + b.string(wholeRegexp(m.Value)) + ")")
			continue
		case m.Op == LogMatches:
			b.WriteString("\n  AND match(" + field + ", " + b.string(wholeRegexp(m.Value)) + ")")
			continue
		case m.Not:
			condition = field + " != "
		}
		b.WriteString("\n  AND " + condition + b.string(m.Value))
	}
}
