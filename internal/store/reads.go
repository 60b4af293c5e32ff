package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Reads is what a part of a statement has cost the server.
type Reads struct{ Rows, Bytes, CPUMicros uint64 }

// tenantConn is a tenant's connection. Each of its statements has the settings that the tenant's limits ask for, and tells what it
// reads, whoever runs it and however it ends. The figures are the server's own: its profile events come with each answer, and what a broken
// statement could not tell comes from the count of the tenant's quota, see ledger.
type tenantConn struct {
	driver.Conn
	tenant seamark.TenantID
	db     string // the tenant's database
	shard  *shard
	ledger *ledger
}

// Query implements driver.Conn.
func (c tenantConn) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	rows, err := c.Conn.Query(c.statement(ctx), query, args...)
	if err != nil {
		c.breaks(ctx)
		return nil, err
	}
	return &tenantRows{rows, ctx, c}, nil
}

// QueryRow implements driver.Conn.
func (c tenantConn) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	return c.Conn.QueryRow(c.statement(ctx), query, args...)
}

// Select implements driver.Conn.
func (c tenantConn) Select(ctx context.Context, into any, query string, args ...any) error {
	err := c.Conn.Select(c.statement(ctx), into, query, args...)
	if err != nil {
		c.breaks(ctx)
	}
	return err
}

// Exec implements driver.Conn.
func (c tenantConn) Exec(ctx context.Context, query string, args ...any) error {
	err := c.Conn.Exec(c.statement(ctx), query, args...)
	if err != nil {
		c.breaks(ctx)
	}
	return err
}

// statement returns the context of one statement.
func (c tenantConn) statement(ctx context.Context) context.Context {
	s := c.shard.store
	o := &s.opts
	var limits Settings
	if o.Settings != nil {
		limits = o.Settings(ctx, c.tenant)
	}
	most := s.ceilings(c.tenant)
	within := bounded(ctx, merged(limits, settingsOf(ctx)), ceilingsOf(&most))
	if o.Read == nil {
		return within
	}
	return clickhouse.Context(within, clickhouse.WithQuotaKey(c.ledger.key), clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
		if r := readsOf(events); r != (Reads{}) {
			c.ledger.tell(r)
			o.Read(ctx, c.tenant, r)
		}
	}))
}

func readsOf(events []clickhouse.ProfileEvent) Reads {
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
	return r
}
