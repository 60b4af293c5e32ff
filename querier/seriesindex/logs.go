package seriesindex

import (
	"context"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// logSource answers what the index cannot of logs.
type logSource interface {
	LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
	LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error)
	LogLabelNames(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]string, error)
	LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error)
}

// LogStreams returns the streams that match, as the store does.
func (x *Index) LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	sc, conditions := x.planLogs(ctx, tenant, &q)
	if sc == nil {
		defer x.outrun(key{tenant, seamark.LogStream})
		return x.source.LogStreams(ctx, tenant, q)
	}
	return x.answeredStreams(ctx, sc.streams(sc.anyOrder(conditions, q.Limit))), nil
}

// LogLabelNames returns the label names of the streams that match, sorted, as the store does.
func (x *Index) LogLabelNames(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]string, error) {
	sc, conditions := x.planLogs(ctx, tenant, &q)
	if sc == nil {
		defer x.outrun(key{tenant, seamark.LogStream})
		return x.source.LogLabelNames(ctx, tenant, q)
	}
	return x.answeredTexts(ctx, sc.labelNames(conditions, q.Limit)), nil
}

// LogLabelValues returns the values that the label has in the streams that match, sorted, as the store does.
func (x *Index) LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error) {
	sc, conditions := x.planLogs(ctx, tenant, &q)
	if sc == nil {
		defer x.outrun(key{tenant, seamark.LogStream})
		return x.source.LogLabelValues(ctx, tenant, name, q)
	}
	return x.answeredTexts(ctx, sc.labelValues(name, conditions, q.Limit)), nil
}

// planLogs prepares a query, or returns nil when it is the store's.
func (x *Index) planLogs(ctx context.Context, tenant seamark.TenantID, q *store.LogStreamsQuery) (*scope, []condition) {
	const nanosPerMilli = 1_000_000
	days := daysOf(q.Start/nanosPerMilli, (q.End-1)/nanosPerMilli)
	return x.scope(ctx, key{tenant, seamark.LogStream}, q.Limit, days, conditionsOfLogs(q.Matchers))
}

// conditionsOfLogs brings matchers into the words of metrics, in whose regular expressions the dot matches line breaks.
func conditionsOfLogs(matchers []store.LogMatcher) []store.MetricMatcher {
	list := make([]store.MetricMatcher, len(matchers))
	for i, m := range matchers {
		list[i] = store.MetricMatcher{Name: m.Name, Value: m.Value}
		switch {
		case m.Op == store.LogMatches && m.Not:
			list[i].Op, list[i].Value = store.MetricNotMatches, "(?-s:"+m.Value+")"
		case m.Op == store.LogMatches:
			list[i].Op, list[i].Value = store.MetricMatches, "(?-s:"+m.Value+")"
		case m.Not:
			list[i].Op = store.MetricNotEquals
		default:
			list[i].Op = store.MetricEquals
		}
	}
	return list
}

// LogStreamsByFP returns the streams with the given fingerprints, as far as they are known. A stream's labels are the same on
// every day, so whatever days are in memory may answer; for what they do not have the store is asked.
func (x *Index) LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error) {
	if len(fps) == 0 {
		return nil, nil
	}
	today := x.opts.Now().UnixMilli()
	s, reason := x.snapshot(ctx, key{tenant, seamark.LogStream}, daysOf(today, today))
	if s == nil {
		x.metrics.fallthroughs.WithLabelValues(reason).Inc()
		defer x.outrun(key{tenant, seamark.LogStream})
		return x.source.LogStreamsByFP(ctx, tenant, fps)
	}
	missing := slices.Compact(slices.Sorted(slices.Values(fps)))
	var numbers []uint32
	for n := 0; n < len(s.fps) && len(missing) > 0; n++ {
		if at, ok := slices.BinarySearch(missing, s.fps[n]); ok {
			numbers = append(numbers, uint32(n))
			missing = slices.Delete(missing, at, at+1)
		}
	}
	found := x.answeredStreams(ctx, s.streams(numbers))
	if len(missing) == 0 {
		return found, nil
	}
	more, err := x.source.LogStreamsByFP(ctx, tenant, missing)
	return append(found, more...), err
}
