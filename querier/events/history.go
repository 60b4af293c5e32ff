package events

import (
	"context"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// The values of a series and of a trend when the caller does not say how many.
const (
	defaultSeriesValues = 10
	defaultTrendValues  = 50
	// defaultPoints is about how many buckets a series has whose step the caller leaves to us.
	defaultPoints = 60
)

// compileHistory checks a filter of occurrences, whose updates tell no uid.
func (s *Searcher) compileHistory(f *Filter, span time.Duration) (store.EventFilter, error) {
	filter, err := f.compile()
	if err != nil {
		return filter, err
	}
	if slices.ContainsFunc(filter.Conditions, func(c store.EventCondition) bool { return c.Field == store.EventUID }) {
		return filter, seamark.Errorf(seamark.Invalid, "seamark-events-uid", "Occurrences cannot be filtered by uid, which the history of updates does not hold. Filter by object and reason.")
	}
	if span > s.opts.MaxHistory {
		return filter, seamark.Errorf(seamark.Invalid, "seamark-events-history", "The occurrences of %s would be counted; the limit is %s (--query.max-event-history). Ask for a shorter range.", span, s.opts.MaxHistory)
	}
	return filter, nil
}

// SeriesQuery asks for occurrences over time.
type SeriesQuery struct {
	Filter Filter
	By     string        // a field; "" counts all events together
	Step   time.Duration // 0 chooses one
	Limit  int           // values; 0 is the default
}

// Series counts occurrences by bucket and value, the most frequent value first, and returns the step. Buckets begin at the
// range's start; the last may reach beyond its end. What an occurrence is says store.EventMemory. Errors are of kind
// Invalid for a query out of bounds, or what the store says.
func (s *Searcher) Series(ctx context.Context, tenant seamark.TenantID, q SeriesQuery) (*store.EventSeriesList, time.Duration, error) {
	filter, err := s.compileHistory(&q.Filter, q.Filter.Range.Duration())
	if err != nil {
		return nil, 0, err
	}
	ask := store.EventSeriesQuery{EventFilter: filter, Step: q.Step, Limit: q.Limit, Whole: q.By == ""}
	if !ask.Whole {
		if ask.By, err = parseField(q.By, false); err != nil {
			return nil, 0, err
		}
	}
	if err := s.checkValues(&ask.Limit, defaultSeriesValues); err != nil {
		return nil, 0, err
	}
	if ask.Step == 0 {
		ask.Step = chooseStep(filter.Range.Duration())
	}
	if ask.Step < time.Second || ask.Step%time.Millisecond != 0 {
		return nil, 0, seamark.Errorf(seamark.Invalid, "seamark-events-step", "The step %s is shorter than a second or no whole number of milliseconds.", q.Step)
	}
	if points := int64((filter.Range.Duration() + ask.Step - 1) / ask.Step); points > int64(s.opts.MaxPoints) {
		return nil, 0, seamark.Errorf(seamark.Invalid, "seamark-events-points", "The range has %d steps of %s; the limit is %d (--query.max-event-points). Take a longer step.", points, ask.Step, s.opts.MaxPoints)
	}
	list, err := s.opts.Store.EventSeries(ctx, tenant, ask)
	return list, ask.Step, err
}

// chooseStep returns the least step that people like which gives no more than defaultPoints buckets.
func chooseStep(span time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{
		time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if span <= defaultPoints*step {
			return step
		}
	}
	return max((span/defaultPoints+day-1)/day*day, day)
}

// TrendQuery asks what happened in the filter's range, beside what happened in Before.
type TrendQuery struct {
	Filter Filter
	Before seamark.TimeRange
	By     string // a field; "" is the reason
	Limit  int    // values; 0 is the default
}

// Trend compares the occurrences of two ranges by a field's values, the largest difference first. Errors are Series'.
func (s *Searcher) Trend(ctx context.Context, tenant seamark.TenantID, q TrendQuery) (*store.EventTrend, error) {
	if err := q.Before.Validate(); err != nil {
		return nil, err
	}
	filter, err := s.compileHistory(&q.Filter, q.Filter.Range.Duration()+q.Before.Duration())
	if err != nil {
		return nil, err
	}
	ask := store.EventTrendQuery{EventFilter: filter, Before: q.Before, By: store.EventReason, Limit: q.Limit}
	if q.By != "" {
		if ask.By, err = parseField(q.By, false); err != nil {
			return nil, err
		}
	}
	if err := s.checkValues(&ask.Limit, defaultTrendValues); err != nil {
		return nil, err
	}
	return s.opts.Store.EventTrend(ctx, tenant, ask)
}
