package promql

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// mixedIterator implements chunkenc.Iterator over a series with native histograms. A histogram is decoded when it is looked at,
// and then says, as Prometheus' storage does, whether its counter was reset since the histogram before.
type mixedIterator struct {
	series   *series
	hists    *histogramColumns
	f, h     int // next float and histogram
	at       int64
	isFloat  bool
	message  prompb.Histogram
	decoded  bool
	started  bool
	finished bool
	err      error
}

func newMixedIterator(s *series) *mixedIterator {
	return &mixedIterator{series: s, hists: s.histograms}
}

// Next implements chunkenc.Iterator.
func (it *mixedIterator) Next() chunkenc.ValueType {
	it.started, it.decoded = true, false
	moreFloats, moreHists := it.f < len(it.series.times), it.h < len(it.hists.times)
	it.isFloat = false
	switch {
	case it.err != nil || !moreFloats && !moreHists:
		it.finished = true
		return chunkenc.ValNone
	case moreHists && (!moreFloats || it.hists.times[it.h] <= it.series.times[it.f]):
		it.at = it.hists.times[it.h]
		if moreFloats && it.series.times[it.f] == it.at {
			it.f++
		}
		it.h++
	default:
		it.at, it.isFloat = it.series.times[it.f], true
		it.f++
	}
	return it.valueType()
}

func (it *mixedIterator) valueType() chunkenc.ValueType {
	switch {
	case it.finished || !it.started:
		return chunkenc.ValNone
	case it.isFloat:
		return chunkenc.ValFloat
	case it.hists.decoded != nil:
		return chunkenc.ValFloatHistogram
	}
	if it.decode(); it.err != nil {
		return chunkenc.ValNone
	}
	if it.message.IsFloatHistogram() {
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValHistogram
}

func (it *mixedIterator) decode() {
	if it.decoded {
		return
	}
	it.decoded = true
	if it.message = it.messageAt(it.h - 1); it.err == nil {
		it.message.ResetHint = it.hint()
	}
}

func (it *mixedIterator) messageAt(i int) (m prompb.Histogram) {
	if err := m.Unmarshal([]byte(it.hists.data[i])); err != nil && it.err == nil {
		it.err = fmt.Errorf("read native histogram of %s at %d: %w", it.series.labels, it.hists.times[i], err)
	}
	return m
}

// hint compares the histogram with the one before, if that is the sample before and of the same kind.
func (it *mixedIterator) hint() prompb.Histogram_ResetHint {
	m, i := &it.message, it.h-1
	if m.ResetHint == prompb.Histogram_GAUGE {
		return m.ResetHint
	}
	if i == 0 || value.IsStaleNaN(m.Sum) || it.floatBetween(it.hists.times[i-1], it.hists.times[i]) {
		return prompb.Histogram_UNKNOWN
	}
	before := it.messageAt(i - 1)
	switch {
	case it.err != nil || before.IsFloatHistogram() != m.IsFloatHistogram() || before.ResetHint == prompb.Histogram_GAUGE || value.IsStaleNaN(before.Sum):
		return prompb.Histogram_UNKNOWN
	case m.ResetHint == prompb.Histogram_YES:
		return prompb.Histogram_YES
	case toFloat(m).DetectReset(toFloat(&before)):
		return prompb.Histogram_UNKNOWN // the engine finds it again; Prometheus' storage says no more (prometheus#15346)
	}
	return prompb.Histogram_NO
}

// toFloat returns a histogram whose counts are compared, whatever its sender says of resets.
func toFloat(m *prompb.Histogram) *histogram.FloatHistogram {
	h := m.ToFloatHistogram()
	h.CounterResetHint = histogram.UnknownCounterReset
	return h
}

// floatBetween reports whether a float stands between two times.
func (it *mixedIterator) floatBetween(from, to int64) bool {
	n, _ := slices.BinarySearch(it.series.times, from)
	return n < len(it.series.times) && it.series.times[n] < to
}

// Seek has Prometheus' meaning and signature, not io.Seeker's.
func (it *mixedIterator) Seek(t int64) chunkenc.ValueType {
	if it.started && !it.finished && it.at >= t {
		return it.valueType()
	}
	skip := func(times []int64, from int) int {
		n, _ := slices.BinarySearch(times[from:], t)
		return from + n
	}
	it.f, it.h = skip(it.series.times, it.f), skip(it.hists.times, it.h)
	return it.Next()
}

// At implements chunkenc.Iterator.
func (it *mixedIterator) At() (int64, float64) { return it.at, it.series.values[it.f-1] }

// AtHistogram implements chunkenc.Iterator.
func (it *mixedIterator) AtHistogram(reuse *histogram.Histogram) (int64, *histogram.Histogram) {
	h := it.message.ToIntHistogram()
	if reuse == nil {
		return it.at, h
	}
	h.CopyTo(reuse)
	return it.at, reuse
}

// AtFloatHistogram implements chunkenc.Iterator.
func (it *mixedIterator) AtFloatHistogram(reuse *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	h := it.floatHistogram()
	if reuse == nil {
		return it.at, h
	}
	h.CopyTo(reuse)
	return it.at, reuse
}

// floatHistogram returns what the caller may keep.
func (it *mixedIterator) floatHistogram() *histogram.FloatHistogram {
	if it.hists.decoded == nil {
		return it.message.ToFloatHistogram()
	}
	i := it.h - 1
	h := it.hists.decoded[i].Copy()
	if i > 0 && it.floatBetween(it.hists.times[i-1], it.hists.times[i]) {
		h.CounterResetHint = histogram.UnknownCounterReset
	}
	return h
}

// AtT implements chunkenc.Iterator.
func (it *mixedIterator) AtT() int64 { return it.at }

// AtST implements chunkenc.Iterator.
func (it *mixedIterator) AtST() int64 {
	switch s := it.series; {
	case it.isFloat && s.starts != nil:
		return s.starts[it.f-1]
	case !it.isFloat && it.hists.starts != nil:
		return it.hists.starts[it.h-1]
	}
	return 0
}

// Err implements chunkenc.Iterator.
func (it *mixedIterator) Err() error { return it.err }
