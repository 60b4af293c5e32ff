package store

import (
	"context"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// EraseUsage removes a tenant's meter, which else outlives its tables, and returns what there was. A batch that is in doubt may lose
// rows by that, see SettleShared in package ingest.
func (s *Store) EraseUsage(ctx context.Context, tenant seamark.TenantID) ([]Purged, error) {
	var list []Purged
	err := s.eachUsage(ctx, tenant, func(sh *shard, table string, rows uint64) error {
		if rows == 0 {
			return nil
		}
		list = append(list, Purged{Place: "clickhouse table " + table, Rows: rows})
		if err := sh.admin.Exec(ctx, "ALTER TABLE "+table+" DELETE WHERE tenant = ? SETTINGS mutations_sync = 1", string(tenant)); err != nil {
			return fmt.Errorf("delete a tenant's rows of %s: %w", table, err)
		}
		return nil
	})
	return list, err
}

// UsageRemains counts the rows of a tenant's meter.
func (s *Store) UsageRemains(ctx context.Context, tenant seamark.TenantID) (uint64, error) {
	sum := uint64(0)
	err := s.eachUsage(ctx, tenant, func(_ *shard, _ string, rows uint64) error {
		sum += rows
		return nil
	})
	return sum, err
}

// eachUsage calls fn with the tables of the meter and how many rows the tenant has there, shard after shard: as with DropTenant, what
// is found nowhere is certified.
func (s *Store) eachUsage(ctx context.Context, tenant seamark.TenantID, fn func(sh *shard, table string, rows uint64) error) error {
	for _, sh := range s.shards {
		n, err := sh.ensurePlatform(ctx)
		if err != nil {
			return err
		}
		for _, name := range []string{tableSpecs[TableUsage].name, usageDays} {
			table := database(n) + "." + name
			rows, err := sh.countOf(ctx, "SELECT count() FROM "+table+" WHERE tenant = ?", string(tenant))
			if err != nil {
				return err
			}
			if err := fn(sh, table, rows); err != nil {
				return err
			}
		}
	}
	return nil
}
