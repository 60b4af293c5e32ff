package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
)

// cardinalityAPI shows the counts of series in the API's words.
type cardinalityAPI struct {
	*promql.Engine
	turns
}

// CountCardinality implements api.CardinalityCounter.
func (c cardinalityAPI) CountCardinality(ctx context.Context, scope seamark.Scope, q api.CardinalityQuery) (*api.Cardinality, error) {
	const day = int64(24 * time.Hour / time.Second)
	ctx, done, err := c.begin(ctx, wants(seamark.TimeRange{Start: time.Unix(int64(q.FirstDay)*day, 0), End: time.Unix(int64(q.LastDay+1)*day, 0)}))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := narrowMetrics(c.Engine, scope).CountCardinality(ctx, scope.Tenant, q.Sets, store.CardinalityQuery{
		FirstDay: q.FirstDay, LastDay: q.LastDay, By: store.CardinalityBy(q.By), Label: q.Label, Order: store.CardinalityOrder(q.Order), Limit: q.Limit, Samples: q.Samples,
	})
	if err != nil {
		return nil, err
	}
	out := &api.Cardinality{
		Total: api.CardinalityCount(found.Total), Entries: found.Entries, Values: found.Values, List: make([]api.CardinalityEntry, len(found.List)),
	}
	for i := range found.List {
		e := &found.List[i]
		out.List[i] = api.CardinalityEntry{Name: e.Name, Value: e.Value, CardinalityCount: api.CardinalityCount(e.CardinalityCount), Values: e.Values, ValueBytes: e.ValueBytes}
	}
	return out, nil
}
