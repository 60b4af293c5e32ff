package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ListMetricLabelNames returns the label names of the series that match, sorted.
func (s *Store) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q MetricSeriesQuery) ([]string, error) {
	return s.logTexts(ctx, tenant, metricLabelNamesSQL(&q))
}

// ListMetricLabelValues returns the values that the label has in the series that match, sorted.
func (s *Store) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q MetricSeriesQuery) ([]string, error) {
	return s.logTexts(ctx, tenant, metricLabelValuesSQL(name, &q))
}

// MetricMetadataQuery selects the descriptions of metric families.
type MetricMetadataQuery struct {
	Metric string // one family; all when empty
	Limit  int    // at most so many
}

// ListMetricMetadata returns what senders told about metric families, by name; of each family what was told last.
func (s *Store) ListMetricMetadata(ctx context.Context, tenant seamark.TenantID, q MetricMetadataQuery) ([]seamark.MetricMetadata, error) {
	b := metricMetadataSQL(&q)
	var list []seamark.MetricMetadata
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var m seamark.MetricMetadata
			if err := rows.Scan(&m.Metric, &m.Type, &m.Help, &m.Unit); err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	return list, err
}
