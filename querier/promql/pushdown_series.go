package promql

import (
	"context"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// Querier implements storage.Queryable. The engine knows the times of the selectors that took the leaves' place, not of those
// within the leaves.
func (q *leafQueryable) Querier(mint, maxt int64) (storage.Querier, error) {
	for _, l := range q.leaves {
		mint, maxt = min(mint, l.hints.Start), max(maxt, l.hints.End)
	}
	inner, err := q.Queryable.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return &leafQuerier{Querier: inner, queryable: q}, nil
}

type leafQuerier struct {
	storage.Querier
	queryable *leafQueryable
}

// Select implements storage.Querier. A leaf is evaluated when its set is first moved, in the engine's order of evaluation, so
// that errors come as they would without the rewriting.
func (q *leafQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if len(matchers) == 1 {
		if l, ok := q.queryable.leaves[matchers[0]]; ok {
			return &leafSet{at: -1, load: func() ([]gridSeries, annotations.Annotations, error) {
				return newLeafRun(ctx, l, q.queryable.pushdown).run(ctx, q.Querier)
			}}
		}
	}
	return q.Querier.Select(ctx, sorted, hints, matchers...)
}

// leafSet implements storage.SeriesSet over the result of a leaf.
type leafSet struct {
	load  func() ([]gridSeries, annotations.Annotations, error)
	list  []gridSeries
	notes annotations.Annotations
	at    int
	err   error
}

func (s *leafSet) Next() bool {
	if s.load != nil {
		s.list, s.notes, s.err = s.load()
		s.load = nil
	}
	s.at++
	return s.err == nil && s.at < len(s.list)
}

func (s *leafSet) At() storage.Series { return &s.list[s.at] }

func (s *leafSet) Err() error { return s.err }

func (s *leafSet) Warnings() annotations.Annotations { return s.notes }

// gridSeries implements storage.Series over one value per step; a stale marker says that a step has none.
type gridSeries struct {
	labels      labels.Labels
	start, step int64
	values      []float64
}

func (s *gridSeries) Labels() labels.Labels { return s.labels }

func (s *gridSeries) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*gridIterator)
	if !ok {
		it = &gridIterator{}
	}
	it.series, it.at = s, -1
	return it
}

// gridIterator implements chunkenc.Iterator.
type gridIterator struct {
	series *gridSeries
	at     int
}

func (it *gridIterator) Next() chunkenc.ValueType {
	it.at = min(it.at+1, len(it.series.values))
	return it.typeAt()
}

func (it *gridIterator) typeAt() chunkenc.ValueType {
	if it.at >= len(it.series.values) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

// Seek has Prometheus' meaning and signature, not io.Seeker's.
func (it *gridIterator) Seek(t int64) chunkenc.ValueType {
	it.at = max(it.at, 0)
	if s := it.series; t > s.start {
		it.at = int(max(int64(it.at), min((t-s.start+s.step-1)/s.step, int64(len(s.values)))))
	}
	return it.typeAt()
}

func (it *gridIterator) At() (int64, float64) { return it.AtT(), it.series.values[it.at] }

func (it *gridIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.AtT(), nil
}

func (it *gridIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.AtT(), nil
}

func (it *gridIterator) AtT() int64 { return it.series.start + int64(it.at)*it.series.step }

func (*gridIterator) AtST() int64 { return 0 }

func (*gridIterator) Err() error { return nil }
