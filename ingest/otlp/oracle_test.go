package otlp_test

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sample is one sample with its labels, in a form that compares bit by bit.
type sample struct {
	Labels string
	Time   int64
	Bits   uint64
}

func sortSamples(s []sample) []sample {
	slices.SortFunc(s, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.Labels, b.Labels), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Bits, b.Bits))
	})
	return s
}

func samplesOf(b *seamark.Batch) []sample {
	var rows []sample
	for i := range b.Samples.Len() {
		s := b.Samples.Series[b.Samples.SeriesRef[i]]
		rows = append(rows, sample{fmt.Sprintf("%q", s.Labels), b.Samples.TimeMilli[i], math.Float64bits(b.Samples.Value[i])})
	}
	return sortSamples(rows)
}

// promoted are the resource attributes that we promote and the labels that they become.
var promoted = map[string]string{
	"k8s_cluster_name": "cluster", "k8s_namespace_name": "namespace", "k8s_pod_name": "pod",
	"k8s_container_name": "container", "k8s_node_name": "node",
}

// native is one native histogram with its labels, in a form that compares.
type native struct {
	Labels    string
	Time      int64
	Histogram string
	Hint      histogram.CounterResetHint
	SumBits   uint64
}

// nativeOf brings h to the one form that its empty buckets allow.
func nativeOf(labels string, t int64, h *histogram.Histogram) native {
	own := h.Copy()
	if value.IsStaleNaN(own.Sum) { // nothing but the end of the series is told
		own = &histogram.Histogram{Schema: own.Schema, ZeroThreshold: own.ZeroThreshold, Sum: own.Sum}
	}
	own.Compact(0)
	sum := math.Float64bits(own.Sum)
	own.Sum = 0
	return native{labels, t, fmt.Sprintf("schema %d, zero %g, %s", own.Schema, own.ZeroThreshold, own.String()), h.CounterResetHint, sum}
}

// decodeNative reads a row's histogram with Prometheus' types.
func decodeNative(t testing.TB, data string) *histogram.Histogram {
	t.Helper()
	var p prompb.Histogram
	if err := p.Unmarshal([]byte(data)); err != nil {
		t.Fatalf("histogram %x: %v", data, err)
	}
	if p.IsFloatHistogram() {
		t.Fatal("the histogram counts in floats")
	}
	return p.ToIntHistogram()
}

func nativesOf(t testing.TB, b *seamark.Batch) []native {
	t.Helper()
	var rows []native
	for i := range b.Histograms.Len() {
		h := decodeNative(t, b.Histograms.Data[i])
		if !value.IsStaleNaN(h.Sum) {
			if err := h.Validate(); err != nil {
				t.Errorf("row %d: %v", i, err)
			}
		}
		if got, want := math.Float64bits(b.Histograms.Sum[i]), math.Float64bits(h.Sum); got != want || b.Histograms.Count[i] != float64(h.Count) {
			t.Errorf("row %d: count %v and sum %x beside %v and %x", i, b.Histograms.Count[i], got, h.Count, want)
		}
		rows = append(rows, nativeOf(fmt.Sprintf("%q", b.Samples.Series[b.Histograms.SeriesRef[i]].Labels), b.Histograms.TimeMilli[i], h))
	}
	slices.SortFunc(rows, func(a, b native) int { return cmp.Compare(a.Labels, b.Labels) })
	return rows
}

// exemplarRow is one exemplar with the labels of its series.
type exemplarRow struct {
	Series    string
	Time      int64
	Value     float64
	Exemplars string
}

func sortExemplars(rows []exemplarRow) []exemplarRow {
	slices.SortFunc(rows, func(a, b exemplarRow) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.Value, b.Value))
	})
	return rows
}

func exemplarsOf(b *seamark.Batch) []exemplarRow {
	var rows []exemplarRow
	for _, e := range b.Exemplars {
		own := slices.Clone(e.Labels)
		if e.TraceID != [16]byte{} {
			own = append(own, seamark.Label{Name: "trace_id", Value: hex.EncodeToString(e.TraceID[:])})
		}
		seamark.SortLabels(own)
		rows = append(rows, exemplarRow{fmt.Sprintf("%q", b.Samples.Series[e.Series].Labels), e.TimeMilli, e.Value, fmt.Sprintf("%q", own)})
	}
	return sortExemplars(rows)
}

// recorder implements storage.AppenderV2 and keeps what Prometheus' own translation appends.
type recorder struct {
	samples   []sample
	natives   []native
	exemplars []exemplarRow
	metadata  map[string]seamark.MetricMetadata
}

func (r *recorder) Append(_ storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, _ *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	var own []seamark.Label
	target := ls.Get(seamark.MetricNameLabel) == "target_info"
	ls.Range(func(l labels.Label) {
		if name, ok := promoted[l.Name]; ok && !target {
			if ls.Has(name) { // the point's own label wins
				return
			}
			l.Name = name
		}
		own = append(own, seamark.Label{Name: l.Name, Value: l.Value})
	})
	if o.Metadata.Type == model.MetricTypeUnknown { // its word for deltas
		own = append(own, seamark.Label{Name: "__temporality__", Value: "delta"})
	}
	seamark.SortLabels(own)
	series := fmt.Sprintf("%q", own)
	if h != nil {
		r.natives = append(r.natives, nativeOf(series, t, h))
	} else {
		r.samples = append(r.samples, sample{series, t, math.Float64bits(v)})
		if startsAtZero(ls.Get(seamark.MetricNameLabel), o.Metadata.Type) && st > 0 && st < t && t-st <= 120_000 && !value.IsStaleNaN(v) {
			r.samples = append(r.samples, sample{series, st, 0})
		}
	}
	for _, e := range o.Exemplars {
		when := e.Ts
		if !e.HasTs {
			when = t
		}
		var own []seamark.Label
		e.Labels.Range(func(l labels.Label) { own = append(own, seamark.Label{Name: l.Name, Value: l.Value}) })
		r.exemplars = append(r.exemplars, exemplarRow{series, when, e.Value, fmt.Sprintf("%q", own)})
	}
	r.metadata[o.MetricFamilyName] = seamark.MetricMetadata{
		Metric: o.MetricFamilyName, Type: string(o.Metadata.Type), Help: o.Metadata.Help, Unit: o.Metadata.Unit,
	}
	return 1, nil
}

// startsAtZero says which series get a sample of 0 at their start time.
func startsAtZero(name string, kind model.MetricType) bool {
	return kind == model.MetricTypeCounter ||
		kind == model.MetricTypeHistogram && (strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum"))
}

func (r *recorder) Commit() error   { return nil }
func (r *recorder) Rollback() error { return nil }

// translate is what Prometheus makes of metrics.
func translate(t *testing.T, md pmetric.Metrics) *recorder {
	t.Helper()
	r := &recorder{metadata: make(map[string]seamark.MetricMetadata)}
	_, err := prometheusremotewrite.NewPrometheusConverter(r).FromMetrics(context.Background(), md, prometheusremotewrite.Settings{
		AddMetricSuffixes: true, AllowDeltaTemporality: true,
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: []string{
				"k8s.cluster.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "k8s.node.name",
			},
		}),
	})
	if err != nil {
		t.Fatalf("Prometheus' translation: %v", err)
	}
	sortSamples(r.samples)
	sortExemplars(r.exemplars)
	slices.SortFunc(r.natives, func(a, b native) int { return cmp.Compare(a.Labels, b.Labels) })
	return r
}
