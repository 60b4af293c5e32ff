package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// logs evaluates a log query.
func (q *query) logs(ctx context.Context, log *logql.LogQuery) (*Result, error) {
	limit, err := q.entryLimit()
	if err != nil {
		return nil, err
	}
	start, end := q.params.Start.UnixNano(), q.params.End.UnixNano()
	if err := (seamark.TimeRange{Start: q.params.Start, End: q.params.End}).Validate(); err != nil {
		return nil, err
	}
	streams, err := q.resolve(ctx, log.Matchers, start, end)
	if err != nil {
		return nil, err
	}
	p, err := q.newPlan(log, streams, nil, true)
	if err != nil {
		return nil, err
	}
	c := &collector{query: q, plan: p, left: limit, fps: labelsByFP(p.streams), index: map[string]int{}}
	pages := &pager{query: q, left: limit, drops: p.drops, plan: p, take: c.take, from: start, until: end, ask: store.LogRowsQuery{
		LogScope: store.LogScope{Streams: p.streams, Filters: p.filters},
		Columns:  store.LogColumns{Body: true, Level: true, Trace: true, Attrs: true},
		Order:    store.NewestFirst,
	}}
	if q.params.Forward {
		pages.ask.Order = store.OldestFirst
	}
	if len(p.streams) > 0 {
		err = pages.start(ctx)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	q.stats.Entries = limit - c.left
	slices.SortStableFunc(c.streams, func(a, b Stream) int { return compareLabels(a.Labels, b.Labels) })
	return &Result{Kind: Streams, Streams: c.streams, Categorized: q.params.Categorize}, nil
}

func (q *query) entryLimit() (int, error) {
	if q.params.Step == 0 && q.params.End.Equal(q.params.Start) {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-logql-instant",
			"A log query has no value at an instant. Ask for a range (query_range), or wrap the query, as in count_over_time({...}[5m]).")
	}
	limit, most := q.params.Limit, q.engine.opts.MaxEntries
	switch {
	case limit == 0:
		return q.engine.opts.DefaultEntries, nil
	case limit < 0 || limit > most:
		return 0, seamark.Errorf(seamark.Invalid, "seamark-logql-entries",
			"The limit of %d lines is not between 1 and %d. Lower it and page through the range by time.", limit, most)
	}
	return limit, nil
}

// errEnough ends the reading of rows when the result is full.
var errEnough = errors.New("the result is full")

// collector runs rows through the pipeline and groups the lines by their labels.
type collector struct {
	query   *query
	plan    *plan
	left    int // lines still wanted
	fps     map[uint64]*streamLabels
	labels  lineLabels
	ids     idCache
	streams []Stream
	index   map[string]int // of streams, by the key of their labels
}

// take adds row i of a block to the result; it returns errEnough after the last line that fits.
func (c *collector) take(b *store.LogBlock, i int) error {
	c.labels.reset(c.fps[b.FP[i]])
	c.labels.addRow(b, i, &c.ids)
	line, keep := run(c.plan.stages, b.Body[i], &c.labels)
	if !keep {
		return nil
	}
	entry := Entry{Time: b.Time[i], Line: line}
	shared := func(*lineLabel) bool { return true }
	if c.query.params.Categorize {
		entry.Metadata, entry.Parsed = c.pick(fromMetadata, fromMetadata), c.pick(fromLine, fromStage)
		shared = func(l *lineLabel) bool { return l.origin == fromStream }
	}
	labels, key := c.labels.group(shared)
	at, ok := c.index[string(key)]
	if !ok {
		at = len(c.streams)
		c.index[string(key)] = at
		c.streams = append(c.streams, Stream{Labels: slices.Clone(labels)})
	}
	c.streams[at].Entries = append(c.streams[at].Entries, entry)
	if err := c.query.grow(len(line) + len(key) + 64); err != nil {
		return err
	}
	if c.left--; c.left == 0 {
		return errEnough
	}
	return nil
}

// pick returns the line's labels of the origins from first to last.
func (c *collector) pick(first, last origin) []seamark.Label {
	var picked []seamark.Label
	for i := range c.labels.list {
		if l := &c.labels.list[i]; l.origin >= first && l.origin <= last {
			picked = append(picked, seamark.Label{Name: l.name, Value: l.value})
		}
	}
	seamark.SortLabels(picked)
	return picked
}
