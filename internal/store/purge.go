package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Purged is what was removed of a tenant.
type Purged struct {
	Place       string
	Rows, Bytes uint64
}

// ForgetTenant closes a tenant's connections here and lets go of what is known of its tables. A tenant that lives on gets
// new ones at its next query.
func (s *Store) ForgetTenant(n seamark.TenantNumber) {
	for _, sh := range s.shards {
		sh.forget(n)
	}
}

func (sh *shard) forget(n seamark.TenantNumber) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if c, ok := sh.tenants[n]; ok {
		delete(sh.tenants, n)
		go func() { _ = c.Close() }() // it waits for queries that are under way
	}
	delete(sh.walls, n)
	delete(sh.ledgers, n)
	for key := range sh.ready {
		if key.tenant == n {
			delete(sh.ready, key)
		}
	}
	for key := range sh.missing {
		if key.tenant == n {
			delete(sh.missing, key)
		}
	}
}

// DropTenant ends what runs for a tenant on the servers, and removes its database with everything in it and its user. It
// returns what there was, nothing when there was nothing. It looks on all shards, because what it does is certified: nothing of
// the tenant is left anywhere. The caller sees to it that nobody makes the database anew: to the directory the tenant must be deleted.
func (s *Store) DropTenant(ctx context.Context, n seamark.TenantNumber) ([]Purged, error) {
	if n == 0 || n&platformBit != 0 {
		return nil, fmt.Errorf("number %d is no tenant's", n)
	}
	s.ForgetTenant(n)
	dropped := make([][]Purged, len(s.shards))
	err := s.each(func(sh *shard) (err error) {
		dropped[sh.number], err = sh.dropTenant(ctx, database(n))
		return err
	})
	return slices.Concat(dropped...), err
}

func (sh *shard) dropTenant(ctx context.Context, db string) ([]Purged, error) {
	for _, kill := range []string{"user = ?", "startsWith(query_id, concat('seamark-', ?, '-'))"} {
		if err := sh.admin.Exec(ctx, "KILL QUERY WHERE "+kill+" SYNC", db); err != nil {
			return nil, fmt.Errorf("end the queries of %s: %w", db, err)
		}
	}
	list, err := sh.tenantTables(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := sh.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+db+" SYNC"); err != nil {
		return nil, fmt.Errorf("drop database %s: %w", db, err)
	}
	if !sh.store.opts.CreateUsers {
		return list, nil
	}
	users, err := sh.countOf(ctx, "SELECT count() FROM system.users WHERE name = ?", db)
	if err != nil || users == 0 {
		return list, err
	}
	for _, sql := range removeStatements(db) {
		if err := sh.admin.Exec(ctx, sql); err != nil {
			return list, fmt.Errorf("drop user %s: %w", db, err)
		}
	}
	return append(list, Purged{Place: "clickhouse user " + db}), nil
}

// tenantTables lists the tables of a database with what they hold.
func (sh *shard) tenantTables(ctx context.Context, db string) ([]Purged, error) {
	rows, err := sh.admin.Query(ctx, "SELECT name, ifNull(total_rows, 0), ifNull(total_bytes, 0) FROM system.tables WHERE database = ? ORDER BY name", db)
	if err != nil {
		return nil, fmt.Errorf("list tables of %s: %w", db, err)
	}
	defer func() { _ = rows.Close() }()
	var list []Purged
	for rows.Next() {
		p := Purged{}
		if err := rows.Scan(&p.Place, &p.Rows, &p.Bytes); err != nil {
			return nil, fmt.Errorf("list tables of %s: %w", db, err)
		}
		p.Place = "clickhouse table " + db + "." + p.Place
		list = append(list, p)
	}
	return list, rows.Err()
}

// TenantRemains counts what the shards still have under a tenant's number, by place; nothing when nothing is left.
func (s *Store) TenantRemains(ctx context.Context, n seamark.TenantNumber) (map[string]uint64, error) {
	left := map[string]uint64{}
	var mu sync.Mutex // guards left
	err := s.each(func(sh *shard) error {
		found, err := sh.remains(ctx, database(n))
		mu.Lock()
		defer mu.Unlock()
		for place, count := range found {
			left[place] += count
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return left, nil
}

func (sh *shard) remains(ctx context.Context, db string) (map[string]uint64, error) {
	looks := map[string]string{
		"clickhouse database": "SELECT count() FROM system.databases WHERE name = ?",
		"clickhouse tables":   "SELECT count() FROM system.tables WHERE database = ?",
		"clickhouse parts":    "SELECT count() FROM system.parts WHERE database = ?",
		"clickhouse dropped":  "SELECT count() FROM system.dropped_tables WHERE database = ?",
		"clickhouse queries":  "SELECT count() FROM system.processes WHERE user = ?",
	}
	if sh.store.opts.CreateUsers { // the embedded engine has users of all numbers in a file, which say nothing of a tenant
		looks["clickhouse user"] = "SELECT count() FROM system.users WHERE name = ?"
	}
	left := map[string]uint64{}
	for place, sql := range looks {
		n, err := sh.countOf(ctx, sql, db)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			left[place] = n
		}
	}
	return left, nil
}

func (sh *shard) countOf(ctx context.Context, sql string, args ...any) (n uint64, err error) {
	if err := sh.admin.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}
