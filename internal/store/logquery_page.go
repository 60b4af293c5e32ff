package store

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// firstWindow is the part of a range that the first rows are looked for in. The sort key begins with the group, so the
	// newest rows of many streams lie in many places, and each has to be read as far back as the statement's range goes.
	firstWindow = 64
	// minWindowed is the range from which that is worth a second statement, where the first finds too little.
	minWindowed = 5 * time.Minute
)

// windowed reports whether rows are looked for in windows of time. Where filters decide how many rows there are, windows
// would read the granules at their edges twice for nothing; the rows of few streams are found through the index.
func (q *LogRowsQuery) windowed() bool {
	return q.Limit > 0 && q.Order != AnyOrder && len(q.Filters) == 0 && len(q.Streams) > fewStreams && q.End-q.Start >= int64(minWindowed)
}

// logWindows reads the first rows of a range in growing windows until there are enough.
func (s *Store) logWindows(ctx context.Context, tenant seamark.TenantID, q LogRowsQuery, fn func(*LogBlock) error) (LogStats, error) {
	var total LogStats
	width := (q.End - q.Start) / firstWindow
	for {
		window, rows := q, 0
		if q.Order == NewestFirst {
			window.Start = max(q.End-width, q.Start)
			q.End = window.Start
		} else {
			window.End = min(q.Start+width, q.End)
			q.Start = window.End
		}
		stats, err := s.logRows(ctx, tenant, window, func(b *LogBlock) error {
			rows += b.Len()
			return fn(b)
		})
		total.Rows, total.Bytes = total.Rows+stats.Rows, total.Bytes+stats.Bytes
		q.Limit -= rows
		if err != nil || q.Limit == 0 || q.Start >= q.End {
			return total, err
		}
		width = nextWindow(width, rows, q.Limit, q.End-q.Start)
	}
}

// nextWindow returns how much of the rest of a range to read next for more rows, where width had some: twice what should have
// them, but at least several times as much as before, and all of it where nothing tells.
func nextWindow(width int64, rows, more int, rest int64) int64 {
	const growth = 8
	if rows == 0 {
		return rest
	}
	next := float64(width) * max(growth, 2*float64(more)/float64(rows))
	if next >= float64(rest) {
		return rest
	}
	return int64(next)
}
