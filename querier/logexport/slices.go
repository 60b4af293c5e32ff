package logexport

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// sliceRows and sliceBytes bound what one statement sorts, and with it what a slow reader keeps waiting: some megabytes in
	// ClickHouse. Fewer make more statements, each of which costs some milliseconds.
	sliceRows  = 20_000
	sliceBytes = 8 << 20
	// sliceCells is into how many cells a range is cut when it has more than that.
	sliceCells = 256
)

// slice is a part of the range, half-open, with what is known to be in it before filters.
type slice struct {
	start, end  int64
	rows, bytes uint64
}

// fits reports whether one statement may read the slice. A nanosecond cannot be cut.
func (s *slice) fits() bool {
	return s.rows <= sliceRows && s.bytes <= sliceBytes || s.end-s.start == 1
}

// slicer cuts a range into slices that one statement can read, in the order of the export. It counts the rows of a part
// before it is read, first of the whole range in cells, then of the cells that have too many.
type slicer struct {
	storage interface {
		LogCounts(ctx context.Context, tenant seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error)
	}
	tenant  seamark.TenantID
	streams []store.LogStream
	newest  bool
	left    []slice // the last is next
}

// begin counts the rows of the whole range.
func (s *slicer) begin(ctx context.Context, start, end int64) (rows uint64, err error) {
	if err := s.cut(ctx, slice{start: start, end: end}); err != nil {
		return 0, err
	}
	for i := range s.left {
		rows += s.left[i].rows
	}
	return rows, nil
}

// next returns the next slice with rows; false at the end.
func (s *slicer) next(ctx context.Context) (slice, bool, error) {
	for len(s.left) > 0 {
		one := s.left[len(s.left)-1]
		s.left = s.left[:len(s.left)-1]
		if !one.fits() {
			if err := s.cut(ctx, one); err != nil {
				return slice{}, false, err
			}
			continue
		}
		for len(s.left) > 0 {
			joined := one.join(&s.left[len(s.left)-1])
			if !joined.fits() {
				break
			}
			one, s.left = joined, s.left[:len(s.left)-1]
		}
		return one, true, nil
	}
	return slice{}, false, nil
}

// join returns the slice from one to the other; no rows lie between them.
func (s slice) join(other *slice) slice {
	return slice{start: min(s.start, other.start), end: max(s.end, other.end), rows: s.rows + other.rows, bytes: s.bytes + other.bytes}
}

// cut replaces a slice by its cells that have rows.
func (s *slicer) cut(ctx context.Context, whole slice) error {
	width := max((whole.end-whole.start+sliceCells-1)/sliceCells, 1)
	cells := int((whole.end - whole.start + width - 1) / width)
	// The window of a step ends at it, inclusive: cell k is [start+k*width, start+(k+1)*width).
	grid := store.LogGrid{First: whole.start + width - 1, Step: width, Steps: cells, Window: width}
	q := store.LogCountsQuery{Grid: grid, Bytes: true, LogScope: store.LogScope{Streams: s.streams}, Into: make([]uint64, len(s.streams))}
	q.Start, q.End = grid.Range()
	counted := make([]slice, grid.Buckets())
	_, err := s.storage.LogCounts(ctx, s.tenant, q, func(c *store.LogCount) error {
		counted[c.Bucket].rows += c.Lines
		counted[c.Bucket].bytes += c.Bytes
		return nil
	})
	if err != nil {
		return err
	}
	for i := range cells {
		k := i
		if !s.newest {
			k = cells - 1 - i // the last of the list is read first
		}
		cell := slice{start: whole.start + int64(k)*width}
		cell.end = min(cell.start+width, whole.end)
		from, to := grid.Span(k)
		for _, b := range counted[from:to] {
			cell.rows += b.rows
			cell.bytes += b.bytes
		}
		if cell.rows > 0 {
			s.left = append(s.left, cell)
		}
	}
	return nil
}
