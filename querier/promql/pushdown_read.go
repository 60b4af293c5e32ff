package promql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
)

// columns reads the samples of the series that match and hands them over in chunks, in the order of Select. It reads one chunk
// ahead. It returns errFallback if any of them is a native histogram, or if they take more memory than a query may.
func (q *querier) columns(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher, yield func([]series) error) error {
	found, err := q.find(ctx, hints, matchers)
	if err != nil {
		return err
	}
	all := q.whole(hints, matchers, found)
	probe := all.query
	probe.Limit = 1
	if _, n, err := q.opts.Store.ListMetricHistograms(ctx, q.tenant, probe); err != nil || n > 0 {
		return orFallback(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	wide := *all
	if slices.ContainsFunc(found, func(s store.MetricSeries) bool { return isDelta(&s) }) {
		wide.query.StartMilli = all.deltaStart()
	}
	parts := all.divide(wide.seriesPerPart(q.opts.ChunkSamples))
	ahead := q.readAhead(ctx, &parts[0])
	defer func() {
		cancel()
		<-ahead
	}()
	for i := range parts {
		got := <-ahead
		if ahead = closed(); got.err == nil && i+1 < len(parts) {
			ahead = q.readAhead(ctx, &parts[i+1])
		}
		if got.err != nil {
			return got.err
		}
		if err := yield(got.list); err != nil {
			return err
		}
		if i+1 < len(parts) {
			q.rowsRead.Add(-int64(got.rows)) // they are let go; the last chunk counts for the whole query
		}
	}
	return nil
}

func orFallback(err error) error {
	if err != nil {
		return err
	}
	return errFallback
}

type chunk struct {
	list []series
	rows int
	err  error
}

func closed() chan chunk {
	c := make(chan chunk)
	close(c)
	return c
}

// readAhead reads a part in the background.
func (q *querier) readAhead(ctx context.Context, p *part) chan chunk {
	c := make(chan chunk, 1)
	go func() {
		var got chunk
		got.err = admit.From(ctx).Run(caught(func() (err error) {
			got.list, got.rows, err = q.readPart(ctx, p)
			return err
		}))
		c <- got
		close(c)
	}()
	return c
}

func (q *querier) readPart(ctx context.Context, p *part) ([]series, int, error) {
	left := q.opts.MaxSamples - int(q.rowsRead.Load())
	c, n, err := q.samples(ctx, p, left)
	if err != nil {
		return nil, n, err
	}
	if n > left {
		return nil, n, errFallback
	}
	q.rowsRead.Add(int64(n))
	return c.join(p.found), n, nil
}

// columnsOf hands over the series of any storage in chunks. It returns errFallback if it meets what is no plain float.
func columnsOf(ctx context.Context, set storage.SeriesSet, yield func([]series) error, notes *annotations.Annotations) error {
	const size = 4096
	var list []series
	var it chunkenc.Iterator
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := set.At()
		one := series{labels: s.Labels()}
		it = s.Iterator(it)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValFloat || it.AtST() != 0 {
				return errFallback
			}
			t, v := it.At()
			one.times, one.values = append(one.times, t), append(one.values, v)
		}
		if err := it.Err(); err != nil {
			return err
		}
		if list = append(list, one); len(list) == size {
			if err := yield(list); err != nil {
				return err
			}
			list = nil
		}
	}
	notes.Merge(set.Warnings())
	if err := set.Err(); err != nil {
		return err
	}
	return yield(list)
}
