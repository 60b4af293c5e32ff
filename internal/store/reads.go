package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Reads is what a part of a statement has cost the server.
type Reads struct{ Rows, Bytes, CPUMicros uint64 }

// meteredConn tells of what a tenant's statements read, whoever runs them and however they end. The figures are the server's own:
// its profile events come with each answer.
type meteredConn struct {
	driver.Conn
	tenant seamark.TenantID
	read   func(ctx context.Context, tenant seamark.TenantID, r Reads)
}

// Query implements driver.Conn.
func (c meteredConn) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	return c.Conn.Query(c.metered(ctx), query, args...)
}

// QueryRow implements driver.Conn.
func (c meteredConn) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	return c.Conn.QueryRow(c.metered(ctx), query, args...)
}

func (c meteredConn) metered(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
		var r Reads
		for i := range events {
			e := &events[i]
			if e.Value < 0 {
				continue
			}
			switch e.Name {
			case "SelectedRows":
				r.Rows += uint64(e.Value)
			case "SelectedBytes":
				r.Bytes += uint64(e.Value)
			case "OSCPUVirtualTimeMicroseconds":
				r.CPUMicros += uint64(e.Value)
			}
		}
		if r != (Reads{}) {
			c.read(ctx, c.tenant, r)
		}
	}))
}
