package store

import (
	"context"
	"embed"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// commentPrefix starts the comment that carries a table's schema version, so that no table of our own is needed for it.
const commentPrefix = "seamark:"

// migration is one step of one table, from the file `<table>.<version>.sql`. Version 1 creates the table.
type migration struct {
	table   string
	version int
	sql     string
}

// migrations returns all steps, by table and version.
func migrations() ([]migration, error) {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	list := make([]migration, 0, len(entries))
	for _, e := range entries {
		parts := strings.Split(e.Name(), ".")
		if len(parts) != 3 {
			return nil, fmt.Errorf("schema file %s is not named <table>.<version>.sql", e.Name())
		}
		version, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, fmt.Errorf("schema file %s: version: %w", e.Name(), err)
		}
		text, err := schemaFiles.ReadFile("schema/" + e.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, migration{table: parts[0], version: version, sql: string(text)})
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].table != list[j].table {
			return list[i].table < list[j].table
		}
		return list[i].version < list[j].version
	})
	return list, nil
}

// EnsureTenant makes the tenant's database, user and the tables that every tenant uses, where they are missing or old, and
// returns the tenant's number. After the first success in this process it costs one map look-up.
func (s *Store) EnsureTenant(ctx context.Context, tenant seamark.TenantID) (seamark.TenantNumber, error) {
	_, n, err := s.ensured(ctx, tenant)
	return n, err
}

// ensureBlock makes the table of a block where it is missing or old, and returns the shard and the number of its database.
func (s *Store) ensureBlock(ctx context.Context, tenant seamark.TenantID, b *Block) (*shard, seamark.TenantNumber, error) {
	if tableSpecs[b.Table].shared {
		sh, err := s.shard(b.Shard)
		if err != nil {
			return nil, 0, err
		}
		n, err := sh.ensurePlatform(ctx)
		return sh, n, err
	}
	sh, n, err := s.locate(tenant)
	if err == nil {
		err = sh.ensureTable(ctx, n, b.Table)
	}
	return sh, n, err
}

// ensurePlatform makes the tables that all tenants of the shard share, and returns the number of their database.
func (sh *shard) ensurePlatform(ctx context.Context) (seamark.TenantNumber, error) {
	n := platformBit | sh.store.opts.Platform
	return n, sh.ensureTable(ctx, n, TableUsage)
}

// ensureTable makes a database with its tables where they are missing or old, and the table when it is one of those that are made
// on first use: a table costs the server memory and time also when it is empty, and a node has a thousand tenants.
func (sh *shard) ensureTable(ctx context.Context, n seamark.TenantNumber, table Table) error {
	key := tenantTable{tenant: n}
	if tableSpecs[table].lazy {
		key.table = table
	}
	sh.mu.Lock()
	ready := sh.ready[key]
	sh.mu.Unlock()
	if ready {
		return nil
	}
	if err := sh.migrate(ctx, n, key.table); err != nil {
		return queryError(ctx, err)
	}
	sh.mu.Lock()
	sh.ready[key] = true
	delete(sh.missing, key)
	sh.mu.Unlock()
	return nil
}

// tenantTable names a table that is made on first use, or with the zero Table all others of a tenant.
type tenantTable struct {
	tenant seamark.TenantNumber
	table  Table
}

// migrate brings one table made on first use up to date, or with the zero Table all others, and those that exist.
func (sh *shard) migrate(ctx context.Context, n seamark.TenantNumber, lazy Table) error {
	if err := sh.identify(ctx); err != nil {
		return err
	}
	db, platform := database(n), n&platformBit != 0
	if err := sh.admin.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+db); err != nil {
		return fmt.Errorf("create database %s: %w", db, err)
	}
	versions, err := sh.tableVersions(ctx, db)
	if err != nil {
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	for _, step := range steps {
		if platform != sharedTable(step.table) || versions[step.table] >= step.version {
			continue
		}
		if !platform && lazyTable(step.table) && versions[step.table] == 0 && step.table != lazy.String() {
			continue
		}
		if err := sh.admin.Exec(ctx, strings.ReplaceAll(step.sql, "{database}", db)); err != nil {
			return fmt.Errorf("migrate %s.%s to version %d: %w", db, step.table, step.version, err)
		}
	}
	if platform {
		return nil
	}
	return sh.ensureUser(ctx, db)
}

// sharedTable reports whether the table of that name is in the platform's database. What stands there is made together.
func sharedTable(name string) bool { return name == tableSpecs[TableUsage].name || name == usageDays }

// lazyTable reports whether the table of that name is made on first use.
func lazyTable(name string) bool {
	for _, t := range Tables() {
		if tableSpecs[t].name == name {
			return tableSpecs[t].lazy
		}
	}
	return false
}

// tableVersions reads the schema version of each table of db from its comment.
func (sh *shard) tableVersions(ctx context.Context, db string) (map[string]int, error) {
	rows, err := sh.admin.Query(ctx, "SELECT name, comment FROM system.tables WHERE database = ?", db)
	if err != nil {
		return nil, fmt.Errorf("list tables of %s: %w", db, err)
	}
	defer func() { _ = rows.Close() }()
	versions := map[string]int{}
	for rows.Next() {
		var name, comment string
		if err := rows.Scan(&name, &comment); err != nil {
			return nil, fmt.Errorf("list tables of %s: %w", db, err)
		}
		version, err := strconv.Atoi(strings.TrimPrefix(comment, commentPrefix))
		if err != nil {
			return nil, fmt.Errorf("table %s.%s has the comment %q, not %sN: it was not made by Seamark", db, name, comment, commentPrefix)
		}
		versions[name] = version
	}
	return versions, rows.Err()
}

// Schema returns the first version of a table's statement in the given database, for benchmarks that insert without us.
func Schema(table, db string) string {
	text, err := schemaFiles.ReadFile("schema/" + table + ".1.sql")
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(text), "{database}", db)
}
