package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// usageDays is the table of closed days, which the lines of the usage table become before they age out.
const usageDays = "usage_days"

// usageLineDays is how many days back the meter is read line by line; days before are read as they were closed. It is some days
// less than lines are kept.
const usageLineDays = 35

// UsageColumn is what usage may be grouped by.
type UsageColumn uint8

// The columns. Hours are known of the last 35 days; before that a day's usage stands at its midnight.
const (
	UsageTenant UsageColumn = iota
	UsageMonth
	UsageDay
	UsageHour
	UsageCluster
	UsageSignal
	UsageSource
	UsageActor
	usageColumnCount
)

// usageExpressions are the columns' expressions, and the texts that a row without the column has instead.
var usageExpressions = [usageColumnCount]string{
	UsageTenant: "toString(tenant)", UsageMonth: "toStartOfMonth(date)", UsageDay: "date", UsageHour: "bucket",
	UsageCluster: "toString(cluster)", UsageSignal: "toString(signal)", UsageSource: "toString(source)", UsageActor: "toString(actor)",
}

// UsageQuery selects what the meter counted inside a time range, of one tenant or with the zero TenantID of all.
type UsageQuery struct {
	Tenant seamark.TenantID
	Range  seamark.TimeRange // of the counting; the end is excluded. Both are taken down to the hour, beyond 35 days to the day
	By     []UsageColumn
	Limit  int // at most so many rows
}

// UsageRow is one group. Fields that were not grouped by are zero.
type UsageRow struct {
	Time                           time.Time // start of the month, day or hour
	Tenant                         string
	Cluster, Signal, Source, Actor string
	Requests, Rows, Bytes, Wire    uint64 // acknowledged; Bytes inflated, Wire as they were sent
	SetAside                       uint64 // rows of them that the store refused
	Queries, ReadRows, ReadBytes   uint64
	CPU                            time.Duration // of the store, for queries
	StoredRows, StoredBytes        float64       // means over the samples
	ActiveSeries, ActiveStreams    float64
}

// ListUsage returns the groups in their order, and times rising. An empty meter gives none.
func (s *Store) ListUsage(ctx context.Context, q UsageQuery) ([]UsageRow, error) {
	groups := map[usageGroup]*UsageRow{}
	err := s.platformQuery(ctx, q.Tenant, usageSQL(&q, s.opts.Now()), func(rows driver.Rows) error {
		for rows.Next() {
			var r UsageRow
			var micros uint64
			if err := rows.Scan(&r.Time, &r.Tenant, &r.Cluster, &r.Signal, &r.Source, &r.Actor, &r.Requests, &r.Rows, &r.Bytes, &r.Wire, &r.SetAside,
				&r.Queries, &r.ReadRows, &r.ReadBytes, &micros, &r.StoredRows, &r.StoredBytes, &r.ActiveSeries, &r.ActiveStreams); err != nil {
				return err
			}
			r.CPU = time.Duration(micros) * time.Microsecond
			if have := groups[r.group()]; have != nil {
				have.add(&r)
				continue
			}
			groups[r.group()] = &r
		}
		return rows.Err()
	})
	keys := slices.SortedFunc(maps.Keys(groups), compareUsageGroups)
	list := make([]UsageRow, 0, len(keys))
	for _, key := range keys[:min(len(keys), max(q.Limit, 0))] {
		list = append(list, *groups[key])
	}
	return list, err
}

// usageGroup is what tells the rows of a report apart. Tenants of several shards may be in one.
type usageGroup struct {
	second                                 int64
	tenant, cluster, signal, source, actor string
}

func (r *UsageRow) group() usageGroup {
	return usageGroup{r.Time.Unix(), r.Tenant, r.Cluster, r.Signal, r.Source, r.Actor}
}

// compareUsageGroups is the order of usageSQL.
func compareUsageGroups(a, b usageGroup) int {
	return cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.cluster, b.cluster),
		cmp.Compare(a.signal, b.signal), cmp.Compare(a.source, b.source), cmp.Compare(a.actor, b.actor))
}

// add takes what other tenants have used. What is held is held side by side.
func (r *UsageRow) add(o *UsageRow) {
	r.Requests, r.Rows, r.Bytes, r.Wire, r.SetAside = r.Requests+o.Requests, r.Rows+o.Rows, r.Bytes+o.Bytes, r.Wire+o.Wire, r.SetAside+o.SetAside
	r.Queries, r.ReadRows, r.ReadBytes, r.CPU = r.Queries+o.Queries, r.ReadRows+o.ReadRows, r.ReadBytes+o.ReadBytes, r.CPU+o.CPU
	r.StoredRows, r.StoredBytes = r.StoredRows+o.StoredRows, r.StoredBytes+o.StoredBytes
	r.ActiveSeries, r.ActiveStreams = r.ActiveSeries+o.ActiveSeries, r.ActiveStreams+o.ActiveStreams
}

// usageSQL adds up counters, and for samples takes the mean of each day (or hour) before it adds up what was held side by side.
func usageSQL(q *UsageQuery, now time.Time) *logSQL {
	b := newLogSQL()
	pick := func(c UsageColumn, without string) string {
		if slices.Contains(q.By, c) {
			return usageExpressions[c]
		}
		return without
	}
	when := pick(UsageMonth, pick(UsageDay, "toDate(0)"))
	bucket := "toDateTime(date, 'UTC')"
	if slices.Contains(q.By, UsageHour) {
		when, bucket = "bucket", "ts"
	}
	held := func(value, condition string) string {
		return fmt.Sprintf("ifNotFinite(sumIf(%s / requests, %s) / uniqExactIf(bucket, %s), 0)", value, condition, condition)
	}
	const series, streams = "kind = 'active' AND signal = 'metrics'", "kind = 'active' AND signal = 'logs'"
	b.WriteString("SELECT toDateTime(" + when + ", 'UTC') AS g_time, " + pick(UsageTenant, "''") + " AS g_tenant, " + pick(UsageCluster, "''") + " AS g_cluster, " +
		pick(UsageSignal, "''") + " AS g_signal, " + pick(UsageSource, "''") + " AS g_source, " + pick(UsageActor, "''") + " AS g_actor,\n")
	b.WriteString("  sumIf(requests, kind = 'ingest'), sumIf(rows, kind = 'ingest'), sumIf(bytes, kind = 'ingest'), sumIf(wire, kind = 'ingest'),\n" +
		"  sumIf(rows, kind = 'set_aside'),\n" +
		"  sumIf(requests, kind = 'query'), sumIf(rows, kind = 'query'), sumIf(bytes, kind = 'query'), sumIf(micros, kind = 'query'),\n  " +
		held("rows", "kind = 'stored'") + ", " + held("bytes", "kind = 'stored'") + ",\n  " + held("rows", series) + ", " + held("rows", streams) + "\n")
	b.WriteString("FROM (\n  SELECT date, " + bucket + " AS bucket, tenant, kind, cluster, signal, source, actor,\n" +
		"    sum(requests) AS requests, sum(rows) AS rows, sum(bytes) AS bytes, sum(wire) AS wire, sum(micros) AS micros\n  FROM (\n")
	b.usageLines(q, now)
	b.WriteString("\n  )\n  WHERE kind != 'origin'\n  GROUP BY date, bucket, tenant, kind, cluster, signal, source, actor\n)\n" +
		"GROUP BY g_time, g_tenant, g_cluster, g_signal, g_source, g_actor\nORDER BY g_time, g_tenant, g_cluster, g_signal, g_source, g_actor\nLIMIT " +
		b.int64(int64(q.Limit)))
	return b
}

// usageLines writes the statement that reads recent lines as they are and older ones as closed days.
func (b *logSQL) usageLines(q *UsageQuery, now time.Time) {
	const fields = "tenant, kind, cluster, signal, source, actor, day, requests, rows, bytes, wire, micros"
	cut := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -usageLineDays)
	seconds := func(t time.Time) string {
		return "toDateTime(" + b.int64(max(t.Unix(), 0)) + ", 'UTC')"
	}
	tenant := ""
	if q.Tenant != "" {
		tenant = " AND tenant = " + b.string(string(q.Tenant))
	}
	start := q.Range.Start
	if start.Before(cut) {
		start = cut
	}
	b.WriteString("    SELECT toDate(ts) AS date, ts, " + fields + " FROM usage\n    WHERE ts >= " + seconds(start.Truncate(time.Hour)) + " AND ts < " + seconds(q.Range.End) + tenant)
	if !q.Range.Start.Before(cut) {
		return
	}
	end := q.Range.End
	if end.After(cut) {
		end = cut
	}
	b.WriteString("\n    UNION ALL\n    SELECT date, toDateTime(date, 'UTC') AS ts, " + fields + " FROM usage_days FINAL\n    WHERE date >= toDate(" +
		seconds(q.Range.Start) + ") AND toDateTime(date, 'UTC') < " + seconds(end) + tenant)
}

// platformQuery runs one read-only statement on the shared tables of the tenant's shard, or with the zero TenantID, and for a tenant
// that nobody knows any more, of all. It makes them where they are missing. Callers bind the tenant in the statement: no user of a tenant's can read here. With an error
// read has seen what other shards answered.
func (s *Store) platformQuery(ctx context.Context, tenant seamark.TenantID, b *logSQL, read func(driver.Rows) error) error {
	if tenant != "" {
		sh, err := s.shardOf(tenant)
		if err == nil {
			return sh.platformQuery(ctx, b, read)
		}
		if seamark.KindOf(err) != seamark.NotFound {
			return err
		}
	}
	var mu sync.Mutex // held while reading: answers of one shard at a time
	return s.each(func(sh *shard) error {
		return sh.platformQuery(ctx, b, func(rows driver.Rows) error {
			mu.Lock()
			defer mu.Unlock()
			return read(rows)
		})
	})
}

func (sh *shard) platformQuery(ctx context.Context, b *logSQL, read func(driver.Rows) error) error {
	n, err := sh.ensurePlatform(ctx)
	if err != nil {
		return err
	}
	sql := strings.NewReplacer("FROM usage_days", "FROM "+database(n)+".usage_days", "FROM usage\n", "FROM "+database(n)+".usage\n").Replace(b.String())
	rows, err := sh.admin.Query(clickhouse.Context(ctx, clickhouse.WithParameters(b.params), clickhouse.WithSettings(clickhouse.Settings{
		"readonly": "2", "max_memory_usage": platformMemory,
	})), sql)
	if err != nil {
		return queryError(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	return queryError(ctx, read(rows))
}

// platformMemory bounds one statement on the shared tables, in bytes. Without it a report over all tenants can take the memory
// of their queries.
const platformMemory = "1073741824"

// MeteredRows is what the meter says of one signal's rows with times of one day (of events: of the week that begins then).
type MeteredRows struct {
	Tenant   seamark.TenantID
	Signal   seamark.Signal
	Day      int32 // days since 1970
	Rows     uint64
	SetAside uint64 // of Rows
}

// ListMeteredRows returns what was acknowledged of each signal and day, of one tenant or with the zero TenantID of all, for rows
// with times of the days from start to before end. It does not matter when they came.
func (s *Store) ListMeteredRows(ctx context.Context, tenant seamark.TenantID, start, end int32) ([]MeteredRows, error) {
	b := newLogSQL()
	b.WriteString("SELECT toString(tenant), toString(signal), toInt32(toUInt16(day)) AS days, sumIf(rows, kind = 'ingest'), sumIf(rows, kind = 'set_aside')\nFROM (\n")
	// A sender's clock may be ahead of ours by less than a day.
	b.usageLines(&UsageQuery{Tenant: tenant, Range: seamark.TimeRange{Start: timeOfDay(start).AddDate(0, 0, -1), End: s.opts.Now().AddDate(0, 0, 1)}}, s.opts.Now())
	b.WriteString("\n)\nWHERE kind IN ('ingest', 'set_aside') AND days >= " + b.int64(int64(start)) + " AND days < " + b.int64(int64(end)) +
		"\nGROUP BY tenant, signal, days\nORDER BY tenant, days, signal")
	var list []MeteredRows
	err := s.platformQuery(ctx, tenant, b, func(rows driver.Rows) error {
		for rows.Next() {
			var m MeteredRows
			var id, signal string
			if err := rows.Scan(&id, &signal, &m.Day, &m.Rows, &m.SetAside); err != nil {
				return err
			}
			m.Tenant = seamark.TenantID(id)
			m.Signal, _ = seamark.ParseSignal(signal) // ingest writes no other
			list = append(list, m)
		}
		return rows.Err()
	})
	return list, err
}

// ListUsageBegins returns the first day of each tenant's meter, in days since 1970, of one tenant or with the zero TenantID of all.
func (s *Store) ListUsageBegins(ctx context.Context, tenant seamark.TenantID) (map[seamark.TenantID]int32, error) {
	b := newLogSQL()
	b.WriteString("SELECT toString(tenant), toInt32(toUInt16(min(date)))\nFROM (\n")
	b.usageLines(&UsageQuery{Tenant: tenant, Range: seamark.TimeRange{Start: time.Unix(0, 0), End: s.opts.Now().AddDate(0, 0, 1)}}, s.opts.Now())
	b.WriteString("\n)\nWHERE kind = 'ingest'\nGROUP BY tenant")
	begins := map[seamark.TenantID]int32{}
	err := s.platformQuery(ctx, tenant, b, func(rows driver.Rows) error {
		for rows.Next() {
			var id string
			var day int32
			if err := rows.Scan(&id, &day); err != nil {
				return err
			}
			begins[seamark.TenantID(id)] = day
		}
		return rows.Err()
	})
	return begins, err
}

func timeOfDay(day int32) time.Time { return time.Unix(int64(day)*24*hourSeconds, 0).UTC() }

// StoredRows is what the store holds of one table, and where it was asked for of one partition.
type StoredRows struct {
	Number      seamark.TenantNumber
	Table       Table
	Day         int32 // of the partition, in days since 1970; 0 when partitions were not asked for
	Rows, Bytes uint64
	Changed     time.Time // when the newest part was written or merged
}

// ListStored returns what the parts on the disk hold, of one tenant or with the zero TenantID of all. It reads no rows. With an error
// it returns what the shards hold that answer.
func (s *Store) ListStored(ctx context.Context, tenant seamark.TenantID, byDay bool) ([]StoredRows, error) {
	b := newLogSQL()
	day := "toInt32(0)"
	if byDay {
		day = "toInt32(toUInt16(toDateOrZero(partition)))"
	}
	b.WriteString("SELECT database, table, " + day + " AS days, sum(rows), sum(bytes_on_disk), max(modification_time)\nFROM system.parts\nWHERE active AND ")
	if tenant != "" {
		_, n, err := s.locate(tenant)
		if err != nil {
			return nil, err
		}
		b.WriteString("database = " + b.string(database(n)))
	} else {
		b.WriteString("match(database, '^t[0-9]+$')")
	}
	b.WriteString("\nGROUP BY database, table, days\nORDER BY database, table, days")
	var list []StoredRows
	err := s.platformQuery(ctx, tenant, b, func(rows driver.Rows) error {
		for rows.Next() {
			var r StoredRows
			var db, table string
			if err := rows.Scan(&db, &table, &r.Day, &r.Rows, &r.Bytes, &r.Changed); err != nil {
				return err
			}
			if r.Table = tableNamed(table); r.Table == 0 {
				continue // a table of a newer build, or one that is being probed
			}
			if _, err := fmt.Sscanf(db, "t%d", &r.Number); err != nil {
				continue
			}
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, err
}

// tableNamed returns the table of that name; 0 for none.
func tableNamed(name string) Table {
	for _, t := range Tables() {
		if tableSpecs[t].name == name {
			return t
		}
	}
	return 0
}

// Signal returns the signal whose rows t holds; 0 when its rows go with others.
func (t Table) Signal() seamark.Signal {
	if !t.valid() {
		return 0
	}
	return usageSignals[t]
}

// CloseUsage adds up the lines of the days from start to before end, each as one row per key that stays when the lines age out.
// Closing a day again replaces it.
func (s *Store) CloseUsage(ctx context.Context, start, end int32) error {
	return s.each(func(sh *shard) error { return sh.closeUsage(ctx, start, end) })
}

func (sh *shard) closeUsage(ctx context.Context, start, end int32) error {
	n, err := sh.ensurePlatform(ctx)
	if err != nil {
		return err
	}
	db := database(n)
	for day := start; day < end; day++ {
		sql := "INSERT INTO " + db + ".usage_days SELECT toDate(ts) AS date, tenant, kind, cluster, signal, source, actor, day, " +
			"sum(requests), sum(rows), sum(bytes), sum(wire), sum(micros), now('UTC') FROM " + db + ".usage " +
			"WHERE ts >= ? AND ts < ? GROUP BY date, tenant, kind, cluster, signal, source, actor, day"
		if err := sh.admin.Exec(ctx, sql, timeOfDay(day), timeOfDay(day+1)); err != nil {
			return fmt.Errorf("close usage of %s: %w", timeOfDay(day).Format(time.DateOnly), err)
		}
	}
	return nil
}

// UsageLineDays returns how many whole days back lines are still there to be closed.
func UsageLineDays() int32 { return usageLineDays }
