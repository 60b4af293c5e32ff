package store

import (
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// eventRetention is the time to live of the events table (schema/events). An event that happened again inside a range
// was first seen at most this long before it.
const eventRetention = 30 * 24 * time.Hour

// EventField is a field of an event that conditions and groups name.
type EventField uint8

// The fields, in the order in which facets list them. Lines of the stream of updates have no uid.
const (
	EventCluster EventField = iota
	EventNamespace
	EventKind
	EventObject
	EventReason
	EventType
	EventSource
	EventNode
	EventUID
	eventFieldCount
)

var eventFieldNames = [eventFieldCount]string{"cluster", "namespace", "kind", "object", "reason", "type", "source", "node", "uid"}

// String returns the field's name, which is also its column's.
func (f EventField) String() string {
	if f >= eventFieldCount {
		return "unknown"
	}
	return eventFieldNames[f]
}

// EventFields lists the fields that events are counted by: all but the uid.
func EventFields() []EventField {
	list := make([]EventField, 0, EventUID)
	for f := range EventUID {
		list = append(list, f)
	}
	return list
}

// EventCondition holds when the field is one of Values, or with Not none of them.
type EventCondition struct {
	Field  EventField
	Not    bool
	Values []string
}

// EventTerm holds when Text stands in the message, the object or the reason, in any case of letters, or with Not in none.
type EventTerm struct {
	Text string
	Not  bool
}

// EventFilter selects events inside a time range of which all conditions and terms hold.
type EventFilter struct {
	Range      seamark.TimeRange
	Conditions []EventCondition
	Terms      []EventTerm
	// Only, when set, holds of every event that is looked at, also where facets leave out the conditions on their own field.
	Only *seamark.Restriction
}

// condition returns a condition on a field's column; uids are compared as text.
func (b *logSQL) eventCondition(c *EventCondition) string {
	column := c.Field.String()
	if c.Field == EventUID {
		column = "toString(uid)"
	}
	if c.Not {
		return column + " NOT IN " + b.strings(c.Values)
	}
	return column + " IN " + b.strings(c.Values)
}

func (b *logSQL) eventTerm(t EventTerm) string {
	text := b.string(t.Text)
	found := make([]string, 0, 3)
	for _, column := range []string{"message", "object", "reason"} {
		found = append(found, "positionCaseInsensitiveUTF8("+column+", "+text+") > 0")
	}
	condition := "(" + strings.Join(found, " OR ") + ")"
	if t.Not {
		return "NOT " + condition
	}
	return condition
}

// eventMilli binds a time in milliseconds.
func (b *logSQL) eventMilli(t time.Time) string { return b.int64(clampMilli(t.UnixMilli())) }

func (b *logSQL) eventTime(t time.Time) string {
	return "fromUnixTimestamp64Milli(" + b.eventMilli(t) + ", 'UTC')"
}

// fromEvents reads with FINAL, which leaves the newest row of each event. An event keeps its first occurrence and with it
// its partition, so partitions are merged apart; the index on last_ts must then look at every row of a key (exact mode),
// else an old row inside the range would stand for an event that has moved on.
func (b *logSQL) fromEvents(r seamark.TimeRange) {
	b.WriteString("\nFROM events FINAL\nWHERE created >= " + b.eventTime(r.Start.Add(-eventRetention)) + " AND created < " + b.eventTime(r.End))
	b.WriteString("\n  AND last_ts >= " + b.eventTime(r.Start) + " AND last_ts < " + b.eventTime(r.End))
}

// finalSettings go to the end of each statement with fromEvents.
const finalSettings = "\nSETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 1"

// whereEvents adds all conditions and terms of f.
func (b *logSQL) whereEvents(f *EventFilter) {
	for i := range f.Conditions {
		b.WriteString("\n  AND " + b.eventCondition(&f.Conditions[i]))
	}
	for _, t := range f.Terms {
		b.WriteString("\n  AND " + b.eventTerm(t))
	}
	if f.Only != nil && len(f.Only.Clusters) > 0 {
		b.WriteString("\n  AND cluster IN " + b.strings(f.Only.Clusters))
	}
	if f.Only != nil && len(f.Only.Namespaces) > 0 {
		b.WriteString("\n  AND namespace IN " + b.strings(f.Only.Namespaces))
	}
}
