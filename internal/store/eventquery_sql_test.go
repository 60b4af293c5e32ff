package store

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// eventStatements returns every statement of the event queries, with text wherever a text can stand.
func eventStatements(text string) map[string]*logSQL {
	day := time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	r := seamark.TimeRange{Start: day, End: day.Add(time.Hour)}
	all := EventFilter{Range: r, Terms: []EventTerm{{Text: text}, {Text: text, Not: true}}}
	for f := range eventFieldCount {
		all.Conditions = append(all.Conditions, EventCondition{Field: f, Values: []string{text, "b"}}, EventCondition{Field: f, Not: true, Values: []string{text}})
	}
	history := all
	history.Conditions = all.Conditions[:2*EventUID] // lines have no uid
	before := seamark.TimeRange{Start: day.Add(-time.Hour), End: day}
	return map[string]*logSQL{
		"events":           eventsSQL(&EventsQuery{EventFilter: EventFilter{Range: r}, Limit: 1}),
		"events, filtered": eventsSQL(&EventsQuery{EventFilter: all, Limit: 5}),
		"events, after": eventsSQL(&EventsQuery{
			EventFilter: EventFilter{Range: r}, Limit: 1, After: &seamark.Event{Last: day, Namespace: text, Cluster: text, First: day.Add(-time.Hour), UID: text},
		}),
		"facets":           eventFacetsSQL(&EventFacetsQuery{EventFilter: EventFilter{Range: r}, Limit: 1}),
		"facets, filtered": eventFacetsSQL(&EventFacetsQuery{EventFilter: all, Limit: 5}),
		"series":           eventSeriesSQL(&EventSeriesQuery{EventFilter: EventFilter{Range: r}, Whole: true, Step: time.Minute, Limit: 1}),
		"series, filtered": eventSeriesSQL(&EventSeriesQuery{EventFilter: history, By: EventReason, Step: time.Minute, Limit: 5}),
		"trend":            eventTrendSQL(&EventTrendQuery{EventFilter: history, Before: before, By: EventObject, Limit: 5}),
		"owners":           eventOwnersSQL(&EventOwnersQuery{Range: r, Cluster: text, Namespace: text, Name: text, Kinds: []string{text}, Limit: 5}),
	}
}

func TestEventSQLGolden(t *testing.T) { golden(t, "eventquery.golden.sql", eventStatements("it's")) }
