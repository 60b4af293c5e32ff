package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// StreamsEnd says which streams of a signal, Logs or Metrics, end earlier than the rest of it.
type StreamsEnd struct {
	Signal   seamark.Signal
	Matchers []LogMatcher
	Days     int
	// Quiet is how long a partition must have been left alone before rows are deleted from it. The writer settles an insert
	// in doubt by counting its rows: were some of them gone by then, it would find a block stored in part.
	Quiet time.Duration
	// MaxPartitions bounds how many partitions one call changes; the next call goes on. Each is read and written whole.
	MaxPartitions int
}

// fpsPerStatement bounds the fingerprints of one deletion. The server keeps a statement's text until it is done.
const fpsPerStatement = 5000

// tablesOf returns the tables that rows of a series stand in.
func tablesOf(signal seamark.Signal) []Table {
	if signal == seamark.Metrics {
		return []Table{TableSamples, TableHistograms, TableExemplars}
	}
	return []Table{TableLogs, TablePatterns}
}

// EndStreams deletes the rows of matching streams from days that are over and older than e.Days at now, and returns how many
// it deleted, by table and day. looked remembers partitions that were looked at and not changed since, between calls.
func (s *Store) EndStreams(ctx context.Context, tenant seamark.TenantID, e StreamsEnd, now time.Time, looked map[string]string) ([]DroppedDay, error) {
	sh, n, err := s.ensured(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var deleted []DroppedDay
	for _, table := range tablesOf(e.Signal) {
		list, err := sh.partitions(ctx, n, table)
		if err != nil {
			return deleted, err
		}
		for _, p := range list {
			if now.Before(p.day.AddDate(0, 0, 1+e.Days)) || len(deleted) >= e.MaxPartitions {
				break
			}
			key := fmt.Sprintf("%s.%s.%s", database(n), table, p.id)
			if e.Quiet > 0 && now.Sub(p.changed) < e.Quiet || looked[key] == p.parts {
				continue
			}
			fps, err := s.matchingSeries(ctx, tenant, e, p.day)
			if err != nil {
				return deleted, err
			}
			rows, err := sh.deleteSeries(ctx, n, table, p.id, fps)
			if err != nil {
				return deleted, err
			}
			if looked[key] = p.parts; rows > 0 {
				delete(looked, key)
				deleted = append(deleted, DroppedDay{Table: table, Day: p.day, Rows: rows})
			}
		}
	}
	return deleted, nil
}

// matchingSeries returns the fingerprints of the series that match and have rows on a day.
func (s *Store) matchingSeries(ctx context.Context, tenant seamark.TenantID, e StreamsEnd, day time.Time) ([]uint64, error) {
	b := newLogSQL()
	b.whereSeries(&LogStreamsQuery{Matchers: e.Matchers, Start: day.UnixNano(), End: day.AddDate(0, 0, 1).UnixNano()})
	where := b.String()
	if e.Signal == seamark.Metrics {
		where = strings.Replace(where, "kind = 'log'", "kind = 'metric'", 1)
	}
	rows, err := s.query(ctx, tenant, "SELECT DISTINCT fp FROM series\n"+where, b.params)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var fps []uint64
	for rows.Next() {
		var fp uint64
		if err := rows.Scan(&fp); err != nil {
			return nil, queryError(ctx, err)
		}
		fps = append(fps, fp)
	}
	return fps, queryError(ctx, rows.Err())
}

// deleteSeries deletes the rows of some series from one partition, and returns how many. Other partitions are not touched:
// of this one the parts that have such rows are written anew.
func (sh *shard) deleteSeries(ctx context.Context, n seamark.TenantNumber, table Table, partition string, fps []uint64) (uint64, error) {
	total := uint64(0)
	for chunk := range slices.Chunk(fps, fpsPerStatement) {
		var list strings.Builder
		for i, fp := range chunk {
			if i > 0 {
				list.WriteByte(',')
			}
			list.WriteString(strconv.FormatUint(fp, 10))
		}
		name := database(n) + "." + table.String()
		settings := clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": "2", "max_query_size": strconv.Itoa(4 << 20)})
		ctx := clickhouse.Context(ctx, settings)
		count, err := sh.countOf(ctx, fmt.Sprintf("SELECT count() FROM %s WHERE _partition_id = '%s' AND fp IN (%s)", name, partition, list.String()))
		if err != nil {
			return total, err
		}
		if count == 0 {
			continue
		}
		if err := sh.admin.Exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE IN PARTITION ID '%s' WHERE fp IN (%s)", name, partition, list.String())); err != nil {
			return total, fmt.Errorf("delete rows of %d series from %s: %w", len(chunk), name, err)
		}
		total += count
	}
	return total, nil
}
