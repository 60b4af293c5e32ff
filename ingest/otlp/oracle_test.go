package otlp_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
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

// recorder implements storage.AppenderV2 and keeps what Prometheus' own translation appends.
type recorder struct {
	samples  []sample
	metadata map[string]seamark.MetricMetadata
}

func (r *recorder) Append(_ storage.SeriesRef, ls labels.Labels, _, t int64, v float64, _ *histogram.Histogram, _ *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
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
	seamark.SortLabels(own)
	r.samples = append(r.samples, sample{fmt.Sprintf("%q", own), t, math.Float64bits(v)})
	r.metadata[o.MetricFamilyName] = seamark.MetricMetadata{
		Metric: o.MetricFamilyName, Type: string(o.Metadata.Type), Help: o.Metadata.Help, Unit: o.Metadata.Unit,
	}
	return 1, nil
}

func (r *recorder) Commit() error   { return nil }
func (r *recorder) Rollback() error { return nil }

// translate is what Prometheus makes of metrics.
func translate(t *testing.T, md pmetric.Metrics) *recorder {
	t.Helper()
	r := &recorder{metadata: make(map[string]seamark.MetricMetadata)}
	_, err := prometheusremotewrite.NewPrometheusConverter(r).FromMetrics(context.Background(), md, prometheusremotewrite.Settings{
		AddMetricSuffixes: true,
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
	return r
}
