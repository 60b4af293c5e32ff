package promql

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
)

// queryable implements storage.Queryable over one tenant's data.
type queryable struct {
	opts   *Options
	tenant seamark.TenantID
}

// Querier implements storage.Queryable. The engine asks for one per query, so it holds the query's sample budget.
func (q *queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{queryable: q, mint: mint, maxt: maxt}, nil
}

type querier struct {
	*queryable
	mint, maxt int64
	rowsRead   atomic.Int64 // by all selectors; each is bounded by what the others left
}

// Close implements storage.Querier. Nothing outlives a call of Select's set.
func (*querier) Close() error { return nil }

// Select implements storage.Querier. The set reads when it is first moved, so that a selector which the engine never
// evaluates costs nothing.
func (q *querier) Select(ctx context.Context, sortSeries bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints == nil {
		hints = &storage.SelectHints{Start: q.mint, End: q.maxt, Step: 1}
	}
	return &seriesSet{at: -1, load: func() ([]series, error) {
		list, err := q.load(ctx, hints, matchers)
		if sortSeries {
			slices.SortFunc(list, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
		}
		return list, err
	}}
}

// seriesFunc in the hints asks for label sets without samples; it is the token that Prometheus' series API uses.
const seriesFunc = "series"

// find returns the series that match in the order of their labels, as Prometheus' own storage does. It is the order of every
// result that the language leaves open, in which sums of floats are added up and ties of topk and limitk are settled.
func (q *querier) find(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher) ([]store.MetricSeries, error) {
	most := admit.From(ctx).MaxSeries(q.opts.MaxSeries)
	limit := most + 1
	if hints.Limit > 0 {
		limit = min(limit, hints.Limit)
	}
	found, err := q.opts.Store.ListMetricSeries(ctx, q.tenant, store.MetricSeriesQuery{
		Matchers: storeMatchers(matchers), StartMilli: hints.Start, EndMilli: hints.End, Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	if len(found) > most {
		return nil, tooManySeries(most, matchersText(matchers))
	}
	slices.SortFunc(found, compareSeries) // what the index of series returns is in order and only looked at
	return found, nil
}

// compareSeries orders as Prometheus' labels.Compare does.
func compareSeries(a, b store.MetricSeries) int {
	for i := range min(len(a.Labels), len(b.Labels)) {
		x, y := &a.Labels[i], &b.Labels[i]
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		if c := strings.Compare(x.Value, y.Value); c != 0 {
			return c
		}
	}
	return len(a.Labels) - len(b.Labels)
}

func (q *querier) load(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher) ([]series, error) {
	found, err := q.find(ctx, hints, matchers)
	if err != nil {
		return nil, err
	}
	if hints.Func == seriesFunc {
		list := make([]series, len(found))
		toLabels := labelBuilder()
		for i := range found {
			list[i].labels = toLabels(&found[i])
		}
		return list, nil
	}
	return q.loadSamples(ctx, hints, matchers, found)
}

func (q *querier) loadSamples(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher, found []store.MetricSeries) ([]series, error) {
	p := q.whole(hints, matchers, found)
	left := q.opts.MaxSamples - int(q.rowsRead.Load())
	c, n, err := q.samples(ctx, p, left)
	if err != nil {
		return nil, err
	}
	left -= n
	if q.rowsRead.Add(int64(n)); left < 0 {
		return nil, tooManySamples(q.opts.MaxSamples)
	}
	n, err = q.addHistograms(ctx, p, &c, left)
	if err != nil {
		return nil, err
	}
	if q.rowsRead.Add(int64(n)); n > left {
		return nil, tooManySamples(q.opts.MaxSamples)
	}
	return c.join(found), nil
}

// columns is what was read of some series.
type columns struct {
	samples         []store.MetricSamples
	histograms      []store.MetricHistograms
	deltas          []deltaFloats
	deltaHistograms []deltaHistograms
}

// samples reads the samples of the series and returns how many it holds, which is more than left when that is too many.
func (q *querier) samples(ctx context.Context, p *part, left int) (c columns, held int, err error) {
	plain, deltas := splitDeltas(p.found)
	if len(plain) > 0 {
		read := p.narrowed(plain).query
		read.Limit = left + 1
		c.samples, held, err = q.opts.Store.ListMetricSamples(ctx, q.tenant, read)
	}
	if err != nil || held > left || len(deltas) == 0 {
		return c, held, err
	}
	n := 0
	c.deltas, n, err = q.deltaSamples(ctx, p, deltas, left-held)
	return c, held + n, err
}

// addHistograms is samples for native histograms.
func (q *querier) addHistograms(ctx context.Context, p *part, c *columns, left int) (held int, err error) {
	plain, deltas := splitDeltas(p.found)
	if len(plain) > 0 {
		read := p.narrowed(plain).query
		read.Limit = left + 1
		read.StartMilli -= q.opts.LookbackDelta.Milliseconds() // the histogram before the first tells whether that was a reset
		c.histograms, held, err = q.opts.Store.ListMetricHistograms(ctx, q.tenant, read)
	}
	if err != nil || held > left || len(deltas) == 0 {
		return held, err
	}
	n := 0
	c.deltaHistograms, n, err = q.deltaHistograms(ctx, p, deltas, left-held)
	return held + n, err
}

// join makes series of what was read of them, in the order in which they were found. A series whose row came between the
// reads is left for the next query.
func (c *columns) join(found []store.MetricSeries) []series {
	floats := places(found, len(c.samples), func(i int) uint64 { return c.samples[i].FP })
	hists := places(found, len(c.histograms), func(i int) uint64 { return c.histograms[i].FP })
	deltas := places(found, len(c.deltas), func(i int) uint64 { return c.deltas[i].fp })
	deltaHists := places(found, len(c.deltaHistograms), func(i int) uint64 { return c.deltaHistograms[i].fp })
	list := make([]series, 0, min(len(found), len(c.samples)+len(c.histograms)+len(c.deltas)+len(c.deltaHistograms)))
	toLabels := labelBuilder()
	for i := range found {
		var one series
		has := false
		if at := floats(i); at >= 0 {
			one.times, one.values, has = c.samples[at].Times, c.samples[at].Values, true
		}
		if at := hists(i); at >= 0 {
			one.histograms, has = &histogramColumns{times: c.histograms[at].Times, data: c.histograms[at].Data}, true
		}
		if at := deltas(i); at >= 0 {
			d := &c.deltas[at]
			one.times, one.values, one.starts, has = d.times, d.values, d.starts, true
		}
		if at := deltaHists(i); at >= 0 {
			d := &c.deltaHistograms[at]
			one.histograms, has = &histogramColumns{times: d.times, decoded: d.values, starts: d.starts}, true
		}
		if has {
			one.labels = toLabels(&found[i])
			list = append(list, one)
		}
	}
	return list
}

// places returns a function that gives, for each series in turn, its place in a list of so many that are told by their
// fingerprints, or -1. A list in the order of the series, as the cache of samples returns it, costs no map.
func places(found []store.MetricSeries, count int, fp func(i int) uint64) func(i int) int {
	next := 0
	inOrder := func(i int) int {
		if next < count && fp(next) == found[i].FP {
			next++
			return next - 1
		}
		return -1
	}
	for i := 0; i < len(found) && next < count; i++ {
		inOrder(i)
	}
	if next == count {
		next = 0
		return inOrder
	}
	byFP := make(map[uint64]int, count)
	for i := range count {
		byFP[fp(i)] = i
	}
	return func(i int) int {
		if at, ok := byFP[found[i].FP]; ok {
			return at
		}
		return -1
	}
}

// lastOnly reports whether the selector is looked at once, at the end of its range, so that the newest sample of each
// series is all that can be seen: an instant vector of an instant query outside subqueries, which alone has no step. A
// range that is wider than one look-back belongs to something else.
func (q *querier) lastOnly(hints *storage.SelectHints) bool {
	return hints.Step == 0 && hints.Range == 0 && hints.End-hints.Start < q.opts.LookbackDelta.Milliseconds()
}

// labelBuilder returns a function that turns a series' labels into Prometheus'. It reuses its memory.
func labelBuilder() func(*store.MetricSeries) labels.Labels {
	builder := labels.NewScratchBuilder(32)
	return func(s *store.MetricSeries) labels.Labels {
		builder.Reset()
		for _, l := range s.Labels {
			builder.Add(l.Name, l.Value)
		}
		return builder.Labels()
	}
}

// LabelNames implements storage.LabelQuerier.
func (q *querier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names, err := q.texts(hints, "label names", matchers, func(sq store.MetricSeriesQuery) ([]string, error) {
		return q.opts.Store.ListMetricLabelNames(ctx, q.tenant, sq)
	})
	return names, nil, err
}

// LabelValues implements storage.LabelQuerier.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values, err := q.texts(hints, "values of the label "+name, matchers, func(sq store.MetricSeriesQuery) ([]string, error) {
		return q.opts.Store.ListMetricLabelValues(ctx, q.tenant, name, sq)
	})
	return values, nil, err
}

func (q *querier) texts(hints *storage.LabelHints, what string, matchers []*labels.Matcher, list func(store.MetricSeriesQuery) ([]string, error)) ([]string, error) {
	limit := q.opts.MaxSeries + 1
	if hints != nil && hints.Limit > 0 {
		limit = min(limit, hints.Limit)
	}
	texts, err := list(store.MetricSeriesQuery{Matchers: storeMatchers(matchers), StartMilli: q.mint, EndMilli: q.maxt, Limit: limit})
	if err != nil {
		return nil, err
	}
	if len(texts) > q.opts.MaxSeries {
		return nil, tooManyTexts(q.opts.MaxSeries, what)
	}
	return texts, nil
}
