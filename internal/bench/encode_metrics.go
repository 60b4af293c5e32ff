package bench

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// nameLabel carries a metric's name in remote write.
const nameLabel = "__name__"

// RemoteWrite1 is a request of Prometheus remote write 1.0.
func RemoteWrite1(samples []Sample) []byte {
	req := prompb.WriteRequest{Timeseries: make([]prompb.TimeSeries, len(samples))}
	for i := range samples {
		s := &samples[i]
		list := make([]prompb.Label, 0, len(s.Labels)+1)
		list = append(list, prompb.Label{Name: nameLabel, Value: s.Name})
		for _, l := range s.Labels {
			list = append(list, prompb.Label{Name: l.Name, Value: l.Value})
		}
		req.Timeseries[i] = prompb.TimeSeries{Labels: list, Samples: []prompb.Sample{{Value: s.Value, Timestamp: s.At.UnixMilli()}}}
	}
	return snappy.Encode(nil, must(req.Marshal()))
}

// RemoteWrite2 is a request of Prometheus remote write 2.0.
func RemoteWrite2(samples []Sample) []byte {
	symbols := writev2.NewSymbolTable()
	req := writev2.Request{Timeseries: make([]writev2.TimeSeries, len(samples))}
	for i := range samples {
		s := &samples[i]
		refs := []uint32{symbols.Symbolize(nameLabel), symbols.Symbolize(s.Name)}
		for _, l := range s.Labels {
			refs = append(refs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
		}
		kind := writev2.Metadata_METRIC_TYPE_GAUGE
		if s.Counter {
			kind = writev2.Metadata_METRIC_TYPE_COUNTER
		}
		req.Timeseries[i] = writev2.TimeSeries{
			LabelsRefs: refs, Samples: []writev2.Sample{{Value: s.Value, Timestamp: s.At.UnixMilli()}}, Metadata: writev2.Metadata{Type: kind},
		}
	}
	req.Symbols = symbols.Symbols()
	return snappy.Encode(nil, must(req.Marshal()))
}

// byPod calls fn with the samples of one pod after the other. Samples begin and end with whole pods.
func byPod(samples []Sample, fn func(pod []Sample)) {
	for pod := range slices.Chunk(samples, seriesPerPod) {
		fn(pod)
	}
}

// OTLPMetrics is what a collector sends of the same series: a resource per pod.
func OTLPMetrics(samples []Sample) pmetricotlp.ExportRequest {
	metrics := pmetric.NewMetrics()
	byPod(samples, func(pod []Sample) {
		resource := metrics.ResourceMetrics().AppendEmpty()
		for _, l := range pod[0].Labels[:podLabels] {
			resource.Resource().Attributes().PutStr("k8s."+l.Name+".name", l.Value)
		}
		list := resource.ScopeMetrics().AppendEmpty().Metrics()
		for i := range pod {
			s := &pod[i]
			m := list.AppendEmpty()
			m.SetName(s.Name)
			var point pmetric.NumberDataPoint
			if s.Counter {
				sum := m.SetEmptySum()
				sum.SetIsMonotonic(true)
				sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				point = sum.DataPoints().AppendEmpty()
			} else {
				point = m.SetEmptyGauge().DataPoints().AppendEmpty()
			}
			point.SetTimestamp(pcommon.NewTimestampFromTime(s.At))
			point.SetDoubleValue(s.Value)
			for _, l := range s.Labels[podLabels:] {
				point.Attributes().PutStr("bound."+l.Name, l.Value)
			}
		}
	})
	return pmetricotlp.NewExportRequestFromMetrics(metrics)
}

// Influx is what Telegraf sends of the same series: a line per pod, and one per bucket.
func Influx(samples []Sample) []byte {
	var b []byte
	byPod(samples, func(pod []Sample) {
		common := tagsOf(pod[0].Labels[:podLabels])
		at := strconv.FormatInt(pod[0].At.UnixNano(), 10)
		b = append(append(b, "pod"...), common...)
		separator := byte(' ')
		for i := range pod {
			if s := &pod[i]; len(s.Labels) == podLabels {
				b = append(append(append(b, separator), s.Name...), '=')
				b = strconv.AppendFloat(b, s.Value, 'g', -1, 64)
				separator = ','
			}
		}
		b = append(append(append(b, ' '), at...), '\n')
		for i := range pod {
			if s := &pod[i]; len(s.Labels) > podLabels {
				b = append(append(append(b, s.Name...), common...), tagsOf(s.Labels[podLabels:])...)
				b = strconv.AppendFloat(append(b, " value="...), s.Value, 'g', -1, 64)
				b = append(append(append(b, ' '), at...), '\n')
			}
		}
	})
	return b
}

func tagsOf(list []Label) string {
	var t strings.Builder
	for _, l := range list {
		t.WriteString("," + l.Name + "=" + l.Value)
	}
	return t.String()
}

// DatadogSeries is what Datadog's clients send of the same series.
func DatadogSeries(samples []Sample) []byte {
	type point struct {
		Timestamp int64   `json:"timestamp"`
		Value     float64 `json:"value"`
	}
	type resource struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	type series struct {
		Metric    string     `json:"metric"`
		Type      int        `json:"type"`
		Points    []point    `json:"points"`
		Tags      []string   `json:"tags"`
		Resources []resource `json:"resources"`
	}
	list := make([]series, len(samples))
	for i := range samples {
		s := &samples[i]
		list[i] = series{s.Name, 3, []point{{s.At.Unix(), s.Value}}, nil, []resource{{"node-1", "host"}}} // 3 is a gauge
		for _, l := range s.Labels {
			list[i].Tags = append(list[i].Tags, l.Name+":"+l.Value)
		}
	}
	return must(json.Marshal(map[string]any{"series": list}))
}
