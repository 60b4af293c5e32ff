package store

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SamplePart is one part of the samples table. Parts never change: a merge or a deletion puts another in their place.
type SamplePart struct {
	Day int32 // of all of its rows, in days since 1970
	// MinBlock and MaxBlock are the first and the last of the inserts whose rows the part holds. Inserts are numbered over
	// the whole table as they become visible, so one that is not there yet has a larger number than all that are.
	MinBlock, MaxBlock int64
	// Mutation is the number of the last deletion or update that the part went through; 0 for none. It comes from the same
	// row of numbers: an insert with a larger one was not touched.
	Mutation int64
	Rows     uint64
	// FirstMilli and LastMilli are the times of the part's oldest and newest sample.
	FirstMilli, LastMilli int64
}

// ListSampleParts returns the parts of the tenant's samples table in no particular order. The server answers from memory,
// without reading a row.
func (s *Store) ListSampleParts(ctx context.Context, tenant seamark.TenantID) ([]SamplePart, error) {
	return s.sampleParts(ctx, tenant, TableSamples)
}

// ListHistogramParts returns the parts of the tenant's table of native histograms, which most tenants do not have.
func (s *Store) ListHistogramParts(ctx context.Context, tenant seamark.TenantID) ([]SamplePart, error) {
	if s.absent(tenant, TableHistograms) {
		return nil, nil
	}
	list, err := s.sampleParts(ctx, tenant, TableHistograms)
	if missingTable(err) {
		s.noteAbsent(tenant, TableHistograms)
		return nil, nil
	}
	return list, err
}

func (s *Store) sampleParts(ctx context.Context, tenant seamark.TenantID, table Table) ([]SamplePart, error) {
	b := samplePartsSQL(table)
	var list []SamplePart
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var name string
			var one SamplePart
			if err := rows.Scan(&name, &one.Rows, &one.FirstMilli, &one.LastMilli); err != nil {
				return err
			}
			part, err := parseIndexPart(name)
			if err != nil {
				return seamark.Wrap(err, seamark.Internal, "seamark-store-query", "The store could not run the query.")
			}
			one.Day, one.MinBlock, one.MaxBlock, one.Mutation = part.Week, part.MinBlock, part.MaxBlock, part.Mutation
			list = append(list, one)
		}
		return rows.Err()
	})
	return list, err
}

// SampleScanQuery selects all samples of series that ListMetricSeries returned. Unlike MetricSamplesQuery it has no limit
// on rows: the caller knows about how many there are.
type SampleScanQuery struct {
	Metrics []string
	FPs     []uint64
	// Whole says that FPs are nearly all series of the metrics. The server then reads the metrics without looking for each of
	// them, and others may be among the result.
	Whole      bool
	StartMilli int64 // both ends are included
	EndMilli   int64
}

// ScanMetricSamples calls fn for each of the series that has samples, once, in no particular order. Duplicates are settled
// as ListMetricSamples settles them. What fn is given is reused. An error of fn ends the scan and is returned.
func (s *Store) ScanMetricSamples(ctx context.Context, tenant seamark.TenantID, q SampleScanQuery, fn func(*MetricSamples) error) error {
	if len(q.Metrics) == 0 || len(q.FPs) == 0 || q.StartMilli > q.EndMilli {
		return nil
	}
	b := sampleScanSQL(&q)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var packedTimes, packedValues []byte
		var times []int64
		var values []float64
		for rows.Next() {
			var one MetricSamples
			if err := rows.Scan(&one.FP, &packedTimes, &packedValues); err != nil {
				return err
			}
			times, values = appendInt64Bytes(times[:0], packedTimes), appendFloat64Bytes(values[:0], packedValues)
			one.Times, one.Values = times, values
			one.tidy()
			if err := fn(&one); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return err
}

// SampleNewsQuery selects what inserts have brought that the caller has not read.
type SampleNewsQuery struct {
	After int64 // the newest insert that the caller has read
	Until int64 // the newest that a listing has shown it
	// Above and To divide what is new: only parts whose newest insert comes after Above, and not after To, are read. A part that
	// is merged meanwhile moves to a later share. Without it all rows that were missed in a long time are in the server's memory.
	Above, To int64
	// Metrics are the metrics that are read; nil reads all.
	Metrics    []string
	StartMilli int64 // both ends are included
	EndMilli   int64
	// Newest is, per shard, the newest batch that the caller has read. Of a part that was merged from inserts before and
	// after After, only rows of that batch and later ones are read: a shard stores one batch after the other. All rows are
	// read of shards that are not there.
	Newest map[uint8]uint64
}

// SampleNews is some rows of one part and one shard, in the order of the sort key. A part may repeat a timestamp.
type SampleNews struct {
	FPs    []uint64
	Times  []int64 // milliseconds since 1970
	Values []float64
	Shard  uint8
	// Newest is the newest batch among the rows; 0 when the rows' part reaches past Until, so that nothing is known about
	// what was visible before it.
	Newest uint64
}

// ScanSampleNews calls fn for the rows of the parts that hold inserts after q.After, those that came after q.Until and rows
// of older inserts among them. What fn is given is reused. An error of fn ends the scan and is returned.
func (s *Store) ScanSampleNews(ctx context.Context, tenant seamark.TenantID, q SampleNewsQuery, fn func(*SampleNews) error) error {
	b := sampleNewsSQL(&q)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var one SampleNews
		var fps, times, values []byte
		for rows.Next() {
			if err := rows.Scan(&one.Shard, &one.Newest, &fps, &times, &values); err != nil {
				return err
			}
			one.FPs, one.Times = appendUint64Bytes(one.FPs[:0], fps), appendInt64Bytes(one.Times[:0], times)
			one.Values = appendFloat64Bytes(one.Values[:0], values)
			if err := fn(&one); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return err
}

// ListHistogramMetrics returns the metrics that have native histograms in parts with inserts after the given one.
func (s *Store) ListHistogramMetrics(ctx context.Context, tenant seamark.TenantID, after int64) ([]string, error) {
	names, err := s.logTexts(ctx, tenant, histogramMetricsSQL(after))
	if missingTable(err) {
		s.noteAbsent(tenant, TableHistograms)
		return nil, nil
	}
	return names, err
}

func appendUint64Bytes(list []uint64, raw []byte) []uint64 {
	for ; len(raw) >= 8; raw = raw[8:] {
		list = append(list, binary.LittleEndian.Uint64(raw))
	}
	return list
}

func appendInt64Bytes(list []int64, raw []byte) []int64 {
	for ; len(raw) >= 8; raw = raw[8:] {
		list = append(list, int64(binary.LittleEndian.Uint64(raw)))
	}
	return list
}

func appendFloat64Bytes(list []float64, raw []byte) []float64 {
	for ; len(raw) >= 8; raw = raw[8:] {
		list = append(list, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	}
	return list
}
