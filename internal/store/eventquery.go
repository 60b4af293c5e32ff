package store

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// eventRetention is the time to live of the events table (schema/events). An event that happened again inside a range
// was first seen at most this long before it.
const eventRetention = 30 * 24 * time.Hour

// EventsQuery selects events that happened last inside a time range. Empty fields select everything; the others must be
// equal.
type EventsQuery struct {
	Range                                          seamark.TimeRange
	Cluster, Namespace, Kind, Object, Reason, Type string
	Text                                           string // stands in message, object or reason, in any case of letters
	Limit                                          int    // at most so many
}

// ListEvents returns the events that match, each once as it was told last, newest first.
func (s *Store) ListEvents(ctx context.Context, tenant seamark.TenantID, q EventsQuery) ([]seamark.Event, error) {
	b := eventsSQL(&q)
	var list []seamark.Event
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var e seamark.Event
			if err := rows.Scan(&e.Cluster, &e.UID, &e.Namespace, &e.Kind, &e.Object, &e.Type, &e.Reason, &e.Message, &e.Source,
				&e.Node, &e.Count, &e.First, &e.Last); err != nil {
				return err
			}
			list = append(list, e)
		}
		return rows.Err()
	})
	return list, err
}

// eventsSQL reads with FINAL, which leaves the newest row of each event. An event keeps its first occurrence and with it
// its partition, so partitions are merged apart; the index on last_ts must then look at every row of a key (exact mode),
// else an old row inside the range would stand for an event that has moved on.
func eventsSQL(q *EventsQuery) *logSQL {
	b := newLogSQL()
	milli := func(t time.Time) string {
		return "fromUnixTimestamp64Milli(" + b.int64(clampMilli(t.UnixMilli())) + ", 'UTC')"
	}
	b.WriteString("SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts\n" +
		"FROM events FINAL\nWHERE created >= " + milli(q.Range.Start.Add(-eventRetention)) + " AND created < " + milli(q.Range.End))
	b.WriteString("\n  AND last_ts >= " + milli(q.Range.Start) + " AND last_ts < " + milli(q.Range.End))
	for _, f := range []struct{ column, value string }{
		{"cluster", q.Cluster},
		{"namespace", q.Namespace},
		{"kind", q.Kind},
		{"object", q.Object},
		{"reason", q.Reason},
		{"type", q.Type},
	} {
		if f.value != "" {
			b.WriteString("\n  AND " + f.column + " = " + b.string(f.value))
		}
	}
	if q.Text != "" {
		text := b.string(q.Text)
		b.WriteString("\n  AND (positionCaseInsensitiveUTF8(message, " + text + ") > 0 OR positionCaseInsensitiveUTF8(object, " + text +
			") > 0 OR positionCaseInsensitiveUTF8(reason, " + text + ") > 0)")
	}
	b.WriteString("\nORDER BY last_ts DESC, namespace, cluster, created, uid\nLIMIT " + b.int64(int64(q.Limit)) +
		"\nSETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1")
	return b
}
