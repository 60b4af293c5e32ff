package seriesindex_test

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func (w *twin) LogStreams(_ context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	const dayNano = 24 * 3600_000_000_000
	for _, m := range q.Matchers {
		if _, err := regexp.Compile(m.Value); m.Op == store.LogMatches && err != nil {
			return nil, seamark.Wrap(err, seamark.Invalid, "seamark-logql-regexp", "The expression is none.")
		}
	}
	return w.streams(tenant, q.Limit, func(r *twinRow) bool {
		return int64(r.day) >= max(q.Start, 0)/dayNano && int64(r.day) <= (q.End-1)/dayNano &&
			!slices.ContainsFunc(q.Matchers, func(m store.LogMatcher) bool { return selects(&m, r.Labels) == m.Not })
	}), nil
}

// selects reports whether a stream's label is what the matcher says, or what it says that it is not.
func selects(m *store.LogMatcher, list []seamark.Label) bool {
	value := ""
	for _, l := range list {
		if l.Name == m.Name {
			value = l.Value
		}
	}
	if m.Op == store.LogMatches {
		return regexp.MustCompile("^(?:" + m.Value + ")$").MatchString(value)
	}
	return value == m.Value
}

func (w *twin) LogStreamsByFP(_ context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error) {
	w.mu.Lock()
	w.asked = append(w.asked, slices.Clone(fps))
	w.mu.Unlock()
	return w.streams(tenant, len(fps), func(r *twinRow) bool { return slices.Contains(fps, r.FP) }), nil
}

func (w *twin) streams(tenant seamark.TenantID, limit int, wanted func(*twinRow) bool) []store.LogStream {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[uint64]store.LogStream{}
	for _, p := range w.parts[tenant] {
		for i := range p.rows {
			if r := &p.rows[i]; r.kind == seamark.LogStream && wanted(r) {
				found[r.FP] = store.LogStream{FP: r.FP, Group: r.Name, Labels: r.Labels}
			}
		}
	}
	list := slices.Collect(maps.Values(found))
	return list[:min(len(list), limit)]
}

func (w *twin) LogLabelNames(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]string, error) {
	return w.logTexts(ctx, tenant, q, func(l seamark.Label) string { return l.Name })
}

func (w *twin) LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error) {
	return w.logTexts(ctx, tenant, q, valueOf(name))
}

func (w *twin) logTexts(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery, of func(seamark.Label) string) ([]string, error) {
	limit := q.Limit
	q.Limit = 1 << 30
	list, err := w.LogStreams(ctx, tenant, q)
	return distinct(limit, list, func(s store.LogStream) []seamark.Label { return s.Labels }, of), err
}

// stream makes a log stream of pairs of label names and values.
func stream(fp uint64, pairs ...string) store.LogStream {
	s := store.LogStream{FP: fp}
	for i := 0; i < len(pairs); i += 2 {
		s.Labels = append(s.Labels, seamark.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	seamark.SortLabels(s.Labels)
	group := map[string]string{}
	for _, l := range s.Labels {
		group[l.Name] = l.Value
	}
	s.Group = group["namespace"] + "/" + group["service_name"]
	return s
}

// logsOn selects by days since 1970, both ends included.
func logsOn(first, last int64, matchers ...store.LogMatcher) store.LogStreamsQuery {
	const dayNano = 24 * 3600_000_000_000
	return store.LogStreamsQuery{Start: first * dayNano, End: (last + 1) * dayNano, Limit: 1 << 20, Matchers: matchers}
}
