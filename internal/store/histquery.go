package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MetricHistograms are native histograms of one series in the order of time, one per timestamp. Data is as in
// seamark.HistogramRows.
type MetricHistograms struct {
	FP    uint64
	Times []int64 // milliseconds since 1970
	Data  []string
}

// absentFor is how long a table that is made on first use is taken for missing before it is looked for again: most tenants
// have no native histograms, and every query of metrics would ask.
const absentFor = 10 * time.Second

// ListMetricHistograms returns the native histograms by series, in no particular order of series, and how many rows it read.
// Of two for one timestamp the one with the largest bytes is taken, so that every read gives the same.
func (s *Store) ListMetricHistograms(ctx context.Context, tenant seamark.TenantID, q MetricSamplesQuery) (list []MetricHistograms, rowsRead int, err error) {
	if len(q.Metrics) == 0 || q.StartMilli > q.EndMilli || q.FPs != nil && len(q.FPs) == 0 || s.absent(tenant, TableHistograms) {
		return nil, 0, nil
	}
	b := metricHistogramsSQL(&q)
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var times, sizes []byte
		var text string
		for rows.Next() {
			one := MetricHistograms{}
			if err := rows.Scan(&one.FP, &times, &text, &sizes); err != nil {
				return err
			}
			one.Times, one.Data = unpackInt64s(times), unpackTexts(text, sizes)
			rowsRead += len(one.Times)
			one.tidy()
			list = append(list, one)
		}
		return rows.Err()
	})
	if missingTable(err) {
		s.noteAbsent(tenant, TableHistograms)
		return nil, 0, nil
	}
	return list, rowsRead, err
}

// metricHistogramsSQL packs each series' columns into texts, as metricSamplesSQL does.
func metricHistogramsSQL(q *MetricSamplesQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), arrayStringConcat(groupArray(hist)), " +
		"reinterpret(groupArray(toUInt32(length(hist))), 'String')\nFROM (\n  SELECT fp, ts, hist\n  FROM hist_samples\n")
	b.whereMetricSamples(q)
	if q.Last {
		b.WriteString("\n  ORDER BY ts DESC, hist DESC LIMIT 2 BY fp") // the one before tells whether the counter was reset
	}
	b.WriteString("\n  LIMIT " + b.int64(int64(q.Limit)) + "\n)\nGROUP BY fp")
	return b
}

// unpackTexts divides texts that stand one behind the other by their lengths, little-endian uint32.
func unpackTexts(text string, sizes []byte) []string {
	const size = 4
	list := make([]string, 0, len(sizes)/size)
	for at := 0; at+size <= len(sizes); at += size {
		n := binary.LittleEndian.Uint32(sizes[at:])
		list = append(list, text[:n])
		text = text[n:]
	}
	return list
}

// tidy sorts the histograms and keeps one per timestamp.
func (m *MetricHistograms) tidy() {
	order := make([]int, len(m.Times))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.Times[a], m.Times[b]), cmp.Compare(m.Data[b], m.Data[a]))
	})
	times, data := make([]int64, 0, len(order)), make([]string, 0, len(order))
	for _, i := range order {
		if n := len(times); n == 0 || times[n-1] != m.Times[i] {
			times, data = append(times, m.Times[i]), append(data, m.Data[i])
		}
	}
	m.Times, m.Data = times, data
}

// MetricExemplar is one exemplar of a series.
type MetricExemplar struct {
	FP       uint64
	TimeMS   int64 // milliseconds since 1970
	Value    float64
	TraceID  [16]byte // zero when it has none
	LabelSet map[string]string
}

// ListMetricExemplars returns exemplars of the series, oldest first.
func (s *Store) ListMetricExemplars(ctx context.Context, tenant seamark.TenantID, q MetricSamplesQuery) ([]MetricExemplar, error) {
	if len(q.Metrics) == 0 || q.StartMilli > q.EndMilli || q.FPs != nil && len(q.FPs) == 0 || s.absent(tenant, TableExemplars) {
		return nil, nil
	}
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT fp, toUnixTimestamp64Milli(ts) AS at, v, trace_id, labels\nFROM exemplars\n")
	b.whereMetricSamples(&q)
	b.WriteString("\nORDER BY fp, at\nLIMIT " + b.int64(int64(q.Limit)))
	var list []MetricExemplar
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var one MetricExemplar
			var trace string
			if err := rows.Scan(&one.FP, &one.TimeMS, &one.Value, &trace, &one.LabelSet); err != nil {
				return err
			}
			copy(one.TraceID[:], trace)
			list = append(list, one)
		}
		return rows.Err()
	})
	if missingTable(err) {
		s.noteAbsent(tenant, TableExemplars)
		return nil, nil
	}
	return list, err
}

// missingTable reports whether a query failed because a table that is made on first use is not there yet.
func missingTable(err error) bool {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && ex.Code == codeUnknownTable
}

// absent reports whether a tenant's table was missing a moment ago.
func (s *Store) absent(tenant seamark.TenantID, t Table) bool {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return false // the query tells
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	key := tenantTable{n, t}
	until, ok := sh.missing[key]
	if ok && s.opts.Now().After(until) {
		delete(sh.missing, key)
		ok = false
	}
	return ok
}

func (s *Store) noteAbsent(tenant seamark.TenantID, t Table) {
	sh, n, err := s.locate(tenant)
	if err != nil {
		return
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.missing[tenantTable{n, t}] = s.opts.Now().Add(absentFor)
}
