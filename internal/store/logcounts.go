package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogCounts streams counts to fn in no particular order; combinations without rows are absent.
func (s *Store) LogCounts(ctx context.Context, tenant seamark.TenantID, q LogCountsQuery, fn func(*LogCount) error) (LogStats, error) {
	if q.Empty() {
		return LogStats{}, nil
	}
	by := q.byStream()
	if groups := q.byGroup(); groups != nil {
		stats, done, err := s.countWholeGroups(ctx, tenant, &q, groups, fn)
		if done || err != nil {
			return stats, err
		}
		more, err := s.logCounts(ctx, tenant, &q, by, fn)
		return LogStats{Rows: stats.Rows + more.Rows, Bytes: stats.Bytes + more.Bytes}, err
	}
	return s.logCounts(ctx, tenant, &q, by, fn)
}

// countWholeGroups counts rows without a look at their fingerprints, where all streams of the groups are asked for. A stream that
// nobody knew when its groups' were listed may have rows by the time they are counted; so the groups are looked at once more
// before anything is said: a stream is stored before its first row. done says whether the counts hold.
func (s *Store) countWholeGroups(ctx context.Context, tenant seamark.TenantID, q *LogCountsQuery, by *countKeys, fn func(*LogCount) error) (stats LogStats, done bool, err error) {
	whole, err := s.groupsAreWhole(ctx, tenant, q)
	if err != nil || !whole {
		return stats, false, err
	}
	var counts []LogCount
	stats, err = s.logCounts(ctx, tenant, q, by, func(c *LogCount) error {
		kept := *c
		kept.Values = slices.Clone(c.Values)
		counts = append(counts, kept)
		return nil
	})
	if err != nil {
		return stats, false, err
	}
	if whole, err = s.groupsAreWhole(ctx, tenant, q); err != nil || !whole {
		return stats, false, err
	}
	for i := range counts {
		if err := fn(&counts[i]); err != nil {
			return stats, true, err
		}
	}
	return stats, true, nil
}

// logCounts runs one statement.
func (s *Store) logCounts(ctx context.Context, tenant seamark.TenantID, q *LogCountsQuery, by *countKeys, fn func(*LogCount) error) (LogStats, error) {
	sql, params := logCountsSQL(q, by)
	buckets := uint64(q.Grid.Buckets())
	if by.column == "grp" && q.filtersBodies() {
		ctx = withSettings(ctx, Settings{"enable_multiple_prewhere_read_steps": 0})
	}
	return s.logQuery(ctx, tenant, sql, params, func(rows driver.Rows) error {
		var cell uint64
		count := LogCount{Values: make([]string, len(q.Split))}
		into := []any{&cell, &count.Lines}
		if q.Bytes {
			into = append(into, &count.Bytes)
		}
		for i := range count.Values {
			into = append(into, &count.Values[i])
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			count.FP, count.Bucket = by.targets[cell/buckets-1], int(cell%buckets)
			if err := fn(&count); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// filtersBodies reports whether the filters are of bodies alone: then nearly all bodies of the groups are read, and reading groups and
// times for themselves before them, which spares bodies where other columns decide, costs a twentieth more than reading all at once.
func (q *LogCountsQuery) filtersBodies() bool {
	return len(q.Filters) > 0 && !slices.ContainsFunc(q.Filters, func(f LogFilter) bool { return f.Field != LogBody })
}

// countKeys says what rows are told apart by.
type countKeys struct {
	column  string   // fp or grp
	fps     []uint64 // values of fp
	groups  []string // values of grp
	places  []uint32 // per value: what it is counted under, as a place in targets from 1
	targets []uint64 // fingerprints that counts are reported under
}

// add has a value counted under a target. seen has the targets' places.
func (k *countKeys) add(target uint64, seen map[uint64]uint32) {
	if seen[target] == 0 {
		k.targets = append(k.targets, target)
		seen[target] = uint32(len(k.targets))
	}
	k.places = append(k.places, seen[target])
}

// target returns what stream i is counted under.
func (q *LogCountsQuery) target(i int) uint64 {
	if q.Into != nil {
		return q.Into[i]
	}
	return q.Streams[i].FP
}

// byStream tells rows apart by their fingerprints.
func (q *LogCountsQuery) byStream() *countKeys {
	k, seen := &countKeys{column: "fp"}, make(map[uint64]uint32, len(q.Streams))
	for i := range q.Streams {
		k.fps = append(k.fps, q.Streams[i].FP)
		k.add(q.target(i), seen)
	}
	return k
}

// wholeGroupsFrom is how long a range is from which on it pays to ask twice whether groups are whole: rows of a fixed number cost
// as much as that, and nobody knows the number before.
const wholeGroupsFrom = 6 * time.Hour

// byGroup tells rows apart by their groups. It returns nil where that does not pay, or cannot be: where streams of one group are
// counted under several fingerprints.
func (q *LogCountsQuery) byGroup() *countKeys {
	if q.Into == nil || len(q.Streams) <= fewStreams || q.End-q.Start < int64(wholeGroupsFrom) {
		return nil
	}
	targets := map[string]uint64{}
	for i := range q.Streams {
		group := q.Streams[i].Group
		if first, ok := targets[group]; ok && first != q.Into[i] {
			return nil
		}
		targets[group] = q.Into[i]
	}
	k, seen := &countKeys{column: "grp"}, map[uint64]uint32{}
	for _, group := range q.groups() {
		k.groups = append(k.groups, group)
		k.add(targets[group], seen)
	}
	return k
}

// groupsAreWhole reports whether the query's streams are all that their groups have in its days.
func (s *Store) groupsAreWhole(ctx context.Context, tenant seamark.TenantID, q *LogCountsQuery) (bool, error) {
	groups := q.groups()
	known := make(map[string]streamSet, len(groups))
	for i := range q.Streams {
		set := known[q.Streams[i].Group]
		set.add(q.Streams[i].FP)
		known[q.Streams[i].Group] = set
	}
	b := newLogSQL()
	b.WriteString("SELECT name, count(), sum(fp) FROM (\n  SELECT DISTINCT name, fp FROM series\n  WHERE kind = 'log' AND name IN " + b.strings(groups) +
		"\n    AND day >= toDate(fromUnixTimestamp64Nano(" + b.int64(q.Start) + ", 'UTC'))" +
		" AND day <= toDate(fromUnixTimestamp64Nano(" + b.int64(q.End-1) + ", 'UTC'))\n)\nGROUP BY name")
	whole := true
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var name string
			var set streamSet
			if err := rows.Scan(&name, &set.count, &set.sum); err != nil {
				return err
			}
			whole = whole && known[name] == set
		}
		return rows.Err()
	})
	return whole, err
}

// streamSet tells a set of streams from others: fingerprints are hashes, of which other sets have other sums.
type streamSet struct{ count, sum uint64 }

func (s *streamSet) add(fp uint64) {
	s.count++
	s.sum += fp
}

// logCountsSQL counts rows by key, bucket and split. A row's key is the place of what it is counted under, 0 for what nobody asked
// for, and makes one number with the bucket: the server counts by one small number in half the time that it takes for two columns.
// The look-up that makes the key is all that a row of another stream is told by, unless few rows come so far that it is made for.
func logCountsSQL(q *LogCountsQuery, by *countKeys) (string, clickhouse.Parameters) {
	b := newLogSQL()
	var values string
	if by.column == "grp" {
		values = b.strings(by.groups)
	} else {
		values = b.uint64s(by.fps)
	}
	buckets := uint64(q.Grid.Buckets())
	kind := cellType((uint64(len(by.targets)) + 1) * buckets)
	first := b.int64(int64(buckets))
	_, _ = fmt.Fprintf(b, "WITH %s%s(%s(transform(%s, %s, %s, toUInt32(0))) * %s + %s) AS key\nSELECT toUInt64(key), count() AS lines",
		q.Grid.cellSQL(b), kind, wider(kind), by.column, values, b.uint32s(by.places), first, q.Grid.bucketSQL(b)) // a strings.Builder never fails
	if q.Bytes {
		b.WriteString(", sum(length(body)) AS bytes")
	}
	keys := "key"
	for i, s := range q.Split {
		name := "s" + strconv.Itoa(i)
		keys += ", " + name
		b.WriteString(", " + b.field(s.Field, s.Attr) + " AS " + name)
	}
	b.WriteString("\nFROM logs\n")
	byStream := by.column == "fp" && (len(q.Filters) > 0 || len(q.Split) > 0 || q.Bytes || len(q.Streams) <= fewStreams)
	b.whereGroups(&q.LogScope, byStream)
	b.WriteString("\nGROUP BY " + keys)
	if by.column == "fp" && !byStream { // rows of streams that nobody asked for came so far
		b.WriteString("\nHAVING key >= " + first)
	}
	return b.String(), b.params
}

// cellType is the smallest type for so many cells. The server keeps counts by 16 bits in an array, by others in a hash table.
func cellType(cells uint64) string {
	switch {
	case cells <= math.MaxUint16:
		return "toUInt16"
	case cells <= math.MaxUint32:
		return "toUInt32"
	}
	return "toUInt64"
}

// wider is the type that the multiplication before it takes place in.
func wider(kind string) string {
	if kind == "toUInt64" {
		return "toUInt64"
	}
	return "toUInt32"
}

// fewStreams is how many streams a count may have for the server to be told of them before it reads: the bloom filter of
// fingerprints leaves out granules for few streams alone, and looking up a row twice costs as much as reading it.
const fewStreams = 16
