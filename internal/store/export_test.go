package store

import (
	"context"

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
