package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// codeAccessDenied is what the embedded engine, which takes no users by SQL, answers after it has read a statement
// (src/Common/ErrorCodes.cpp).
const codeAccessDenied = 497

// TestUserStatementsParse has the engine read each statement and refuse to run it. That its settings exist is asked apart.
func TestUserStatementsParse(t *testing.T) {
	conn := adminConn(t)
	ceilings := seamark.DefaultCeilings(2)
	ceilings.DayBytes = 1 << 40
	for _, sql := range store.UserStatements("t0190", "secret", &ceilings) {
		var tree string
		require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN AST "+sql).Scan(&tree), "%s", sql)
		err := conn.Exec(t.Context(), sql)
		ex, ok := errors.AsType[*clickhouse.Exception](err)
		require.True(t, ok, "%s: %v", sql, err)
		require.Equal(t, int32(codeAccessDenied), ex.Code, "%s: %v", sql, err)
	}
	for _, name := range store.CeilingNames() {
		var n uint64
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM system.settings WHERE name = ?", name).Scan(&n))
		require.Equal(t, uint64(1), n, "%s", name)
	}
}

// TestPlansStayBelowCeilings has a plan allow more than the server does.
func TestPlansStayBelowCeilings(t *testing.T) {
	ceilings := seamark.DefaultCeilings(1)
	ceilings.Bytes = 5_000_000
	s := openWith(t, 195, func(o *store.Options) {
		o.Ceilings = func(seamark.TenantID) seamark.Ceilings { return ceilings }
		o.Settings = func(context.Context, seamark.TenantID) store.Settings {
			return store.Settings{"max_bytes_to_read": int64(1) << 60, "max_rows_to_read": 0, "max_threads": 64, "os_threads_nice_value_query": 0}
		}
	})
	for name, want := range map[string]string{
		"max_bytes_to_read": "5000000", "max_rows_to_read": "100000000000", "max_threads": "1", "os_threads_nice_value_query": "0",
	} {
		rows, err := s.RunQuery(t.Context(), tenantA, "SELECT toString(getSetting({name:String}))", clickhouse.Parameters{"name": name})
		require.NoError(t, err)
		var got string
		require.True(t, rows.Next())
		require.NoError(t, rows.Scan(&got))
		require.NoError(t, rows.Close())
		require.Equal(t, want, got, "%s", name)
	}
}
