package store_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// mondayMilli is the beginning of monday.
const mondayMilli = monday * 24 * 3600_000

// sampleBatch returns a batch with samples of one series, all of the value.
func sampleBatch(series *seamark.Series, value float64, times ...int64) *seamark.Batch {
	b := &seamark.Batch{}
	ref := b.Samples.AddSeries(series)
	for _, t := range times {
		b.Samples.Append(ref, mondayMilli+t, value)
	}
	return b
}

func sampleParts(t *testing.T, s *store.Store) []store.SamplePart {
	t.Helper()
	parts, err := s.ListSampleParts(t.Context(), tenantA)
	require.NoError(t, err)
	slices.SortFunc(parts, func(a, b store.SamplePart) int { return int(a.MinBlock - b.MinBlock) })
	return parts
}

func TestSamplePartsShowWhatTheyHold(t *testing.T) {
	s, admin := open(t, 85), adminConn(t)
	require.Empty(t, sampleParts(t, s))
	up := metricSeries(1, "__name__", "up")
	insertBatch(t, s, 1<<8, sampleBatch(up, 1, 5, 1000))
	insertBatch(t, s, 2<<8, sampleBatch(up, 1, 2000))
	insertBatch(t, s, 3<<8, sampleBatch(up, 1, 24*3600_000))
	parts := sampleParts(t, s)
	require.Equal(t, []store.SamplePart{
		{Day: monday, MinBlock: 1, MaxBlock: 1, Rows: 2, FirstMilli: mondayMilli + 5, LastMilli: mondayMilli + 1000},
		{Day: monday, MinBlock: 2, MaxBlock: 2, Rows: 1, FirstMilli: mondayMilli + 2000, LastMilli: mondayMilli + 2000},
		{Day: monday + 1, MinBlock: 3, MaxBlock: 3, Rows: 1, FirstMilli: mondayMilli + 24*3600_000, LastMilli: mondayMilli + 24*3600_000},
	}, parts)

	require.NoError(t, admin.Exec(t.Context(), "OPTIMIZE TABLE t0085.samples FINAL"))
	merged := sampleParts(t, s)[0]
	require.Equal(t, store.SamplePart{Day: monday, MinBlock: 1, MaxBlock: 2, Rows: 3, FirstMilli: mondayMilli + 5, LastMilli: mondayMilli + 2000}, merged)

	require.NoError(t, admin.Exec(t.Context(), "ALTER TABLE t0085.samples DELETE WHERE ts = fromUnixTimestamp64Milli("+fmt.Sprint(mondayMilli+5)+", 'UTC') SETTINGS mutations_sync = 2"))
	deleted := sampleParts(t, s)[0]
	require.Positive(t, deleted.Mutation)
	require.Equal(t, uint64(2), deleted.Rows)
	require.NoError(t, admin.Exec(t.Context(), "ALTER TABLE t0085.samples DROP PARTITION '2026-11-16'"))
	require.Len(t, sampleParts(t, s), 1)
}

var errStop = errors.New("enough")

func TestScanMetricSamplesIsListMetricSamples(t *testing.T) {
	s := open(t, 86)
	up, down := metricSeries(1, "__name__", "up"), metricSeries(2, "__name__", "down")
	insertBatch(t, s, 1<<8, sampleBatch(up, 1, 0, 10, 20, 30))
	insertBatch(t, s, 2<<8, sampleBatch(up, 2, 20, 5, 24*3600_000))
	insertBatch(t, s, 3<<8, sampleBatch(down, math.NaN(), 7, 10))
	insertBatch(t, s, 4<<8, sampleBatch(metricSeries(3, "__name__", "up"), 9, 7))
	got := map[uint64]string{}
	q := store.SampleScanQuery{Metrics: []string{"up", "down"}, FPs: []uint64{1, 2, 4}, StartMilli: mondayMilli + 5, EndMilli: mondayMilli + 24*3600_000}
	require.NoError(t, s.ScanMetricSamples(t.Context(), tenantA, q, func(one *store.MetricSamples) error {
		got[one.FP] = fmt.Sprint(one.Times, one.Values)
		return nil
	}))
	list, _, err := s.ListMetricSamples(t.Context(), tenantA, store.MetricSamplesQuery{
		Metrics: q.Metrics, FPs: q.FPs, StartMilli: q.StartMilli, EndMilli: q.EndMilli, Limit: 100,
	})
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, one := range list {
		require.Equal(t, fmt.Sprint(one.Times, one.Values), got[one.FP])
	}
	require.ErrorIs(t, s.ScanMetricSamples(t.Context(), tenantA, q, func(*store.MetricSamples) error { return errStop }), errStop)
}

// news reads what is new as text, sorted, and the newest batch of each shard.
func news(t *testing.T, s *store.Store, q store.SampleNewsQuery) (rows []string, newest map[uint8]uint64) {
	t.Helper()
	newest = map[uint8]uint64{}
	q.StartMilli, q.EndMilli = mondayMilli, mondayMilli+7*24*3600_000
	if q.To == 0 {
		q.To = math.MaxInt64
	}
	require.NoError(t, s.ScanSampleNews(t.Context(), tenantA, q, func(n *store.SampleNews) error {
		for i := range n.FPs {
			rows = append(rows, fmt.Sprint(n.FPs[i], "@", n.Times[i]-mondayMilli, "=", n.Values[i]))
		}
		newest[n.Shard] = max(newest[n.Shard], n.Newest)
		return nil
	}))
	slices.Sort(rows)
	return rows, newest
}

func TestSampleNewsAreWhatTheCallerHasNotRead(t *testing.T) {
	s, admin := open(t, 87), adminConn(t)
	up := metricSeries(1, "__name__", "up")
	insertBatch(t, s, 10<<8|1, sampleBatch(up, 1, 0))
	insertBatch(t, s, 11<<8|1, sampleBatch(up, 2, 1))
	insertBatch(t, s, 10<<8|2, sampleBatch(metricSeries(2, "__name__", "down"), 3, 2))
	q := store.SampleNewsQuery{After: -1, Until: 3}
	rows, newest := news(t, s, q)
	require.Equal(t, []string{"1@0=1", "1@1=2", "2@2=3"}, rows)
	require.Equal(t, map[uint8]uint64{1: 11<<8 | 1, 2: 10<<8 | 2}, newest)
	q.Metrics = []string{"down"}
	rows, _ = news(t, s, q)
	require.Equal(t, []string{"2@2=3"}, rows)
	q.Metrics, q.Above, q.To = nil, 1, 2
	rows, _ = news(t, s, q)
	require.Equal(t, []string{"1@1=2"}, rows)

	// One insert is new, and merged with all that were read.
	insertBatch(t, s, 12<<8|1, sampleBatch(up, 4, 3))
	require.NoError(t, admin.Exec(t.Context(), "OPTIMIZE TABLE t0087.samples FINAL"))
	q = store.SampleNewsQuery{After: 3, Until: 4, Newest: newest}
	rows, newest = news(t, s, q)
	require.Equal(t, []string{"1@1=2", "1@3=4", "2@2=3"}, rows, "the newest batches that were read are read again, older ones are not")
	require.Equal(t, uint64(12<<8|1), newest[1])
	q.Newest = nil
	rows, _ = news(t, s, q)
	require.Len(t, rows, 4)
	q.After, q.Newest = 4, newest
	rows, _ = news(t, s, q)
	require.Empty(t, rows)

	// What is whole and new is read whole, and what no listing has shown says nothing of what was visible before.
	insertBatch(t, s, 2<<8|1, sampleBatch(up, 5, 4))
	rows, newest = news(t, s, q)
	require.Equal(t, []string{"1@4=5"}, rows)
	require.Equal(t, map[uint8]uint64{1: 0}, newest)
}

func TestHistogramMetrics(t *testing.T) {
	s := open(t, 88)
	names, err := s.ListHistogramMetrics(t.Context(), tenantA, -1)
	require.NoError(t, err)
	require.Empty(t, names)
	parts, err := s.ListHistogramParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Empty(t, parts)
	for i, name := range []string{"a", "it's"} {
		b := &seamark.Batch{}
		ref := b.Samples.AddSeries(metricSeries(uint64(i), "__name__", name))
		b.Histograms.Append(&seamark.HistogramRow{Series: ref, TimeMilli: mondayMilli, Data: "data"})
		insertBatch(t, s, uint64(i+1)<<8, b)
	}
	names, err = s.ListHistogramMetrics(t.Context(), tenantA, -1)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", "it's"}, names)
	names, err = s.ListHistogramMetrics(t.Context(), tenantA, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"it's"}, names)
	parts, err = s.ListHistogramParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, parts, 2)
}

// BenchmarkSampleParts measures the listing of a tenant with thirty days of five parts.
func BenchmarkSampleParts(b *testing.B) {
	s, up := open(b, 89), metricSeries(1, "__name__", "up")
	_, err := s.EnsureTenant(b.Context(), tenantA)
	require.NoError(b, err)
	require.NoError(b, adminConn(b).Exec(b.Context(), "SYSTEM STOP MERGES t0089.samples"))
	for i := range int64(150) {
		insertBatch(b, s, uint64(i+1)<<8, sampleBatch(up, 1, i%30*24*3600_000+i))
	}
	for b.Loop() {
		parts, err := s.ListSampleParts(b.Context(), tenantA)
		require.NoError(b, err)
		require.Len(b, parts, 150)
	}
}
