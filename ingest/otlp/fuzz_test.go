package otlp_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// decode decodes body twice with the same decoder and batch, checks what must hold for every input, and says whether the
// body was accepted.
func decode(t *testing.T, b *seamark.Batch, decode func(*seamark.Batch) error) bool {
	first := decode(b)
	rows, rejected := b.Rows(), b.Rejected.Rows()
	b.Reset()
	second := decode(b)
	if errorID(first) != errorID(second) || first == nil && (rows != b.Rows() || rejected != b.Rejected.Rows()) {
		t.Fatalf("decoding again gave %v, %d rows, %d rejected; first %v, %d, %d",
			second, b.Rows(), b.Rejected.Rows(), first, rows, rejected)
	}
	if first != nil {
		if id := errorID(first); seamark.KindOf(first) != seamark.Invalid || id != "seamark-body-protobuf" && id != "seamark-body-json" {
			t.Fatalf("error %v of kind %s", first, seamark.KindOf(first))
		}
		return false
	}
	l, s, n := &b.Logs, &b.Samples, b.Logs.Len()
	if len(l.Stream) != n || len(l.Level) != n || len(l.TraceID) != n || len(l.SpanID) != n || len(l.Body) != n || len(l.AttrEnd) != n {
		t.Fatal("log columns differ in length")
	}
	if len(s.SeriesRef) != s.Len() || len(s.Value) != s.Len() {
		t.Fatal("sample columns differ in length")
	}
	for _, ref := range l.Stream {
		_ = l.Streams[ref]
	}
	for _, ref := range s.SeriesRef {
		_ = s.Series[ref]
	}
	checkNatives(t, b)
	return true
}

// checkNatives checks that histograms can be read and refer to series of the batch, and that exemplars do.
func checkNatives(t *testing.T, b *seamark.Batch) {
	h := &b.Histograms
	if n := h.Len(); len(h.SeriesRef) != n || len(h.Count) != n || len(h.Sum) != n || len(h.Data) != n {
		t.Fatal("histogram columns differ in length")
	}
	for i, ref := range h.SeriesRef {
		_ = b.Samples.Series[ref]
		got := decodeNative(t, h.Data[i])
		buckets := 0
		for _, s := range slices.Concat(got.PositiveSpans, got.NegativeSpans) {
			buckets += int(s.Length)
		}
		if buckets != len(got.PositiveBuckets)+len(got.NegativeBuckets) || got.Schema < -4 || got.Schema > 8 {
			t.Fatalf("histogram %v", got)
		}
	}
	for _, e := range b.Exemplars {
		_ = b.Samples.Series[e.Series]
	}
}

// checkLogs compares the decoded rows with pdata's reading of the same request.
func checkLogs(t *testing.T, b *seamark.Batch, ld plog.Logs) {
	if got, want := b.Logs.Len()+len(b.Events)+b.Rejected.Rows(), ld.LogRecordCount(); got != want {
		t.Fatalf("%d rows and refusals, pdata has %d records", got, want)
	}
	if b.Rejected.Logs > 0 || len(b.Events)+b.Rejected.Events > 0 {
		return
	}
	row := 0
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				if got := b.Logs.Body[row]; !sameText(got, rec.Body()) {
					t.Fatalf("row %d: body %q, pdata %q", row, got, rec.Body().AsString())
				}
				row++
			}
		}
	}
}

// sameText compares our rendering of a value with pdata's, which sorts the members of maps and gives up on NaN.
func sameText(got string, v pcommon.Value) bool {
	want := v.AsString()
	if got == want {
		return true
	}
	if v.Type() != pcommon.ValueTypeMap && v.Type() != pcommon.ValueTypeSlice {
		return false
	}
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return false
	}
	return want == "" || json.Unmarshal([]byte(want), &w) == nil && reflect.DeepEqual(g, w)
}

// checkMetrics compares the number of points with pdata's reading of the same request.
func checkMetrics(t *testing.T, b *seamark.Batch, md pmetric.Metrics) {
	points, targets := b.Histograms.Len(), 0
	for i := range b.Samples.Len() {
		if b.Samples.Series[b.Samples.SeriesRef[i]].Name == "target_info" {
			targets++
		} else {
			points++
		}
	}
	all := md.DataPointCount()
	if b.Rejected.Samples > all || points > 0 && b.Rejected.Samples == all || points+targets > 0 && all == 0 ||
		points+targets+b.Rejected.Samples < all {
		t.Fatalf("%d samples, %d refused points, pdata has %d points", points, b.Rejected.Samples, all)
	}
}

// checkTraces compares the decoded spans with pdata's reading of the same request.
func checkTraces(t *testing.T, b *seamark.Batch, td ptrace.Traces) {
	if got, want := len(b.Spans)+b.Rejected.Spans, td.SpanCount(); got != want {
		t.Fatalf("%d spans and refusals, pdata has %d spans", got, want)
	}
	for i := range b.Spans {
		s := &b.Spans[i]
		if s.TraceID == [16]byte{} || s.SpanID == [8]byte{} || s.Service == "" || s.Kind == "" || s.Status == "" {
			t.Fatalf("span %+v", s)
		}
		for _, text := range []string{s.Events, s.Links} {
			if text != "" && !json.Valid([]byte(text)) {
				t.Fatalf("not JSON: %q", text)
			}
		}
	}
}

func FuzzTraces(f *testing.F) {
	td, _ := sampleTraces()
	f.Add(tracesBody(f, td, otlp.Protobuf))
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeTraces(&otlp.Request{Body: body, Now: now}, b)
		})
		if req := ptraceotlp.NewExportRequest(); ok && req.UnmarshalProto(body) == nil {
			checkTraces(t, b, req.Traces())
		}
	})
}

func FuzzTracesJSON(f *testing.F) {
	td, _ := sampleTraces()
	f.Add(tracesBody(f, td, otlp.JSON))
	f.Add([]byte(tracesJSON))
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeTraces(&otlp.Request{Body: body, Encoding: otlp.JSON, Now: now}, b)
		})
		if req := ptraceotlp.NewExportRequest(); ok && req.UnmarshalJSON(body) == nil {
			checkTraces(t, b, req.Traces())
		}
	})
}

func FuzzLogs(f *testing.F) {
	ld, _ := sampleLogs()
	f.Add(logsBody(f, ld, otlp.Protobuf))
	f.Add([]byte("\x0a\x02\x12\x00"))
	event, _ := k8sEvents()
	f.Add(logsBody(f, event, otlp.Protobuf))
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeLogs(&otlp.Request{Body: body, Catalog: cat, Now: now}, b)
		})
		if req := plogotlp.NewExportRequest(); ok && req.UnmarshalProto(body) == nil {
			checkLogs(t, b, req.Logs())
		}
	})
}

func FuzzMetrics(f *testing.F) {
	for _, md := range metricCases() {
		f.Add(metricsBody(f, md, otlp.Protobuf))
	}
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeMetrics(&otlp.Request{Body: body, Catalog: cat, Now: now}, b)
		})
		if req := pmetricotlp.NewExportRequest(); ok && req.UnmarshalProto(body) == nil {
			checkMetrics(t, b, req.Metrics())
		}
	})
}

func FuzzLogsJSON(f *testing.F) {
	ld, _ := sampleLogs()
	f.Add(logsBody(f, ld, otlp.JSON))
	event, _ := k8sEvents()
	f.Add(logsBody(f, event, otlp.JSON))
	f.Add([]byte(`{"resourceLogs":[null,{"scopeLogs":[{"logRecords":[{"body":null,"severityNumber":"9"}]}]}]}`))
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeLogs(&otlp.Request{Body: body, Encoding: otlp.JSON, Catalog: cat, Now: now}, b)
		})
		if req := plogotlp.NewExportRequest(); ok && req.UnmarshalJSON(body) == nil {
			checkLogs(t, b, req.Logs())
		}
	})
}

func FuzzMetricsJSON(f *testing.F) {
	for name, md := range metricCases() {
		if name != "gauge" { // it holds an infinity
			f.Add(metricsBody(f, md, otlp.JSON))
		}
	}
	d, b := otlp.New(), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		b.Reset()
		ok := decode(t, b, func(b *seamark.Batch) error {
			return d.DecodeMetrics(&otlp.Request{Body: body, Encoding: otlp.JSON, Catalog: cat, Now: now}, b)
		})
		if req := pmetricotlp.NewExportRequest(); ok && req.UnmarshalJSON(body) == nil {
			checkMetrics(t, b, req.Metrics())
		}
	})
}
