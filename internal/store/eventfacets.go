package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// EventFacetsQuery asks how many events each value of each field has.
type EventFacetsQuery struct {
	EventFilter
	Limit int // values of a field
}

// EventFacets are the values of the fields, the most frequent first.
type EventFacets struct {
	Events uint64 // that match all conditions
	Fields []EventFacet
}

// EventFacet is one field's values among the events that match all conditions but those on the field itself.
type EventFacet struct {
	Field   EventField
	Entries uint64 // how many values there are; the list may be cut at the limit
	Values  []EventFacetValue
}

// EventFacetValue is a value and the number of its events.
type EventFacetValue struct {
	Value  string
	Events uint64
}

// EventFacets counts events by the values of all fields, in one pass. It never returns a nil result without an error.
func (s *Store) EventFacets(ctx context.Context, tenant seamark.TenantID, q EventFacetsQuery) (*EventFacets, error) {
	b := eventFacetsSQL(&q)
	facets := &EventFacets{}
	for _, f := range EventFields() {
		facets.Fields = append(facets.Fields, EventFacet{Field: f})
	}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var field uint8
			var value EventFacetValue
			var entries uint64
			if err := rows.Scan(&field, &value.Value, &value.Events, &entries); err != nil {
				return err
			}
			if int(field) == len(facets.Fields) {
				facets.Events = value.Events
				continue
			}
			facets.Fields[field].Entries = entries
			facets.Fields[field].Values = append(facets.Fields[field].Values, value)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return facets, nil
}

// eventFacetsSQL counts a row for each field of which no other field's condition fails: the row carries per field whether
// its own conditions fail, and the sum of these. The number behind the last field stands for the total.
func eventFacetsSQL(q *EventFacetsQuery) *logSQL {
	b := newLogSQL()
	var fails [eventFieldCount][]string
	for i := range q.Conditions {
		c := &q.Conditions[i]
		fails[c.Field] = append(fails[c.Field], "NOT ("+b.eventCondition(c)+")")
	}
	var pairs, sum []string
	for _, f := range EventFields() {
		fault := "0"
		if len(fails[f]) > 0 {
			fault = "toUInt8(" + strings.Join(fails[f], " OR ") + ")"
			sum = append(sum, fault)
		}
		pairs = append(pairs, "(toUInt8("+strconv.Itoa(int(f))+"), toString("+f.String()+"), "+fault+")")
	}
	pairs = append(pairs, "(toUInt8("+strconv.Itoa(len(pairs))+"), '', 0)")
	sum = append(sum, "0")
	b.WriteString("SELECT field, value, n, count() OVER (PARTITION BY field) AS entries\nFROM (\n" +
		"SELECT pair.1 AS field, pair.2 AS value, count() AS n\nFROM (\n" +
		"SELECT arrayJoin(arrayFilter(p -> p.3 = failed, [" + strings.Join(pairs, ",\n  ") + "])) AS pair, " + strings.Join(sum, " + ") + " AS failed")
	b.fromEvents(q.Range)
	b.WriteString("\n  AND failed <= 1")
	for i := range fails[EventUID] { // a uid is no facet: its condition holds for all of them
		b.WriteString("\n  AND NOT (" + fails[EventUID][i] + ")")
	}
	b.whereEvents(&EventFilter{Terms: q.Terms, Only: q.Only})
	b.WriteString("\n)\nGROUP BY field, value\n)\nORDER BY field, n DESC, value\nLIMIT " + b.int64(int64(q.Limit)) + " BY field" + finalSettings)
	return b
}
