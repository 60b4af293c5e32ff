package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestWorkloads makes the workloads twice, and under a root that was there before, and has statements run in one.
func TestWorkloads(t *testing.T) {
	ctx, conn := t.Context(), adminConn(t)
	s := openWith(t, 198, func(o *store.Options) {
		o.Settings = func(context.Context, seamark.TenantID) store.Settings {
			return store.Settings{"workload": string(store.ScanWorkload), "os_threads_nice_value_query": 15, "max_threads": 1}
		}
	})
	drop := func() {
		for _, name := range []string{"seamark_rules", "seamark_dashboards", "seamark_adhoc", "seamark_scans", "seamark_exports", "seamark_light", "seamark_heavy", "seamark", "theirs"} {
			require.NoError(t, conn.Exec(ctx, "DROP WORKLOAD IF EXISTS "+name))
		}
		require.NoError(t, conn.Exec(ctx, "DROP RESOURCE IF EXISTS seamark_cpu"))
	}
	for _, root := range []string{"", "CREATE WORKLOAD theirs"} {
		if root != "" {
			require.NoError(t, conn.Exec(ctx, root))
		}
		require.NoError(t, s.EnsureWorkloads(ctx, 2))
		require.NoError(t, s.EnsureWorkloads(ctx, 4), "again, and changed")
		found, err := s.Workloads(ctx)
		require.NoError(t, err)
		slices.Sort(found)
		require.Equal(t, []store.Workload{store.AdHocWorkload, store.DashboardWorkload, store.ExportWorkload, store.RuleWorkload, store.ScanWorkload}, found)
		var query string
		require.NoError(t, conn.QueryRow(ctx, "SELECT create_query FROM system.workloads WHERE name = 'seamark_heavy'").Scan(&query))
		require.Contains(t, query, "max_concurrent_threads = 3")
		rows, err := s.RunQuery(ctx, tenantA, "SELECT getSetting('workload'), sum(sipHash64(number)) FROM numbers(20000000)", nil)
		require.NoError(t, err)
		var workload string
		var sum uint64
		require.True(t, rows.Next())
		require.NoError(t, rows.Scan(&workload, &sum))
		require.NoError(t, rows.Close())
		require.Equal(t, string(store.ScanWorkload), workload)
		drop()
	}
}
