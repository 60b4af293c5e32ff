package otlp_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Date(2026, 11, 21, 1, 2, 3, 456_000_000, time.UTC)

const sampleTime = pcommon.Timestamp(1_795_000_000_123_456_789)

func metricsBody(t testing.TB, md pmetric.Metrics, enc otlp.Encoding) []byte {
	t.Helper()
	req := pmetricotlp.NewExportRequestFromMetrics(md)
	body, err := req.MarshalProto()
	if enc == otlp.JSON {
		body, err = req.MarshalJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// newResource returns metrics with one resource and the metrics of one scope in it.
func newResource(attrs ...string) (pmetric.Metrics, pmetric.MetricSlice) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for i := 0; i < len(attrs); i += 2 {
		rm.Resource().Attributes().PutStr(attrs[i], attrs[i+1])
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("scope")
	return md, sm.Metrics()
}

func podMetrics() (pmetric.Metrics, pmetric.MetricSlice) {
	return newResource("service.name", "checkout", "service.namespace", "shop", "service.instance.id", "i-1",
		"k8s.namespace.name", "prod", "k8s.pod.name", "checkout-7d9", "k8s.container.name", "app", "k8s.node.name", "n1",
		"k8s.cluster.name", "eu", "k8s.deployment.name", "checkout", "host.arch", "arm64")
}

func addNumber(points pmetric.NumberDataPointSlice, value float64, attrs ...string) pmetric.NumberDataPoint {
	p := points.AppendEmpty()
	p.SetTimestamp(sampleTime)
	p.SetStartTimestamp(sampleTime - 1e9)
	p.SetDoubleValue(value)
	for i := 0; i < len(attrs); i += 2 {
		p.Attributes().PutStr(attrs[i], attrs[i+1])
	}
	return p
}

func newMetric(ms pmetric.MetricSlice, name, unit string) pmetric.Metric {
	m := ms.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription("about " + name)
	return m
}

func addHistogram(m pmetric.Metric) pmetric.HistogramDataPoint {
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := h.DataPoints().AppendEmpty()
	p.SetTimestamp(sampleTime)
	p.ExplicitBounds().FromRaw([]float64{0.005, 1, 2.5, 1e10})
	p.BucketCounts().FromRaw([]uint64{1, 0, 4, 2, 9})
	p.SetCount(16)
	p.SetSum(12.25)
	p.SetMin(0.001)
	p.SetMax(9e10)
	p.Attributes().PutStr("http.route", "/pay")
	return p
}

func addSummary(m pmetric.Metric) pmetric.SummaryDataPoint {
	p := m.SetEmptySummary().DataPoints().AppendEmpty()
	p.SetTimestamp(sampleTime)
	p.SetCount(7)
	p.SetSum(0.5)
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		v := p.QuantileValues().AppendEmpty()
		v.SetQuantile(q)
		v.SetValue(q * 3)
	}
	p.Attributes().PutStr("pool", "a")
	return p
}

// metricCases are requests whose translation must be exactly Prometheus'.
func metricCases() map[string]pmetric.Metrics {
	cases := make(map[string]pmetric.Metrics)
	add := func(name string, fill func(ms pmetric.MetricSlice)) {
		md, ms := podMetrics()
		fill(ms)
		cases[name] = md
	}
	add("gauge", func(ms pmetric.MetricSlice) {
		points := newMetric(ms, "system.memory.usage", "By").SetEmptyGauge().DataPoints()
		addNumber(points, 1.5, "state", "used")
		addNumber(points, math.Inf(1), "state", "free", "host.name", "x")
		addNumber(points, 0).SetIntValue(-42)
	})
	add("names", func(ms pmetric.MetricSlice) {
		for i, n := range [][2]string{
			{"process.cpu.utilization", "1"}, {"http.server.requests", "{request}"}, {"disk io--rate", "By/s"},
			{"9lives", ""}, {"a.total", "1"}, {"über.größe", "m"}, {"x_ratio", "1"}, {"already_seconds", "s"}, {"valid_name", ""},
		} {
			addNumber(newMetric(ms, n[0], n[1]).SetEmptyGauge().DataPoints(), float64(i))
			sum := newMetric(ms, n[0]+".sum", n[1]).SetEmptySum()
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			sum.SetIsMonotonic(i%2 == 0)
			addNumber(sum.DataPoints(), float64(i))
		}
	})
	add("labels", func(ms pmetric.MetricSlice) {
		p := addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1,
			"a.b", "first", "a_b", "second", "9x", "digit", "job", "mine", "pod", "point's own", "__name__", "no", "empty", "", "le", "3")
		p.Attributes().PutInt("int", math.MinInt64)
		p.Attributes().PutBool("bool", true)
		p.Attributes().PutDouble("double", 1e-7)
		p.Attributes().PutEmptyBytes("bytes").FromRaw([]byte{0, 255, 7})
		p.Attributes().PutEmptySlice("list").AppendEmpty().SetStr("quo\"te\n")
		p.Attributes().PutEmptyMap("map").PutDouble("k", 2.5)
	})
	add("histogram", func(ms pmetric.MetricSlice) {
		addHistogram(newMetric(ms, "http.server.duration", "ms"))
		noSum := addHistogram(newMetric(ms, "no.sum", "s"))
		noSum.RemoveSum()
		noBuckets := addHistogram(newMetric(ms, "no.buckets", "s"))
		noBuckets.BucketCounts().FromRaw(nil)
		noBuckets.ExplicitBounds().FromRaw(nil)
	})
	add("summary", func(ms pmetric.MetricSlice) { addSummary(newMetric(ms, "rpc.duration", "s")) })
	add("stale", func(ms pmetric.MetricSlice) {
		stale := pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)
		p := newMetric(ms, "g", "").SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(sampleTime)
		p.SetFlags(stale)
		addHistogram(newMetric(ms, "h", "")).SetFlags(stale)
		addSummary(newMetric(ms, "s", "")).SetFlags(stale)
	})
	addNativeCases(add)
	add("no points", func(ms pmetric.MetricSlice) { newMetric(ms, "g", "").SetEmptyGauge() })
	bare, ms := newResource("k8s.pod.name", "only")
	addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1)
	cases["resource without identity"] = bare
	lone, ms := newResource("service.name", "lone")
	addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1)
	cases["resource without more attributes"] = lone
	return cases
}

func TestMetricsAsPrometheusTranslatesThem(t *testing.T) {
	for name, md := range metricCases() {
		for _, enc := range []otlp.Encoding{otlp.Protobuf, otlp.JSON} {
			t.Run(name+" "+enc.ContentType(), func(t *testing.T) {
				if enc == otlp.JSON && name == "gauge" {
					md = withoutInfinity(md) // JSON numbers have no infinity
				}
				want := translate(t, md)
				d, cat, b := otlp.New(), catalogtest.New(), new(seamark.Batch)
				creates := 0
				// The second and third round run on used buffers and a warm catalogue.
				for round := range 3 {
					b.Reset()
					body := metricsBody(t, md, enc)
					if err := d.DecodeMetrics(&otlp.Request{Body: body, Encoding: enc, Catalog: cat, Now: now}, b); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want.samples, samplesOf(b)); diff != "" {
						t.Errorf("round %d, -want +got:\n%s", round, diff)
					}
					if diff := cmp.Diff(want.natives, nativesOf(t, b)); diff != "" {
						t.Errorf("round %d, native histograms, -want +got:\n%s", round, diff)
					}
					if diff := cmp.Diff(want.exemplars, exemplarsOf(b)); diff != "" {
						t.Errorf("round %d, exemplars, -want +got:\n%s", round, diff)
					}
					checkMetadata(t, want, b)
					if n := b.Rejected.Rows(); n != 0 || len(b.Rejected.Reasons) != 0 {
						t.Errorf("rejected %d: %v", n, b.Rejected.Reasons)
					}
					if round > 0 && cat.Creates() != creates {
						t.Errorf("round %d created series again", round)
					}
					creates = cat.Creates()
				}
			})
		}
	}
}

func withoutInfinity(md pmetric.Metrics) pmetric.Metrics {
	own := pmetric.NewMetrics()
	md.CopyTo(own)
	own.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(1).SetDoubleValue(2)
	return own
}

func checkMetadata(t *testing.T, want *recorder, b *seamark.Batch) {
	t.Helper()
	got := make(map[string]seamark.MetricMetadata)
	for _, m := range b.Metadata {
		if _, twice := got[m.Metric]; twice {
			t.Errorf("family %s is described twice", m.Metric)
		}
		got[m.Metric] = m
	}
	if m, ok := want.metadata["target_info"]; ok {
		m.Help = "Attributes of the resource that sent the metrics."
		want.metadata["target_info"] = m
	}
	if diff := cmp.Diff(want.metadata, got); diff != "" {
		t.Errorf("metadata, -want +got:\n%s", diff)
	}
}

// refusal is a metric that is refused: how many points it has and what the reason must name.
type refusal struct {
	fill   func(ms pmetric.MetricSlice)
	points int
	says   string
}

func refusals() map[string]refusal {
	return map[string]refusal{
		"seamark-temporality-unspecified": {func(ms pmetric.MetricSlice) {
			addNumber(newMetric(ms, "vague", "").SetEmptySum().DataPoints(), 1)
		}, 1, "vague"},
		"seamark-histogram-malformed": {func(ms pmetric.MetricSlice) {
			addExponential(newMetric(ms, "coarse", "")).SetScale(-5)
			addExponential(newMetric(ms, "many", "")).Positive().BucketCounts().FromRaw(make([]uint64, 16385))
			addExponential(newMetric(ms, "huge", "")).Negative().BucketCounts().FromRaw([]uint64{1 << 63})
			sum := addExponential(newMetric(ms, "huge.merged", ""))
			sum.SetScale(10)
			sum.Positive().BucketCounts().FromRaw([]uint64{1 << 62, 1 << 62, 1 << 62, 1 << 62})
			far := addExponential(newMetric(ms, "far", ""))
			far.Positive().SetOffset(math.MaxInt32)
			far.Positive().BucketCounts().FromRaw([]uint64{1})
		}, 5, "scale -5"},
		"seamark-metric-name": {func(ms pmetric.MetricSlice) {
			addNumber(newMetric(ms, "---", "").SetEmptyGauge().DataPoints(), 1)
		}, 1, "---"},
		"seamark-label-name": {func(ms pmetric.MetricSlice) {
			addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1, "--", "v")
		}, 1, "--"},
		"seamark-label-utf8": {func(ms pmetric.MetricSlice) {
			addHistogram(newMetric(ms, "h", "")).Attributes().PutStr("a", "\xff")
		}, 1, "UTF-8"},
		"seamark-labels-limit": {func(ms pmetric.MetricSlice) {
			p := addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1)
			for i := range 257 {
				p.Attributes().PutInt(fmt.Sprint("a", i), 1)
			}
		}, 1, "257"},
		"seamark-value-missing": {func(ms pmetric.MetricSlice) {
			newMetric(ms, "empty", "").SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(sampleTime)
		}, 1, "empty"},
	}
}

func TestMetricsRefused(t *testing.T) {
	for id, c := range refusals() {
		t.Run(id, func(t *testing.T) {
			md, ms := newResource("service.name", "s")
			c.fill(ms)
			addNumber(newMetric(ms, "good", "").SetEmptyGauge().DataPoints(), 1)
			b := new(seamark.Batch)
			err := otlp.New().DecodeMetrics(&otlp.Request{Body: metricsBody(t, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, b)
			if err != nil {
				t.Fatal(err)
			}
			if b.Samples.Len() != 1 || b.Samples.Series[0].Name != "good" {
				t.Errorf("the good neighbour is not alone: %v", samplesOf(b))
			}
			if len(b.Rejected.Reasons) != 1 || b.Rejected.Samples != c.points {
				t.Fatalf("rejected %+v, want %d points of one reason", b.Rejected, c.points)
			}
			if r := b.Rejected.Reasons[0]; r.Reason != id || r.Count != c.points || !strings.Contains(r.Detail, c.says) {
				t.Errorf("reason %+v, want %s naming %q", r, id, c.says)
			}
		})
	}
}

func TestMetricsTimeMissing(t *testing.T) {
	md, ms := newResource()
	newMetric(ms, "g", "").SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(5)
	b := new(seamark.Batch)
	if err := otlp.New().DecodeMetrics(&otlp.Request{Body: metricsBody(t, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	if got := b.Samples.TimeMilli; len(got) != 1 || got[0] != now.UnixMilli() {
		t.Errorf("times %v, want now", got)
	}
}

// TestTargetInfoOncePerResource sends the same resource twice, as batching collectors do.
func TestTargetInfoOncePerResource(t *testing.T) {
	md, ms := podMetrics()
	addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1)
	md.ResourceMetrics().At(0).CopyTo(md.ResourceMetrics().AppendEmpty())
	late := md.ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0)
	late.SetTimestamp(sampleTime + 5_000_000_000)
	b := new(seamark.Batch)
	if err := otlp.New().DecodeMetrics(&otlp.Request{Body: metricsBody(t, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	var times []int64
	for i := range b.Samples.Len() {
		if b.Samples.Series[b.Samples.SeriesRef[i]].Name == "target_info" {
			times = append(times, b.Samples.TimeMilli[i])
		}
	}
	if want := []int64{int64(sampleTime)/1e6 + 5000}; !cmp.Equal(want, times) {
		t.Errorf("target_info at %v, want %v", times, want)
	}
}

func TestMetricsRowLimit(t *testing.T) {
	md, ms := newResource()
	addHistogram(newMetric(ms, "h", ""))
	for limit, want := range map[int]string{6: "seamark-rows-limit", 7: ""} {
		err := otlp.New().DecodeMetrics(&otlp.Request{
			Body: metricsBody(t, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now, Limits: otlp.Limits{MaxRows: limit},
		}, new(seamark.Batch))
		if got := errorID(err); got != want {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
}
