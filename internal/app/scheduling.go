package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
)

// patientNice is the nice value of the threads of statements that nobody looks at, that read much, or whose tenant takes more of the
// processors than its part. The embedded engine's run only when nothing else does. Where ClickHouse may not set it, which takes
// CAP_SYS_NICE, it does nothing.
const patientNice = engine.PatientNice

// statementSettings returns the settings of a tenant's statement: what its query may take, and how it shares the server with others.
func (a *App) statementSettings(ctx context.Context, tenant seamark.TenantID) store.Settings {
	q, s := admit.From(ctx), store.Settings{}
	if a.opts.Query.Admission {
		limits := q.Limits()
		for name, limit := range map[string]int64{
			"max_bytes_to_read": limits.QueryMaxBytes, "max_rows_to_read": limits.QueryMaxRows, "max_memory_usage": limits.QueryMaxMemoryBytes,
			"max_execution_time": limits.QueryMaxSeconds,
		} {
			if limit > 0 {
				s[name] = limit
			}
		}
	}
	if !a.opts.ClickHouse.Workloads {
		return s
	}
	workload, patient := workloadOf(q, uint64(a.opts.Query.ScanBytes))
	if !patient && workload != store.RuleWorkload && a.shares.crowds(tenant) {
		patient = true
		if workload == store.AdHocWorkload {
			workload = store.ScanWorkload
		}
	}
	s["workload"] = string(workload)
	if patient {
		s["os_threads_nice_value_query"], s["max_threads"] = patientNice, max(1, a.opts.ClickHouse.Ceilings.Threads-1)
	}
	return s
}

// workloadOf returns the workload of a query's statements, and whether they wait for others': those of a query that reads much, by
// its estimate or by what it has read already.
func workloadOf(q *admit.Query, scan uint64) (workload store.Workload, patient bool) {
	switch {
	case q == nil:
		return store.AdHocWorkload, false // memory that is filled for queries to come
	case q.Request.Class == admit.ExportQuery:
		return store.ExportWorkload, true
	case q.Scan(), q.Cost().Bytes >= scan:
		return store.ScanWorkload, true
	case q.Request.Class == admit.RuleQuery:
		return store.RuleWorkload, false
	case q.Request.Class == admit.DashboardQuery:
		return store.DashboardWorkload, false
	}
	return store.AdHocWorkload, false
}

// workloadRetry is how long a server that is away, or that does not let us, is left alone.
const workloadRetry = time.Minute

// keepWorkloads has an outside server schedule statements. A server that is away, or whose operator does not allow it, has none: the
// name of one that is not there changes nothing.
func (a *App) keepWorkloads(ctx context.Context) error {
	tick := time.NewTicker(workloadRetry)
	defer tick.Stop()
	for told := false; ; {
		err := a.store.EnsureWorkloads(ctx, a.opts.ClickHouse.Ceilings.Threads)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !told {
			a.log.Warn("ClickHouse schedules statements of all alike; --no-clickhouse.workloads ends the attempts", "err", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
