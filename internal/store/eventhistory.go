package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// EventMemory is how far back the update before an update may lie for the difference of their counts to be occurrences
// of the later one's time.
//
// What happened inside a time range is not to be seen in the events table, which has the newest state alone. It is
// counted from the log stream of updates: an update adds, at the time of its last occurrence, by how much the count rose
// since the update before, and at least 1. The first update adds its whole count if the event began at most EventMemory
// before; else when the earlier occurrences were is not known, and it adds 1, as does one whose predecessor is older.
// So a range is counted from its own updates and those of EventMemory before it, the sum of adjoining ranges is the
// count of both together, and a past range's figure changes by late updates of that range alone.
const EventMemory = 24 * time.Hour

// EventSeriesQuery asks for occurrences over time.
type EventSeriesQuery struct {
	EventFilter
	By    EventField
	Whole bool          // do not split by a field
	Step  time.Duration // width of a bucket; buckets begin at the range's start
	Limit int           // values
}

// EventSeries is the occurrences of one value of a field.
type EventSeries struct {
	Value  string
	Total  uint64
	Counts []uint64 // per bucket
}

// EventSeriesList is the series with the most occurrences.
type EventSeriesList struct {
	Entries uint64 // how many values there are; the list may be cut at the limit
	Total   uint64 // of all values
	Series  []EventSeries
}

// EventSeries counts occurrences by bucket and value, the most frequent value first.
func (s *Store) EventSeries(ctx context.Context, tenant seamark.TenantID, q EventSeriesQuery) (*EventSeriesList, error) {
	b := eventSeriesSQL(&q)
	list := &EventSeriesList{}
	buckets := int((q.Range.Duration() + q.Step - 1) / q.Step)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			series := EventSeries{Counts: make([]uint64, buckets)}
			var at []uint32
			var counts []uint64
			if err := rows.Scan(&series.Value, &series.Total, &list.Entries, &list.Total, &at, &counts); err != nil {
				return err
			}
			for i, bucket := range at {
				series.Counts[bucket] = counts[i]
			}
			list.Series = append(list.Series, series)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func eventSeriesSQL(q *EventSeriesQuery) *logSQL {
	b := newLogSQL()
	step, start := b.int64(q.Step.Milliseconds()), b.eventMilli(q.Range.Start)
	b.WriteString("SELECT value, toUInt64(total), count() OVER (), toUInt64(sum(total) OVER ()), per.1, per.2\nFROM (\n" +
		"SELECT value, sum(added.2) AS total, sumMap([toUInt32(intDiv(added.1 - " + start + ", " + step + "))], [toUInt64(added.2)]) AS per\nFROM (")
	b.eventHistory(&q.EventFilter, q.By, q.Whole, q.Range)
	b.WriteString(")\nARRAY JOIN adds AS added\nWHERE added.1 >= " + start + " AND added.1 < " + b.eventMilli(q.Range.End) +
		"\nGROUP BY value\n)\nORDER BY total DESC, value\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

// EventTrendQuery asks what happened in the filter's range, beside an earlier one.
type EventTrendQuery struct {
	EventFilter
	Before seamark.TimeRange
	By     EventField
	Limit  int // values
}

// EventTrendCount is how often something happened: occurrences, and the different events that they are of.
type EventTrendCount struct{ Occurrences, Events uint64 }

// EventTrendEntry compares one value.
type EventTrendEntry struct {
	Value       string
	Now, Before EventTrendCount
}

// EventTrend is the values whose occurrences differ most.
type EventTrend struct {
	Entries     uint64 // how many values there are; the list may be cut at the limit
	Now, Before EventTrendCount
	List        []EventTrendEntry
}

// EventTrend compares the occurrences of two time ranges by a field's values, the largest difference first.
func (s *Store) EventTrend(ctx context.Context, tenant seamark.TenantID, q EventTrendQuery) (*EventTrend, error) {
	b := eventTrendSQL(&q)
	trend := &EventTrend{}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var e EventTrendEntry
			if err := rows.Scan(&e.Value, &e.Now.Occurrences, &e.Now.Events, &e.Before.Occurrences, &e.Before.Events, &trend.Entries,
				&trend.Now.Occurrences, &trend.Now.Events, &trend.Before.Occurrences, &trend.Before.Events); err != nil {
				return err
			}
			trend.List = append(trend.List, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return trend, nil
}

func eventTrendSQL(q *EventTrendQuery) *logSQL {
	b := newLogSQL()
	within := func(r seamark.TimeRange) string {
		return "toUInt64(arraySum(arrayMap(a -> if(a.1 >= " + b.eventMilli(r.Start) + " AND a.1 < " + b.eventMilli(r.End) + ", a.2, 0), adds)))"
	}
	b.WriteString("SELECT value, o1, e1, o2, e2, count() OVER (), sum(o1) OVER (), sum(e1) OVER (), sum(o2) OVER (), sum(e2) OVER ()\nFROM (\n" +
		"SELECT value, sum(n1) AS o1, countIf(n1 > 0) AS e1, sum(n2) AS o2, countIf(n2 > 0) AS e2\nFROM (\n" +
		"SELECT value, " + within(q.Range) + " AS n1, " + within(q.Before) + " AS n2\nFROM (")
	b.eventHistory(&q.EventFilter, q.By, false, q.Range, q.Before)
	b.WriteString(")\nWHERE n1 + n2 > 0)\nGROUP BY value\n)\n" +
		"ORDER BY abs(toInt64(o1) - toInt64(o2)) DESC, o1 DESC, value\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

// eventLine is what the line of an update holds (LogBody of package ingest/events).
const eventLine = "Tuple(cluster String, namespace String, kind String, name String, type String, reason String, message String, " +
	"source String, node String, count UInt32, first String)"

// eventHistory selects a row per event that was updated in one of the ranges or EventMemory before it: its value of a
// field, and `adds`, the pairs of time and occurrences that its updates add.
//
// Lines tell no uid, so an event is known by all that it says and when it began. That also joins what an API server
// tells under two uids, because an event that it had forgotten happened again. Kubernetes puts a prefix before messages
// that it has combined from several, which change with each update.
func (b *logSQL) eventHistory(f *EventFilter, by EventField, whole bool, ranges ...seamark.TimeRange) {
	value := "any(" + by.String() + ")"
	if whole {
		value = "''"
	}
	memory := strconv.FormatInt(EventMemory.Milliseconds(), 10)
	b.WriteString("\nWITH maxMap([at], [cnt]) AS m, m.1 AS t, m.2 AS c, parseDateTime64BestEffortOrZero(any(began), 3, 'UTC') AS b" +
		"\nSELECT " + value + " AS value, arrayMap((t, c, pt, pc) -> (t, multiIf(pt >= t - " + memory + ", greatest(c - pc, 1), " +
		"toUnixTimestamp64Milli(b) >= t - " + memory + ", c, 1)), t, c, arrayPushFront(arrayPopBack(t), toInt64(-9e15)), arrayPushFront(arrayPopBack(c), toInt64(0))) AS adds" +
		"\nFROM (\nSELECT toUnixTimestamp64Milli(ts) AS at, JSONExtract(body, '" + eventLine + "') AS e, e.cluster AS cluster, e.namespace AS namespace, " +
		"e.kind AS kind, e.name AS object, e.type AS type, e.reason AS reason, e.message AS message, e.source AS source, e.node AS node, " +
		"toInt64(e.count) AS cnt, e.first AS began\nFROM logs\nWHERE (")
	for i, r := range ranges {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString("ts >= " + b.eventTime(r.Start.Add(-EventMemory)) + " AND ts < " + b.eventTime(r.End))
	}
	b.WriteString(")\n  AND grp IN (SELECT name FROM series ")
	b.eventStreams(f, ranges)
	b.WriteString(")\n  AND fp IN (SELECT fp FROM series ")
	b.eventStreams(f, ranges)
	b.WriteString(")\n)\nWHERE cnt > 0")
	b.whereEvents(f)
	combined := "'(combined from similar events):'"
	b.WriteString("\nGROUP BY sipHash64(" + strings.Join([]string{
		"cluster", "namespace", "kind", "object", "type", "reason", "source", "node",
		"if(startsWith(message, " + combined + "), " + combined + ", message)", "began",
	}, ", ") + ")\n")
}

// eventStreams writes the conditions on the streams of updates.
func (b *logSQL) eventStreams(f *EventFilter, ranges []seamark.TimeRange) {
	first, last := hull(ranges)
	b.whereSeries(&LogStreamsQuery{
		Matchers: []LogMatcher{{Name: "signal", Op: LogEquals, Value: "events"}}, Start: clampNano(first.Add(-EventMemory)), End: clampNano(last),
	})
	for _, c := range f.Conditions {
		if !c.Not && (c.Field == EventCluster || c.Field == EventNamespace || c.Field == EventType) {
			b.WriteString("\n  AND labels['" + c.Field.String() + "'] IN " + b.strings(c.Values))
		}
	}
}

// clampNano brings a time into what the store's days can tell.
func clampNano(t time.Time) int64 { return clampMilli(t.UnixMilli()) * 1e6 }

// hull returns the least start and the largest end.
func hull(ranges []seamark.TimeRange) (first, last time.Time) {
	for i, r := range ranges {
		if i == 0 || r.Start.Before(first) {
			first = r.Start
		}
		if i == 0 || r.End.After(last) {
			last = r.End
		}
	}
	return first, last
}
