package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// openWith returns a store of one tenant, with what change makes of its options.
func openWith(t testing.TB, number seamark.TenantNumber, change func(*store.Options)) *store.Store {
	t.Helper()
	if other, _ := taken.LoadOrStore(number, t.Name()); other != t.Name() {
		t.Fatalf("the tenant number %d is that of %s", number, other)
	}
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	o := store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Platform: number,
		Number:   func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:     engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	}
	change(&o)
	s, err := store.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestStatementsHaveThePlansSettings reads back what a statement ran with: the hook's settings as they are at that moment, beside
// the statement's own and its deadline.
func TestStatementsHaveThePlansSettings(t *testing.T) {
	var maxRows atomic.Int64
	maxRows.Store(1111)
	plan := store.Settings{}
	s := openWith(t, 196, func(o *store.Options) {
		o.Settings = func(_ context.Context, tenant seamark.TenantID) store.Settings {
			require.Equal(t, tenantA, tenant)
			settings := store.Settings{"max_rows_to_read": maxRows.Load()}
			for name, value := range plan {
				settings[name] = value
			}
			return settings
		}
	})
	read := func(ctx context.Context, name string) (value string) {
		t.Helper()
		rows, err := s.RunQuery(ctx, tenantA, "SELECT toString(getSetting({name:String}))", clickhouse.Parameters{"name": name})
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.NoError(t, rows.Scan(&value))
		require.NoError(t, rows.Close())
		return value
	}
	ctx := store.WithQueryTags(t.Context(), "dashboard")
	require.Equal(t, "1111", read(ctx, "max_rows_to_read"))
	require.Equal(t, "dashboard", read(ctx, "log_comment"), "beside the plan's")
	maxRows.Store(2222)
	require.Equal(t, "2222", read(ctx, "max_rows_to_read"), "the next statement")

	hour, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	require.Contains(t, []string{"3604", "3605"}, read(hour, "max_execution_time"), "the deadline and a grace")
	plan["max_execution_time"] = 10
	require.Equal(t, "10", read(hour, "max_execution_time"), "the shorter is the plan's")
	plan["max_execution_time"] = 7200
	require.Contains(t, []string{"3604", "3605"}, read(hour, "max_execution_time"), "the shorter is the deadline's")
	require.Equal(t, "7200", read(ctx, "max_execution_time"), "of a context that has no deadline")
}

// TestPlansRefusals breaks limits that the hook sets, and is told which.
func TestPlansRefusals(t *testing.T) {
	var plan store.Settings
	s := openWith(t, 197, func(o *store.Options) {
		o.Settings = func(context.Context, seamark.TenantID) store.Settings { return plan }
	})
	run := func(sql string) error {
		rows, err := s.RunQuery(t.Context(), tenantA, sql, nil)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return store.QueryError(t.Context(), err)
		}
		return rows.Close()
	}
	const slow = "SELECT sum(sleepEachRow(0.2)) FROM numbers(100) SETTINGS max_block_size = 1"
	for _, c := range []struct {
		plan store.Settings
		sql  string
		id   string
	}{
		{store.Settings{"max_rows_to_read": 1000}, "SELECT sum(number) FROM numbers(100000)", "seamark-query-bytes"},
		{store.Settings{"max_bytes_to_read": 1000}, "SELECT sum(number) FROM numbers(100000)", "seamark-query-bytes"},
		{store.Settings{"max_result_bytes": 1000}, "SELECT number FROM numbers(100000)", "seamark-query-bytes"},
		{store.Settings{"max_memory_usage": 1 << 20}, "SELECT groupArray(toString(number)) FROM numbers(1000000)", "seamark-query-memory"},
		{store.Settings{"max_execution_time": 1}, slow, "seamark-query-timeout"},
	} {
		plan = nil
		if c.sql != slow {
			require.NoError(t, run(c.sql), "without a limit")
		}
		plan = c.plan
		err := run(c.sql)
		e, ok := errors.AsType[*seamark.Error](err)
		require.True(t, ok, "%v", c.plan)
		require.Equal(t, c.id, e.ID, "%v: %v", c.plan, e.Err)
	}
}
