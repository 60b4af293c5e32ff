package api

import (
	"cmp"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// federate shows the newest sample of every series that a match[] selects, for another Prometheus to scrape
// (https://prometheus.io/docs/prometheus/latest/federation/).
func (a *prometheusAPI) federate(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	sets, err := a.Parser.ParseMetricSelectors(form["match[]"])
	if err != nil {
		return badData(err)
	}
	now := a.Now()
	hints := make([]storage.SelectHints, len(sets))
	for i := range hints {
		hints[i] = storage.SelectHints{Start: now.Add(-a.LookbackDelta).UnixMilli(), End: now.UnixMilli()}
	}
	var last newest
	if err := a.Reader.ReadSeries(r.Context(), r.Scope(), hints, sets, last.series); err != nil {
		return err
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeProtoText),
		expfmt.NewFormat(expfmt.TypeProtoCompact), expfmt.NewFormat(expfmt.TypeTextPlain))
	w.Header().Set("Content-Type", string(format))
	encoder := expfmt.NewEncoder(w, format)
	families := families{native: format.FormatType() != expfmt.TypeTextPlain, emit: encoder.Encode}
	for _, sample := range last.sorted() {
		if err := families.add(sample); err != nil {
			return err
		}
	}
	return families.flush()
}

// newest gathers the last sample of each series.
type newest struct {
	list promql.Vector
	it   chunkenc.Iterator
}

func (n *newest) series(_ int, s storage.Series) error {
	sample, found := promql.Sample{Metric: s.Labels()}, false
	n.it = s.Iterator(n.it)
	for kind := n.it.Next(); kind != chunkenc.ValNone; kind = n.it.Next() {
		found = true
		if kind == chunkenc.ValFloat {
			sample.T, sample.F = n.it.At()
			sample.H = nil
		} else {
			sample.T, sample.H = n.it.AtFloatHistogram(nil)
		}
	}
	// No exposition format can say that a series ended; it is left out instead.
	stale := sample.H == nil && value.IsStaleNaN(sample.F) || sample.H != nil && value.IsStaleNaN(sample.H.Sum)
	if found && !stale {
		n.list = append(n.list, sample)
	}
	return n.it.Err()
}

// sorted returns each series once, whichever selectors found it, all of a name together.
func (n *newest) sorted() promql.Vector {
	slices.SortFunc(n.list, func(a, b promql.Sample) int {
		return cmp.Or(cmp.Compare(a.Metric.Get(model.MetricNameLabel), b.Metric.Get(model.MetricNameLabel)), labels.Compare(a.Metric, b.Metric))
	})
	return slices.CompactFunc(n.list, func(a, b promql.Sample) bool { return labels.Equal(a.Metric, b.Metric) })
}

// families makes metric families of samples that come by name. A name with floats and histograms becomes several
// families: no valid exposition, and yet what Prometheus sends and reads.
type families struct {
	native bool // whether the format has native histograms
	emit   func(*dto.MetricFamily) error
	open   *dto.MetricFamily
}

func (f *families) add(s promql.Sample) error {
	if s.H != nil && !s.H.UsesCustomBuckets() && !f.native {
		return nil
	}
	metric, name := &dto.Metric{TimestampMs: &s.T}, ""
	instance := false
	s.Metric.Range(func(l labels.Label) {
		switch l.Name {
		case model.MetricNameLabel:
			name = l.Value
			return
		case model.InstanceLabel:
			instance = true
		}
		metric.Label = append(metric.Label, labelPair(l.Name, l.Value))
	})
	if name == "" {
		return nil // no format can say it
	}
	if !instance { // else the scraping side would put its own target there
		metric.Label = append(metric.Label, labelPair(model.InstanceLabel, ""))
	}
	kind := dto.MetricType_UNTYPED
	switch {
	case s.H == nil:
		metric.Untyped = &dto.Untyped{Value: &s.F}
	case s.H.CounterResetHint == histogram.GaugeType:
		kind = dto.MetricType_GAUGE_HISTOGRAM
	default:
		kind = dto.MetricType_HISTOGRAM
	}
	switch {
	case s.H == nil:
	case s.H.UsesCustomBuckets():
		metric.Histogram = classicHistogram(s.H)
	default:
		metric.Histogram = nativeHistogram(s.H)
	}
	if f.open == nil || f.open.GetName() != name || f.open.GetType() != kind {
		if err := f.flush(); err != nil {
			return err
		}
		f.open = &dto.MetricFamily{Name: &name, Type: &kind}
	}
	f.open.Metric = append(f.open.Metric, metric)
	return nil
}

// flush sends the open family.
func (f *families) flush() error {
	if f.open == nil {
		return nil
	}
	family := f.open
	f.open = nil
	return f.emit(family)
}

func labelPair(name, text string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &text} }

func nativeHistogram(h *histogram.FloatHistogram) *dto.Histogram {
	return &dto.Histogram{
		SampleCountFloat: &h.Count, SampleSum: &h.Sum, Schema: &h.Schema, ZeroThreshold: &h.ZeroThreshold, ZeroCountFloat: &h.ZeroCount,
		NegativeSpan: bucketSpans(h.NegativeSpans), NegativeCount: h.NegativeBuckets,
		PositiveSpan: bucketSpans(h.PositiveSpans), PositiveCount: h.PositiveBuckets,
	}
}

func bucketSpans(spans []histogram.Span) []*dto.BucketSpan {
	var list []*dto.BucketSpan
	for _, s := range spans {
		list = append(list, &dto.BucketSpan{Offset: &s.Offset, Length: &s.Length})
	}
	return list
}

// classicHistogram turns custom buckets into the cumulative ones of the text format, but for +Inf, which the formats that
// need it add.
func classicHistogram(h *histogram.FloatHistogram) *dto.Histogram {
	result := &dto.Histogram{SampleCountFloat: &h.Count, SampleSum: &h.Sum}
	it, total := h.PositiveBucketIterator(), 0.0
	more := it.Next()
	for i, bound := range h.CustomValues {
		for more && int(it.At().Index) <= i {
			total += it.At().Count
			more = it.Next()
		}
		count := total
		result.Bucket = append(result.Bucket, &dto.Bucket{UpperBound: &bound, CumulativeCountFloat: &count})
	}
	return result
}
