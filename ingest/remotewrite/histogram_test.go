package remotewrite_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const now = 1_785_000_000_000

// histograms are one of each form that Prometheus sends.
func histograms() []prompb.Histogram {
	stale := math.Float64frombits(value.StaleNaN)
	unobserved := tsdbutil.GenerateTestHistogram(4)
	unobserved.Sum, unobserved.Count = math.NaN(), unobserved.Count+3 // three observations of NaN
	return []prompb.Histogram{
		prompb.FromIntHistogram(now, tsdbutil.GenerateTestHistogram(1)),
		prompb.FromIntHistogram(now+1, tsdbutil.GenerateTestGaugeHistogram(2)),
		prompb.FromFloatHistogram(now+2, tsdbutil.GenerateTestFloatHistogram(3)),
		prompb.FromIntHistogram(now+3, tsdbutil.GenerateTestCustomBucketsHistogram(4)),
		prompb.FromFloatHistogram(now+4, tsdbutil.GenerateTestCustomBucketsFloatHistogram(5)),
		prompb.FromIntHistogram(now+5, &histogram.Histogram{Sum: stale}),
		prompb.FromFloatHistogram(now+6, &histogram.FloatHistogram{Sum: stale}),
		prompb.FromIntHistogram(-1, unobserved),
		{},
	}
}

func named(name string) []prompb.Label { return []prompb.Label{{Name: "__name__", Value: name}} }

// checkStored checks that Prometheus reads what would be stored, and finds it sound.
func checkStored(t *testing.T, data string, at int64) prompb.Histogram {
	t.Helper()
	var h prompb.Histogram
	if err := h.Unmarshal([]byte(data)); err != nil {
		t.Fatalf("the histogram of %d cannot be read: %v", at, err)
	}
	if h.Timestamp != 0 || len(h.XXX_unrecognized) > 0 {
		t.Fatalf("the histogram of %d keeps its timestamp or unknown fields: %+v", at, h)
	}
	if err := validate(&h); err != nil {
		t.Fatalf("the histogram of %d is not sound: %v", at, err)
	}
	return h
}

func validate(h *prompb.Histogram) error {
	if h.IsFloatHistogram() {
		return h.ToFloatHistogram().Validate()
	}
	return h.ToIntHistogram().Validate()
}

func TestDecodeHistograms(t *testing.T) {
	sent := histograms()
	v1 := marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: named("h"), Histograms: sent}}})
	symbols, ts := writev2.NewSymbolTable(), writev2.TimeSeries{}
	ts.LabelsRefs = []uint32{symbols.Symbolize("__name__"), symbols.Symbolize("h")}
	for i := range sent {
		h := &sent[i]
		if h.IsFloatHistogram() {
			ts.Histograms = append(ts.Histograms, writev2.FromFloatHistogram(h.Timestamp-10, h.Timestamp, h.ToFloatHistogram()))
		} else {
			ts.Histograms = append(ts.Histograms, writev2.FromIntHistogram(h.Timestamp-10, h.Timestamp, h.ToIntHistogram()))
		}
	}
	v2 := marshalV2(t, &writev2.Request{Symbols: symbols.Symbols(), Timeseries: []writev2.TimeSeries{ts}})

	d := remotewrite.New()
	var one, two seamark.Batch
	if err := d.Decode(v1, catalogtest.New(), &one); err != nil {
		t.Fatal(err)
	}
	written, err := d.DecodeV2(v2, catalogtest.New(), &two)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, _ := written.Counts(&two); n != len(sent) || written.Injected != 0 {
		t.Fatalf("2.0 wrote %d histograms and %d zero samples, want %d and none", n, written.Injected, len(sent))
	}
	for version, b := range map[string]*seamark.Batch{"1.0": &one, "2.0": &two} {
		if b.Histograms.Len() != len(sent) || b.Rejected.Rows() != 0 {
			t.Fatalf("%s: %d histograms, %+v", version, b.Histograms.Len(), b.Rejected)
		}
		for i := range sent {
			compareHistogram(t, fmt.Sprintf("%s histogram %d", version, i), &sent[i], &b.Histograms, i)
		}
	}
}

func compareHistogram(t *testing.T, name string, want *prompb.Histogram, rows *seamark.HistogramRows, i int) {
	t.Helper()
	got := checkStored(t, rows.Data[i], rows.TimeMilli[i])
	if rows.TimeMilli[i] != want.Timestamp {
		t.Errorf("%s: time %d, want %d", name, rows.TimeMilli[i], want.Timestamp)
	}
	count := float64(want.GetCountInt())
	if want.IsFloatHistogram() {
		count = want.GetCountFloat()
	}
	if rows.Count[i] != count || math.Float64bits(rows.Sum[i]) != math.Float64bits(want.Sum) {
		t.Errorf("%s: count %v and sum %x, want %v and %x", name, rows.Count[i], math.Float64bits(rows.Sum[i]), count, math.Float64bits(want.Sum))
	}
	if got.IsFloatHistogram() != want.IsFloatHistogram() || !got.ToFloatHistogram().Equals(want.ToFloatHistogram()) ||
		got.ResetHint != want.ResetHint {
		t.Errorf("%s: got %v, want %v", name, &got, want)
	}
}

// TestDecodeHistogramForms sends one histogram in forms that protobuf allows and no sender uses.
func TestDecodeHistogramForms(t *testing.T) {
	h := prompb.FromIntHistogram(now, tsdbutil.GenerateTestHistogram(1))
	message, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	timeless := h
	timeless.Timestamp = 0
	want, err := timeless.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	stamp := message[len(want):] // the timestamp's field, which the official encoder puts last
	for name, form := range map[string]string{
		"timestamp last":      string(message),
		"timestamp first":     string(stamp) + string(want),
		"timestamp between":   string(want[:2]) + string(stamp) + string(want[2:]),
		"two timestamps":      "\x78\x05" + string(message),
		"unknown field":       "\xa2\x06\x01a" + string(message) + "\xa0\x06\x01",
		"the other kind lost": "\x11\x00\x00\x00\x00\x00\x00\xf0\x3f\x39\x00\x00\x00\x00\x00\x00\xf0\x3f" + string(message),
	} {
		t.Run(name, func(t *testing.T) {
			series := append(payload(t, marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: named("h")}}})), 0x22)
			series = append(appendLength(series, len(form)), form...)
			var b seamark.Batch
			if err := remotewrite.New().Decode(appendMessage(nil, series), catalogtest.New(), &b); err != nil {
				t.Fatal(err)
			}
			if b.Histograms.Len() != 1 {
				t.Fatalf("refused: %+v", b.Rejected)
			}
			compareHistogram(t, name, &h, &b.Histograms, 0)
		})
	}
}

func TestDecodeHistogramRejects(t *testing.T) {
	spans := func(pairs ...int) (list []prompb.BucketSpan) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, prompb.BucketSpan{Offset: int32(pairs[i]), Length: uint32(pairs[i+1])})
		}
		return list
	}
	integer := func(n uint64) *prompb.Histogram_CountInt { return &prompb.Histogram_CountInt{CountInt: n} }
	float := func(n float64) *prompb.Histogram_CountFloat { return &prompb.Histogram_CountFloat{CountFloat: n} }
	two := []int64{1, 0}
	for name, c := range map[string]struct {
		h      prompb.Histogram
		reason string
		says   string
	}{
		"schema of the future":   {prompb.Histogram{Schema: 9}, "schema", "schema 9"},
		"schema too small":       {prompb.Histogram{Schema: -5}, "schema", "schema -5"},
		"spans without buckets":  {prompb.Histogram{PositiveSpans: spans(0, 2)}, "spans", "for 2 buckets, and 0"},
		"buckets without spans":  {prompb.Histogram{Count: integer(2), NegativeDeltas: two}, "spans", "negative spans for 0 buckets, and 2"},
		"span backwards":         {prompb.Histogram{Count: integer(2), PositiveSpans: spans(0, 1, -1, 1), PositiveDeltas: two}, "spans", "offset -1"},
		"span out of range":      {prompb.Histogram{PositiveSpans: spans(math.MaxInt32, 0, 1, 0)}, "spans", "beyond bucket"},
		"count too small":        {prompb.Histogram{Count: integer(1), PositiveSpans: spans(0, 2), PositiveDeltas: two}, "count", "count 1, and 2 observations"},
		"count too large":        {prompb.Histogram{Count: integer(3), PositiveSpans: spans(0, 2), PositiveDeltas: two}, "count", "count 3, and 2 observations"},
		"too small beside NaN":   {prompb.Histogram{Count: integer(1), Sum: math.NaN(), PositiveSpans: spans(0, 2), PositiveDeltas: two}, "count", "count 1"},
		"bucket below zero":      {prompb.Histogram{PositiveSpans: spans(0, 2), PositiveDeltas: []int64{1, -2}}, "count", "positive bucket 2"},
		"bucket overflows":       {prompb.Histogram{PositiveSpans: spans(0, 2), PositiveDeltas: []int64{math.MaxInt64, 1}}, "count", "positive bucket 2"},
		"sum overflows":          {prompb.Histogram{Count: integer(1), PositiveSpans: spans(0, 3), PositiveDeltas: []int64{math.MaxInt64, 0, -math.MaxInt64 + 3}}, "count", "count 1"},
		"float count below zero": {prompb.Histogram{Count: float(-1)}, "count", "count -1"},
		"float bucket below zero": {prompb.Histogram{Count: float(1), NegativeSpans: spans(0, 1), NegativeCounts: []float64{-1}},
			"count", "-1 in negative bucket 1"},
		"float count, integer buckets": {prompb.Histogram{Count: float(2), PositiveSpans: spans(0, 2), PositiveDeltas: two}, "kind", "float count"},
		"integer count, float buckets": {prompb.Histogram{Count: integer(2), PositiveSpans: spans(0, 1), PositiveCounts: []float64{2}}, "kind", "integer count"},
		"integer count, float zero": {prompb.Histogram{Count: integer(2), ZeroCount: &prompb.Histogram_ZeroCountFloat{ZeroCountFloat: 2}},
			"kind", "integer count"},
		"zero bucket of no width":    {prompb.Histogram{ZeroThreshold: math.NaN()}, "zero", "the width NaN"},
		"zero bucket below zero":     {prompb.Histogram{ZeroThreshold: -1}, "zero", "the width -1"},
		"bounds beside a schema":     {prompb.Histogram{CustomValues: []float64{1}}, "bounds", "exponential schema 0"},
		"bounds that fall":           {prompb.Histogram{Schema: -53, CustomValues: []float64{2, 1}}, "bounds", "bound 1 behind 2"},
		"bound of NaN":               {prompb.Histogram{Schema: -53, CustomValues: []float64{math.NaN()}}, "bounds", "bound NaN"},
		"bound of +Inf":              {prompb.Histogram{Schema: -53, CustomValues: []float64{1, math.Inf(1)}}, "bounds", "bound +Inf"},
		"too few bounds":             {prompb.Histogram{Schema: -53, CustomValues: []float64{1}, PositiveSpans: spans(2, 0)}, "", ""},
		"far too few bounds":         {prompb.Histogram{Schema: -53, CustomValues: []float64{1}, PositiveSpans: spans(3, 0)}, "bounds", "1 custom bounds"},
		"custom span backwards":      {prompb.Histogram{Schema: -53, PositiveSpans: spans(-1, 1)}, "bounds", "offset -1"},
		"custom and a zero bucket":   {prompb.Histogram{Schema: -53, ZeroThreshold: 1}, "bounds", "zero bucket"},
		"custom and negative bucket": {prompb.Histogram{Schema: -53, NegativeSpans: spans(0, 1)}, "bounds", "negative buckets"},
		"too many buckets":           {prompb.Histogram{PositiveSpans: spans(0, 1025), PositiveDeltas: make([]int64, 1025)}, "buckets", "1025 buckets"},
		"too many spans":             {prompb.Histogram{PositiveSpans: make([]prompb.BucketSpan, 1025)}, "buckets", "limit is 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			good := prompb.FromIntHistogram(now, tsdbutil.GenerateTestHistogram(1))
			w := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
				{Labels: named("h"), Histograms: []prompb.Histogram{good, c.h, good}}, {Labels: named("m"), Samples: make([]prompb.Sample, 1)},
			}}
			var b seamark.Batch
			if err := remotewrite.New().Decode(marshal(t, w), catalogtest.New(), &b); err != nil {
				t.Fatal(err)
			}
			if c.reason == "" {
				if b.Rejected.Rows() != 0 || b.Histograms.Len() != 3 {
					t.Fatalf("refused: %+v", b.Rejected)
				}
				return
			}
			if b.Histograms.Len() != 2 || b.Samples.Len() != 1 || b.Rejected.Samples != 1 {
				t.Fatalf("kept %d histograms and %d samples, rejected %+v", b.Histograms.Len(), b.Samples.Len(), b.Rejected)
			}
			if r := b.Rejected.Reasons[0]; r.Reason != "seamark-histogram-"+c.reason || !strings.Contains(r.Detail, c.says) || !strings.Contains(r.Detail, `metric "h"`) {
				t.Fatalf("got %+v, want seamark-histogram-%s with %q", r, c.reason, c.says)
			}
			if c.reason != "buckets" && c.reason != "kind" && c.reason != "zero" && !strings.Contains(name, "over") && name != "span out of range" && validate(&c.h) == nil {
				t.Fatal("Prometheus takes it")
			}
		})
	}
}

// TestDecodeHistogramsAgree changes sound histograms at random: what is stored is what Prometheus finds sound.
func TestDecodeHistogramsAgree(t *testing.T) {
	rnd, d, cat := rand.New(rand.NewPCG(1, 2)), remotewrite.New(), catalogtest.New()
	kept, refused := 0, 0
	for range 4000 {
		message := histograms()[rnd.IntN(9)]
		change(rnd, &message)
		body := marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: named("h"), Histograms: []prompb.Histogram{message}}}})
		var sent prompb.WriteRequest // as the official decoder reads it
		if err := sent.Unmarshal(body); err != nil {
			t.Fatal(err)
		}
		var b seamark.Batch
		if err := d.Decode(body, cat, &b); err != nil {
			t.Fatal(err)
		}
		h := sent.Timeseries[0].Histograms[0]
		if sound := validate(&h) == nil; sound != (b.Histograms.Len() == 1) {
			t.Fatalf("Prometheus finds it sound: %v; stored %d, rejected %+v\n%v", sound, b.Histograms.Len(), b.Rejected.Reasons, &h)
		} else if sound {
			compareHistogram(t, "changed", &h, &b.Histograms, 0)
			kept++
		} else {
			refused++
		}
	}
	if kept < 500 || refused < 500 {
		t.Fatalf("%d kept and %d refused: the changes are one-sided", kept, refused)
	}
}

// change makes one small change, after which a histogram may be sound or not.
func change(rnd *rand.Rand, h *prompb.Histogram) {
	side := func(list []prompb.BucketSpan) {
		if len(list) > 0 {
			s := &list[rnd.IntN(len(list))]
			s.Offset += int32(rnd.IntN(4) - 2)
			s.Length += uint32(rnd.IntN(3) / 2)
		}
	}
	switch rnd.IntN(7) {
	case 0:
		h.Schema += int32(rnd.IntN(20) - 10)
	case 1:
		side(h.PositiveSpans)
	case 2:
		side(h.NegativeSpans)
	case 3:
		if n := len(h.PositiveDeltas); n > 0 {
			h.PositiveDeltas[rnd.IntN(n)] += int64(rnd.IntN(3) - 1)
		} else if n := len(h.PositiveCounts); n > 0 {
			h.PositiveCounts[rnd.IntN(n)] -= float64(rnd.IntN(5))
		}
	case 4:
		h.Sum = math.NaN()
	case 5:
		if n := len(h.CustomValues); n > 0 {
			h.CustomValues = h.CustomValues[:rnd.IntN(n+1)]
		}
	}
}

func TestDecodeExemplars(t *testing.T) {
	label := func(pairs ...string) (list []prompb.Label) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		return list
	}
	var full, short [16]byte
	copy(full[:], "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c")
	copy(short[8:], "\x84\x48\xeb\x21\x1c\x80\x31\x9c")
	for name, c := range map[string]struct {
		labels []prompb.Label
		trace  [16]byte
		rest   []seamark.Label
		reason string
	}{
		"none":             {},
		"trace_id":         {labels: label("trace_id", traceText), trace: full},
		"traceID":          {labels: label("traceID", strings.ToUpper(traceText)), trace: full},
		"TraceID, 64 bits": {labels: label("TraceID", traceText[16:]), trace: short},
		"with others": {labels: label("trace_id", traceText, "span_id", "b7ad6b7169203331", "a", "b", "empty", ""), trace: full,
			rest: []seamark.Label{{Name: "a", Value: "b"}, {Name: "span_id", Value: "b7ad6b7169203331"}}},
		"two names":        {labels: label("traceID", traceText, "trace_id", "x"), trace: full, rest: []seamark.Label{{Name: "trace_id", Value: "x"}}},
		"not hex":          {labels: label("trace_id", "it"), rest: []seamark.Label{{Name: "trace_id", Value: "it"}}},
		"zero":             {labels: label("trace_id", strings.Repeat("0", 32)), rest: []seamark.Label{{Name: "trace_id", Value: strings.Repeat("0", 32)}}},
		"another name":     {labels: label("trace", traceText), rest: []seamark.Label{{Name: "trace", Value: traceText}}},
		"no name":          {labels: label("", "b"), reason: "without a name"},
		"twice":            {labels: label("a", "b", "a", "c"), reason: "twice"},
		"not UTF-8":        {labels: label("a", "\xff"), reason: "not UTF-8"},
		"too many letters": {labels: label("a", strings.Repeat("b", 1024)), reason: "1025 bytes; the limit is 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			good := prompb.Exemplar{Value: 3, Timestamp: now}
			w := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: named("m"), Exemplars: []prompb.Exemplar{
				{Labels: c.labels, Value: 1.5, Timestamp: now}, good}}}}
			symbols, ts := writev2.NewSymbolTable(), writev2.TimeSeries{}
			ts.LabelsRefs = []uint32{symbols.Symbolize("__name__"), symbols.Symbolize("m")}
			ts.Exemplars = []writev2.Exemplar{{Value: 1.5, Timestamp: now}, {Value: 3, Timestamp: now}}
			for _, l := range c.labels {
				ts.Exemplars[0].LabelsRefs = append(ts.Exemplars[0].LabelsRefs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
			}
			var one, two seamark.Batch
			d := remotewrite.New()
			if err := d.Decode(marshal(t, w), catalogtest.New(), &one); err != nil {
				t.Fatal(err)
			}
			v2 := marshalV2(t, &writev2.Request{Symbols: symbols.Symbols(), Timeseries: []writev2.TimeSeries{ts}})
			if _, err := d.DecodeV2(v2, catalogtest.New(), &two); err != nil {
				t.Fatal(err)
			}
			want := []seamark.Exemplar{{TimeMilli: now, Value: 1.5, TraceID: c.trace, Labels: c.rest}, {TimeMilli: now, Value: 3}}
			if c.reason != "" {
				want = want[1:]
			}
			for version, b := range map[string]*seamark.Batch{"1.0": &one, "2.0": &two} {
				if diff := cmp.Diff(want, b.Exemplars); diff != "" {
					t.Errorf("%s (-want +got):\n%s", version, diff)
				}
				if c.reason == "" && b.Rejected.Rows() != 0 || c.reason != "" &&
					(b.Rejected.Samples != 1 || !strings.Contains(b.Rejected.Reasons[0].Detail, c.reason)) {
					t.Errorf("%s: rejected %+v, want %q", version, b.Rejected, c.reason)
				}
			}
		})
	}
}

const traceText = "0af7651916cd43dd8448eb211c80319c"
