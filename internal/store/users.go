package store

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ceilings returns what no statement of the tenant exceeds.
func (s *Store) ceilings(tenant seamark.TenantID) seamark.Ceilings {
	if s.opts.Ceilings == nil {
		return seamark.DefaultCeilings(runtime.NumCPU())
	}
	return s.opts.Ceilings(tenant)
}

// ceilingsOf returns the settings that have a ceiling and its value.
func ceilingsOf(c *seamark.Ceilings) map[string]int64 {
	return map[string]int64{
		"max_bytes_to_read":  c.Bytes,
		"max_rows_to_read":   c.Rows,
		"max_memory_usage":   c.MemoryBytes,
		"max_result_bytes":   c.ResultBytes,
		settingMaxTime:       int64(c.Time / time.Second),
		"max_threads":        int64(c.Threads),
		settingThreadsNicety: lowestPriority,
	}
}

// settingThreadsNicety is ClickHouse's setting of the nice value of a statement's threads, and lowestPriority the largest that
// Linux knows.
const (
	settingThreadsNicety = "os_threads_nice_value_query"
	lowestPriority       = 19
)

// userStatements makes a tenant's ClickHouse user on a server that takes users by SQL: SELECT on its own database alone. They
// change nothing where they have run before.
func userStatements(user, password string) []string {
	return []string{
		fmt.Sprintf("CREATE USER IF NOT EXISTS %s IDENTIFIED WITH sha256_password BY '%s' SETTINGS readonly = 2 READONLY, allow_ddl = 0 READONLY, "+
			"allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY", user, password),
		fmt.Sprintf("GRANT SELECT ON %s.* TO %s", user, user),
	}
}

// wallName is the name of a tenant's settings profile and of its quota, which share no names with users and databases.
func wallName(user string) string { return "seamark_" + user }

// wallStatements give a tenant's user its settings profile and quota as they are to be now. They change nothing where they have run
// before, and what a quota has counted stays.
func wallStatements(user string, c *seamark.Ceilings) []string {
	name := wallName(user)
	settings := "readonly = 2 READONLY, allow_ddl = 0 READONLY, allow_introspection_functions = 0 READONLY, use_query_cache = 0 READONLY, " +
		"read_overflow_mode = 'throw' READONLY, timeout_overflow_mode = 'throw' READONLY, result_overflow_mode = 'throw' READONLY, " +
		"max_untracked_memory READONLY"
	settings += fmt.Sprintf(", max_memory_usage_for_user = %d READONLY, max_concurrent_queries_for_user = %d READONLY", c.MemoryBytes, c.Statements)
	most := ceilingsOf(c)
	for _, setting := range slices.Sorted(maps.Keys(most)) {
		if setting == settingThreadsNicety {
			settings += fmt.Sprintf(", %s MIN 0 MAX %d", setting, most[setting]) // a smaller one would go before the server's own threads
			continue
		}
		settings += fmt.Sprintf(", %s = %d MIN 1 MAX %d", setting, most[setting], most[setting])
	}
	// Each querier has a key of its own, so that it can compare what it has counted itself.
	intervals := "KEYED BY client_key, user_name FOR INTERVAL 1 minute " + quotaMax(c.MinuteBytes) + ", FOR INTERVAL 1 day " + quotaMax(c.DayBytes) + " TO " + user
	return []string{
		"CREATE SETTINGS PROFILE IF NOT EXISTS " + name,
		"ALTER SETTINGS PROFILE " + name + " SETTINGS " + settings,
		"ALTER USER " + user + " SETTINGS PROFILE '" + name + "'",
		"CREATE QUOTA IF NOT EXISTS " + name + " " + intervals,
		"ALTER QUOTA " + name + " " + intervals,
	}
}

func quotaMax(bytes int64) string {
	if bytes == 0 {
		return "TRACKING ONLY"
	}
	return fmt.Sprintf("MAX read_bytes = %d", bytes)
}

// removeStatements take a tenant's user away, with all that belongs to it.
func removeStatements(user string) []string {
	return []string{"DROP USER IF EXISTS " + user, "DROP SETTINGS PROFILE IF EXISTS " + wallName(user), "DROP QUOTA IF EXISTS " + wallName(user)}
}

// ensureUser makes the tenant's user where users are made by SQL.
func (sh *shard) ensureUser(ctx context.Context, user string) error {
	if !sh.store.opts.CreateUsers {
		return nil
	}
	return sh.execAll(ctx, userStatements(user, sh.TenantPassword(user)))
}

// ensureWall brings the tenant's settings profile and quota up to date where they are made by SQL. While nothing has changed since
// this process looked last it costs one look-up.
func (sh *shard) ensureWall(ctx context.Context, tenant seamark.TenantID, n seamark.TenantNumber) error {
	if !sh.store.opts.CreateUsers {
		return nil
	}
	want := sh.store.ceilings(tenant)
	sh.mu.Lock()
	is, known := sh.walls[n]
	sh.mu.Unlock()
	if known && is == want {
		return nil
	}
	if err := sh.execAll(ctx, wallStatements(database(n), &want)); err != nil {
		return err
	}
	sh.mu.Lock()
	sh.walls[n] = want
	sh.mu.Unlock()
	return nil
}

func (sh *shard) execAll(ctx context.Context, statements []string) error {
	for _, sql := range statements {
		if err := sh.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make a tenant's user (the user of --clickhouse.dsn needs CREATE and ALTER of USER, SETTINGS PROFILE and QUOTA): %w", err)
		}
	}
	return nil
}
