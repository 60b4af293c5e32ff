package datadog_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// dogsketch is one Dogsketch message.
type dogsketch struct {
	seconds, count int64
	min, max, sum  float64
	keys           []int32
	counts         []uint32
}

// sketchOf puts values into bins as the agent does: the key of a value is the nearest power of 1 + 2/128, above a bias
// that makes the smallest one 1.
func sketchOf(seconds int64, values []float64) dogsketch {
	const bias = 1338
	bins := map[int32]uint32{}
	d := dogsketch{seconds: seconds, count: int64(len(values)), min: slices.Min(values), max: slices.Max(values)}
	for _, v := range values {
		d.sum += v
		key := int32(0)
		if a := math.Abs(v); a >= math.Pow(1+2.0/128, 1-bias) {
			key = int32(math.RoundToEven(math.Log(a)/math.Log1p(2.0/128))) + bias
		}
		if v < 0 {
			key = -key
		}
		bins[key]++
	}
	for key := range bins {
		d.keys = append(d.keys, key)
	}
	slices.Sort(d.keys)
	for _, key := range d.keys {
		d.counts = append(d.counts, bins[key])
	}
	return d
}

// sketchBody encodes a SketchPayload with one Sketch.
func sketchBody(metric string, list ...dogsketch) []byte {
	var m easyproto.Marshaler
	payload := m.MessageMarshaler()
	appendSketch(payload, metric, list)
	payload.AppendMessage(2)
	return m.Marshal(nil)
}

func appendSketch(payload *easyproto.MessageMarshaler, metric string, list []dogsketch) {
	s := payload.AppendMessage(1)
	s.AppendString(1, metric)
	s.AppendString(2, "node-1")
	s.AppendString(4, "env:prod")
	for _, d := range list {
		p := s.AppendMessage(7)
		p.AppendInt64(1, d.seconds)
		p.AppendInt64(2, d.count)
		p.AppendDouble(3, d.min)
		p.AppendDouble(4, d.max)
		p.AppendDouble(5, d.sum/float64(d.count))
		p.AppendDouble(6, d.sum)
		p.AppendSint32s(7, d.keys)
		p.AppendUint32s(8, d.counts)
	}
}

// histogramOf reads row i with Prometheus' own code.
func histogramOf(t *testing.T, b *seamark.Batch, i int) *histogram.Histogram {
	t.Helper()
	var message prompb.Histogram
	if err := message.Unmarshal([]byte(b.Histograms.Data[i])); err != nil {
		t.Fatal(err)
	}
	h := message.ToIntHistogram()
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	if float64(h.Count) != b.Histograms.Count[i] || h.Sum != b.Histograms.Sum[i] {
		t.Fatalf("the columns say %g and %g, the histogram %d and %g", b.Histograms.Count[i], b.Histograms.Sum[i], h.Count, h.Sum)
	}
	return h
}

func TestSketch(t *testing.T) {
	// The sketch of -1, 0, 1, 2, 2, 1000.
	b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("shop.latency", sketchOf(1785000000, []float64{-1, 0, 1, 2, 2, 1000})))
	expectSamples(t, b,
		`shop_latency_min{env="prod",host="node-1"} 1785000000000 -1`,
		`shop_latency_max{env="prod",host="node-1"} 1785000000000 1000`)
	if b.Histograms.Len() != 1 || b.Histograms.TimeMilli[0] != 1785000000000 {
		t.Fatalf("histograms %+v", b.Histograms)
	}
	if got := labelText(b.Samples.Series[b.Histograms.SeriesRef[0]].Labels); got != `shop_latency{env="prod",host="node-1"}` {
		t.Errorf("series %s", got)
	}
	h := histogramOf(t, b, 0)
	if h.Schema != 6 || h.CounterResetHint != histogram.GaugeType || h.Count != 6 || h.ZeroCount != 1 || h.Sum != 1004 {
		t.Errorf("histogram %s", h)
	}
	if len(b.Metadata) != 1 || b.Metadata[0].Metric != "shop_latency" || b.Metadata[0].Type != "gaugehistogram" {
		t.Errorf("metadata %+v", b.Metadata)
	}
}

// TestSketchQuantiles holds what the package comment promises: no value moves by more than 1.9 %, whatever its size.
func TestSketchQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []float64{1e-3, 1, 1e9} {
		values := make([]float64, 10_001)
		for i := range values {
			values[i] = scale * math.Exp(3*random.NormFloat64())
		}
		b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("m", sketchOf(1, values)))
		h := histogramOf(t, b, 0).ToFloat(nil)
		slices.Sort(values)
		for _, q := range []float64{0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999} {
			got, _ := promql.HistogramQuantile(q, h, "m", posrange.PositionRange{})
			want := values[int(q*float64(len(values)))]
			if off := math.Abs(got/want - 1); off > 0.019+0.004 { // neighbours in rank are apart as well
				t.Errorf("scale %g, quantile %g: got %g, want %g, which is %.2f %% off", scale, q, got, want, 100*off)
			}
		}
	}
}

// TestSketchBinsStayApart checks over all keys that no two bins share a bucket and that each bin's middle lies in its
// bucket, within the error that the package comment tells.
func TestSketchBinsStayApart(t *testing.T) {
	d := dogsketch{seconds: 1}
	for key := int32(1); key <= 4000; key++ {
		d.keys, d.counts, d.count = append(d.keys, key), append(d.counts, uint32(key)), d.count+int64(key)
	}
	b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("m", d))
	key := 0
	for it := histogramOf(t, b, 0).PositiveBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count == 0 {
			continue
		}
		key++
		if bucket.Count != uint64(key) {
			t.Fatalf("bin %d: bucket %v", key, bucket)
		}
		middle := math.Pow(1+2.0/128, float64(key-1338))
		if middle <= bucket.Lower*(1-1e-12) || middle > bucket.Upper*(1+1e-12) {
			t.Fatalf("bin %d has its middle at %g, outside of %v", key, middle, bucket)
		}
	}
	if key != 4000 {
		t.Fatalf("%d buckets, want 4000", key)
	}
}

func TestSketchSpecialBins(t *testing.T) {
	for name, c := range map[string]struct {
		keys   []int32
		counts []uint32
		want   string
	}{
		"zero alone":           {[]int32{0}, []uint32{3}, "{count:3, sum:0, [-9.313225746154785e-10,9.313225746154785e-10]:3}"},
		"one":                  {[]int32{1338}, []uint32{1}, "{count:1, sum:0, (0.9892280131939752,1]:1}"},
		"minus one":            {[]int32{-1338}, []uint32{1}, "{count:1, sum:0, [-1,-0.9892280131939752):1}"},
		"infinities":           {[]int32{math.MinInt16, math.MaxInt16}, []uint32{1, 2}, "{count:3, sum:0, [-Inf,-1.7976931348623157e+308):1, (1.7976931348623157e+308,+Inf]:2}"},
		"split and not sorted": {[]int32{1338, 0, 1338}, []uint32{65535, 1, 5}, "{count:65541, sum:0, [-9.313225746154785e-10,9.313225746154785e-10]:1, (0.9892280131939752,1]:65540}"},
		"empty bins":           {[]int32{1338, 1339}, []uint32{1, 0}, "{count:1, sum:0, (0.9892280131939752,1]:1}"},
	} {
		d := dogsketch{seconds: 1, keys: c.keys, counts: c.counts}
		for _, n := range c.counts {
			d.count += int64(n)
		}
		b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("m", d))
		if b.Histograms.Len() != 1 {
			t.Fatalf("%s: %+v", name, b.Rejected)
		}
		if got := histogramOf(t, b, 0).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestSketchOfNothing(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("m", dogsketch{seconds: 1}))
	if b.Rows() != 0 || b.Rejected.Rows() != 0 {
		t.Errorf("%d rows, %+v", b.Rows(), b.Rejected)
	}
}

func TestSketchRefused(t *testing.T) {
	good := sketchOf(1, []float64{1})
	for name, c := range map[string]struct {
		bad              dogsketch
		reason, contains string
	}{
		"counts":   {dogsketch{seconds: 1, count: 2, keys: []int32{1}, counts: []uint32{1}}, "seamark-sketch-bins", "counts 2 values and has 1"},
		"negative": {dogsketch{seconds: 1, count: -1}, "seamark-sketch-bins", "counts -1"},
		"lengths":  {dogsketch{seconds: 1, count: 2, keys: []int32{1, 2}, counts: []uint32{2}}, "seamark-sketch-bins", "2 keys and 1 bin counts"},
		"key":      {dogsketch{seconds: 1, count: 1, keys: []int32{40000}, counts: []uint32{1}}, "seamark-sketch-bins", "40000"},
		"time":     {dogsketch{seconds: 1785000000000, count: 1, keys: []int32{1}, counts: []uint32{1}}, "seamark-point-timestamp", "1.785e+12"},
		"huge":     {dogsketch{seconds: 1, keys: make([]int32, 200_000), counts: make([]uint32, 200_000)}, "seamark-sketch-bins", "the limit is 262144"},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody("m", c.bad, good))
			expectRejected(t, b, 1, c.reason, c.contains)
			if b.Histograms.Len() != 1 {
				t.Errorf("%d histograms, want the good one", b.Histograms.Len())
			}
		})
	}
}

func TestSketchOfRefusedSeries(t *testing.T) {
	for metric, reason := range map[string]string{"": "seamark-series-unnamed"} {
		b := decode(t, (*datadog.Decoder).DecodeSketches, sketchBody(metric, sketchOf(1, []float64{1}), sketchOf(2, []float64{1})))
		expectRejected(t, b, 2, reason, "__name__")
		if b.Rows() != 0 {
			t.Errorf("%d rows", b.Rows())
		}
	}
}

func TestSketchOfOldAgents(t *testing.T) {
	var m easyproto.Marshaler
	s := m.MessageMarshaler().AppendMessage(1)
	s.AppendString(1, "m")
	s.AppendMessage(3).AppendInt64(2, 5)
	b := decode(t, (*datadog.Decoder).DecodeSketches, m.Marshal(nil))
	expectRejected(t, b, 1, "seamark-sketch-unsupported", `"m"`)
}

func TestSketchMalformed(t *testing.T) {
	whole := sketchBody("m", sketchOf(1, []float64{1}))
	for name, body := range map[string][]byte{
		"truncated":            whole[:len(whole)-1],
		"sketch no message":    {1 << 3, 1},
		"metric no string":     {1<<3 | 2, 2, 1 << 3, 1},
		"tag no string":        {1<<3 | 2, 2, 4 << 3, 1},
		"dogsketch no message": {1<<3 | 2, 2, 7 << 3, 1},
		"keys no list":         {1<<3 | 2, 7, 1<<3 | 2, 1, 'm', 7<<3 | 2, 2, 7<<3 | 1, 0},
	} {
		err := datadog.New().DecodeSketches(body, catalogtest.New(), new(seamark.Batch), options)
		t.Run(name, func(t *testing.T) { expectError(t, err, "seamark-body-protobuf", fmt.Sprintf("of %d", len(body))) })
	}
}

func BenchmarkDecodeSketches(b *testing.B) {
	var m easyproto.Marshaler
	payload := m.MessageMarshaler()
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 1000)
	for i := range 100 {
		for j := range values {
			values[j] = math.Exp(random.NormFloat64())
		}
		appendSketch(payload, fmt.Sprintf("shop.latency_%d", i), []dogsketch{sketchOf(1785000000, values)})
	}
	benchmark(b, (*datadog.Decoder).DecodeSketches, m.Marshal(nil), 300)
}

// TestEmptyMessagesTakeNothing: a body of empty messages takes no memory for each, beside what the claim is asked for.
func TestEmptyMessagesTakeNothing(t *testing.T) {
	const messages = 10_000
	sketch := append([]byte{0x0a, 1, 'm'}, bytes.Repeat([]byte{0x3a, 0}, messages)...)
	for name, c := range map[string]struct {
		decode decodeFunc
		body   []byte
	}{
		"series":   {(*datadog.Decoder).DecodeSeriesProto, bytes.Repeat([]byte{0x0a, 0}, messages)},
		"sketches": {(*datadog.Decoder).DecodeSketches, append(binary.AppendUvarint([]byte{0x0a}, uint64(len(sketch))), sketch...)},
	} {
		d, cat := datadog.New(), catalogtest.New()
		allocs := testing.AllocsPerRun(3, func() {
			if err := c.decode(d, c.body, cat, new(seamark.Batch), options); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > messages/10 {
			t.Errorf("%s: %d empty messages took %.0f allocations", name, messages, allocs)
		}
	}
}
