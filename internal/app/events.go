package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/events"
)

// eventAPI shows the event search in the API's words. It implements api.EventSearcher.
type eventAPI struct {
	searcher *events.Searcher
	turns
}

func (e eventAPI) ListEvents(ctx context.Context, scope seamark.Scope, f api.EventFilter, limit int, problems bool) (page api.EventPage, err error) {
	ctx, done, err := e.begin(ctx, wants(f.Range, seamark.Events))
	if err != nil {
		return page, err
	}
	defer done()
	if page.Events, page.Truncated, err = e.within(scope).List(ctx, scope.Tenant, events.Filter(f), limit); err != nil || !problems {
		return page, err
	}
	page.Problems, err = e.nodeProblems(ctx, scope, page.Events)
	return page, err
}

// nodeProblems returns the problems that the events' nodes had.
func (e eventAPI) nodeProblems(ctx context.Context, scope seamark.Scope, list []seamark.Event) ([][]api.NodeProblem, error) {
	found, err := e.within(scope).NodeProblems(ctx, scope.Tenant, list)
	if err != nil {
		return nil, err
	}
	out := make([][]api.NodeProblem, len(found))
	for i := range found {
		for _, p := range found[i] {
			shown := api.NodeProblem{Node: p.Node, Condition: p.Condition, Reason: p.Reason, Message: p.Message, Source: p.Source, Since: p.Since.UTC()}
			if !p.Until.IsZero() {
				until := p.Until.UTC()
				shown.Until = &until
			}
			out[i] = append(out[i], shown)
		}
	}
	return out, nil
}

func (e eventAPI) EventFacets(ctx context.Context, scope seamark.Scope, f api.EventFilter, limit int) (*api.EventFacets, error) {
	ctx, done, err := e.begin(ctx, wants(f.Range, seamark.Events))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := e.within(scope).Facets(ctx, scope.Tenant, events.Filter(f), limit)
	if err != nil {
		return nil, err
	}
	facets := &api.EventFacets{Events: found.Events, Fields: make([]api.EventFacet, len(found.Fields))}
	for i, field := range found.Fields {
		facets.Fields[i] = api.EventFacet{Field: field.Field.String(), Entries: field.Entries, Values: make([]api.EventFacetValue, len(field.Values))}
		for k, v := range field.Values {
			facets.Fields[i].Values[k] = api.EventFacetValue(v)
		}
	}
	return facets, nil
}

func (e eventAPI) EventSeries(ctx context.Context, scope seamark.Scope, q api.EventSeriesQuery) (*api.EventSeries, error) {
	ctx, done, err := e.begin(ctx, wants(q.Filter.Range, seamark.Events))
	if err != nil {
		return nil, err
	}
	defer done()
	found, step, err := e.within(scope).Series(ctx, scope.Tenant, events.SeriesQuery{Filter: events.Filter(q.Filter), By: q.By, Step: q.Step, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	series := &api.EventSeries{
		Start: q.Filter.Range.Start.UTC(), Step: step.Seconds(), Total: found.Total, Entries: found.Entries, Items: make([]api.EventSeriesValue, len(found.Series)),
	}
	for i, s := range found.Series {
		series.Items[i] = api.EventSeriesValue(s)
	}
	return series, nil
}

func (e eventAPI) EventTrend(ctx context.Context, scope seamark.Scope, q api.EventTrendQuery) (*api.EventTrend, error) {
	ctx, done, err := e.begin(ctx, wants(bothRanges(q.Filter.Range, q.Before), seamark.Events))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := e.within(scope).Trend(ctx, scope.Tenant, events.TrendQuery{Filter: events.Filter(q.Filter), Before: q.Before, By: q.By, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	trend := &api.EventTrend{
		Entries: found.Entries, List: make([]api.EventTrendValue, len(found.List)),
		Total: api.EventTrendCount{
			Occurrences: found.Now.Occurrences, OccurrencesBefore: found.Before.Occurrences, Events: found.Now.Events, EventsBefore: found.Before.Events,
		},
	}
	for i, v := range found.List {
		trend.List[i] = api.EventTrendValue{Value: v.Value, EventTrendCount: api.EventTrendCount{
			Occurrences: v.Now.Occurrences, OccurrencesBefore: v.Before.Occurrences, Events: v.Now.Events, EventsBefore: v.Before.Events,
		}}
	}
	return trend, nil
}

func (e eventAPI) EventTimeline(ctx context.Context, scope seamark.Scope, q api.EventTimelineQuery) (*api.EventTimeline, error) {
	ctx, done, err := e.begin(ctx, wants(q.Range, seamark.Events))
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := e.within(scope).Timeline(ctx, scope.Tenant, events.TimelineQuery(q))
	if err != nil {
		return nil, err
	}
	t := &api.EventTimeline{EventPage: api.EventPage{Events: found.Events, Truncated: found.Truncated}}
	for _, o := range found.Owners {
		known := "event"
		if o.Message == "" {
			known = "name"
		}
		t.Owners = append(t.Owners, api.EventOwner{Kind: o.Kind, Object: o.Name, Known: known, Message: o.Message})
	}
	t.Problems, err = e.nodeProblems(ctx, scope, found.Events)
	return t, err
}

// bothRanges returns the range from the beginning of the one before to the end of the other.
func bothRanges(r, before seamark.TimeRange) seamark.TimeRange {
	if before.Start.IsZero() || before.Start.After(r.Start) {
		return r
	}
	return seamark.TimeRange{Start: before.Start, End: r.End}
}
