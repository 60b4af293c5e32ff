// Package logpatterns answers which templates the log lines of a time range have, and which of them are new, vanished or come
// more often than in another range. Templates are mined at ingest and counted in the store by the minute; this package joins
// those that are one and judges how their numbers differ. Package app hands it to the HTTP API.
package logpatterns

import (
	"context"
	"errors"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// Storage is what patterns are read from: package store. Implementations are safe for concurrent use and never show one
// tenant's data to another.
type Storage interface {
	// LogPatterns returns the templates of a scope, those of most lines first; the caller owns them.
	LogPatterns(ctx context.Context, tenant seamark.TenantID, q store.PatternsQuery) ([]store.LogPattern, error)
	// LogPatternSeries returns the counts of templates by step, in any order.
	LogPatternSeries(ctx context.Context, tenant seamark.TenantID, q store.PatternSeriesQuery) ([]store.PatternPoint, error)
}

// Streams finds log streams by their labels.
type Streams interface {
	// LogStreams returns at most q.Limit streams that match; the caller does not change them.
	LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
}

// Options configures a Finder. Zero limits get their defaults.
type Options struct {
	Storage Storage
	Streams Streams
	// MaxStreams bounds the streams that one selector may touch (50,000). Their fingerprints are part of the statement.
	MaxStreams int
	// MaxPatterns bounds the templates that are compared (20,000), those of most lines first. Without it lines that nobody wrote
	// for machines take what memory they like.
	MaxPatterns int
	// MaxPoints bounds the steps of an answer (1500 per pattern): what a chart can show.
	MaxPoints int
}

func (o *Options) validate() error {
	if o.Storage == nil || o.Streams == nil {
		return errors.New("logpatterns: Storage and Streams are required")
	}
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&o.MaxStreams, 50_000}, {&o.MaxPatterns, 20_000}, {&o.MaxPoints, 1500}} {
		if *limit.value < 0 {
			return errors.New("logpatterns: limits must not be negative")
		}
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
	}
	return nil
}

// Finder finds the patterns of one tenant at a time. It is safe for concurrent use.
type Finder struct{ opts Options }

// New returns a finder.
func New(o Options) (*Finder, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Finder{opts: o}, nil
}

// Query asks for patterns. Ranges are widened to whole minutes, in which lines are counted.
type Query struct {
	Selector string // LogQL's stream selector; "" selects all streams
	Range    seamark.TimeRange
	// Before is the range to compare with. Its zero is the range of the same length that ends where Range begins, or with the
	// order Top none.
	Before seamark.TimeRange
	Order  Order
	Limit  int
	Step   time.Duration // of the counts over time; 0 chooses some hundred
}

// Order says which patterns are wanted, and in which order.
type Order string

// The orders. Top lists all patterns by lines; the others list only what they are named for, the surest first.
const (
	Top      Order = "top"
	Fresh    Order = "new"
	Vanished Order = "vanished"
	Spiking  Order = "spiking"
)

// Answer is what was found.
type Answer struct {
	Range, Before seamark.TimeRange // as counted; Before is zero where nothing was compared
	Step          time.Duration
	Lines         uint64 // of all patterns in the range
	LinesBefore   uint64
	Found         int  // how many patterns the order has; Patterns are the first of them
	Truncated     bool // there are more templates than are compared: rare ones are missing, and shares are of what was counted
	Patterns      []Pattern
}

// Pattern is a template and how often it came.
type Pattern struct {
	store.LogPattern
	Share      float64 // of the range's lines, 0 to 1
	Points     []Point
	Comparison *Comparison // nil where nothing was compared
}

// Point is how many lines the step that begins at Time has.
type Point struct {
	Time  time.Time
	Lines uint64
}

// bucket is the time that the store counts lines by.
const bucket = time.Minute

// Find returns the patterns of a query.
func (f *Finder) Find(ctx context.Context, reader seamark.Scope, q Query) (*Answer, error) {
	tenant := reader.Tenant
	if err := tenant.Validate(); err != nil {
		return nil, err
	}
	if err := f.complete(&q); err != nil {
		return nil, err
	}
	scope, err := f.scope(ctx, reader, &q)
	if err != nil {
		return nil, err
	}
	list, err := f.opts.Storage.LogPatterns(ctx, tenant, store.PatternsQuery{PatternScope: scope, Before: q.Before, Limit: f.opts.MaxPatterns + 1})
	if err != nil {
		return nil, err
	}
	a := &Answer{Range: q.Range, Before: q.Before, Step: q.Step, Truncated: len(list) > f.opts.MaxPatterns}
	joined := join(list)
	if reader.Only.Narrows() {
		for i := range joined { // it may be a day on which others had the pattern
			joined[i].FirstDay = time.Time{}
		}
	}
	a.judge(joined, &q)
	return a, f.series(ctx, tenant, &scope, a, joined)
}

// complete widens ranges to whole minutes and fills in what the query leaves open.
func (f *Finder) complete(q *Query) error {
	if err := widen(&q.Range, "start", "end"); err != nil {
		return err
	}
	switch q.Order {
	case Top, Fresh, Vanished, Spiking:
	default:
		return seamark.Errorf(seamark.Invalid, "seamark-patterns-sort", "The sort %q is unknown; use top, new, vanished or spiking.", clip(string(q.Order)))
	}
	switch none := q.Before == (seamark.TimeRange{}); {
	case none && q.Order != Top:
		q.Before = seamark.TimeRange{Start: q.Range.Start.Add(-q.Range.Duration()), End: q.Range.Start}
	case !none:
		if err := widen(&q.Before, "compare_start", "compare_end"); err != nil {
			return err
		}
		if q.Before.Start.Before(q.Range.End) && q.Range.Start.Before(q.Before.End) {
			return seamark.Errorf(seamark.Invalid, "seamark-patterns-overlap",
				"The period %s to %s (compare_start, compare_end) overlaps the period %s to %s (start, end): lines in both would be compared with themselves.",
				text(q.Before.Start), text(q.Before.End), text(q.Range.Start), text(q.Range.End))
		}
	}
	if q.Step == 0 {
		const points = 120
		q.Step = max(roundUp(q.Range.Duration()/points), bucket)
	}
	if q.Step%bucket != 0 || q.Step < 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-patterns-step",
			"The step %q is not a number of whole minutes, such as 5m or 300, in which patterns are counted.", q.Step)
	}
	if points := int((q.Range.Duration() + q.Step - 1) / q.Step); points > f.opts.MaxPoints {
		return seamark.Errorf(seamark.Invalid, "seamark-patterns-points", "The period of %s in steps of %s has %d points, more than the limit of %d. Ask for a larger step.",
			q.Range.Duration(), q.Step, points, f.opts.MaxPoints)
	}
	return nil
}

// widen brings a range to whole minutes.
func widen(r *seamark.TimeRange, start, end string) error {
	const first, last = 1970, 2100
	switch {
	case r.Start.IsZero():
		return seamark.Errorf(seamark.Invalid, "seamark-parameter-missing", "The parameter %s is missing: %s needs it.", start, end)
	case r.End.IsZero():
		return seamark.Errorf(seamark.Invalid, "seamark-parameter-missing", "The parameter %s is missing: %s needs it.", end, start)
	case r.Start.UTC().Year() < first || r.End.UTC().Year() >= last:
		return seamark.Errorf(seamark.Invalid, "seamark-patterns-time", "The period from %s to %s is not between the years %d and %d.", start, end, first, last)
	case !r.End.After(r.Start):
		return seamark.Errorf(seamark.Invalid, "seamark-range-backwards", "The %s %s must lie after the %s %s.", end, text(r.End), start, text(r.Start))
	}
	r.Start = r.Start.UTC().Truncate(bucket)
	r.End = r.End.UTC().Add(bucket - 1).Truncate(bucket)
	return nil
}

func text(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func roundUp(d time.Duration) time.Duration { return (d + bucket - 1) / bucket * bucket }

func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// scope resolves the selector, and leaves out what the reader may not see.
func (f *Finder) scope(ctx context.Context, reader seamark.Scope, q *Query) (store.PatternScope, error) {
	scope := store.PatternScope{Range: q.Range, All: q.Selector == "" && !reader.Only.Narrows()}
	if scope.All {
		return scope, nil
	}
	var matchers []logql.Matcher
	var err error
	if q.Selector != "" {
		if matchers, err = logql.ParseMatchers(q.Selector); err != nil {
			return scope, err
		}
	}
	both := q.Range
	if !q.Before.End.IsZero() && q.Before.Start.Before(both.Start) {
		both.Start = q.Before.Start
	}
	if q.Before.End.After(both.End) {
		both.End = q.Before.End
	}
	sq := store.LogStreamsQuery{Start: both.Start.UnixNano(), End: both.End.UnixNano(), Limit: f.opts.MaxStreams + 1}
	for _, m := range matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		sq.Matchers = append(sq.Matchers, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	streams, err := f.opts.Streams.LogStreams(ctx, reader.Tenant, sq)
	if err == nil && len(streams) > f.opts.MaxStreams {
		err = seamark.Errorf(seamark.Unprocessable, "seamark-logql-streams",
			"The selector %s matches more than the limit of %d streams. Add a label to it, or ask for a shorter range.", clip(q.Selector), f.opts.MaxStreams)
	}
	for i := range streams {
		if reader.Only.AllowsLabels(streams[i].Labels) {
			scope.Streams = append(scope.Streams, streams[i])
		}
	}
	return scope, err
}
