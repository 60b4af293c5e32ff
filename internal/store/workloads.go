package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Workload says who waits for a statement, for ClickHouse's scheduling of threads. Statements without one are not scheduled: those
// of inserts and of the product itself, which wait for nobody.
type Workload string

// The workloads. ClickHouse gives a statement its threads for as long as it runs, so that one which waits for threads waits for
// statements to end: only the heavy have a bound, together less than all processors, and none of the others ever waits.
const (
	RuleWorkload      Workload = "seamark_rules"
	DashboardWorkload Workload = "seamark_dashboards"
	AdHocWorkload     Workload = "seamark_adhoc"
	ScanWorkload      Workload = "seamark_scans"
	ExportWorkload    Workload = "seamark_exports"
)

// rootWorkload and its two branches are the tree that the workloads hang on.
const (
	rootWorkload  = "seamark"
	lightWorkload = "seamark_light"
	heavyWorkload = "seamark_heavy"
)

// WorkloadStatements returns the statements that have a server schedule this many threads. They change nothing where they have run
// before. parent is the workload that ours are put under, where the server has a root of its own; it has one at most.
func WorkloadStatements(threads int, parent string) []string {
	in := ""
	if parent != "" && strings.Trim(parent, "`") != rootWorkload {
		in = " IN " + parent
	}
	list := []string{
		"CREATE RESOURCE IF NOT EXISTS seamark_cpu (MASTER THREAD, WORKER THREAD)",
		fmt.Sprintf("CREATE OR REPLACE WORKLOAD %s%s", rootWorkload, in),
		fmt.Sprintf("CREATE OR REPLACE WORKLOAD %s IN %s SETTINGS priority = -1", lightWorkload, rootWorkload),
		fmt.Sprintf("CREATE OR REPLACE WORKLOAD %s IN %s SETTINGS priority = 1, max_concurrent_threads = %d", heavyWorkload, rootWorkload, max(1, threads-1)),
	}
	for _, leaf := range []struct {
		name   Workload
		branch string
		weight int
	}{
		{RuleWorkload, lightWorkload, 8}, {DashboardWorkload, lightWorkload, 4}, {AdHocWorkload, lightWorkload, 2},
		{ScanWorkload, heavyWorkload, 2}, {ExportWorkload, heavyWorkload, 1},
	} {
		// Weights count where an operator's own root bounds them all.
		list = append(list, fmt.Sprintf("CREATE OR REPLACE WORKLOAD %s IN %s SETTINGS weight = %d", leaf.name, leaf.branch, leaf.weight))
	}
	return list
}

// EnsureWorkloads makes the workloads on servers that several may use: under a server's root where it has one, and with its own
// resource where that schedules threads already.
func (s *Store) EnsureWorkloads(ctx context.Context, threads int) error {
	return s.each(func(sh *shard) error { return sh.ensureWorkloads(ctx, threads) })
}

func (sh *shard) ensureWorkloads(ctx context.Context, threads int) error {
	root, err := sh.names(ctx, "SELECT name FROM system.workloads WHERE parent = ''")
	if err != nil {
		return err
	}
	resource, err := sh.names(ctx, "SELECT name FROM system.resources WHERE position(create_query, ' THREAD') > 0")
	if err != nil {
		return err
	}
	parent := ""
	if len(root) > 0 {
		parent = "`" + strings.ReplaceAll(root[0], "`", "``") + "`"
	}
	for i, sql := range WorkloadStatements(threads, parent) {
		if i == 0 && len(resource) > 0 {
			continue // a server has one at most
		}
		if err := sh.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make workloads: %w", err)
		}
	}
	return nil
}

// Workloads lists the workloads of ours that all servers have.
func (s *Store) Workloads(ctx context.Context) ([]Workload, error) {
	found := []Workload{RuleWorkload, DashboardWorkload, AdHocWorkload, ScanWorkload, ExportWorkload}
	for _, sh := range s.shards {
		list, err := sh.names(ctx, "SELECT name FROM system.workloads WHERE startsWith(name, 'seamark')")
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(w Workload) bool { return !slices.Contains(list, string(w)) })
	}
	return found, nil
}

func (sh *shard) names(ctx context.Context, sql string) ([]string, error) {
	rows, err := sh.admin.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("look for workloads: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("look for workloads: %w", err)
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
