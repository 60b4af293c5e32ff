package store

import (
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// cardinalitySQL counts series under each key that they have and, beside those, under the empty one, which no series has
// as a name: that is the total, in the same pass.
func cardinalitySQL(q *CardinalityQuery, histograms bool) *logSQL {
	b := newLogSQL()
	value, values, bytes := "v", "toUInt64(0)", "toUInt64(0)"
	if q.By == ByLabel {
		value, values, bytes = "''", "uniqExactIf(v, now)", "sumIf(length(v), now)"
	}
	samples := "toUInt64(0)"
	if q.Samples {
		samples = "sum(n)"
	}
	b.WriteString("SELECT k, " + value + " AS value, countIf(now) AS series, countIf(earlier) AS before,\n" +
		"  countIf(now AND NOT earlier) AS appeared, countIf(earlier AND NOT now) AS vanished, " + samples + " AS samples,\n" +
		"  " + values + " AS values, " + bytes + " AS bytes, count() OVER () AS entries, sumIf(values, k != '') OVER () AS all_values\n" +
		"FROM (\n")
	b.cardinalitySeries(q)
	b.WriteString("\n)")
	if q.Samples {
		b.WriteString(" AS one LEFT JOIN (\n")
		b.seriesSamples(q, histograms)
		b.WriteString("\n) AS counted USING fp")
	}
	b.WriteString("\n" + b.cardinalityKeys(q) + "\nGROUP BY k, value\n" +
		"ORDER BY k = '' DESC, " + q.Order.sql() + " DESC, series DESC, k, value\nLIMIT " + b.int64(int64(q.Limit)+1) +
		"\nSETTINGS optimize_aggregation_in_order = 1")
	return b
}

func (o CardinalityOrder) sql() string {
	switch o {
	case OrderSamples:
		return "samples"
	case OrderGrowth:
		return "toInt64(series) - toInt64(before)"
	case OrderChurn:
		return "appeared + vanished"
	case OrderValues:
		return "values"
	case OrderBytes:
		return "bytes"
	case OrderSeries:
	}
	return "series"
}

// cardinalityKeys returns the clause that multiplies a series by its keys and the empty one.
func (b *logSQL) cardinalityKeys(q *CardinalityQuery) string {
	switch q.By {
	case ByLabel, ByPair:
		return "ARRAY JOIN arrayPushBack(arrayMap(x -> toString(x), mapKeys(l)), '') AS k, arrayPushBack(mapValues(l), '') AS v"
	case ByLabelValue:
		label := b.string(q.Label)
		has := "if(mapContains(l, " + label + "), "
		return "ARRAY JOIN " + has + "[" + label + ", ''], ['']) AS k, " + has + "[l[" + label + "], ''], ['']) AS v"
	case ByMetric:
	}
	return "ARRAY JOIN [toString(name), ''] AS k, ['', ''] AS v"
}

// cardinalitySeries selects each series once, with the periods that it is in.
func (b *logSQL) cardinalitySeries(q *CardinalityQuery) {
	first := b.int64(int64(q.FirstDay))
	b.WriteString("  SELECT fp, name, any(labels) AS l, max(day >= toDate(" + first + ")) AS now, max(day < toDate(" + first + ")) AS earlier\n" +
		"  FROM series\n  WHERE kind = 'metric' AND day >= toDate(" + b.int64(int64(q.BeforeDay())) + ") AND day <= toDate(" + b.int64(int64(q.LastDay)) + ")")
	b.anySet(q.Sets, func(m *MetricMatcher) string { return b.metricCondition(b.metricLabel(m.Name), m) })
	b.WriteString("\n  GROUP BY kind, name, fp")
}

// seriesSamples counts the samples of each series. The condition on the partition leaves out the time stamps, which are
// most of what else would be read.
func (b *logSQL) seriesSamples(q *CardinalityQuery, histograms bool) {
	count := func(table string) {
		b.WriteString("    SELECT fp, count() AS n FROM " + table + "\n" +
			"    WHERE _partition_value.1 >= toDate(" + b.int64(int64(q.FirstDay)) + ") AND _partition_value.1 <= toDate(" + b.int64(int64(q.LastDay)) + ")")
		if named := namedSets(q.Sets); len(named) > 0 {
			b.anySet(named, func(m *MetricMatcher) string { return b.metricCondition("metric", m) })
		}
		b.WriteString("\n    GROUP BY metric, fp")
	}
	if !histograms {
		count("samples")
		return
	}
	b.WriteString("  SELECT fp, sum(n) AS n FROM (\n")
	count("samples")
	b.WriteString("\n    UNION ALL\n")
	count("hist_samples")
	b.WriteString("\n  ) GROUP BY fp")
}

// namedSets returns what the sets ask of the metric's name; nothing when one of them asks for none.
func namedSets(sets [][]MetricMatcher) [][]MetricMatcher {
	list := make([][]MetricMatcher, len(sets))
	for i, set := range sets {
		for k := range set {
			if set[k].Name == seamark.MetricNameLabel {
				list[i] = append(list[i], set[k])
			}
		}
		if len(list[i]) == 0 {
			return nil
		}
	}
	return list
}

// anySet writes that one of the sets' conditions all hold.
func (b *logSQL) anySet(sets [][]MetricMatcher, condition func(*MetricMatcher) string) {
	if len(sets) == 0 {
		return
	}
	either := make([]string, len(sets))
	for i, set := range sets {
		all := []string{"1"}
		for k := range set {
			all = append(all, condition(&set[k]))
		}
		either[i] = "(" + strings.Join(all, " AND ") + ")"
	}
	b.WriteString("\n    AND (" + strings.Join(either, " OR ") + ")")
}
