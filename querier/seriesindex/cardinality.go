package seriesindex

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// CountCardinality counts series by what they have in common, as the store does. Samples are always the store's to count.
func (x *Index) CountCardinality(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	sets, reason := make([][]condition, len(q.Sets)), ""
	for i := range q.Sets {
		var err error
		if sets[i], err = newConditions(q.Sets[i]); err != nil {
			reason = "query"
		}
	}
	var s *snapshot
	if reason == "" {
		// Both periods at once: a state of the index that has one of them may lack the other.
		s, reason = x.snapshot(ctx, key{tenant, seamark.MetricSeries}, dayRange{q.BeforeDay(), q.LastDay})
	}
	if s == nil {
		x.metrics.fallthroughs.WithLabelValues(reason).Inc()
		return x.source.CountCardinality(ctx, tenant, q)
	}
	t := tally{snapshot: s, pairs: make([]store.CardinalityCount, len(s.pairs))}
	if q.Samples {
		t.samples = make(map[uint64]uint64, len(s.fps))
		if err := x.source.ScanSeriesSamples(ctx, tenant, q, func(fp, n uint64) { t.samples[fp] += n }); err != nil {
			return nil, err
		}
	}
	t.run(sets, s.scope(dayRange{q.FirstDay, q.LastDay}), s.scope(dayRange{q.BeforeDay(), q.FirstDay - 1}))
	return t.result(&q), nil
}

// tally counts series by label.
type tally struct {
	*snapshot
	samples map[uint64]uint64        // by fingerprint
	pairs   []store.CardinalityCount // by label
	total   store.CardinalityCount
}

func (t *tally) run(sets [][]condition, period, before *scope) {
	either := &scope{snapshot: t.snapshot, masks: slices.Concat(period.masks, before.masks)}
	for _, g := range t.segments {
		for _, n := range either.matchAny(g, sets) {
			one := store.CardinalityCount{}
			switch now, then := period.visible(n), before.visible(n); {
			case now && then:
				one.Series, one.Before = 1, 1
			case now:
				one.Series, one.Appeared = 1, 1
			default:
				one.Before, one.Vanished = 1, 1
			}
			if one.Series > 0 {
				one.Samples = t.samples[t.fps[n]]
			}
			addCount(&t.total, &one)
			for _, ref := range t.refsOf(n) {
				addCount(&t.pairs[ref], &one)
			}
		}
	}
}

func addCount(c, other *store.CardinalityCount) {
	c.Series += other.Series
	c.Before += other.Before
	c.Appeared += other.Appeared
	c.Vanished += other.Vanished
	c.Samples += other.Samples
}

// matchAny returns the segment's series that meet all conditions of one of the sets, each once; all visible ones when there
// is no set.
func (sc *scope) matchAny(g *segment, sets [][]condition) []uint32 {
	if len(sets) == 0 {
		return sc.match(g, nil, nil, math.MaxInt)
	}
	var list []uint32
	for _, conditions := range sets {
		list = sc.match(g, conditions, list, math.MaxInt)
	}
	if len(sets) > 1 {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

// result makes entries of what was counted.
func (t *tally) result(q *store.CardinalityQuery) *store.Cardinality {
	c, list := &store.Cardinality{Total: t.total}, top{q: q}
	labels := map[string]*store.CardinalityEntry{}
	for ref := range t.pairs {
		count, label := &t.pairs[ref], &t.snapshot.pairs[ref]
		switch {
		case *count == store.CardinalityCount{}:
		case q.By == store.ByLabel:
			e := labels[label.Name]
			if e == nil {
				e = &store.CardinalityEntry{Name: label.Name}
				labels[label.Name] = e
			}
			addCount(&e.CardinalityCount, count)
			e.Values += min(count.Series, 1)
			e.ValueBytes += count.Series * uint64(len(label.Value))
		case q.By == store.ByMetric && label.Name == seamark.MetricNameLabel:
			list.add(&store.CardinalityEntry{Name: label.Value, CardinalityCount: *count})
		case q.By == store.ByPair || q.By == store.ByLabelValue && label.Name == q.Label:
			list.add(&store.CardinalityEntry{Name: label.Name, Value: label.Value, CardinalityCount: *count})
		}
	}
	for _, e := range labels {
		c.Values += e.Values
		list.add(e)
	}
	c.Entries, c.List = list.seen, list.sorted()
	return c
}

// top keeps the largest entries of many: it sorts when it holds twice as many as are wanted.
type top struct {
	q    *store.CardinalityQuery
	list []store.CardinalityEntry
	seen int
}

func (t *top) add(e *store.CardinalityEntry) {
	t.seen++
	if t.list = append(t.list, *e); len(t.list) >= 2*t.q.Limit {
		t.list = t.sorted()
	}
}

func (t *top) sorted() []store.CardinalityEntry {
	slices.SortFunc(t.list, func(a, b store.CardinalityEntry) int {
		return cmp.Or(cmp.Compare(weigh(t.q.Order, &b), weigh(t.q.Order, &a)), cmp.Compare(b.Series, a.Series),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	return t.list[:min(len(t.list), t.q.Limit)]
}

func weigh(order store.CardinalityOrder, e *store.CardinalityEntry) int64 {
	switch order {
	case store.OrderSamples:
		return int64(e.Samples)
	case store.OrderGrowth:
		return e.Growth()
	case store.OrderChurn:
		return int64(e.Churn())
	case store.OrderValues:
		return int64(e.Values)
	case store.OrderBytes:
		return int64(e.ValueBytes)
	case store.OrderSeries:
	}
	return int64(e.Series)
}
