package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MetricOp says how a MetricMatcher compares.
type MetricOp uint8

// The ways to compare. Regular expressions match the whole text and their dot matches line breaks, as in PromQL.
const (
	MetricEquals MetricOp = iota
	MetricNotEquals
	MetricMatches
	MetricNotMatches
	MetricIn
	MetricNotIn
)

// MetricMatcher is a condition on one label of a series; an absent label is the empty string. The name of the metric is
// the label __name__.
type MetricMatcher struct {
	Name   string
	Op     MetricOp
	Value  string   // of every Op but MetricIn and MetricNotIn
	Values []string // of MetricIn and MetricNotIn
}

// MetricSeriesQuery selects the series that have samples on the days of a time range and match.
type MetricSeriesQuery struct {
	Matchers   []MetricMatcher
	StartMilli int64 // both ends are included, as in Prometheus' storage interface
	EndMilli   int64
	Limit      int // at most so many
}

// MetricSeries is one series.
type MetricSeries struct {
	FP     uint64
	Metric string          // first part of the samples table's sort key
	Labels []seamark.Label // sorted, including __name__
}

// ListMetricSeries returns the series that match, each once, in no particular order. It reads the series table alone.
func (s *Store) ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q MetricSeriesQuery) ([]MetricSeries, error) {
	b := metricSeriesSQL(&q)
	var list []MetricSeries
	unpack := labelUnpacker{names: map[string]string{}}
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var series MetricSeries
			if err := rows.Scan(&series.FP, &series.Metric, &unpack.nameText, &unpack.nameSizes, &unpack.valueText, &unpack.valueSizes); err != nil {
				return err
			}
			series.Labels = unpack.labels()
			series.Metric = unpack.intern(series.Metric)
			list = append(list, series)
		}
		return rows.Err()
	})
	return list, err
}

// labelUnpacker turns a label set that the server packed into four texts back into labels. Scanning a map or arrays costs
// the driver several allocations per label, five times the time of the whole look-up.
type labelUnpacker struct {
	nameText, valueText   string
	nameSizes, valueSizes []byte // little-endian uint32 lengths
	names                 map[string]string
}

// intern returns one copy of a name, of which there are few over many series.
func (u *labelUnpacker) intern(name string) string {
	if known, ok := u.names[name]; ok {
		return known
	}
	u.names[name] = name
	return name
}

func (u *labelUnpacker) labels() []seamark.Label {
	const size = 4
	list := make([]seamark.Label, 0, len(u.nameSizes)/size)
	names, values := u.nameText, u.valueText
	for at := 0; at+size <= len(u.nameSizes); at += size {
		n, v := binary.LittleEndian.Uint32(u.nameSizes[at:]), binary.LittleEndian.Uint32(u.valueSizes[at:])
		list = append(list, seamark.Label{Name: u.intern(names[:n]), Value: values[:v]})
		names, values = names[n:], values[v:]
	}
	seamark.SortLabels(list)
	return list
}

// MetricSamplesQuery selects samples of series that ListMetricSeries returned.
type MetricSamplesQuery struct {
	Metrics []string
	FPs     []uint64 // nil reads every series of the metrics
	// Whole says that FPs are all series of the metrics that the range has. The server then reads the metrics without looking for
	// each of them; a series that came meanwhile may be among the result.
	Whole      bool
	StartMilli int64 // both ends are included
	EndMilli   int64
	Last       bool // only the newest sample of each series
	Limit      int  // at most so many samples in all, of any series
}

// MetricSamples are samples of one series in the order of time, one per timestamp. Values keep their exact bits.
type MetricSamples struct {
	FP     uint64
	Times  []int64 // milliseconds since 1970
	Values []float64
}

// ListMetricSamples returns the samples by series, in no particular order of series, and how many rows it read for them.
//
// The same timestamp may be stored twice, by two senders of one series or by one that sent again. Which came last cannot
// be known, so the value with the largest bit pattern is taken: the same one on every read.
func (s *Store) ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q MetricSamplesQuery) (list []MetricSamples, rowsRead int, err error) {
	if len(q.Metrics) == 0 || q.StartMilli > q.EndMilli || q.FPs != nil && len(q.FPs) == 0 {
		return nil, 0, nil
	}
	b := metricSamplesSQL(&q)
	_, err = s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var times, values []byte
		for rows.Next() {
			var one MetricSamples
			if err := rows.Scan(&one.FP, &times, &values); err != nil {
				return err
			}
			one.Times, one.Values = unpackInt64s(times), unpackFloat64s(values)
			rowsRead += len(one.Times)
			one.tidy()
			list = append(list, one)
		}
		return rows.Err()
	})
	return list, rowsRead, err
}

// unpackInt64s reads what the server's reinterpret() made of an array: its memory, little-endian.
func unpackInt64s(raw []byte) []int64 {
	list := make([]int64, len(raw)/8)
	for i := range list {
		list[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return list
}

func unpackFloat64s(raw []byte) []float64 {
	list := make([]float64, len(raw)/8)
	for i := range list {
		list[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return list
}

// tidy sorts the samples and keeps one per timestamp. Rows of one part arrive in order and parts mostly do not overlap,
// so nearly always it only looks: that is cheaper than having the server sort.
func (m *MetricSamples) tidy() {
	rising := true
	for i := 1; i < len(m.Times) && rising; i++ {
		rising = m.Times[i-1] < m.Times[i]
	}
	if rising || m.joinRuns() {
		return
	}
	order := make([]int, len(m.Times))
	for i := range order {
		order[i] = i
	}
	bits := func(i int) uint64 { return math.Float64bits(m.Values[i]) }
	slices.SortFunc(order, func(a, b int) int {
		// The largest bits stand first: they are kept.
		return cmp.Or(cmp.Compare(m.Times[a], m.Times[b]), cmp.Compare(bits(b), bits(a)))
	})
	times, values := make([]int64, 0, len(order)), make([]float64, 0, len(order))
	for _, i := range order {
		if n := len(times); n > 0 && times[n-1] == m.Times[i] {
			continue
		}
		times, values = append(times, m.Times[i]), append(values, m.Values[i])
	}
	m.Times, m.Values = times, values
}

// joinRuns orders samples that are a few rising runs, one after the other in time, as those of several days' parts are. It
// reports false, and changes nothing, when runs overlap.
func (m *MetricSamples) joinRuns() bool {
	starts := []int{0}
	for i := 1; i < len(m.Times); i++ {
		if m.Times[i-1] >= m.Times[i] {
			starts = append(starts, i)
		}
	}
	if len(starts) > len(m.Times)/8 {
		return false
	}
	ends := append(slices.Clone(starts[1:]), len(m.Times))
	order := make([]int, len(starts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(m.Times[starts[a]], m.Times[starts[b]]) })
	for i := 1; i < len(order); i++ {
		if m.Times[ends[order[i-1]]-1] >= m.Times[starts[order[i]]] {
			return false
		}
	}
	times, values := make([]int64, 0, len(m.Times)), make([]float64, 0, len(m.Times))
	for _, run := range order {
		times, values = append(times, m.Times[starts[run]:ends[run]]...), append(values, m.Values[starts[run]:ends[run]]...)
	}
	m.Times, m.Values = times, values
	return true
}
