package store

import (
	"context"
	"fmt"

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
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.tenants[n]; ok {
		delete(s.tenants, n)
		go func() { _ = c.Close() }() // it waits for queries that are under way
	}
	delete(s.walls, n)
	delete(s.ledgers, n)
	for key := range s.ready {
		if key.tenant == n {
			delete(s.ready, key)
		}
	}
	for key := range s.missing {
		if key.tenant == n {
			delete(s.missing, key)
		}
	}
}

// DropTenant ends what runs for a tenant on the server, and removes its database with everything in it and its user. It
// returns what there was, nothing when there was nothing. The caller sees to it that nobody makes the database anew: to
// the directory the tenant must be deleted.
func (s *Store) DropTenant(ctx context.Context, n seamark.TenantNumber) ([]Purged, error) {
	if n == 0 || n&platformBit != 0 {
		return nil, fmt.Errorf("number %d is no tenant's", n)
	}
	db := database(n)
	s.ForgetTenant(n)
	for _, kill := range []string{"user = ?", "startsWith(query_id, concat('seamark-', ?, '-'))"} {
		if err := s.admin.Exec(ctx, "KILL QUERY WHERE "+kill+" SYNC", db); err != nil {
			return nil, fmt.Errorf("end the queries of %s: %w", db, err)
		}
	}
	list, err := s.tenantTables(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+db+" SYNC"); err != nil {
		return nil, fmt.Errorf("drop database %s: %w", db, err)
	}
	if !s.opts.CreateUsers {
		return list, nil
	}
	users, err := s.countOf(ctx, "SELECT count() FROM system.users WHERE name = ?", db)
	if err != nil || users == 0 {
		return list, err
	}
	for _, sql := range removeStatements(db) {
		if err := s.admin.Exec(ctx, sql); err != nil {
			return list, fmt.Errorf("drop user %s: %w", db, err)
		}
	}
	return append(list, Purged{Place: "clickhouse user " + db}), nil
}

// tenantTables lists the tables of a database with what they hold.
func (s *Store) tenantTables(ctx context.Context, db string) ([]Purged, error) {
	rows, err := s.admin.Query(ctx, "SELECT name, ifNull(total_rows, 0), ifNull(total_bytes, 0) FROM system.tables WHERE database = ? ORDER BY name", db)
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

// TenantRemains counts what the server still has under a tenant's number, by place; nothing when nothing is left.
func (s *Store) TenantRemains(ctx context.Context, n seamark.TenantNumber) (map[string]uint64, error) {
	db := database(n)
	looks := map[string]string{
		"clickhouse database": "SELECT count() FROM system.databases WHERE name = ?",
		"clickhouse tables":   "SELECT count() FROM system.tables WHERE database = ?",
		"clickhouse parts":    "SELECT count() FROM system.parts WHERE database = ?",
		"clickhouse dropped":  "SELECT count() FROM system.dropped_tables WHERE database = ?",
		"clickhouse queries":  "SELECT count() FROM system.processes WHERE user = ?",
	}
	if s.opts.CreateUsers { // the embedded engine has users of all numbers in a file, which say nothing of a tenant
		looks["clickhouse user"] = "SELECT count() FROM system.users WHERE name = ?"
	}
	left := map[string]uint64{}
	for place, sql := range looks {
		n, err := s.countOf(ctx, sql, db)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			left[place] = n
		}
	}
	return left, nil
}

func (s *Store) countOf(ctx context.Context, sql string, args ...any) (n uint64, err error) {
	if err := s.admin.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}
