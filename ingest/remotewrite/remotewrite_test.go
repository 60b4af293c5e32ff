package remotewrite_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// row is one sample with its labels, in a form that compares bit by bit.
type row struct {
	Labels string
	Time   int64
	Bits   uint64
}

func rowsOf(b *seamark.Batch) []row {
	var rows []row
	for i := range b.Samples.Len() {
		labels := b.Samples.Series[b.Samples.SeriesRef[i]].Labels
		rows = append(rows, row{fmt.Sprintf("%q", labels), b.Samples.TimeMilli[i], math.Float64bits(b.Samples.Value[i])})
	}
	return rows
}

func wantRows(w *prompb.WriteRequest, sorted bool) []row {
	var rows []row
	for _, ts := range w.Timeseries {
		var labels []seamark.Label
		for _, l := range ts.Labels {
			if l.Name != "__replica__" {
				labels = append(labels, seamark.Label{Name: l.Name, Value: l.Value})
			}
		}
		if sorted {
			seamark.SortLabels(labels)
		}
		for _, s := range ts.Samples {
			rows = append(rows, row{fmt.Sprintf("%q", labels), s.Timestamp, math.Float64bits(s.Value)})
		}
	}
	return rows
}

func wantMetadata(w *prompb.WriteRequest) []seamark.MetricMetadata {
	var list []seamark.MetricMetadata
	for _, m := range w.Metadata {
		if m.MetricFamilyName == "" {
			continue
		}
		kind := strings.ToLower(m.Type.String())
		if _, known := prompb.MetricMetadata_MetricType_name[int32(m.Type)]; !known {
			kind = "unknown"
		}
		list = append(list, seamark.MetricMetadata{Metric: m.MetricFamilyName, Type: kind, Help: m.Help, Unit: m.Unit})
	}
	return list
}

func marshal(tb testing.TB, w *prompb.WriteRequest) []byte {
	tb.Helper()
	body, err := w.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// request is n series as a Kubernetes scrape has them: 12 labels, among them one longer than 127 bytes in every tenth.
func request(n, samples int) *prompb.WriteRequest {
	w := &prompb.WriteRequest{}
	for i := range n {
		pod := fmt.Sprintf("checkout-api-%05d-%x", i, i*7919)
		if i%10 == 9 {
			pod = strings.Repeat(pod, 8)
		}
		ts := prompb.TimeSeries{Labels: []prompb.Label{
			{Name: "__name__", Value: "http_request_duration_seconds_bucket"}, {Name: "cluster", Value: "prod-eu-1"},
			{Name: "container", Value: "api"}, {Name: "endpoint", Value: "metrics"}, {Name: "handler", Value: "/v1/orders/{id}"},
			{Name: "instance", Value: fmt.Sprintf("10.42.%d.%d:8080", i/256%256, i%256)}, {Name: "job", Value: "checkout"},
			{Name: "le", Value: "0.25"}, {Name: "method", Value: "GET"}, {Name: "namespace", Value: "shop"},
			{Name: "pod", Value: pod}, {Name: "service", Value: "checkout"},
		}}
		for j := range samples {
			ts.Samples = append(ts.Samples, prompb.Sample{Value: float64(i) * 1.5, Timestamp: 1_785_000_000_000 + int64(j)*15_000})
		}
		w.Timeseries = append(w.Timeseries, ts)
	}
	return w
}

func TestDecode(t *testing.T) {
	stale := math.Float64frombits(value.StaleNaN)
	odd := []float64{0, math.Copysign(0, -1), stale, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324}
	special := prompb.TimeSeries{Labels: []prompb.Label{{Name: "zone", Value: "é"}, {Name: "__name__", Value: "odd"}}}
	for i, v := range odd {
		for _, at := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64, int64(i)} {
			special.Samples = append(special.Samples, prompb.Sample{Value: v, Timestamp: at})
		}
	}
	withExemplars := request(2, 2)
	withExemplars.Timeseries[1].Exemplars = []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: "1"}}, Value: 1}}
	metadata := &prompb.WriteRequest{Metadata: []prompb.MetricMetadata{{MetricFamilyName: "", Help: "no name"}}}
	for number := range int32(9) {
		metadata.Metadata = append(metadata.Metadata, prompb.MetricMetadata{Type: prompb.MetricMetadata_MetricType(number),
			MetricFamilyName: fmt.Sprintf("family_%d", number), Help: "What it tells.", Unit: "seconds"})
	}
	for name, w := range map[string]*prompb.WriteRequest{
		"empty":             {},
		"scrape":            request(300, 1),
		"several samples":   request(5, 7),
		"odd values":        {Timeseries: []prompb.TimeSeries{special}},
		"exemplars":         withExemplars,
		"metadata":          metadata,
		"series, no sample": {Timeseries: []prompb.TimeSeries{{Labels: special.Labels}}},
	} {
		t.Run(name, func(t *testing.T) {
			body, cat, d := marshal(t, w), catalogtest.New(), remotewrite.New()
			// The official decoder says what was sent: the official encoder drops the sign of zero.
			var sent prompb.WriteRequest
			if err := sent.Unmarshal(body); err != nil {
				t.Fatal(err)
			}
			var b seamark.Batch
			// Twice with the same decoder, batch and catalogue: the second time every series is found by its key.
			for range 2 {
				b.Reset()
				if err := d.Decode(body, cat, &b); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wantRows(&sent, true), rowsOf(&b)); diff != "" {
					t.Fatalf("samples (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(wantMetadata(&sent), append([]seamark.MetricMetadata(nil), b.Metadata...)); diff != "" {
					t.Fatalf("metadata (-want +got):\n%s", diff)
				}
				if b.Rejected.Rows() != 0 {
					t.Fatalf("rejected: %+v", b.Rejected)
				}
			}
			if cat.Creates() != cat.Len() {
				t.Fatalf("the catalogue made %d series in %d creates; a warm one must not be asked", cat.Len(), cat.Creates())
			}
		})
	}
}

// TestDecodeBits sends values that the official encoder cannot: both fast and slow path must keep every bit.
func TestDecodeBits(t *testing.T) {
	for _, bits := range []uint64{1 << 63, value.StaleNaN, value.NormalNaN, 0x7ff0000000000001, 0xffffffffffffffff} {
		number := binary.LittleEndian.AppendUint64(nil, bits)
		for name, sample := range map[string]string{
			"value first":   "\x09" + string(number) + "\x10\x05",
			"time first":    "\x10\x05\x09" + string(number),
			"no time":       "\x09" + string(number),
			"unknown field": "\x09" + string(number) + "\x10\x05\x18\x01",
		} {
			message := "\x0a\x0d\x0a\x08__name__\x12\x01m\x12" + string(rune(len(sample))) + sample
			var b seamark.Batch
			if err := remotewrite.New().Decode(appendMessage(nil, []byte(message)), catalogtest.New(), &b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if b.Samples.Len() != 1 || math.Float64bits(b.Samples.Value[0]) != bits || name != "no time" && b.Samples.TimeMilli[0] != 5 {
				t.Errorf("%s: got %+v, want one sample with bits %x", name, b.Samples, bits)
			}
		}
	}
}

// TestDecodeSplitLabels sends the label fields of one series in all the places that protobuf allows.
func TestDecodeSplitLabels(t *testing.T) {
	w := request(10, 2) // the last one has a label longer than 127 bytes
	cat, d := catalogtest.New(), remotewrite.New()
	var together, split seamark.Batch
	if err := d.Decode(marshal(t, w), cat, &together); err != nil {
		t.Fatal(err)
	}
	var body []byte
	for _, ts := range w.Timeseries {
		first := marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: ts.Labels[:3], Samples: ts.Samples[:1]}}})
		second := marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: ts.Labels[3:], Samples: ts.Samples[1:]}}})
		message := append(payload(t, first), payload(t, second)...)
		body = appendMessage(body, message)
	}
	for range 2 {
		split.Reset()
		if err := d.Decode(body, cat, &split); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rowsOf(&together), rowsOf(&split)); diff != "" {
			t.Fatalf("split labels (-together +split):\n%s", diff)
		}
	}
	if cat.Creates() != len(w.Timeseries) {
		t.Fatalf("%d creates for %d series: split labels must hash as the same bytes", cat.Creates(), len(w.Timeseries))
	}
}

// payload strips the tag and length of a body with one field.
func payload(t *testing.T, body []byte) []byte {
	t.Helper()
	i := 1
	for body[i] >= 0x80 {
		i++
	}
	return body[i+1:]
}

func appendMessage(body, message []byte) []byte {
	body = append(body, 1<<3|2)
	return append(appendLength(body, len(message)), message...)
}

func TestDecodeRejects(t *testing.T) {
	w := request(1, 2)
	w.Timeseries = append(w.Timeseries,
		prompb.TimeSeries{Labels: []prompb.Label{{Name: "a", Value: "b"}}, Samples: make([]prompb.Sample, 3)},
		prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "\xff"}}, Samples: make([]prompb.Sample, 4)},
		prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "h"}}, Histograms: slices.Repeat([]prompb.Histogram{{Schema: 9}}, 5)},
		prompb.TimeSeries{Samples: make([]prompb.Sample, 6)},
		request(2, 1).Timeseries[1],
	)
	var b seamark.Batch
	if err := remotewrite.New().Decode(marshal(t, w), catalogtest.New(), &b); err != nil {
		t.Fatal(err)
	}
	if samples, histograms, exemplars := remotewrite.Counts(&b); samples != 3 || histograms != 0 || exemplars != 0 {
		t.Errorf("kept %d samples, %d histograms and %d exemplars, want 3 samples", samples, histograms, exemplars)
	}
	counts := map[string]int{}
	for _, r := range b.Rejected.Reasons {
		counts[r.Reason] = r.Count
		if r.Detail == "" {
			t.Errorf("%s has no sentence for the sender", r.Reason)
		}
	}
	want := map[string]int{"seamark-series-unnamed": 3, "seamark-label-utf8": 4, "seamark-histogram-schema": 5, "seamark-labels-empty": 6}
	if diff := cmp.Diff(want, counts); diff != "" || b.Rejected.Samples != 18 {
		t.Errorf("rejected %d samples (-want +got):\n%s", b.Rejected.Samples, diff)
	}
}

func TestDecodeMalformed(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		message string
	}{
		"text":              {"no protobuf", "WriteRequest is malformed at byte 0 of 11"},
		"cut":               {"\x0a\x05\x0a\x01", "WriteRequest is malformed at byte 0 of 4"},
		"cut in a series":   {"\x0a\x02\x12\x05", "TimeSeries is malformed at byte 2 of 4"},
		"series as number":  {"\x08\x01", "WriteRequest.timeseries is malformed at byte 0"},
		"labels as number":  {"\x0a\x02\x08\x01", "TimeSeries is malformed at byte 2"},
		"sample as number":  {"\x0a\x02\x10\x01", "TimeSeries is malformed at byte 2"},
		"cut in a label":    {"\x0a\x05\x0a\x01\x0a\x12\x00", "Label is malformed at byte 4"},
		"name as number":    {"\x0a\x06\x0a\x02\x08\x01\x12\x00", "Label is malformed at byte 4"},
		"value as varint":   {"\x0a\x04\x12\x02\x08\x01", "Sample is malformed at byte 4"},
		"time without end":  {"\x0a\x04\x12\x02\x10\x80", "Sample is malformed at byte 4"},
		"metadata as fixed": {"\x19\x00\x00\x00\x00\x00\x00\x00\x00", "WriteRequest.metadata is malformed at byte 0"},
		"help as number":    {"\x1a\x02\x20\x01", "MetricMetadata is malformed at byte 2"},
		"cut in metadata":   {"\x1a\x01\x20", "MetricMetadata is malformed at byte 2"},
		"split labels":      {"\x0a\x07\x0a\x00\x12\x00\x0a\x01\x0a", "Label is malformed."},
	} {
		t.Run(name, func(t *testing.T) {
			err := remotewrite.New().Decode([]byte(c.body), accepting{}, new(seamark.Batch))
			wantMalformed(t, err, c.message)
		})
	}
}

func wantMalformed(t *testing.T, err error, message string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != "seamark-body-protobuf" || !strings.Contains(e.Message, message) {
		t.Fatalf("got %v, want Invalid with %q", err, message)
	}
}

// TestDecodeCatalogFailure keeps apart what the sender did wrong and what failed on our side.
func TestDecodeCatalogFailure(t *testing.T) {
	broken := errors.New("broken")
	err := remotewrite.New().Decode(marshal(t, request(1, 1)), failing{broken}, new(seamark.Batch))
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want the catalogue's own error", err)
	}
}

type failing struct{ err error }

func (failing) Find(uint64) *seamark.Series { return nil }
func (f failing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, f.err
}

// accepting takes any label set as it stands, so that a comparison sees what the decoder made of it.
type accepting struct{}

func (accepting) Find(uint64) *seamark.Series { return nil }
func (accepting) Create(_ uint64, kind seamark.SeriesKind, labels []seamark.Label) (*seamark.Series, error) {
	var kept []seamark.Label
	for _, l := range labels {
		kept = append(kept, seamark.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
	}
	return &seamark.Series{Kind: kind, Labels: kept}, nil
}

// TestDecodeAllocatesNothingPerSeries guards the steady state: known series, columns of the last request's size. The
// bound leaves room for making the scratch memory anew, because a sync.Pool may drop it, and does so under -race.
func TestDecodeAllocatesNothingPerSeries(t *testing.T) {
	body, cat, d := marshal(t, request(100, 2)), catalogtest.New(), remotewrite.New()
	var b seamark.Batch
	allocs := testing.AllocsPerRun(50, func() {
		b.Reset()
		if err := d.Decode(body, cat, &b); err != nil {
			t.Fatal(err)
		}
	})
	if allocs >= 10 {
		t.Fatalf("a warm decode of 100 series allocates %v times", allocs)
	}
}
