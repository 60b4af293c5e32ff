package engine

import (
	"context"
	"errors"
	"time"

	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// sliceRows is how many rows a slice of time aims at: enough that the price of a statement does not matter, few enough
	// that the server sorts them in memory and little is read beyond the limit.
	sliceRows = 20_000
	// firstSlice is the width of the first slice, as a multiple of the time that the first page spans.
	firstSlice = sliceRows / store.MaxLogPage
)

// pager reads the rows of a range in order until take has enough. It first asks for a page, which the server answers without
// reading all rows. Without a filter any rows will do, so it asks for one of a small window before that: most often it has
// enough, and the server need not look at the rest. With one the server has to look at all of the range for few rows, and
// a window would have it look twice at the blocks that stand at its edge.
// If stages drop rows, so that one page was not enough, it goes on in slices of time, each read whole: pages would search
// the range again for each thousand rows that the stages drop. Else it goes on in pages, up to the limit.
type pager struct {
	query       *query
	ask         store.LogRowsQuery
	from, until int64 // what is left of the range
	left        int   // rows to read; exact while no stage drops any
	drops       bool
	plan        *plan
	take        func(*store.LogBlock, int) error
}

const (
	// firstWindow is the share of the range that the first window is.
	firstWindow = 32
	// leastWindow is the shortest window: blocks of rows span about as much, so a shorter one would not read less.
	leastWindow = int64(15 * time.Minute)
)

// start narrows the range down to the parts that can have rows, and runs.
func (p *pager) start(ctx context.Context) error {
	if len(p.ask.Filters) > 0 {
		scope := p.ask.LogScope
		scope.Start, scope.End = p.from, p.until
		narrowed, stats, err := p.query.engine.opts.Storage.NarrowLogs(ctx, p.query.tenant, scope)
		p.query.count(stats)
		if err != nil {
			return err
		}
		p.ask.LogScope = narrowed
	}
	return p.run(ctx)
}

func (p *pager) run(ctx context.Context) error {
	width, window := int64(0), p.until-p.from
	if len(p.ask.Filters) == 0 {
		window = max(window/firstWindow, leastWindow)
	}
	for p.from < p.until {
		if width > 0 {
			rows, err := p.slice(ctx, width)
			if err != nil {
				return err
			}
			switch {
			case rows < sliceRows/4:
				width *= 4
			case rows > sliceRows*2:
				width = max(width/4, 1)
			}
			continue
		}
		start, end := p.next(window)
		span, err := p.page(ctx, start, end)
		if err != nil {
			return err
		}
		if span < 0 { // the window has no more
			p.done(start, end)
			window = p.until - p.from
			continue
		}
		if p.drops {
			width = max(span, 1) * firstSlice
		}
	}
	return nil
}

// next returns the part of the range that comes first in the query's order, at most so wide.
func (p *pager) next(width int64) (start, end int64) {
	if p.until-p.from <= width {
		return p.from, p.until
	}
	if p.ask.Order == store.NewestFirst {
		return p.until - width, p.until
	}
	return p.from, p.from + width
}

// done takes a part that next returned from what is left.
func (p *pager) done(start, end int64) {
	if p.ask.Order == store.NewestFirst {
		p.until = start
	} else {
		p.from = end
	}
}

// slice reads the next width of time whole.
func (p *pager) slice(ctx context.Context, width int64) (rows int, err error) {
	start, end := p.next(width)
	p.done(start, end)
	ask := p.between(start, end, 0)
	if err := p.query.narrow(ctx, p.plan, &ask.LogScope); err != nil {
		return 0, err
	}
	return rows, p.read(ctx, ask, func(b *store.LogBlock, i int) error {
		rows++
		return p.take(b, i)
	})
}

// page reads up to store.MaxLogPage rows of a window and returns how much time they span, or -1 when it has no more. Rows of
// the last time may go on behind the page, so they are left for what follows, unless they fill the page: then that one
// nanosecond is read whole.
func (p *pager) page(ctx context.Context, start, end int64) (span int64, err error) {
	limit := store.MaxLogPage
	last := !p.drops && p.left <= limit
	if last {
		limit = p.left
	}
	var page store.LogBlock
	err = p.read(ctx, p.between(start, end, limit), func(b *store.LogBlock, i int) error {
		page.AppendRow(b, i)
		return nil
	})
	if err != nil {
		return 0, err
	}
	n := page.Len()
	complete := last || n < limit
	if !complete {
		for n > 0 && page.Time[n-1] == page.Time[page.Len()-1] {
			n--
		}
	}
	for i := range n {
		if err := p.take(&page, i); err != nil {
			return 0, err
		}
	}
	p.left -= n
	if complete {
		return -1, nil
	}
	edge := page.Time[page.Len()-1]
	if n == 0 {
		err = p.read(ctx, p.between(edge, edge+1, 0), func(b *store.LogBlock, i int) error { p.left--; return p.take(b, i) })
	}
	if p.ask.Order == store.NewestFirst {
		p.until = edge
		if n > 0 {
			p.until++
		}
		return page.Time[0] - edge, err
	}
	p.from = edge
	if n == 0 {
		p.from++
	}
	return edge - page.Time[0], err
}

// between returns the question for a part of the range.
func (p *pager) between(start, end int64, limit int) store.LogRowsQuery {
	ask := p.ask
	ask.Start, ask.End, ask.Limit = start, end, limit
	return ask
}

// read streams rows to fn. The storage may wrap fn's errors, so errEnough is brought back.
func (p *pager) read(ctx context.Context, ask store.LogRowsQuery, fn func(*store.LogBlock, int) error) error {
	enough := false
	stats, err := p.query.engine.opts.Storage.LogRows(ctx, p.query.tenant, ask, func(b *store.LogBlock) error {
		for i := range b.Len() {
			if err := alive(ctx, i); err != nil {
				return err
			}
			if err := fn(b, i); err != nil {
				enough = errors.Is(err, errEnough)
				return err
			}
		}
		return nil
	})
	p.query.count(stats)
	if enough {
		return errEnough
	}
	return err
}
