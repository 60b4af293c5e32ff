package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MetricIndexPart is one part of the series table. Parts never change: a merge or a deletion puts another in their place.
type MetricIndexPart struct {
	Week int32 // the Monday of its rows, in days since 1970
	// MinBlock and MaxBlock are the first and the last of the inserts whose rows the part holds. Inserts are numbered over
	// the whole table as they become visible, so one that is not there yet has a larger number than all that are.
	MinBlock, MaxBlock int64
	// Mutation is the number of the last deletion or update that the part went through; 0 for none.
	Mutation int64
}

// ListMetricIndexParts returns the parts of the tenant's series table, those of log streams with them, in no particular
// order. The server answers from memory, without reading a row.
func (s *Store) ListMetricIndexParts(ctx context.Context, tenant seamark.TenantID) ([]MetricIndexPart, error) {
	b := newLogSQL()
	b.WriteString(metricIndexPartsSQL)
	names, err := s.logTexts(ctx, tenant, b)
	if err != nil {
		return nil, err
	}
	list := make([]MetricIndexPart, len(names))
	for i, name := range names {
		if list[i], err = parseIndexPart(name); err != nil {
			return nil, seamark.Wrap(err, seamark.Internal, "seamark-store-query", "The store could not run the query.")
		}
	}
	return list, nil
}

const metricIndexPartsSQL = "SELECT toString(_part)\nFROM series\nGROUP BY _part\nHAVING count() > 0"

// parseIndexPart reads a part's name: its partition, first and last insert, how often it was merged, and its mutation.
func parseIndexPart(name string) (MetricIndexPart, error) {
	fields := strings.Split(name, "_")
	if len(fields) != 4 && len(fields) != 5 {
		return MetricIndexPart{}, fmt.Errorf("part name %q has %d fields, not 4 or 5", name, len(fields))
	}
	monday, err := time.Parse("20060102", fields[0])
	if err != nil {
		return MetricIndexPart{}, fmt.Errorf("part name %q: %w", name, err)
	}
	part := MetricIndexPart{Week: dayOf(monday.UnixMilli(), dayMillis)}
	for i, into := range map[int]*int64{1: &part.MinBlock, 2: &part.MaxBlock, 4: &part.Mutation} {
		if i >= len(fields) {
			continue
		}
		if *into, err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return MetricIndexPart{}, fmt.Errorf("part name %q: %w", name, err)
		}
	}
	return part, nil
}

// MetricIndexQuery selects one week's series rows by the inserts that brought them.
type MetricIndexQuery struct {
	Week  int32 // a Monday, in days since 1970
	After int64 // only parts whose MaxBlock is larger; -1 reads the whole week
}

// MetricIndexSeries is a series and the days of one week on which it has samples.
type MetricIndexSeries struct {
	MetricSeries
	Days uint8 // Monday is bit 0
}

// ScanMetricIndex calls fn for each series of the week that a part after q.After holds, each once, in the order of the
// metrics' names. What fn is given is reused, its labels and texts are not; the values of one series share their memory. A part may repeat rows of inserts before q.After that were merged into it. An error of fn ends the scan
// and is returned.
func (s *Store) ScanMetricIndex(ctx context.Context, tenant seamark.TenantID, q MetricIndexQuery, fn func(*MetricIndexSeries) error) error {
	b := metricIndexSQL(&q)
	unpack := labelUnpacker{names: map[string]string{}}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var one MetricIndexSeries
		for rows.Next() {
			if err := rows.Scan(&one.FP, &one.Metric, &one.Days, &unpack.nameText, &unpack.nameSizes, &unpack.valueText, &unpack.valueSizes); err != nil {
				return err
			}
			one.Metric = unpack.intern(one.Metric)
			one.Labels = unpack.labels()
			if err := fn(&one); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return err
}

// metricIndexSQL groups in the order of the sort key, so that the server holds one series at a time, and packs each label
// set once for all of its days. It holds a block of each part, so the blocks are small: of 500 k series in 25 parts those of
// the usual size take more than 1 GiB. The conditions on the day and on the part leave out parts before they are opened.
func metricIndexSQL(q *MetricIndexQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT fp, name, days,\n" +
		"  arrayStringConcat(mapKeys(l)), reinterpret(arrayMap(k -> toUInt32(length(k)), mapKeys(l)), 'String'),\n" +
		"  arrayStringConcat(mapValues(l)), reinterpret(arrayMap(v -> toUInt32(length(v)), mapValues(l)), 'String')\n" +
		"FROM (\n" +
		"  SELECT name, fp, toUInt8(groupBitOr(bitShiftLeft(1, toDayOfWeek(day) - 1))) AS days, any(labels) AS l\n" +
		"  FROM series\n" +
		"  WHERE kind = 'metric'\n" +
		"    AND day >= toDate(" + b.int64(int64(q.Week)) + ") AND day <= toDate(" + b.int64(int64(q.Week)+6) + ")\n" +
		"    AND toInt64(splitByChar('_', _part)[3]) > " + b.int64(q.After) + "\n" +
		"  GROUP BY kind, name, fp\n" +
		")\nSETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192")
	return b
}
