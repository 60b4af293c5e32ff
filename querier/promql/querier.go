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
	limit := q.opts.MaxSeries + 1
	if hints.Limit > 0 {
		limit = min(limit, hints.Limit)
	}
	found, err := q.opts.Store.ListMetricSeries(ctx, q.tenant, store.MetricSeriesQuery{
		Matchers: storeMatchers(matchers), StartMilli: hints.Start, EndMilli: hints.End, Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	if len(found) > q.opts.MaxSeries {
		return nil, tooManySeries(q.opts.MaxSeries, matchersText(matchers))
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
	read := q.samplesQuery(hints, matchers, found)
	left := q.opts.MaxSamples - int(q.rowsRead.Load())
	samples, n, err := q.samples(ctx, read, found, left)
	if err != nil {
		return nil, err
	}
	left -= n
	if q.rowsRead.Add(int64(n)); left < 0 {
		return nil, tooManySamples(q.opts.MaxSamples)
	}
	histograms, sums, n, err := q.histograms(ctx, read, found, left)
	if err != nil {
		return nil, err
	}
	if q.rowsRead.Add(int64(n)); n > left {
		return nil, tooManySamples(q.opts.MaxSamples)
	}
	return join(found, samples, histograms, sums), nil
}

// samples reads the samples of the series and returns how many it holds, which is more than left when that is too many.
func (q *querier) samples(ctx context.Context, read store.MetricSamplesQuery, found []store.MetricSeries, left int) (list []store.MetricSamples, held int, err error) {
	plain, deltas := splitDeltas(found)
	if len(deltas) == 0 {
		read.Limit = left + 1
		return q.opts.Store.ListMetricSamples(ctx, q.tenant, read)
	}
	if len(plain) > 0 {
		if list, held, err = q.samples(ctx, narrowed(read, plain), plain, left); err != nil || held > left {
			return nil, held, err
		}
	}
	more, n, err := q.deltaSamples(ctx, read, deltas, left-held)
	return append(list, more...), held + n, err
}

// histograms is samples for native histograms.
func (q *querier) histograms(ctx context.Context, read store.MetricSamplesQuery, found []store.MetricSeries, left int) (list []store.MetricHistograms, sums []histogramSums, held int, err error) {
	plain, deltas := splitDeltas(found)
	if len(plain) > 0 {
		before := read
		if len(deltas) > 0 {
			before = narrowed(read, plain)
		}
		before.Limit = left + 1
		before.StartMilli -= q.opts.LookbackDelta.Milliseconds() // the histogram before the first tells whether that was a reset
		if list, held, err = q.opts.Store.ListMetricHistograms(ctx, q.tenant, before); err != nil || held > left || len(deltas) == 0 {
			return list, nil, held, err
		}
	}
	sums, n, err := q.deltaHistograms(ctx, read, deltas, left-held)
	return list, sums, held + n, err
}

// samplesQuery selects the samples of the series that were found.
func (q *querier) samplesQuery(hints *storage.SelectHints, matchers []*labels.Matcher, found []store.MetricSeries) store.MetricSamplesQuery {
	read := samplesOf(found)
	read.StartMilli, read.EndMilli, read.Last = hints.Start, hints.End, q.lastOnly(hints)
	read.Whole = onlyNames(matchers) && hints.Limit == 0
	return read
}

// samplesOf selects the samples of the series.
func samplesOf(found []store.MetricSeries) store.MetricSamplesQuery {
	read := store.MetricSamplesQuery{FPs: make([]uint64, len(found))}
	for i := range found {
		read.FPs[i] = found[i].FP
		if i == 0 || found[i].Metric != found[i-1].Metric { // labels begin with the name, nearly always
			read.Metrics = append(read.Metrics, found[i].Metric)
		}
	}
	slices.Sort(read.Metrics)
	read.Metrics = slices.Compact(read.Metrics)
	return read
}

// narrowed selects the samples of some of the series.
func narrowed(read store.MetricSamplesQuery, found []store.MetricSeries) store.MetricSamplesQuery {
	one := samplesOf(found)
	one.StartMilli, one.EndMilli, one.Last = read.StartMilli, read.EndMilli, read.Last
	return one
}

// join makes series of what was read of them, in the order in which they were found. A series whose row came between the
// reads is left for the next query.
func join(found []store.MetricSeries, samples []store.MetricSamples, histograms []store.MetricHistograms, sums []histogramSums) []series {
	floats := places{count: len(samples), fp: func(i int) uint64 { return samples[i].FP }}
	hists := places{count: len(histograms), fp: func(i int) uint64 { return histograms[i].FP }}
	daySums := places{count: len(sums), fp: func(i int) uint64 { return sums[i].fp }}
	list := make([]series, 0, min(len(found), len(samples)+len(histograms)+len(sums)))
	toLabels := labelBuilder()
	for i := range found {
		f, h, d := floats.of(found[i].FP), hists.of(found[i].FP), daySums.of(found[i].FP)
		if f < 0 && h < 0 && d < 0 {
			continue
		}
		one := series{labels: toLabels(&found[i]), daily: isDelta(&found[i])}
		if f >= 0 {
			one.times, one.values = samples[f].Times, samples[f].Values
		}
		if h >= 0 {
			one.histTimes, one.histograms = histograms[h].Times, histograms[h].Data
		}
		if d >= 0 {
			one.histTimes, one.sums = sums[d].times, sums[d].sums
		}
		list = append(list, one)
	}
	return list
}

// places finds entries of a list by their fingerprints. A list in the order in which it is asked for, as that of a cache, costs
// no map.
type places struct {
	count int
	fp    func(i int) uint64
	next  int
	byFP  map[uint64]int
}

// of returns the place of a fingerprint, -1 when it is not there.
func (p *places) of(fp uint64) int {
	if p.byFP == nil {
		if p.next < p.count && p.fp(p.next) == fp {
			p.next++
			return p.next - 1
		}
		p.byFP = make(map[uint64]int, p.count)
		for i := range p.count {
			p.byFP[p.fp(i)] = i
		}
	}
	if i, ok := p.byFP[fp]; ok {
		return i
	}
	return -1
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
