package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MetricSampleCountQuery asks how many samples the metrics have. A range of whole days reads no time stamps.
type MetricSampleCountQuery struct {
	StartMilli int64 // both ends are included
	EndMilli   int64
	Limit      int // at most so many metrics, those with most samples
}

// MetricSampleCount is how many float samples a metric has, repeats included; native histograms are not counted.
type MetricSampleCount struct {
	Metric  string
	Samples uint64
}

// CountMetricSamples returns the metrics with the most samples, the largest first.
func (s *Store) CountMetricSamples(ctx context.Context, tenant seamark.TenantID, q MetricSampleCountQuery) ([]MetricSampleCount, error) {
	b := metricSampleCountSQL(&q)
	var list []MetricSampleCount
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var one MetricSampleCount
			if err := rows.Scan(&one.Metric, &one.Samples); err != nil {
				return err
			}
			list = append(list, one)
		}
		return rows.Err()
	})
	return list, err
}

func metricSampleCountSQL(q *MetricSampleCountQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT metric, count() AS n\nFROM samples\n" +
		"WHERE ts >= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.StartMilli)) + ", 'UTC')" +
		" AND ts <= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.EndMilli)) + ", 'UTC')\n" +
		"GROUP BY metric\nORDER BY n DESC, metric\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}
