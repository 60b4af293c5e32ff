package promql

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// SeriesExemplars are the exemplars of one series, oldest first.
type SeriesExemplars struct {
	Series    labels.Labels
	Exemplars []Exemplar
}

// Exemplar is a sample with a trace behind it.
type Exemplar struct {
	Labels    labels.Labels // with trace_id when it has one
	Value     float64
	TimeMilli int64
}

// maxExemplars bounds what one query returns. Dashboards draw each as a dot.
const maxExemplars = 10_000

// traceIDLabel is under which agents tell a trace, and Grafana finds it.
const traceIDLabel = "trace_id"

// Exemplars returns the exemplars of every series that a selector of query matches, between start and end (milliseconds, both
// included). The error is of kind Invalid for a query that is not PromQL.
func (e *Engine) Exemplars(ctx context.Context, tenant seamark.TenantID, query string, start, end int64) ([]SeriesExemplars, error) {
	expr, err := e.parser.ParseExpr(query)
	if err != nil {
		return nil, syntaxError(err)
	}
	q := &querier{queryable: &queryable{opts: &e.opts, tenant: tenant}}
	var all []SeriesExemplars
	for _, matchers := range parser.ExtractSelectors(expr) {
		list, err := q.exemplars(ctx, matchers, start, end)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b SeriesExemplars) int { return labels.Compare(a.Series, b.Series) })
	return slices.CompactFunc(all, func(a, b SeriesExemplars) bool { return labels.Equal(a.Series, b.Series) }), nil
}

func (q *querier) exemplars(ctx context.Context, matchers []*labels.Matcher, start, end int64) ([]SeriesExemplars, error) {
	found, err := q.opts.Store.ListMetricSeries(ctx, q.tenant, store.MetricSeriesQuery{
		Matchers: storeMatchers(matchers), StartMilli: start, EndMilli: end, Limit: q.opts.MaxSeries + 1,
	})
	if err != nil {
		return nil, err
	}
	if len(found) > q.opts.MaxSeries {
		return nil, tooManySeries(q.opts.MaxSeries, matchersText(matchers))
	}
	read := q.whole(&storage.SelectHints{Start: start, End: end, Step: 1}, matchers, found).query
	read.Limit = maxExemplars
	list, err := q.opts.Store.ListMetricExemplars(ctx, q.tenant, read)
	if err != nil {
		return nil, err
	}
	var all []SeriesExemplars
	byFP := make(map[uint64]*store.MetricSeries, len(found))
	for i := range found {
		byFP[found[i].FP] = &found[i]
	}
	toLabels, last := labelBuilder(), uint64(0)
	for i := range list {
		s, ok := byFP[list[i].FP]
		if !ok {
			continue
		}
		if len(all) == 0 || last != s.FP {
			all, last = append(all, SeriesExemplars{Series: toLabels(s)}), s.FP
		}
		one := &all[len(all)-1]
		one.Exemplars = append(one.Exemplars, exemplarOf(&list[i]))
	}
	return all, nil
}

func exemplarOf(m *store.MetricExemplar) Exemplar {
	set := maps.Clone(m.LabelSet)
	if m.TraceID != [16]byte{} {
		set[traceIDLabel] = hex.EncodeToString(m.TraceID[:])
	}
	return Exemplar{Labels: labels.FromMap(set), Value: m.Value, TimeMilli: m.TimeMS}
}
