package seriesindex_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

// openStore returns a store whose two tenants have the numbers from number on.
func openStore(t testing.TB, number seamark.TenantNumber) *store.Store {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(id seamark.TenantID) (seamark.TenantNumber, error) {
			switch id {
			case tenantA:
				return number, nil
			case tenantB:
				return number + 1, nil
			}
			return 0, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "No such tenant.")
		},
		Dial: engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// storeMonday is the last Monday: the store's retention takes series of days that are long ago.
var storeMonday = func() int32 {
	const week = 7
	today := int32(time.Now().Unix() / (24 * 3600))
	return today - (today-monday)%week
}()

// openIndex returns an index over s with a clock that does not move by itself.
func openIndex(t testing.TB, s *store.Store) (*seriesindex.Index, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock(time.UnixMilli(int64(storeMonday) * 24 * 3600_000))
	x, err := seriesindex.New(seriesindex.Options{
		Store: s, MaxBytes: 4 << 30, Refresh: seriesindex.DefaultRefresh, Now: clock.Now,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	seriesindex.WaitFor(x, time.Minute)
	return x, clock
}

// seriesDays is what insertSeries stores.
type seriesDays struct {
	store.MetricSeries
	days []int32
}

// insertSeries stores the series' rows as the writer does.
func insertSeries(t testing.TB, s *store.Store, tenant seamark.TenantID, batch uint64, list []seriesDays) {
	t.Helper()
	b := &seamark.Batch{}
	for i := range list {
		one := &list[i]
		ref := b.Samples.AddSeries(&seamark.Series{Kind: seamark.MetricSeries, FP: one.FP, Name: one.Metric, Labels: one.Labels})
		for _, day := range one.days {
			b.Samples.Append(ref, int64(day)*24*3600_000, 1)
		}
	}
	insertSeriesRows(t, s, tenant, batch, b)
}

// insertSeriesRows stores the rows of the series table that the batch makes, and no others.
func insertSeriesRows(t testing.TB, s *store.Store, tenant seamark.TenantID, batch uint64, b *seamark.Batch) {
	t.Helper()
	encoded, err := store.NewEncoder().Encode(b, time.UnixMilli(int64(storeMonday)*24*3600_000))
	require.NoError(t, err)
	blocks := map[int32]*store.Block{}
	for _, seg := range encoded.Segments {
		if seg.Table != store.TableSeries {
			continue
		}
		if blocks[seg.Day] == nil {
			blocks[seg.Day] = &store.Block{Table: seg.Table, Day: seg.Day, BatchID: batch}
		}
		blocks[seg.Day].Segments = append(blocks[seg.Day].Segments, seg)
	}
	for _, block := range blocks {
		require.NoError(t, s.Insert(t.Context(), tenant, block))
	}
}

// The texts of the differential test: few enough that they meet, odd enough to tell one rule from another.
var (
	randomNames  = []string{"a", "b", "pod", "zone", "héllo.wörld", "quo'te", "back\\slash"}
	randomValues = []string{"x", "y", "xy", "Xy", "x\ny", "x.y", "a|b", "'", "\\", "世界", " ", "10.0.0.1:8080", "prod-1", "prod-2", "prod-10"}
	randomExprs  = []string{
		"", ".*", ".+", "x", "x.*", ".*y", "x|y", "x|", "|", "(x|y)?", "x.y", "(?i)XY", "(?-s)x.y", "[^x]+", "prod-[0-9]", "prod-(1|2)",
		`\d+\..*`, `a\|b`, "世.", "^x$", "^x", "y$", "x?y?", "(?:prod-1|prod-2|x)", "a||b", `\\`, "'", ".", "prod-.*|x\ny", "[[:alpha:]]+", "(x)(y)", "\n",
	}
	randomMetrics = []string{"up", "http_requests_total", "http_requests", "m.with.dots", "it's"}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func randomSeries(r *rand.Rand) seriesDays {
	metric := pick(r, randomMetrics)
	var pairs []string
	for _, name := range randomNames {
		switch {
		case r.IntN(3) > 0:
			pairs = append(pairs, name, pick(r, randomValues))
		case r.IntN(4) == 0:
			pairs = append(pairs, name, fmt.Sprint("only-", r.IntN(1000)))
		}
	}
	s := seriesDays{MetricSeries: series(r.Uint64(), metric, pairs...)}
	for range 1 + r.IntN(4) {
		s.days = append(s.days, storeMonday-10+r.Int32N(25))
	}
	return s
}

func randomMatcher(r *rand.Rand) store.MetricMatcher {
	m := store.MetricMatcher{Name: pick(r, append(randomNames, "__name__", "absent")), Op: store.MetricOp(r.IntN(6))}
	text := func() string {
		if m.Name == "__name__" {
			return pick(r, append(randomMetrics, ""))
		}
		return pick(r, append(randomValues, ""))
	}
	switch m.Op {
	case store.MetricIn, store.MetricNotIn:
		for range 1 + r.IntN(4) {
			m.Values = append(m.Values, text())
		}
	case store.MetricMatches, store.MetricNotMatches:
		m.Value = pick(r, append(randomExprs, "up", "http.*", ".*total|up"))
	case store.MetricEquals, store.MetricNotEquals:
		m.Value = text()
	}
	return m
}

func randomQuery(r *rand.Rand) store.MetricSeriesQuery {
	q := store.MetricSeriesQuery{Limit: 1 << 20}
	for range r.IntN(4) {
		q.Matchers = append(q.Matchers, randomMatcher(r))
	}
	day := func() int64 {
		return (int64(storeMonday)-12+r.Int64N(29))*24*3600_000 + []int64{0, 1, 12 * 3600_000, 24*3600_000 - 1}[r.IntN(4)]
	}
	q.StartMilli, q.EndMilli = day(), day()
	switch r.IntN(8) {
	case 0: // a range that may run backwards
	case 1:
		q.StartMilli, q.EndMilli = math.MinInt64, math.MaxInt64
	default:
		q.StartMilli, q.EndMilli = min(q.StartMilli, q.EndMilli), max(q.StartMilli, q.EndMilli)
	}
	if r.IntN(5) == 0 {
		q.Limit = 1 + r.IntN(20)
	}
	return q
}

// TestIndexIsTheStore asks the index and the store random questions while series arrive and parts merge.
func TestIndexIsTheStore(t *testing.T) {
	s, r := openStore(t, 60), testkit.Seed(t)
	x, clock := openIndex(t, s)
	const rounds = 24
	questions := testkit.Rounds(t, 12)
	for round := range uint64(rounds) {
		var list []seriesDays
		for range 1 + r.IntN(60) {
			list = append(list, randomSeries(r))
		}
		insertSeries(t, s, tenantA, round+1, list)
		clock.Advance(seriesindex.DefaultRefresh)
		for range questions {
			compare(t, s, x, r)
		}
	}
	require.Equal(t, "query 0 closed 0 size 0 wait 0 failure 0 ", storeLookups(x), "the index answers every question")
}

// compare asks one random question.
func compare(t *testing.T, s *store.Store, x *seriesindex.Index, r *rand.Rand) {
	t.Helper()
	q, name := randomQuery(r), pick(r, append(randomNames, "__name__", "absent"))
	switch r.IntN(4) {
	case 3:
		q := randomCardinality(r)
		want, err := s.CountCardinality(t.Context(), tenantA, q)
		require.NoError(t, err, "%+v", q)
		got, err := x.CountCardinality(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, want, got, "%+v", q)
	case 0:
		want, err := s.ListMetricLabelNames(t.Context(), tenantA, q)
		require.NoError(t, err, "%+v", q)
		got, err := x.ListMetricLabelNames(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, want, got, "label names of %+v", q)
	case 1:
		want, err := s.ListMetricLabelValues(t.Context(), tenantA, name, q)
		require.NoError(t, err, "%+v", q)
		got, err := x.ListMetricLabelValues(t.Context(), tenantA, name, q)
		require.NoError(t, err)
		require.ElementsMatch(t, want, got, "values of %q of %+v", name, q)
		require.True(t, slices.IsSorted(got))
	default:
		compareSeries(t, s, x, q)
	}
}

func compareSeries(t *testing.T, s *store.Store, x *seriesindex.Index, q store.MetricSeriesQuery) {
	t.Helper()
	limit := q.Limit
	q.Limit = 1 << 20
	want, err := s.ListMetricSeries(t.Context(), tenantA, q)
	require.NoError(t, err, "%+v", q)
	q.Limit = limit
	got, err := x.ListMetricSeries(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(got, byLabels), "order of %+v", q)
	byFP := func(a, b store.MetricSeries) int { return cmp.Compare(a.FP, b.FP) }
	slices.SortFunc(want, byFP)
	slices.SortFunc(got, byFP)
	if len(want) <= limit {
		require.Equal(t, want, got, "series of %+v", q)
		return
	}
	require.Len(t, got, limit, "series of %+v", q)
	for _, one := range got {
		require.Contains(t, want, one)
	}
}

// byLabels compares as Prometheus does.
func byLabels(a, b store.MetricSeries) int {
	toLabels := func(s store.MetricSeries) labels.Labels {
		builder := labels.NewScratchBuilder(len(s.Labels))
		for _, l := range s.Labels {
			builder.Add(l.Name, l.Value)
		}
		return builder.Labels()
	}
	return labels.Compare(toLabels(a), toLabels(b))
}

// TestIndexUnderConcurrentUse reads while series arrive; what was there before a question was asked must be in its answer.
func TestIndexUnderConcurrentUse(t *testing.T) {
	w := newTwin()
	x, clock := newIndex(t, w)
	const total, readers = 400, 4
	var stored sync.Mutex
	n := uint64(0)
	var group sync.WaitGroup
	group.Go(func() {
		for i := range uint64(total) {
			w.insert(tenantA, series(i+1, "up", "pod", fmt.Sprint("p", i), "zone", fmt.Sprint(i%7)), monday+int32(i%14))
			if i%50 == 0 {
				w.mergeParts(tenantA)
			}
			x.Changed(tenantA)
			stored.Lock()
			n = i + 1
			stored.Unlock()
			clock.Advance(time.Millisecond)
			if i%100 == 99 {
				x.Forget(tenantA)
			}
		}
	})
	for range readers {
		group.Go(func() {
			for seen := uint64(0); seen < total; {
				stored.Lock()
				seen = n
				stored.Unlock()
				if seen < total {
					clock.Advance(250 * time.Millisecond)
				} else {
					clock.Advance(seriesindex.DefaultRefresh)
				}
				list, err := x.ListMetricSeries(t.Context(), tenantA, onDays(monday, monday+13, store.MetricMatcher{Name: "zone", Op: store.MetricMatches, Value: "[0-6]"}))
				if err != nil || uint64(len(list)) < seen {
					t.Errorf("got %d series, %v, want at least %d", len(list), err, seen)
					return
				}
			}
		})
	}
	group.Wait()
}
