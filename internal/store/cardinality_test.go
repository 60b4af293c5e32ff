package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// cardinalityData has on Tuesday 4 series of up, one of them new, and 2 of down; Monday had 3 and 4. Every series has one
// sample a day, those of up on Tuesday two more.
func cardinalityData(batch *seamark.Batch) {
	add := func(series *seamark.Series, perDay map[int64]int64) {
		ref := batch.Samples.AddSeries(series)
		for _, day := range slices.Sorted(maps.Keys(perDay)) {
			for i := range perDay[day] {
				batch.Samples.Append(ref, (monday+day)*24*3600_000+i, 1)
			}
		}
	}
	for i := range uint64(3) {
		add(metricSeries(i, "__name__", "up", "pod", fmt.Sprint("p", i), "zone", "a"), map[int64]int64{0: 1, 1: 3})
	}
	add(metricSeries(3, "__name__", "up", "pod", "p3", "zone", "b"), map[int64]int64{1: 3})
	for i := range uint64(4) {
		days := map[int64]int64{0: 1}
		if i < 2 {
			days[1] = 1
		}
		add(metricSeries(10+i, "__name__", "down", "pod", "p0", "i", fmt.Sprint(i)), days)
	}
}

func tuesday(change func(*store.CardinalityQuery)) store.CardinalityQuery {
	q := store.CardinalityQuery{FirstDay: monday + 1, LastDay: monday + 1, Limit: 10, Samples: true}
	if change != nil {
		change(&q)
	}
	return q
}

func TestCountCardinality(t *testing.T) {
	s := open(t, 80)
	b := &seamark.Batch{}
	cardinalityData(b)
	insertBatch(t, s, 1, b)
	count := func(change func(*store.CardinalityQuery)) *store.Cardinality {
		t.Helper()
		c, err := s.CountCardinality(t.Context(), tenantA, tuesday(change))
		require.NoError(t, err)
		return c
	}
	total := store.CardinalityCount{Series: 6, Before: 7, Appeared: 1, Vanished: 2, Samples: 14}
	up, down := store.CardinalityCount{Series: 4, Before: 3, Appeared: 1, Samples: 12}, store.CardinalityCount{Series: 2, Before: 4, Vanished: 2, Samples: 2}
	require.Equal(t, &store.Cardinality{Total: total, Entries: 2, List: []store.CardinalityEntry{
		{Name: "up", CardinalityCount: up}, {Name: "down", CardinalityCount: down},
	}}, count(nil))
	require.Equal(t, int64(1), up.Growth())
	require.Equal(t, int64(-2), down.Growth())
	require.Equal(t, uint64(2), down.Churn())
	require.Equal(t, &store.Cardinality{Total: total, Entries: 4, Values: 2 + 4 + 2 + 2, List: []store.CardinalityEntry{
		{Name: "__name__", CardinalityCount: total, Values: 2, ValueBytes: 4*2 + 2*4}, {Name: "pod", CardinalityCount: total, Values: 4, ValueBytes: 12},
		{Name: "zone", CardinalityCount: up, Values: 2, ValueBytes: 4}, {Name: "i", CardinalityCount: down, Values: 2, ValueBytes: 2},
	}}, count(func(q *store.CardinalityQuery) { q.By = store.ByLabel }))

	c := count(func(q *store.CardinalityQuery) { q.By, q.Order, q.Limit = store.ByPair, store.OrderChurn, 2 })
	require.Equal(t, 2+4+2+4, c.Entries)
	require.Equal(t, total, c.Total)
	require.Equal(t, []store.CardinalityEntry{
		{Name: "pod", Value: "p0", CardinalityCount: store.CardinalityCount{Series: 3, Before: 5, Vanished: 2, Samples: 5}},
		{Name: "__name__", Value: "down", CardinalityCount: down},
	}, c.List)

	c = count(func(q *store.CardinalityQuery) {
		q.By, q.Label, q.Order = store.ByLabelValue, "zone", store.OrderGrowth
	})
	require.Equal(t, 2, c.Entries)
	require.Equal(t, total, c.Total)
	require.Equal(t, []store.CardinalityEntry{
		{Name: "zone", Value: "b", CardinalityCount: store.CardinalityCount{Series: 1, Appeared: 1, Samples: 3}},
		{Name: "zone", Value: "a", CardinalityCount: store.CardinalityCount{Series: 3, Before: 3, Samples: 9}},
	}, c.List)

	c = count(func(q *store.CardinalityQuery) {
		q.Sets = [][]store.MetricMatcher{{{Name: "zone", Value: "b"}}, {{Name: "pod", Value: "p3"}}, {{Name: "__name__", Value: "down"}, {Name: "i", Value: "0"}}}
	})
	require.Equal(t, store.CardinalityCount{Series: 2, Before: 1, Appeared: 1, Samples: 4}, c.Total)
	c = count(func(q *store.CardinalityQuery) { q.Samples, q.FirstDay, q.LastDay = false, monday, monday+1 })
	require.Equal(t, store.CardinalityCount{Series: 8, Appeared: 8}, c.Total)
	c = count(func(q *store.CardinalityQuery) { q.FirstDay, q.LastDay = monday-1, monday-1 })
	require.Equal(t, &store.Cardinality{}, c)
}

// TestCountCardinalityCountsHistograms has a series with floats and native histograms, as when an exporter changes over.
func TestCountCardinalityCountsHistograms(t *testing.T) {
	s := open(t, 81)
	b := &seamark.Batch{}
	ref := b.Samples.AddSeries(metricSeries(1, "__name__", "latency"))
	b.Samples.Append(ref, (monday+1)*24*3600_000, 1)
	for i := range int64(3) {
		b.Histograms.Append(&seamark.HistogramRow{Series: ref, TimeMilli: (monday+1)*24*3600_000 + i, Data: "x"})
	}
	insertBatch(t, s, 1, b)
	c, err := s.CountCardinality(t.Context(), tenantA, tuesday(nil))
	require.NoError(t, err)
	require.Equal(t, store.CardinalityCount{Series: 1, Appeared: 1, Samples: 4}, c.Total)
	n := uint64(0)
	require.NoError(t, s.ScanSeriesSamples(t.Context(), tenantA, tuesday(nil), func(fp, samples uint64) {
		require.Equal(t, uint64(1), fp)
		n += samples
	}))
	require.Equal(t, uint64(4), n)
}

func TestCountCardinalityRefuses(t *testing.T) {
	s, b := open(t, 82), &seamark.Batch{}
	cardinalityData(b)
	insertBatch(t, s, 1, b)
	for id, changes := range map[string][]func(*store.CardinalityQuery){
		"seamark-cardinality-limit": {
			func(q *store.CardinalityQuery) { q.Limit = 0 }, func(q *store.CardinalityQuery) { q.Limit = store.MaxCardinalityEntries + 1 },
		},
		"seamark-cardinality-days": {
			func(q *store.CardinalityQuery) { q.FirstDay = q.LastDay + 1 }, func(q *store.CardinalityQuery) { q.FirstDay -= store.MaxCardinalityDays },
			func(q *store.CardinalityQuery) { q.FirstDay, q.LastDay = -1, 0 }, func(q *store.CardinalityQuery) { q.FirstDay, q.LastDay = 65536, 65536 },
		},
		"seamark-cardinality-order": {
			func(q *store.CardinalityQuery) { q.Order = store.OrderValues }, func(q *store.CardinalityQuery) { q.Order, q.Samples = store.OrderSamples, false },
		},
		"seamark-cardinality-label": {func(q *store.CardinalityQuery) { q.By = store.ByLabelValue }, func(q *store.CardinalityQuery) { q.Label = "a" }},
		"seamark-query-regexp": {func(q *store.CardinalityQuery) {
			q.Sets = [][]store.MetricMatcher{{{Name: "a", Op: store.MetricMatches, Value: "("}}}
		}},
	} {
		for _, change := range changes {
			_, err := s.CountCardinality(t.Context(), tenantA, tuesday(change))
			require.Equal(t, seamark.Invalid, seamark.KindOf(err), "%v", err)
			var fault *seamark.Error
			require.ErrorAs(t, err, &fault)
			require.Equal(t, id, fault.ID)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.CountCardinality(gone, tenantA, tuesday(nil))
	require.Equal(t, seamark.Canceled, seamark.KindOf(err))
}

// TestCountCardinalityIsItsModel compares random questions with a count that is written as plainly as possible.
func TestCountCardinalityIsItsModel(t *testing.T) {
	s, r := open(t, 83), testkit.Seed(t)
	var model []modelSeries
	for batch := range uint64(4) {
		b := &seamark.Batch{}
		for range 60 {
			model = append(model, randomModelSeries(r, b))
		}
		insertBatch(t, s, batch+1, b)
	}
	for range testkit.Rounds(t, 40) {
		q := randomCardinality(r)
		got, err := s.CountCardinality(t.Context(), tenantA, q)
		require.NoError(t, err, "%+v", q)
		require.Equal(t, countModel(model, &q), got, "%+v", q)
	}
}

// modelSeries is a series with its samples by day.
type modelSeries struct {
	labels map[string]string
	days   map[int32]uint64
}

func randomModelSeries(r *rand.Rand, b *seamark.Batch) modelSeries {
	one := modelSeries{map[string]string{"__name__": fmt.Sprint("m", r.IntN(4))}, map[int32]uint64{}}
	for i := range r.IntN(4) {
		one.labels[fmt.Sprint("l", i)] = hostile[r.IntN(len(hostile))] + "."
	}
	pairs := []string{}
	for _, name := range slices.Sorted(maps.Keys(one.labels)) {
		pairs = append(pairs, name, one.labels[name])
	}
	ref := b.Samples.AddSeries(metricSeries(r.Uint64(), pairs...))
	for range 1 + r.IntN(4) {
		day := int32(monday - 3 + r.IntN(12))
		for i := range r.Int64N(5) + 1 {
			b.Samples.Append(ref, int64(day)*24*3600_000+i, 1)
			one.days[day]++
		}
	}
	return one
}

func randomCardinality(r *rand.Rand) store.CardinalityQuery {
	q := store.CardinalityQuery{FirstDay: monday - 2 + r.Int32N(9), By: store.CardinalityBy(r.IntN(4)), Limit: 1 + r.IntN(12), Samples: r.IntN(3) > 0}
	q.LastDay = q.FirstDay + r.Int32N(4)
	q.Order = store.CardinalityOrder(r.IntN(6))
	if q.Order >= store.OrderValues {
		q.By = store.ByLabel
	}
	q.Samples = q.Samples || q.Order == store.OrderSamples
	if q.By == store.ByLabelValue {
		q.Label = []string{"__name__", "l0", "l1", "none"}[r.IntN(4)]
	}
	for range r.IntN(3) {
		var set []store.MetricMatcher
		for range r.IntN(3) {
			set = append(set, store.MetricMatcher{Name: []string{"__name__", "l0", "l2"}[r.IntN(3)], Op: store.MetricOp(2 + r.IntN(2)), Value: []string{"m[01]", "", "m1|.*[.]", ".*o.*"}[r.IntN(4)]})
		}
		q.Sets = append(q.Sets, set)
	}
	return q
}

func countModel(model []modelSeries, q *store.CardinalityQuery) *store.Cardinality {
	total, found := store.CardinalityCount{}, map[[2]string]*store.CardinalityEntry{}
	values := map[string]map[string]bool{}
	c := &store.Cardinality{}
	for i := range model {
		one := model[i].count(q)
		if one == (store.CardinalityCount{}) || !model[i].matches(q.Sets) {
			continue
		}
		addCount(&total, one)
		for name, value := range model[i].labels {
			key := [2]string{name, value}
			switch {
			case q.By == store.ByLabel:
				key[1] = ""
			case q.By == store.ByMetric && name == "__name__":
				key = [2]string{value}
			case q.By == store.ByMetric || q.By == store.ByLabelValue && name != q.Label:
				continue
			}
			e := found[key]
			if e == nil {
				e = &store.CardinalityEntry{Name: key[0], Value: key[1]}
				found[key] = e
			}
			addCount(&e.CardinalityCount, one)
			if q.By == store.ByLabel && one.Series > 0 {
				e.ValueBytes += uint64(len(value))
				if values[name] == nil {
					values[name] = map[string]bool{}
				}
				if !values[name][value] {
					values[name][value] = true
					e.Values++
					c.Values++
				}
			}
		}
	}
	c.Total, c.Entries = total, len(found)
	for _, e := range found {
		c.List = append(c.List, *e)
	}
	weigh := func(e *store.CardinalityEntry) int64 {
		return []int64{int64(e.Series), int64(e.Samples), e.Growth(), int64(e.Churn()), int64(e.Values), int64(e.ValueBytes)}[q.Order]
	}
	slices.SortFunc(c.List, func(a, b store.CardinalityEntry) int {
		return cmp.Or(cmp.Compare(weigh(&b), weigh(&a)), cmp.Compare(b.Series, a.Series), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	c.List = c.List[:min(len(c.List), q.Limit)]
	return c
}

func addCount(to *store.CardinalityCount, one store.CardinalityCount) {
	to.Series += one.Series
	to.Before += one.Before
	to.Appeared += one.Appeared
	to.Vanished += one.Vanished
	to.Samples += one.Samples
}

func (m *modelSeries) count(q *store.CardinalityQuery) store.CardinalityCount {
	c := store.CardinalityCount{}
	for day, samples := range m.days {
		switch {
		case day >= q.FirstDay && day <= q.LastDay:
			c.Series = 1
			if q.Samples {
				c.Samples += samples
			}
		case day < q.FirstDay && day >= q.FirstDay-(q.LastDay-q.FirstDay+1):
			c.Before = 1
		}
	}
	c.Appeared, c.Vanished = c.Series&^c.Before, c.Before&^c.Series
	return c
}

func (m *modelSeries) matches(sets [][]store.MetricMatcher) bool {
	for _, set := range sets {
		if !slices.ContainsFunc(set, func(one store.MetricMatcher) bool {
			return regexp.MustCompile("^(?s:"+one.Value+")$").MatchString(m.labels[one.Name]) == (one.Op == store.MetricNotMatches)
		}) {
			return true
		}
	}
	return len(sets) == 0
}
