package store

import (
	"context"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// RunQuery runs any statement as a tenant.
func (s *Store) RunQuery(ctx context.Context, tenant seamark.TenantID, sql string, params clickhouse.Parameters) (driver.Rows, error) {
	return s.query(ctx, tenant, sql, params)
}

// QueryError shows what a customer sees of an error.
var QueryError = queryError

// CeilingNames lists the settings that have a ceiling.
func CeilingNames() []string {
	return slices.Collect(maps.Keys(ceilingsOf(new(seamark.DefaultCeilings(1)))))
}
