package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// Format parses a query and prints it in its canonical form.
func (e *Engine) Format(query string) (string, error) {
	expr, err := logql.Parse(query)
	if err != nil {
		return "", err
	}
	return expr.String(), nil
}

// LabelNames lists the label names of the streams with lines in a time range, sorted. An empty selector selects all.
func (e *Engine) LabelNames(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange) ([]string, error) {
	q, err := e.listing(tenant, selector, r)
	if err != nil {
		return nil, err
	}
	names, err := e.opts.Storage.LogLabelNames(ctx, tenant, q)
	if err != nil {
		return nil, err
	}
	return names, e.checkListing("label names", len(names))
}

// LabelValues lists the values of a label in the streams with lines in a time range, sorted. An empty selector selects all.
func (e *Engine) LabelValues(ctx context.Context, tenant seamark.TenantID, name, selector string, r seamark.TimeRange) ([]string, error) {
	q, err := e.listing(tenant, selector, r)
	if err != nil {
		return nil, err
	}
	values, err := e.opts.Storage.LogLabelValues(ctx, tenant, name, q)
	if err != nil {
		return nil, err
	}
	return values, e.checkListing("label values", len(values))
}

// Series lists the label sets of the streams that match one of the selectors and have lines in a time range, sorted. No
// selector selects all.
func (e *Engine) Series(ctx context.Context, tenant seamark.TenantID, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error) {
	if len(selectors) == 0 {
		selectors = []string{""}
	}
	found := map[uint64][]seamark.Label{}
	for _, selector := range selectors {
		q, err := e.listing(tenant, selector, r)
		if err != nil {
			return nil, err
		}
		streams, err := e.opts.Storage.LogStreams(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		for i := range streams {
			found[streams[i].FP] = streams[i].Labels
		}
		if err := e.checkListing("streams", len(found)); err != nil {
			return nil, err
		}
	}
	return slices.SortedFunc(maps.Values(found), compareLabels), nil
}

// listing makes the storage's question out of a selector and a range. It asks for one more than the limit, so that the
// limit shows.
func (e *Engine) listing(tenant seamark.TenantID, selector string, r seamark.TimeRange) (store.LogStreamsQuery, error) {
	if tenant == "" {
		return store.LogStreamsQuery{}, errNoTenant()
	}
	if err := checkTimes(r.Start, r.End); err != nil {
		return store.LogStreamsQuery{}, err
	}
	if err := r.Validate(); err != nil {
		return store.LogStreamsQuery{}, err
	}
	q := store.LogStreamsQuery{Start: r.Start.UnixNano(), End: r.End.UnixNano(), Limit: e.opts.MaxNames + 1}
	if selector == "" {
		return q, nil
	}
	// Grafana sends the whole log query; its pipeline says nothing about streams.
	log, err := logql.ParseLogQuery(selector)
	if err != nil {
		return q, err
	}
	q.Matchers = storeMatchers(log.Matchers)
	return q, nil
}

func (e *Engine) checkListing(what string, n int) error {
	if n <= e.opts.MaxNames {
		return nil
	}
	return seamark.Errorf(seamark.Unprocessable, "seamark-logql-listing",
		"There are more %s than the limit of %d. Name a selector, or ask for a shorter range.", what, e.opts.MaxNames)
}

func errNoTenant() error {
	return seamark.Errorf(seamark.Unauthenticated, "seamark-tenant-missing", "The query names no tenant.")
}
