package promql

import (
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// seriesSet implements storage.SeriesSet over series that load reads at the first Next.
type seriesSet struct {
	load func() ([]series, error)
	list []series
	at   int
	err  error
}

func (s *seriesSet) Next() bool {
	if s.load != nil {
		s.list, s.err = s.load()
		s.load = nil
	}
	if s.err != nil {
		return false
	}
	s.at++
	return s.at < len(s.list)
}

func (s *seriesSet) At() storage.Series { return &s.list[s.at] }

func (s *seriesSet) Err() error { return s.err }

func (*seriesSet) Warnings() annotations.Annotations { return nil }

// series implements storage.Series over columns: floats, native histograms, or both. Of two samples at one time the histogram
// is taken.
type series struct {
	labels     labels.Labels
	times      []int64 // rising
	values     []float64
	starts     []int64 // start timestamps of series of changes; nil: unknown
	histograms *histogramColumns
}

// histogramColumns are the native histograms of a series, which few have. Those of changes are decoded and have start timestamps.
type histogramColumns struct {
	times   []int64 // rising
	data    []string
	decoded []*histogram.FloatHistogram
	starts  []int64
}

func (s *series) Labels() labels.Labels { return s.labels }

func (s *series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	if s.histograms != nil {
		return newMixedIterator(s)
	}
	it, ok := reuse.(*iterator)
	if !ok {
		it = &iterator{}
	}
	it.times, it.values, it.starts, it.at = s.times, s.values, s.starts, -1
	return it
}

// iterator implements chunkenc.Iterator over floats.
type iterator struct {
	times  []int64
	values []float64
	starts []int64 // nil: unknown
	at     int
}

func (it *iterator) Next() chunkenc.ValueType {
	it.at++
	return it.typeAt()
}

func (it *iterator) typeAt() chunkenc.ValueType {
	if it.at >= len(it.times) {
		it.at = len(it.times)
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

// Seek has Prometheus' meaning and signature, not io.Seeker's.
func (it *iterator) Seek(t int64) chunkenc.ValueType {
	it.at = max(it.at, 0)
	// The engine mostly seeks a step ahead: look near before searching.
	const near = 8
	for range near {
		if it.at >= len(it.times) || it.times[it.at] >= t {
			return it.typeAt()
		}
		it.at++
	}
	rest := it.times[it.at:]
	it.at += sort.Search(len(rest), func(i int) bool { return rest[i] >= t })
	return it.typeAt()
}

func (it *iterator) At() (int64, float64) { return it.times[it.at], it.values[it.at] }

func (it *iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.times[it.at], nil
}

func (it *iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.times[it.at], nil
}

func (it *iterator) AtT() int64 { return it.times[it.at] }

// AtST tells the engine when a counter was zero, so that it sees resets where the value does not fall.
func (it *iterator) AtST() int64 {
	if it.starts == nil {
		return 0
	}
	return it.starts[it.at]
}

func (*iterator) Err() error { return nil }
