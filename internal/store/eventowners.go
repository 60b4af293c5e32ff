package store

import (
	"context"
	"regexp"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// EventOwnersQuery asks which objects of Kinds may own the object called Name in a cluster and namespace, going by the
// events of a time range and of what is kept before it.
type EventOwnersQuery struct {
	Range                    seamark.TimeRange
	Cluster, Namespace, Name string
	Kinds                    []string
	Limit                    int
}

// EventOwner is an object that has events of its own. Message is the newest of them that names the object asked for, ""
// when none does and only the beginning of its name speaks for it.
type EventOwner struct{ Kind, Name, Message string }

// EventOwners returns objects of which an event names the object, or whose name and a dash begin its name; those that
// name it come first, then those with the longest name.
func (s *Store) EventOwners(ctx context.Context, tenant seamark.TenantID, q EventOwnersQuery) ([]EventOwner, error) {
	b := eventOwnersSQL(&q)
	var list []EventOwner
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var o EventOwner
			if err := rows.Scan(&o.Kind, &o.Name, &o.Message); err != nil {
				return err
			}
			list = append(list, o)
		}
		return rows.Err()
	})
	return list, err
}

// eventOwnersSQL needs no FINAL: what an older state of an event names has been named.
func eventOwnersSQL(q *EventOwnersQuery) *logSQL {
	b := newLogSQL()
	name := b.string(q.Name)
	word := b.string(`(^|[^a-z0-9.-])` + regexp.QuoteMeta(q.Name) + `($|[^a-z0-9.-]|\.($|[^a-z0-9]))`)
	b.WriteString("SELECT toString(kind), object, argMaxIf(message, last_ts, named)\nFROM (\n" +
		"SELECT kind, object, message, last_ts, position(message, " + name + ") > 0 AND match(message, " + word + ") AS named\nFROM events" +
		"\nWHERE namespace = " + b.string(q.Namespace) + " AND cluster = " + b.string(q.Cluster) + " AND created >= " +
		b.eventTime(q.Range.Start.Add(-eventRetention)) + " AND created < " + b.eventTime(q.Range.End) +
		"\n  AND kind IN " + b.strings(q.Kinds) + "\n  AND (named OR startsWith(" + name + ", concat(object, '-')))\n)" +
		"\nGROUP BY kind, object\nORDER BY max(named) DESC, length(object) DESC, kind, object\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}
