package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// scanIndex reads a week as text, by fingerprint.
func scanIndex(t *testing.T, s *store.Store, q store.SeriesIndexQuery) map[uint64]string {
	t.Helper()
	found := map[uint64]string{}
	require.NoError(t, s.ScanSeriesIndex(t.Context(), tenantA, q, func(one *store.IndexedSeries) error {
		_, twice := found[one.FP]
		require.False(t, twice, "series %d comes twice", one.FP)
		found[one.FP] = fmt.Sprintf("%07b %s %v", one.Days, one.Name, one.Labels)
		return nil
	}))
	return found
}

// newestBlock returns the largest number of an insert among the parts.
func newestBlock(t *testing.T, s *store.Store) int64 {
	t.Helper()
	parts, err := s.ListSeriesIndexParts(t.Context(), tenantA)
	require.NoError(t, err)
	newest := int64(-1)
	for _, p := range parts {
		newest = max(newest, p.MaxBlock)
	}
	return newest
}

const monday = 20773 // 2026-11-16, in days since 1970

// seriesOn returns a batch with one sample of the series on each of the days of the week.
func seriesOn(series *seamark.Series, days ...int64) *seamark.Batch {
	b := &seamark.Batch{}
	ref := b.Samples.AddSeries(series)
	for _, day := range days {
		b.Samples.Append(ref, (monday+day)*24*3600_000, 1)
	}
	return b
}

func TestSeriesIndexReadsWhatIsNew(t *testing.T) {
	s := open(t, 47)
	require.Equal(t, int64(-1), newestBlock(t, s))
	insertBatch(t, s, 1, seriesOn(metricSeries(1, "__name__", "m", "a", "x"), 0, 2))
	first := newestBlock(t, s)
	insertBatch(t, s, 2, seriesOn(metricSeries(1, "__name__", "m", "a", "x"), 6, 7))
	insertBatch(t, s, 3, seriesOn(metricSeries(2, "__name__", "n"), 3))

	whole := map[uint64]string{1: "1000101 m [{__name__ m} {a x}]", 2: "0001000 n [{__name__ n}]"}
	require.Equal(t, whole, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday, After: -1}))
	require.Equal(t, map[uint64]string{1: "0000001 m [{__name__ m} {a x}]"}, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday + 7, After: -1}))
	last := newestBlock(t, s)
	require.Empty(t, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday, After: last}))

	require.NoError(t, adminConn(t).Exec(t.Context(), "OPTIMIZE TABLE t0047.series FINAL"))
	require.Equal(t, last, newestBlock(t, s), "a merge brings no new insert")
	require.Equal(t, whole, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday, After: first}), "the merged part holds the new rows")
	require.Empty(t, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday, After: last}))
}

// TestSeriesIndexPartsShowChanges checks that what a merge, a deletion and a drop do to the parts can be told apart.
func TestSeriesIndexPartsShowChanges(t *testing.T) {
	s, admin := open(t, 48), adminConn(t)
	for i := range 3 {
		insertBatch(t, s, uint64(i+1), seriesOn(metricSeries(uint64(i), "__name__", "m"), int64(i)))
	}
	require.NoError(t, admin.Exec(t.Context(), "OPTIMIZE TABLE t0048.series FINAL"))
	parts, err := s.ListSeriesIndexParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Equal(t, []store.SeriesIndexPart{{Week: monday, MinBlock: 1, MaxBlock: 3}}, parts)

	require.NoError(t, admin.Exec(t.Context(), "ALTER TABLE t0048.series DELETE WHERE fp = 1 SETTINGS mutations_sync = 2"))
	parts, err = s.ListSeriesIndexParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, parts, 1)
	require.Positive(t, parts[0].Mutation)

	require.NoError(t, admin.Exec(t.Context(), "ALTER TABLE t0048.series DROP PARTITION '2026-11-16'"))
	parts, err = s.ListSeriesIndexParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Empty(t, parts)
}

func TestSeriesIndexTakesAnyText(t *testing.T) {
	s := open(t, 49)
	b := &seamark.Batch{}
	want := map[uint64]string{}
	for i, text := range hostile {
		series := metricSeries(uint64(i), "__name__", "m"+text, "text", text, text+"_name", "v")
		b.Samples.Append(b.Samples.AddSeries(series), time.UnixMilli(monday*24*3600_000).UnixMilli(), 1)
		want[series.FP] = fmt.Sprintf("0000001 %s %v", series.Name, series.Labels)
	}
	insertBatch(t, s, 1, b)
	require.Equal(t, want, scanIndex(t, s, store.SeriesIndexQuery{Kind: seamark.MetricSeries, Week: monday, After: -1}))
}
