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

// SeriesIndexPart is one part of the series table. Parts never change: a merge or a deletion puts another in their place.
type SeriesIndexPart struct {
	Week int32 // the Monday of its rows, in days since 1970
	// MinBlock and MaxBlock are the first and the last of the inserts whose rows the part holds. Inserts are numbered over
	// the whole table as they become visible, so one that is not there yet has a larger number than all that are.
	MinBlock, MaxBlock int64
	// Mutation is the number of the last deletion or update that the part went through; 0 for none.
	Mutation int64
}

// ListSeriesIndexParts returns the parts of the tenant's series table, which hold series of all kinds, in no
// particular order. The server answers from memory, without reading a row.
func (s *Store) ListSeriesIndexParts(ctx context.Context, tenant seamark.TenantID) ([]SeriesIndexPart, error) {
	b := newLogSQL()
	b.WriteString(seriesIndexPartsSQL)
	names, err := s.logTexts(ctx, tenant, b)
	if err != nil {
		return nil, err
	}
	list := make([]SeriesIndexPart, len(names))
	for i, name := range names {
		if list[i], err = parseIndexPart(name); err != nil {
			return nil, seamark.Wrap(err, seamark.Internal, "seamark-store-query", "The store could not run the query.")
		}
	}
	return list, nil
}

const seriesIndexPartsSQL = "SELECT toString(_part)\nFROM series\nGROUP BY _part\nHAVING count() > 0"

// parseIndexPart reads a part's name: its partition, first and last insert, how often it was merged, and its mutation.
func parseIndexPart(name string) (SeriesIndexPart, error) {
	fields := strings.Split(name, "_")
	if len(fields) != 4 && len(fields) != 5 {
		return SeriesIndexPart{}, fmt.Errorf("part name %q has %d fields, not 4 or 5", name, len(fields))
	}
	monday, err := time.Parse("20060102", fields[0])
	if err != nil {
		return SeriesIndexPart{}, fmt.Errorf("part name %q: %w", name, err)
	}
	part := SeriesIndexPart{Week: dayOf(monday.UnixMilli(), dayMillis)}
	for i, into := range map[int]*int64{1: &part.MinBlock, 2: &part.MaxBlock, 4: &part.Mutation} {
		if i >= len(fields) {
			continue
		}
		if *into, err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return SeriesIndexPart{}, fmt.Errorf("part name %q: %w", name, err)
		}
	}
	return part, nil
}

// SeriesIndexQuery selects one week's series rows of a kind by the inserts that brought them.
type SeriesIndexQuery struct {
	Kind  seamark.SeriesKind
	Week  int32 // a Monday, in days since 1970
	After int64 // only parts whose MaxBlock is larger; -1 reads the whole week
}

// IndexedSeries is a series and the days of one week on which it has rows.
type IndexedSeries struct {
	FP     uint64
	Name   string // a metric's name, or a stream's group
	Labels []seamark.Label
	Days   uint8 // Monday is bit 0
}

// ScanSeriesIndex calls fn for each series of the week that a part after q.After holds, each once, in the order of their
// names. What fn is given is reused, its labels and texts are not; the values of one series share their memory. A part may
// repeat rows of inserts before q.After that were merged into it. An error of fn ends the scan and is returned.
func (s *Store) ScanSeriesIndex(ctx context.Context, tenant seamark.TenantID, q SeriesIndexQuery, fn func(*IndexedSeries) error) error {
	b := seriesIndexSQL(&q)
	unpack := labelUnpacker{names: map[string]string{}}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var one IndexedSeries
		for rows.Next() {
			if err := rows.Scan(&one.FP, &one.Name, &one.Days, &unpack.nameText, &unpack.nameSizes, &unpack.valueText, &unpack.valueSizes); err != nil {
				return err
			}
			one.Name = unpack.intern(one.Name)
			one.Labels = unpack.labels()
			if err := fn(&one); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return err
}

// seriesIndexSQL groups in the order of the sort key, so that the server holds one series at a time, and packs each label
// set once for all of its days. It holds a block of each part, so the blocks are small: of 500 k series in 25 parts those of
// the usual size take more than 1 GiB. The conditions on the day and on the part leave out parts before they are opened.
func seriesIndexSQL(q *SeriesIndexQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT fp, name, days,\n" +
		"  arrayStringConcat(mapKeys(l)), reinterpret(arrayMap(k -> toUInt32(length(k)), mapKeys(l)), 'String'),\n" +
		"  arrayStringConcat(mapValues(l)), reinterpret(arrayMap(v -> toUInt32(length(v)), mapValues(l)), 'String')\n" +
		"FROM (\n" +
		"  SELECT name, fp, toUInt8(groupBitOr(bitShiftLeft(1, toDayOfWeek(day) - 1))) AS days, any(labels) AS l\n" +
		"  FROM series\n" +
		"  WHERE kind = " + b.string(kindName(q.Kind)) + "\n" +
		"    AND day >= toDate(" + b.int64(int64(q.Week)) + ") AND day <= toDate(" + b.int64(int64(q.Week)+6) + ")\n" +
		"    AND toInt64(splitByChar('_', _part)[3]) > " + b.int64(q.After) + "\n" +
		"  GROUP BY kind, name, fp\n" +
		")\nSETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192")
	return b
}

// kindName is how the series table calls a kind.
func kindName(k seamark.SeriesKind) string {
	if k == seamark.LogStream {
		return "log"
	}
	return "metric"
}
