package otlp_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/histogram"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func addExponential(m pmetric.Metric) pmetric.ExponentialHistogramDataPoint {
	h := m.SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := h.DataPoints().AppendEmpty()
	p.SetTimestamp(sampleTime)
	p.SetStartTimestamp(sampleTime - 1e9)
	p.SetScale(3)
	p.SetZeroCount(2)
	p.SetCount(15)
	p.SetSum(-1.5)
	p.Positive().SetOffset(-3)
	p.Positive().BucketCounts().FromRaw([]uint64{1, 0, 4, 0, 0, 0, 2})
	p.Negative().SetOffset(7)
	p.Negative().BucketCounts().FromRaw([]uint64{6})
	p.Attributes().PutStr("http.route", "/pay")
	return p
}

func addExemplar(list pmetric.ExemplarSlice, value float64, attrs ...string) pmetric.Exemplar {
	e := list.AppendEmpty()
	e.SetTimestamp(sampleTime - 5e8)
	e.SetDoubleValue(value)
	e.SetTraceID(pcommon.TraceID{1, 15: byte(value)})
	e.SetSpanID(pcommon.SpanID{2})
	for i := 0; i < len(attrs); i += 2 {
		e.FilteredAttributes().PutStr(attrs[i], attrs[i+1])
	}
	return e
}

// addNativeCases adds requests with exponential histograms, deltas, exemplars and start times.
func addNativeCases(add func(name string, fill func(ms pmetric.MetricSlice))) {
	add("exponential", func(ms pmetric.MetricSlice) {
		addExponential(newMetric(ms, "http.server.duration", "ms"))
		empty := newMetric(ms, "empty", "s").SetEmptyExponentialHistogram()
		empty.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		empty.DataPoints().AppendEmpty().SetTimestamp(sampleTime)
		addExponential(newMetric(ms, "stale", "s")).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		addExponential(newMetric(ms, "coarsest", "s")).SetScale(-4)
		addExponential(newMetric(ms, "finest", "s")).SetScale(8)
		zeroes := addExponential(newMetric(ms, "zeroes", "s"))
		zeroes.Positive().BucketCounts().FromRaw([]uint64{0, 0, 0, 0, 5, 0, 0, 1, 1, 0, 0, 0, 0, 3, 0})
		zeroes.SetCount(18)
	})
	add("delta", func(ms pmetric.MetricSlice) {
		delta := pmetric.AggregationTemporalityDelta
		for i, monotonic := range []bool{true, false} {
			sum := newMetric(ms, fmt.Sprint("delta.sum.", i), "").SetEmptySum()
			sum.SetAggregationTemporality(delta)
			sum.SetIsMonotonic(monotonic)
			addNumber(sum.DataPoints(), 5, "path", "/a")
		}
		h := newMetric(ms, "delta.histogram", "s")
		addHistogram(h)
		h.Histogram().SetAggregationTemporality(delta)
		x := newMetric(ms, "delta.exponential", "s")
		addExponential(x)
		x.ExponentialHistogram().SetAggregationTemporality(delta)
	})
	add("exemplars", func(ms pmetric.MetricSlice) {
		sum := newMetric(ms, "requests", "").SetEmptySum()
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := addNumber(sum.DataPoints(), 5)
		addExemplar(p.Exemplars(), 1, "user.id", "u-1")
		addExemplar(p.Exemplars(), 2, "long", strings.Repeat("é", 100)).SetIntValue(2)
		h := addHistogram(newMetric(ms, "h", "s"))
		for _, v := range []float64{0.001, 0.005, 0.5, 1e9, 1e11} {
			addExemplar(h.Exemplars(), v)
		}
		x := addExponential(newMetric(ms, "x", "s"))
		late := addExemplar(x.Exemplars(), 7)
		late.SetTimestamp(0)
		late.SetTraceID(pcommon.TraceID{})
		late.SetSpanID(pcommon.SpanID{})
	})
	add("start times", func(ms pmetric.MetricSlice) {
		sum := newMetric(ms, "requests", "").SetEmptySum()
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		sum.SetIsMonotonic(true)
		for i, age := range []pcommon.Timestamp{0, 1e3, 1e9, 120e9, 120e9 + 1e6, sampleTime} {
			addNumber(sum.DataPoints(), 5, "n", fmt.Sprint(i)).SetStartTimestamp(sampleTime - age)
		}
		addNumber(sum.DataPoints(), 5, "n", "ahead").SetStartTimestamp(sampleTime + 1e9)
		stale := addNumber(sum.DataPoints(), 5, "n", "stale")
		stale.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		for i := range 2 {
			h := addHistogram(newMetric(ms, fmt.Sprint("h", i), "s"))
			h.SetStartTimestamp(sampleTime - 60e9)
			if i == 1 {
				h.RemoveSum()
			}
		}
	})
}

// decodeMetrics decodes md, of which nothing may be refused.
func decodeMetrics(t testing.TB, md pmetric.Metrics) *seamark.Batch {
	t.Helper()
	b := new(seamark.Batch)
	if err := otlp.New().DecodeMetrics(&otlp.Request{Body: metricsBody(t, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	if b.Rejected.Rows() != 0 {
		t.Fatalf("rejected %+v", b.Rejected)
	}
	return b
}

// bucketMap returns the counts of a side by bucket number.
func bucketMap(spans []histogram.Span, deltas []int64) map[int]uint64 {
	m := make(map[int]uint64)
	index, i, count := 0, 0, int64(0)
	for _, s := range spans {
		index += int(s.Offset)
		for range s.Length {
			if count += deltas[i]; count != 0 {
				m[index] = uint64(count)
			}
			i, index = i+1, index+1
		}
	}
	return m
}

// TestFineScalesAreMerged compares with the definition: bucket i of scale s ends at 2^((i+1)/2^s), and belongs to the
// bucket of schema 8 that ends there or next.
func TestFineScalesAreMerged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for scale := int32(9); scale <= 20; scale++ {
		for range 20 {
			md, ms := newResource()
			p := addExponential(newMetric(ms, "h", ""))
			p.SetScale(scale)
			p.Negative().BucketCounts().FromRaw(nil)
			offset, counts := int32(rng.IntN(4000)-2000), make([]uint64, 1+rng.IntN(160))
			want, total := make(map[int]uint64), uint64(0)
			for i := range counts {
				if rng.IntN(3) == 0 {
					continue
				}
				counts[i] = uint64(rng.IntN(50))
				total += counts[i]
				if counts[i] > 0 {
					want[int(math.Ceil(float64(int(offset)+i+1)/math.Exp2(float64(scale-8))))] += counts[i]
				}
			}
			p.SetCount(total + 2)
			p.Positive().SetOffset(offset)
			p.Positive().BucketCounts().FromRaw(counts)
			got := decodeNative(t, decodeMetrics(t, md).Histograms.Data[0])
			if err := got.Validate(); err != nil || got.Schema != 8 {
				t.Fatalf("scale %d: schema %d, %v", scale, got.Schema, err)
			}
			if diff := cmp.Diff(want, bucketMap(got.PositiveSpans, got.PositiveBuckets)); diff != "" {
				t.Fatalf("scale %d, offset %d, counts %v, -want +got:\n%s", scale, offset, counts, diff)
			}
		}
	}
}

func TestZeroThreshold(t *testing.T) {
	for sent, want := range map[float64]float64{0: 1e-128, 0.25: 0.25, -1: 1e-128, math.Inf(1): 1e-128, math.NaN(): 1e-128} {
		md, ms := newResource()
		addExponential(newMetric(ms, "h", "")).SetZeroThreshold(sent)
		if got := decodeNative(t, decodeMetrics(t, md).Histograms.Data[0]); got.ZeroThreshold != want || got.ZeroCount != 2 {
			t.Errorf("sent %g: got threshold %g and count %d", sent, got.ZeroThreshold, got.ZeroCount)
		}
	}
}

// TestUnpackedBuckets reads counts one by one, as writers of proto2 may put them.
func TestUnpackedBuckets(t *testing.T) {
	field := func(n byte, s string) string { return string([]byte{n<<3 | 2, byte(len(s))}) + s }
	buckets := "\x08\x04" + "\x10\x03" + "\x10\x00" + "\x10\x05" // offset 2; counts 3, 0, 5
	point := "\x21\x08\x00\x00\x00\x00\x00\x00\x00" + field(8, buckets)
	metric := field(1, "h") + field(10, field(1, point)+"\x10\x02")
	body := field(1, field(2, field(2, metric)))
	b := new(seamark.Batch)
	if err := otlp.New().DecodeMetrics(&otlp.Request{Body: []byte(body), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	got := decodeNative(t, b.Histograms.Data[0])
	if diff := cmp.Diff(map[int]uint64{3: 3, 5: 5}, bucketMap(got.PositiveSpans, got.PositiveBuckets)); diff != "" || got.Count != 8 {
		t.Errorf("count %d, -want +got:\n%s", got.Count, diff)
	}
}

// TestTemporalityIsNotTheSenders keeps an attribute from posing as the label that tells deltas apart.
func TestTemporalityIsNotTheSenders(t *testing.T) {
	md, ms := newResource()
	addNumber(newMetric(ms, "g", "").SetEmptyGauge().DataPoints(), 1, "__temporality__", "delta")
	sum := newMetric(ms, "s", "").SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	addNumber(sum.DataPoints(), 1, "__temporality__", "cumulative")
	b := decodeMetrics(t, md)
	if got := []string{b.Samples.Series[0].Label("__temporality__"), b.Samples.Series[1].Label("__temporality__")}; got[0] != "" || got[1] != "delta" {
		t.Errorf("labels %q", got)
	}
}

// TestBothTemporalities stores a metric that two senders with the same resource count in different ways as two series.
func TestBothTemporalities(t *testing.T) {
	md, ms := newResource("service.name", "s")
	for _, temporality := range []pmetric.AggregationTemporality{pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta} {
		sum := newMetric(ms, "n", "").SetEmptySum()
		sum.SetAggregationTemporality(temporality)
		sum.DataPoints().AppendEmpty().SetIntValue(3)
	}
	b := decodeMetrics(t, md)
	if len(b.Samples.Series) != 2 || b.Samples.Series[0] == b.Samples.Series[1] {
		t.Errorf("series %v", b.Samples.Series)
	}
}

// TestExemplarsThatSayNothing keeps points whose exemplars have no value or a malformed trace id.
func TestExemplarsThatSayNothing(t *testing.T) {
	field := func(n byte, s string) string { return string([]byte{n<<3 | 2, byte(len(s))}) + s }
	const one = "\x00\x00\x00\x00\x00\x00\xf0\x3f"
	exemplars := field(5, field(5, strings.Repeat("a", 16))) + field(5, "\x19"+one+field(5, "short")+field(4, "short"))
	metric := field(1, "n") + field(7, field(1, "\x21"+one+exemplars)+"\x10\x02")
	b := new(seamark.Batch)
	err := otlp.New().DecodeMetrics(&otlp.Request{Body: []byte(field(1, field(2, field(2, metric)))), Catalog: catalogtest.New(), Now: now}, b)
	if err != nil || b.Samples.Len() != 1 {
		t.Fatalf("%d samples, %v", b.Samples.Len(), err)
	}
	want := []seamark.Exemplar{{TimeMilli: now.UnixMilli(), Value: 1}}
	if diff := cmp.Diff(want, b.Exemplars); diff != "" {
		t.Error(diff)
	}
}
