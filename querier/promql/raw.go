package promql

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ReadSeries reads series as they are stored, for remote read and federation. The i-th matchers select in the range of the
// i-th hints (Start and End in milliseconds, both included; Func "series" asks for label sets without samples; the rest is
// not looked at). visit gets i and each of its series, sorted by labels; its error ends the reading and is returned as it
// is. All samples of a call count against one query's limit.
func (e *Engine) ReadSeries(ctx context.Context, tenant seamark.TenantID, hints []storage.SelectHints, sets [][]*labels.Matcher, visit func(i int, s storage.Series) error) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	if len(sets) == 0 {
		return nil
	}
	reader, err := e.Queryable(tenant).Querier(hints[0].Start, hints[0].End)
	if err != nil {
		return e.queryError(err)
	}
	defer func() { _ = reader.Close() }()
	for i, matchers := range sets {
		// A step says that more than the newest sample is looked at.
		raw := storage.SelectHints{Start: hints[i].Start, End: hints[i].End, Step: 1}
		if hints[i].Func == seriesFunc {
			raw.Func = seriesFunc
		}
		if err := e.readSet(reader.Select(ctx, true, &raw, matchers...), &raw, func(s storage.Series) error { return visit(i, s) }); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) readSet(set storage.SeriesSet, hints *storage.SelectHints, visit func(storage.Series) error) error {
	var it chunkenc.Iterator
	for set.Next() {
		s := &rangedSeries{set.At(), hints.Start, hints.End}
		if hints.Func != seriesFunc {
			// The engine's series may have nothing but a histogram before the range.
			it = s.Iterator(it)
			if it.Next() == chunkenc.ValNone && it.Err() == nil {
				continue
			}
		}
		if err := visit(s); err != nil {
			return err
		}
	}
	if err := set.Err(); err != nil {
		return e.queryError(err)
	}
	return nil
}

// rangedSeries is a series without the samples that were read beside its range: the engine asks for a histogram before it.
type rangedSeries struct {
	storage.Series
	start, end int64
}

// Iterator implements storage.Series.
func (s *rangedSeries) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*rangedIterator)
	if !ok {
		it = &rangedIterator{}
	}
	it.Iterator, it.start, it.end, it.started = s.Series.Iterator(it.Iterator), s.start, s.end, false
	return it
}

type rangedIterator struct {
	chunkenc.Iterator
	start, end int64
	started    bool
}

// Next implements chunkenc.Iterator.
func (it *rangedIterator) Next() chunkenc.ValueType {
	if !it.started {
		return it.Seek(it.start)
	}
	return it.inside(it.Iterator.Next())
}

// Seek has Prometheus' meaning and signature, not io.Seeker's.
func (it *rangedIterator) Seek(t int64) chunkenc.ValueType {
	it.started = true
	return it.inside(it.Iterator.Seek(max(t, it.start)))
}

// AtST implements chunkenc.Iterator. It says nothing of when a day's sums begin: chunks would be written in an encoding that many
// readers do not know.
func (*rangedIterator) AtST() int64 { return 0 }

func (it *rangedIterator) inside(kind chunkenc.ValueType) chunkenc.ValueType {
	if kind != chunkenc.ValNone && it.AtT() > it.end {
		return chunkenc.ValNone
	}
	return kind
}
