package store

import (
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The times that the tables can hold: a Date reaches from 1970 to 2149-06-06. Clients ask for "everything" with times
// far outside, which would wrap around.
const (
	minMilli = 0
	maxMilli = 65535 * dayMillis
)

func clampMilli(t int64) int64 { return min(max(t, minMilli), maxMilli) }

// metricSeriesSQL packs each label set into four texts, see labelUnpacker.
func metricSeriesSQL(q *MetricSeriesQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT fp, name,\n" +
		"  arrayStringConcat(mapKeys(labels)), reinterpret(arrayMap(k -> toUInt32(length(k)), mapKeys(labels)), 'String'),\n" +
		"  arrayStringConcat(mapValues(labels)), reinterpret(arrayMap(v -> toUInt32(length(v)), mapValues(labels)), 'String')\n" +
		"FROM series\n")
	b.whereMetricSeries(q)
	// A replacing table holds a series once per day and, until it merges, more than once. Its labels never change.
	b.WriteString("\nLIMIT 1 BY fp\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

func metricLabelNamesSQL(q *MetricSeriesQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT arrayJoin(labels.keys) AS text\nFROM series\n")
	b.whereMetricSeries(q)
	b.WriteString("\nORDER BY text\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

func metricLabelValuesSQL(name string, q *MetricSeriesQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT toString(" + b.metricLabel(name) + ") AS text\nFROM series\n")
	b.whereMetricSeries(q)
	b.WriteString("\n  AND text != ''\nORDER BY text\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

// metricLabel returns the expression of a label. The metric's name stands in the sort key too, where it prunes.
func (b *logSQL) metricLabel(name string) string {
	if name == seamark.MetricNameLabel {
		return "name"
	}
	return "labels[" + b.string(name) + "]"
}

// whereMetricSeries writes the conditions on the series table. The server turns milliseconds into days itself, so that
// both tables agree on what a day is.
func (b *logSQL) whereMetricSeries(q *MetricSeriesQuery) {
	b.WriteString("WHERE kind = 'metric'")
	b.WriteString("\n  AND day >= toDate(fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.StartMilli)) + ", 'UTC'))")
	b.WriteString(" AND day <= toDate(fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.EndMilli)) + ", 'UTC'))")
	for i := range q.Matchers {
		m := &q.Matchers[i]
		b.WriteString("\n  AND " + b.metricCondition(b.metricLabel(m.Name), m))
	}
}

func (b *logSQL) metricCondition(field string, m *MetricMatcher) string {
	switch m.Op {
	case MetricNotEquals:
		return field + " != " + b.string(m.Value)
	case MetricMatches:
		return "match(" + field + ", " + b.string(promRegexp(m.Value)) + ")"
	case MetricNotMatches:
		return "NOT match(" + field + ", " + b.string(promRegexp(m.Value)) + ")"
	case MetricIn:
		return field + " IN " + b.strings(m.Values)
	case MetricNotIn:
		return field + " NOT IN " + b.strings(m.Values)
	case MetricEquals:
	}
	return field + " = " + b.string(m.Value)
}

// promRegexp anchors a regular expression as PromQL does: it matches the whole text and its dot matches line breaks.
func promRegexp(expr string) string { return "^(?s:" + expr + ")$" }

// metricSamplesSQL packs each series' columns into two texts, which the driver hands over without touching a sample: half
// the time of plain rows, a fifth of arrays. LIMIT stands inside, so that the server stops reading there, too.
func metricSamplesSQL(q *MetricSamplesQuery) *logSQL {
	b := newLogSQL()
	if q.Last {
		return b.newestSamples(q)
	}
	b.WriteString("SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')\n" +
		"FROM (\n  SELECT fp, ts, v\n  FROM samples\n")
	b.whereMetricSamples(q)
	b.WriteString("\n  LIMIT " + b.int64(int64(q.Limit)) + "\n)\nGROUP BY fp")
	return b
}

// newestSamples picks by one number with the time above the value's bits, so that equal times are settled by the value as
// everywhere: a third of the time of argMax over a pair. Its bytes, little-endian, are the value and the time.
func (b *logSQL) newestSamples(q *MetricSamplesQuery) *logSQL {
	b.WriteString("SELECT fp, substring(newest, 9, 8), substring(newest, 1, 8)\n" +
		"FROM (\n  SELECT fp, reinterpret(max(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(ts)), 64), reinterpretAsUInt64(v))), 'FixedString(16)') AS newest\n" +
		"  FROM samples\n")
	b.whereMetricSamples(q)
	b.WriteString("\n  GROUP BY fp\n  LIMIT " + b.int64(int64(q.Limit)) + "\n)")
	return b
}

// whereMetricSamples writes the conditions in the order of the sort key. The partition key is toDate(ts), whose parts keep
// the least and largest ts: the range prunes them without a second condition on the date.
func (b *logSQL) whereMetricSamples(q *MetricSamplesQuery) {
	b.WriteString("  WHERE metric IN " + b.strings(sortedStrings(q.Metrics)))
	if q.FPs != nil && !q.Whole {
		fps := slices.Clone(q.FPs)
		slices.Sort(fps)
		b.WriteString("\n    AND fp IN " + b.uint64s(fps))
	}
	b.WriteString("\n    AND ts >= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.StartMilli)) + ", 'UTC')")
	b.WriteString(" AND ts <= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.EndMilli)) + ", 'UTC')")
}

func sortedStrings(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// metricMetadataSQL reads the newest row of each family: until the replacing table merges, it holds older ones too.
func metricMetadataSQL(q *MetricMetadataQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT metric, argMax(type, updated), argMax(help, updated), argMax(unit, updated)\nFROM metadata\n")
	if q.Metric != "" {
		b.WriteString("WHERE metric = " + b.string(q.Metric) + "\n")
	}
	b.WriteString("GROUP BY metric\nORDER BY metric\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}
