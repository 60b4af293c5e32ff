package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// DaySize is what a tenant has in one partition of a table: the rows of a day or a week.
type DaySize struct {
	Signal      seamark.Signal
	Start, End  time.Time // of the partition
	Rows, Bytes uint64    // uncompressed, as a statement reads them
}

// estimated are the tables that queries read, and the time that a partition of them has.
var estimated = map[string]struct {
	signal seamark.Signal
	days   int
}{
	"logs": {seamark.Logs, 1}, "samples": {seamark.Metrics, 1}, "hist_samples": {seamark.Metrics, 1}, "events": {seamark.Events, 7}, "spans": {seamark.Traces, 1},
}

// ListDaySizes lists what a tenant has, from the server's list of parts: it reads no rows.
func (s *Store) ListDaySizes(ctx context.Context, tenant seamark.TenantID) ([]DaySize, error) {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return nil, err
	}
	rows, err := sh.admin.Query(ctx, `SELECT table, partition, sum(rows), sum(data_uncompressed_bytes)
		FROM system.parts WHERE active AND database = ? GROUP BY table, partition`, database(n))
	if err != nil {
		return nil, queryError(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	var list []DaySize
	for rows.Next() {
		var table, day string
		var d DaySize
		if err := rows.Scan(&table, &day, &d.Rows, &d.Bytes); err != nil {
			return nil, fmt.Errorf("list parts: %w", err)
		}
		of, known := estimated[table]
		if d.Start, err = time.Parse(time.DateOnly, strings.Trim(day, "'")); err != nil || !known {
			continue // it is not by time, or no query reads it
		}
		d.Signal, d.End = of.signal, d.Start.AddDate(0, 0, of.days)
		list = append(list, d)
	}
	return list, queryError(ctx, rows.Err())
}

// EstimateLogRows returns the most rows of logs that a scope can touch, by the table's index alone: those of the blocks in which its
// groups and range can be.
func (s *Store) EstimateLogRows(ctx context.Context, tenant seamark.TenantID, scope *LogScope) (uint64, error) {
	if len(scope.Streams) == 0 {
		return 0, nil
	}
	b := newLogSQL()
	b.WriteString("EXPLAIN ESTIMATE SELECT ts FROM logs\n")
	b.whereGroups(&LogScope{Streams: scope.Streams, Start: scope.Start, End: scope.End}, false)
	return s.estimateRows(ctx, tenant, b)
}

// EstimateSampleRows does the same for the samples of metrics between two times in milliseconds.
func (s *Store) EstimateSampleRows(ctx context.Context, tenant seamark.TenantID, metrics []string, startMilli, endMilli int64) (uint64, error) {
	b := newLogSQL()
	b.WriteString("EXPLAIN ESTIMATE SELECT ts FROM samples\nWHERE metric IN " + b.strings(metrics))
	b.WriteString("\n  AND ts >= fromUnixTimestamp64Milli(" + b.int64(startMilli) + ", 'UTC') AND ts <= fromUnixTimestamp64Milli(" + b.int64(endMilli) + ", 'UTC')")
	return s.estimateRows(ctx, tenant, b)
}

func (s *Store) estimateRows(ctx context.Context, tenant seamark.TenantID, b *logSQL) (uint64, error) {
	rows, err := s.query(ctx, tenant, b.String(), b.params)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	var sum uint64
	for rows.Next() {
		var db, table string
		var parts, n, marks uint64
		if err := rows.Scan(&db, &table, &parts, &n, &marks); err != nil {
			return 0, fmt.Errorf("read an estimate: %w", err)
		}
		sum += n
	}
	return sum, queryError(ctx, rows.Err())
}
