package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// retentionRule says how a table's rows end. Rows go by whole partitions: the one of a day, or of a week.
type retentionRule struct {
	signal seamark.Signal
	time   string // the expression that TTL counts from
	days   int    // that a partition spans; 0 is no partition by time
	extra  int    // days that rows stay longer than the signal's data, which they describe
	most   int    // days that rows stay at most, whatever the signal's data does; 0 is no bound
}

// retentionRules are the tables whose life a tenant decides. Tables of several signals follow the longest of them.
func retentionRules() map[Table][]retentionRule {
	const ts = "toDateTime(ts)"
	return map[Table][]retentionRule{
		TableLogs:       {{seamark.Logs, ts, 1, 0, 0}},
		TableLogFilters: {{seamark.Logs, "day", 1, 3, 0}},
		TablePatterns:   {{seamark.Logs, "ts", 1, 0, 0}},
		TableSamples:    {{seamark.Metrics, ts, 1, 0, 0}},
		TableHistograms: {{seamark.Metrics, ts, 1, 0, 0}},
		TableExemplars:  {{seamark.Metrics, ts, 1, 0, 14}},
		TableMetadata:   {{seamark.Metrics, "updated", 0, 7, 0}},
		TableEvents:     {{seamark.Events, "toDateTime(created)", 7, 0, 0}},
		TableSpans:      {{seamark.Traces, ts, 1, 0, 0}},
		TableSeries:     {{seamark.Logs, "day", 7, 7, 0}, {seamark.Metrics, "day", 7, 7, 0}},
	}
}

// PartitionDays returns how many days a partition of a signal's data spans: rows go that much later than their age says.
func PartitionDays(signal seamark.Signal) int {
	if signal == seamark.Events {
		return 7
	}
	return 1
}

// TableDays is how many days the rows of each of a tenant's tables stay, as the tables themselves say.
type TableDays map[Table]int

// daysFor returns what a table should say when signals stay for the given days.
func daysFor(rules []retentionRule, days map[seamark.Signal]int) int {
	longest := 0
	for _, r := range rules {
		d := days[r.signal] + r.extra
		if r.most > 0 {
			d = min(d, r.most)
		}
		longest = max(longest, d)
	}
	return longest
}

// ttlDays finds the days in a table's definition.
var ttlDays = regexp.MustCompile(` TTL .*\+ toIntervalDay\((\d+)\)`)

// ListTableDays returns the tables of all databases as far as retention decides about them, by the number of their tenant. With an
// error it returns those of the shards that answer.
func (s *Store) ListTableDays(ctx context.Context) (map[seamark.TenantNumber]TableDays, error) {
	all := map[seamark.TenantNumber]TableDays{}
	var mu sync.Mutex // guards all
	err := s.each(func(sh *shard) error {
		found, err := sh.tableDays(ctx, "match(database, '^t[0-9]+$')")
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(all, found)
		return err
	})
	return all, err
}

// FindTableDays returns the same of one tenant, nothing where it has no tables.
func (s *Store) FindTableDays(ctx context.Context, tenant seamark.TenantID) (TableDays, error) {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return nil, err
	}
	all, err := sh.tableDays(ctx, "database = ?", database(n))
	return all[n], queryError(ctx, err)
}

func (sh *shard) tableDays(ctx context.Context, where string, args ...any) (map[seamark.TenantNumber]TableDays, error) {
	rows, err := sh.admin.Query(ctx, "SELECT database, name, engine_full FROM system.tables WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer func() { _ = rows.Close() }()
	byName := map[string]Table{}
	for table := range retentionRules() {
		byName[table.String()] = table
	}
	all := map[seamark.TenantNumber]TableDays{}
	for rows.Next() {
		var db, name, definition string
		if err := rows.Scan(&db, &name, &definition); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		table, known := byName[name]
		number, err := strconv.ParseUint(db[1:], 10, 32)
		found := ttlDays.FindStringSubmatch(definition)
		if !known || err != nil || found == nil {
			continue
		}
		n := seamark.TenantNumber(number)
		if all[n] == nil {
			all[n] = TableDays{}
		}
		all[n][table], _ = strconv.Atoi(found[1])
	}
	return all, rows.Err()
}

// SetTableDays has the tables of a tenant keep rows for as many days as their signals say, where they say something else
// now, and returns those it changed. It is cheap: no row is read or written. Parts that were written before keep the end that
// was theirs then; where that is too late DropDays removes them, and where it is too early they go by it unless the server
// has merged them since.
func (s *Store) SetTableDays(ctx context.Context, tenant seamark.TenantID, have TableDays, days map[seamark.Signal]int) ([]Table, error) {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return nil, err
	}
	var changed []Table
	for table, rules := range retentionRules() {
		want := daysFor(rules, days)
		if have[table] == 0 || have[table] == want {
			continue // the table is not there, or says it already
		}
		sql := fmt.Sprintf("ALTER TABLE %s.%s MODIFY TTL %s + INTERVAL %d DAY", database(n), table, rules[0].time, want)
		settings := clickhouse.Settings{"materialize_ttl_after_modify": "0"}
		if err := sh.admin.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), sql); err != nil {
			return changed, fmt.Errorf("set the life of rows of %s.%s: %w", database(n), table, err)
		}
		changed = append(changed, table)
	}
	slices.Sort(changed)
	return changed, nil
}

// DroppedDay is a partition that was removed, or its rows that a rule named.
type DroppedDay struct {
	Table       Table
	Day         time.Time // the first that it spans
	Rows, Bytes uint64    // Bytes is 0 where some of the rows stay
}

// partition is a partition of a table with the data that it has.
type partition struct {
	id          string
	day         time.Time
	rows, bytes uint64
	changed     time.Time // when its newest part was written, by an insert, a merge or a deletion
	parts       string    // names its parts, so that a look that was in vain is not repeated
}

// partitions lists the partitions of a table that are by day or week, oldest first.
func (sh *shard) partitions(ctx context.Context, n seamark.TenantNumber, table Table) ([]partition, error) {
	rows, err := sh.admin.Query(ctx, `SELECT partition_id, any(partition), sum(rows), sum(bytes_on_disk), max(modification_time), toString(groupBitXor(cityHash64(name)))
		FROM system.parts WHERE active AND database = ? AND table = ? GROUP BY partition_id`, database(n), table.String())
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []partition
	for rows.Next() {
		var p partition
		var day string
		if err := rows.Scan(&p.id, &day, &p.rows, &p.bytes, &p.changed, &p.parts); err != nil {
			return nil, fmt.Errorf("list partitions: %w", err)
		}
		if p.day, err = time.Parse(time.DateOnly, strings.Trim(day, "'")); err != nil {
			continue // it is not by time
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b partition) int { return cmp.Compare(a.id, b.id) })
	return list, rows.Err()
}

// DropDays removes the partitions of a tenant's tables whose every row is older than its signal's days at now. The server
// does the same by the tables' TTL, hours later, for parts that were written under the TTL of now.
func (s *Store) DropDays(ctx context.Context, tenant seamark.TenantID, days map[seamark.Signal]int, now time.Time) ([]DroppedDay, error) {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return nil, err
	}
	var dropped []DroppedDay
	for table, rules := range retentionRules() {
		if rules[0].days == 0 {
			continue
		}
		list, err := sh.partitions(ctx, n, table)
		if err != nil {
			return dropped, err
		}
		for _, p := range list {
			if end := p.day.AddDate(0, 0, rules[0].days); now.Before(end.AddDate(0, 0, daysFor(rules, days))) {
				break
			}
			if err := sh.admin.Exec(ctx, fmt.Sprintf("ALTER TABLE %s.%s DROP PARTITION ID '%s'", database(n), table, p.id)); err != nil {
				return dropped, fmt.Errorf("drop partition %s of %s.%s: %w", p.id, database(n), table, err)
			}
			dropped = append(dropped, DroppedDay{Table: table, Day: p.day, Rows: p.rows, Bytes: p.bytes})
		}
	}
	slices.SortFunc(dropped, func(a, b DroppedDay) int { return cmp.Or(cmp.Compare(a.Table, b.Table), a.Day.Compare(b.Day)) })
	return dropped, nil
}

// OldestRows returns the time of the oldest row of each signal, and nothing for signals without rows. It looks into the
// oldest partition alone.
func (s *Store) OldestRows(ctx context.Context, tenant seamark.TenantID) (map[seamark.Signal]time.Time, error) {
	sh, n, err := s.ensured(ctx, tenant)
	if err != nil {
		return nil, err
	}
	oldest := map[seamark.Signal]time.Time{}
	for table, rules := range retentionRules() {
		if table != TableLogs && table != TableSamples && table != TableHistograms && table != TableEvents && table != TableSpans {
			continue
		}
		list, err := sh.partitions(ctx, n, table)
		if err != nil {
			return nil, queryError(ctx, err)
		}
		if len(list) == 0 {
			continue
		}
		column := "ts"
		if table == TableEvents {
			column = "created"
		}
		rows, err := s.query(ctx, tenant, fmt.Sprintf("SELECT min(%s) FROM %s WHERE _partition_id = {id:String}", column, table), clickhouse.Parameters{"id": list[0].id})
		if err != nil {
			return nil, err
		}
		var at time.Time
		for rows.Next() {
			err = rows.Scan(&at)
		}
		if cerr := rows.Close(); err == nil {
			err = cmp.Or(rows.Err(), cerr)
		}
		if err != nil {
			return nil, queryError(ctx, err)
		}
		if have, ok := oldest[rules[0].signal]; !ok || at.Before(have) {
			oldest[rules[0].signal] = at.UTC()
		}
	}
	return oldest, nil
}
