// Package overlay lays series in memory over a tenant's stored ones: what a rule has just recorded and the writer has not stored
// yet, or what it would have recorded in a backtest. It knows nothing of rules; packages alerting and alerting/backtest import it.
package overlay

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// Overlay holds series that queries see together with those of a base. It is safe for concurrent use.
type Overlay struct {
	base    storage.Queryable
	shadows int64 // of names that are held here, the base's samples from this time on do not count; milliseconds

	mu     sync.RWMutex // guards all fields below
	series map[uint64][]*held
	names  map[string]bool
}

// held is one series with its samples by time.
type held struct {
	labels labels.Labels
	points []promql.FPoint
}

// New returns an empty overlay of base. From shadowsMilli on, milliseconds since 1970, metrics that the overlay has samples of are
// read from it alone: what was stored then was recorded by rules as they were. math.MaxInt64 shadows nothing.
func New(base storage.Queryable, shadowsMilli int64) *Overlay {
	return &Overlay{base: base, shadows: shadowsMilli, series: map[uint64][]*held{}, names: map[string]bool{}}
}

// Name makes the overlay answer for a metric before its first sample.
func (o *Overlay) Name(metric string) {
	o.mu.Lock()
	o.names[metric] = true
	o.mu.Unlock()
}

// Add puts a sample behind those of its series; one that is not later than the last is left out.
func (o *Overlay) Add(l labels.Labels, timeMilli int64, value float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names[l.Get(model.MetricNameLabel)] = true
	key := l.Hash()
	for _, s := range o.series[key] {
		if labels.Equal(s.labels, l) {
			if s.points[len(s.points)-1].T < timeMilli {
				s.points = append(s.points, promql.FPoint{T: timeMilli, F: value})
			}
			return
		}
	}
	o.series[key] = append(o.series[key], &held{labels: l, points: []promql.FPoint{{T: timeMilli, F: value}}})
}

// Trim forgets samples from before a time. Names stay.
func (o *Overlay) Trim(beforeMilli int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, bucket := range o.series {
		for _, s := range bucket {
			from, _ := slices.BinarySearchFunc(s.points, beforeMilli, byTime)
			s.points = slices.Delete(s.points, 0, from)
		}
		bucket = slices.DeleteFunc(bucket, func(s *held) bool { return len(s.points) == 0 })
		if o.series[key] = bucket; len(bucket) == 0 {
			delete(o.series, key)
		}
	}
}

// Concerns reports whether an expression may select a metric that the overlay answers for.
func (o *Overlay) Concerns(e parser.Expr) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return len(o.names) > 0 && Selects(e, func(name *labels.Matcher) bool {
		for known := range o.names {
			if name == nil || name.Matches(known) {
				return true
			}
		}
		return false
	})
}

// Selects reports whether any selector of an expression has names that picks says yes to; a selector without a matcher for names
// asks with nil.
func Selects(e parser.Expr, picks func(name *labels.Matcher) bool) bool {
	found := false
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			found = found || picks(nameMatcher(s.LabelMatchers))
		}
		return nil
	})
	return found
}

func nameMatcher(matchers []*labels.Matcher) *labels.Matcher {
	at := slices.IndexFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
	if at < 0 {
		return nil
	}
	return matchers[at]
}

// Querier implements storage.Queryable.
func (o *Overlay) Querier(mint, maxt int64) (storage.Querier, error) {
	base, err := o.base.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return &querier{Querier: base, overlay: o, mint: mint, maxt: maxt}, nil
}

type querier struct {
	storage.Querier // of the base
	overlay         *Overlay
	mint, maxt      int64
}

// Select implements storage.Querier.
func (q *querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	base := &shadowed{SeriesSet: q.Querier.Select(ctx, true, hints, matchers...), overlay: q.overlay}
	return storage.NewMergeSeriesSet([]storage.SeriesSet{base, q.overlay.find(q.mint, q.maxt, matchers)}, 0, storage.ChainedSeriesMerge)
}

func (o *Overlay) find(mint, maxt int64, matchers []*labels.Matcher) storage.SeriesSet {
	o.mu.RLock()
	defer o.mu.RUnlock()
	var list []storage.Series
	for _, bucket := range o.series {
		for _, s := range bucket {
			if !matches(s.labels, matchers) {
				continue
			}
			from, _ := slices.BinarySearchFunc(s.points, mint, byTime)
			to, _ := slices.BinarySearchFunc(s.points, maxt+1, byTime)
			if from < to {
				list = append(list, promql.NewStorageSeries(promql.Series{Metric: s.labels, Floats: slices.Clone(s.points[from:to])}))
			}
		}
	}
	slices.SortFunc(list, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesSet{list: list, at: -1}
}

func byTime(p promql.FPoint, t int64) int {
	switch {
	case p.T < t:
		return -1
	case p.T > t:
		return 1
	}
	return 0
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(l.Get(m.Name)) })
}

// seriesSet implements storage.SeriesSet over a sorted slice.
type seriesSet struct {
	list []storage.Series
	at   int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.list) }
func (s *seriesSet) At() storage.Series                { return s.list[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// shadowed leaves out the base's samples that the overlay stands for.
type shadowed struct {
	storage.SeriesSet
	overlay *Overlay
}

// At implements storage.SeriesSet.
func (s *shadowed) At() storage.Series {
	found := s.SeriesSet.At()
	o := s.overlay
	if o.shadows == math.MaxInt64 {
		return found
	}
	o.mu.RLock()
	ours := o.names[found.Labels().Get(model.MetricNameLabel)]
	o.mu.RUnlock()
	if !ours {
		return found
	}
	return &cut{Series: found, before: o.shadows}
}

// cut is a series up to a time.
type cut struct {
	storage.Series
	before int64
}

// Iterator implements storage.Series. The samples are copied: few are read of what was stored before a backtest began.
func (c *cut) Iterator(it chunkenc.Iterator) chunkenc.Iterator {
	it = c.Series.Iterator(it)
	kept := promql.Series{Metric: c.Labels()}
	for kind := it.Next(); kind != chunkenc.ValNone && it.AtT() < c.before; kind = it.Next() {
		if kind == chunkenc.ValFloat {
			t, v := it.At()
			kept.Floats = append(kept.Floats, promql.FPoint{T: t, F: v})
			continue
		}
		t, h := it.AtFloatHistogram(nil)
		kept.Histograms = append(kept.Histograms, promql.HPoint{T: t, H: h})
	}
	if err := it.Err(); err != nil {
		return it
	}
	return promql.NewStorageSeries(kept).Iterator(nil)
}
