// Package logmem answers log queries over rows in memory, with the meaning that package store gives them: those of a live
// tail, and samples that are looked at more than once. It is a storage of the LogQL engine for log queries alone.
package logmem

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Rows is some rows and the streams they belong to. It is not safe for concurrent use.
type Rows struct {
	streams []store.LogStream
	block   *store.LogBlock
	order   []int32 // of the block's rows, by time
	exprs   exprs
	out     store.LogBlock
}

// New returns no rows.
func New() *Rows { return &Rows{block: &store.LogBlock{}, exprs: exprs{}} }

// Set replaces the rows. A row whose stream is not in streams does not exist. Both belong to Rows until the next call.
func (r *Rows) Set(streams []store.LogStream, block *store.LogBlock) {
	r.streams, r.block = streams, block
	r.order = r.order[:0]
	for i := range block.Len() {
		r.order = append(r.order, int32(i))
	}
	slices.SortStableFunc(r.order, func(a, b int32) int { return cmp.Compare(block.Time[a], block.Time[b]) })
}

// Span returns the range of the rows' times, half-open.
func (r *Rows) Span() (start, end int64) {
	if len(r.order) == 0 {
		return 0, 0
	}
	return r.block.Time[r.order[0]], r.block.Time[r.order[len(r.order)-1]] + 1
}

// LogStreams implements engine.Storage.
func (r *Rows) LogStreams(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	var found []store.LogStream
	for i := range r.streams {
		matches, err := r.exprs.matches(r.streams[i].Labels, q.Matchers)
		if err != nil {
			return nil, err
		}
		if matches && len(found) < q.Limit {
			found = append(found, r.streams[i])
		}
	}
	return found, nil
}

// outRows is how many rows are handed over at once.
const outRows = 1024

// LogRows implements engine.Storage.
func (r *Rows) LogRows(_ context.Context, _ seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	wanted := make(map[uint64]struct{}, len(q.Streams))
	for i := range q.Streams {
		wanted[q.Streams[i].FP] = struct{}{}
	}
	var stats store.LogStats
	from, to := r.at(q.Start), r.at(q.End)
	r.out.Reset()
	left := q.Limit
	for k := range to - from {
		i := int(r.order[from+k])
		if q.Order == store.NewestFirst {
			i = int(r.order[to-1-k])
		}
		if _, ok := wanted[r.block.FP[i]]; !ok {
			continue
		}
		stats.Rows++
		stats.Bytes += uint64(len(r.block.Body[i]))
		holds, err := r.exprs.all(r.block, i, q.Filters)
		if err != nil {
			return stats, err
		}
		if !holds {
			continue
		}
		r.out.AppendRow(r.block, i)
		left--
		if r.out.Len() == outRows || left == 0 {
			if err := r.hand(q.Columns, fn); err != nil || left == 0 {
				return stats, err
			}
		}
	}
	if r.out.Len() == 0 {
		return stats, nil
	}
	return stats, r.hand(q.Columns, fn)
}

// at returns how many rows are older than t.
func (r *Rows) at(t int64) int {
	return sort.Search(len(r.order), func(i int) bool { return r.block.Time[r.order[i]] >= t })
}

// hand calls fn with what has gathered, without the columns that were not asked for.
func (r *Rows) hand(c store.LogColumns, fn func(*store.LogBlock) error) error {
	b := r.out
	if !c.Body {
		b.Body = nil
	}
	if !c.Level {
		b.Level = nil
	}
	if !c.Trace {
		b.TraceID, b.SpanID = nil, nil
	}
	if !c.Attrs {
		b.Attrs, b.AttrEnd = nil, nil
	}
	err := fn(&b)
	r.out.Reset()
	return err
}

// errLogsOnly says that Rows was asked what only metric queries and lists need.
var errLogsOnly = errors.New("rows in memory answer log queries alone")

// NarrowLogs implements engine.Storage. All rows are at hand, so it has nothing to say.
func (*Rows) NarrowLogs(_ context.Context, _ seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	return scope, store.LogStats{}, nil
}

// LogCounts implements engine.Storage; it fails.
func (*Rows) LogCounts(context.Context, seamark.TenantID, store.LogCountsQuery, func(*store.LogCount) error) (store.LogStats, error) {
	return store.LogStats{}, errLogsOnly
}

// LogLabelNames implements engine.Storage; it fails.
func (*Rows) LogLabelNames(context.Context, seamark.TenantID, store.LogStreamsQuery) ([]string, error) {
	return nil, errLogsOnly
}

// LogLabelValues implements engine.Storage; it fails.
func (*Rows) LogLabelValues(context.Context, seamark.TenantID, string, store.LogStreamsQuery) ([]string, error) {
	return nil, errLogsOnly
}
