package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// EventsQuery asks for events that happened last inside the filter's range.
type EventsQuery struct {
	EventFilter
	// After, when set, is the last event of the page before: only those behind it in the list's order are returned.
	After *seamark.Event
	Limit int // at most so many
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
	return newestEras(list), err
}

func eventsSQL(q *EventsQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT cluster, toString(uid), namespace, kind, object, type, reason, message, source, node, cnt, created, last_ts")
	b.fromEvents(q.Range)
	b.whereEvents(&q.EventFilter)
	if q.After != nil {
		b.eventsAfter(q.After)
	}
	b.WriteString("\nORDER BY last_ts DESC, namespace, cluster, created, uid\nLIMIT " + b.int64(int64(q.Limit)) + finalSettings)
	return b
}

// eventsAfter keeps what stands behind an event in the order of a list. An event that happens again moves to the front, so it
// is not met twice; one that came later is not met at all.
func (b *logSQL) eventsAfter(e *seamark.Event) {
	last := b.eventTime(e.Last)
	b.WriteString("\n  AND last_ts <= " + last + " AND (last_ts < " + last + " OR (namespace, cluster, created, uid) > (" +
		b.string(e.Namespace) + ", " + b.string(e.Cluster) + ", " + b.eventTime(e.First) + ", toUUIDOrZero(" + b.string(e.UID) + ")))")
}

// newestEras drops the rows of earlier eras from a list that is sorted newest first: an event that goes on for longer
// than rows are kept has a row for each era (eventCreated).
func newestEras(list []seamark.Event) []seamark.Event {
	type identity struct{ cluster, namespace, uid string }
	seen := make(map[identity]struct{}, len(list))
	kept := list[:0]
	for i := range list {
		id := identity{list[i].Cluster, list[i].Namespace, list[i].UID}
		if _, twice := seen[id]; twice {
			continue
		}
		seen[id] = struct{}{}
		kept = append(kept, list[i])
	}
	return kept
}
