package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// TemporalityLabel marks series whose samples are deltas: each stands for itself and they are added up when
	// they are read. Ingest nodes keep no state between requests, so they cannot hold a counter's running total.
	TemporalityLabel = "__temporality__"
	// PartLabel parts the deltas of one series. Two requests may end in the same millisecond, and the store keeps one sample
	// per series and millisecond: what is added up would be too low.
	PartLabel = "__part__"
	// metricParts is how many series a delta is spread over.
	metricParts = 16
	// maxMetricSets bounds the label sets that one batch may make. Without it a label from a request id makes a series of
	// each record.
	maxMetricSets = 1000
)

// metricTally adds up a batch's metrics.
type metricTally struct {
	index  map[string]int
	points []point
	values []string // the labels of the record at hand
	key    []byte
}

// point is what a batch says of one label set.
type point struct {
	action  *extractAction
	step    *step
	values  []string
	latest  int64 // time of the latest record, nanoseconds
	last    float64
	sum     float64
	count   float64
	buckets []float64 // a histogram's, not cumulative, with +Inf
	hash    uint64    // of the records, for the part and the millisecond
}

func newMetricTally() metricTally { return metricTally{index: map[string]int{}} }

func (t *metricTally) reset() {
	clear(t.index)
	clear(t.points)
	clear(t.values[:cap(t.values)])
	t.points, t.values = t.points[:0], t.values[:0]
}

// add takes one record's value under the labels in t.values.
func (t *metricTally) add(w *run, a *extractAction, i int, value float64) error {
	t.key = binary.LittleEndian.AppendUint64(t.key[:0], uint64(w.current))
	for _, v := range t.values {
		t.key = append(append(t.key, v...), 0xff)
	}
	at, ok := t.index[string(t.key)]
	if !ok {
		if len(t.points) >= maxMetricSets {
			return fmt.Errorf("the batch would make more than %d series. Leave out labels with many values", maxMetricSets)
		}
		if err := w.reserve(seamark.SeriesBytes + seamark.LabelBytes*(len(t.values)+4)); err != nil {
			return err
		}
		at = len(t.points)
		t.index[string(t.key)] = at
		t.points = append(t.points, point{action: a, step: w.p.steps[w.current], values: slices.Clone(t.values)})
		if a.metric.Type == Histogram {
			t.points[at].buckets = make([]float64, len(a.metric.Buckets)+1)
		}
	}
	p, l := &t.points[at], &w.batch.Logs
	if when := l.TimeNano[i]; when >= p.latest || p.count == 0 {
		p.latest, p.last = when, value
	}
	p.sum += value
	p.count++
	p.hash = (p.hash ^ uint64(l.TimeNano[i]) ^ l.Streams[l.Stream[i]].FP) * 0x9e3779b97f4a7c15
	if p.buckets != nil {
		bucket, _ := slices.BinarySearch(a.metric.Buckets, value)
		p.buckets[bucket]++
	}
	return nil
}

// emit appends the samples to the batch. What cannot be stored is counted as the step's error: no record is left to tell.
func (t *metricTally) emit(w *run) {
	for i := range t.points {
		p := &t.points[i]
		if err := p.emit(w); err != nil {
			w.tally[w.p.indexOf(p.step)].errors++
		}
		if w.failed != nil {
			return
		}
	}
}

func (p *point) emit(w *run) error {
	m := &p.action.metric
	if m.Type == Gauge {
		return p.sample(w, m.Name, "", time.Unix(0, p.latest).UnixMilli(), p.last)
	}
	// The millisecond comes from the records as well, so that a repeated request gives the same sample, and requests whose
	// records end alike, as those of timers do, give different ones.
	at := p.latest/int64(time.Second)*1000 + int64(p.hash>>32%1000)
	if m.Type == Counter {
		return p.sample(w, m.Name, "", at, p.sum)
	}
	total := 0.0
	var failed error
	for k, n := range p.buckets {
		le := "+Inf"
		if k < len(m.Buckets) {
			le = strconv.FormatFloat(m.Buckets[k], 'g', -1, 64)
		}
		total += n
		failed = errors.Join(failed, p.sample(w, m.Name+"_bucket", le, at, total))
	}
	return errors.Join(failed, p.sample(w, m.Name+"_sum", "", at, p.sum), p.sample(w, m.Name+"_count", "", at, p.count))
}

// sample appends one sample of the series with the given name and, when set, bucket.
func (p *point) sample(w *run, name, le string, at int64, value float64) error {
	labels := p.action.labelsOf(p.values, w.labels)
	labels = append(labels, seamark.Label{Name: seamark.MetricNameLabel, Value: name})
	if p.action.metric.Type != Gauge {
		const hex = "0123456789abcdef"
		part := p.hash >> 28 % metricParts
		labels = append(labels, seamark.Label{Name: TemporalityLabel, Value: "delta"}, seamark.Label{Name: PartLabel, Value: hex[part : part+1]})
	}
	if le != "" {
		labels = append(labels, seamark.Label{Name: "le", Value: le})
	}
	w.labels = labels
	seamark.SortLabels(labels)
	key := w.keyOf(labels, uint64(seamark.MetricSeries))
	series := w.cat.Find(key)
	if series == nil {
		var err error
		if series, err = w.cat.Create(key, seamark.MetricSeries, labels); err != nil {
			return err
		}
	}
	if err := w.reserve(seamark.SampleBytes + seamark.SeriesBytes); err != nil {
		return err
	}
	s := &w.batch.Samples
	s.Append(s.AddSeries(series), at, value)
	return nil
}
