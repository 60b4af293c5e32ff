package promql

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// CountCardinality counts the tenant's series by what they have in common: those that match one of the sets, all of them
// when there is none. It fills in the query's own sets. Errors are of kind Invalid for a query that cannot be, Timeout,
// Canceled, or what the store says.
func (e *Engine) CountCardinality(ctx context.Context, tenant seamark.TenantID, sets [][]*labels.Matcher, q store.CardinalityQuery) (*store.Cardinality, error) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	q.Sets = nil
	for _, matchers := range sets {
		q.Sets = append(q.Sets, storeMatchers(matchers))
	}
	c, err := e.opts.Store.CountCardinality(ctx, tenant, q)
	if err != nil {
		return nil, e.queryError(err)
	}
	return c, nil
}
