package promql

import (
	"context"
	"errors"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// errTruncated is the warning of Prometheus' API for a result that was cut at the caller's limit.
var errTruncated = errors.New("results truncated due to limit")

// Labels returns the label names of the series that any of the matcher sets selects in the range of hints, sorted. No set
// selects everything. A limit in the hints cuts the list and adds a warning.
func (e *Engine) Labels(ctx context.Context, tenant seamark.TenantID, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return e.union(tenant, hints, sets, func(q *querier, h *storage.LabelHints, matchers []*labels.Matcher) ([]string, error) {
		names, _, err := q.LabelNames(ctx, h, matchers...)
		return names, err
	})
}

// LabelValues returns the values of one label as Labels returns names.
func (e *Engine) LabelValues(ctx context.Context, tenant seamark.TenantID, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return e.union(tenant, hints, sets, func(q *querier, h *storage.LabelHints, matchers []*labels.Matcher) ([]string, error) {
		values, _, err := q.LabelValues(ctx, name, h, matchers...)
		return values, err
	})
}

func (e *Engine) union(tenant seamark.TenantID, hints *storage.SelectHints, sets [][]*labels.Matcher,
	list func(*querier, *storage.LabelHints, []*labels.Matcher) ([]string, error),
) ([]string, annotations.Annotations, error) {
	q := &querier{queryable: &queryable{opts: &e.opts, tenant: tenant}, mint: hints.Start, maxt: hints.End}
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	all := []string{}
	for _, matchers := range sets {
		texts, err := list(q, &storage.LabelHints{Limit: oneMore(hints.Limit)}, matchers)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, texts...)
	}
	slices.Sort(all)
	all, warnings := cut(slices.Compact(all), hints.Limit)
	return all, warnings, nil
}

// Series returns the label sets that any of the matcher sets selects in the range of hints, each once, sorted. A limit in
// the hints cuts the list and adds a warning.
func (e *Engine) Series(ctx context.Context, tenant seamark.TenantID, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error) {
	q := &querier{queryable: &queryable{opts: &e.opts, tenant: tenant}}
	seriesHints := &storage.SelectHints{Start: hints.Start, End: hints.End, Limit: oneMore(hints.Limit), Func: seriesFunc}
	all := []labels.Labels{}
	for _, matchers := range sets {
		list, err := q.load(ctx, seriesHints, matchers)
		if err != nil {
			return nil, nil, err
		}
		for i := range list {
			all = append(all, list[i].labels)
		}
	}
	slices.SortFunc(all, labels.Compare)
	all = slices.CompactFunc(all, labels.Equal)
	all, warnings := cut(all, hints.Limit)
	return all, warnings, nil
}

// Metadata returns what senders told about metric families, by name: all of them, or one. limit below 1 means no limit.
func (e *Engine) Metadata(ctx context.Context, tenant seamark.TenantID, metric string, limit int) ([]seamark.MetricMetadata, error) {
	if limit < 1 {
		limit = e.opts.MaxSeries
	}
	return e.opts.Store.ListMetricMetadata(ctx, tenant, store.MetricMetadataQuery{Metric: metric, Limit: min(limit, e.opts.MaxSeries)})
}

// oneMore asks for one more than the limit, so that a cut can be told from an end. 0 stays no limit.
func oneMore(limit int) int {
	if limit > 0 {
		return limit + 1
	}
	return 0
}

func cut[T any](list []T, limit int) ([]T, annotations.Annotations) {
	if limit < 1 || len(list) <= limit {
		return list, nil
	}
	var warnings annotations.Annotations
	return list[:limit], warnings.Add(errTruncated)
}
