package otlp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func tracesBody(t testing.TB, td ptrace.Traces, enc otlp.Encoding) []byte {
	t.Helper()
	req := ptraceotlp.NewExportRequestFromTraces(td)
	body, err := req.MarshalProto()
	if enc == otlp.JSON {
		body, err = req.MarshalJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// newSpans returns traces with one resource and the spans of one scope in it.
func newSpans(resource ...string) (ptrace.Traces, ptrace.SpanSlice) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	for i := 0; i < len(resource); i += 2 {
		rs.Resource().Attributes().PutStr(resource[i], resource[i+1])
	}
	return td, rs.ScopeSpans().AppendEmpty().Spans()
}

func addSpan(spans ptrace.SpanSlice, name string) ptrace.Span {
	s := spans.AppendEmpty()
	s.SetTraceID(pcommon.TraceID{1, 15: 2})
	s.SetSpanID(pcommon.SpanID{3, 7: 4})
	s.SetName(name)
	s.SetStartTimestamp(sampleTime)
	s.SetEndTimestamp(sampleTime + 1500)
	return s
}

// sampleTraces is a request with all that a span can hold, and the spans it means.
func sampleTraces() (ptrace.Traces, []seamark.Span) {
	td, spans := newSpans("service.name", "checkout", "service.namespace", "shop", "k8s.namespace.name", "prod",
		"k8s.pod.name", "checkout-7d9", "k8s.deployment.name", "checkout", "k8s.cluster.name", "eu", "host.arch", "arm64", "empty", "")
	scope := td.ResourceSpans().At(0).ScopeSpans().At(0).Scope()
	scope.SetName("net/http")
	scope.SetVersion("1.2")
	scope.Attributes().PutStr("shared", "scope")
	s := addSpan(spans, "POST /pay")
	s.SetParentSpanID(pcommon.SpanID{9})
	s.TraceState().FromRaw("a=b")
	s.SetKind(ptrace.SpanKindServer)
	s.SetFlags(257)
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("boom")
	s.Attributes().PutStr("http.method", "POST")
	s.Attributes().PutInt("http.status_code", 500)
	s.Attributes().PutEmptySlice("list").AppendEmpty().SetBool(true)
	s.Attributes().PutStr("empty", "")
	e := s.Events().AppendEmpty()
	e.SetName("exception \"x\"")
	e.SetTimestamp(sampleTime + 7)
	e.Attributes().PutStr("exception.type", "E\n")
	e.Attributes().PutEmptyMap("map").PutDouble("k", 2.5)
	s.Events().AppendEmpty()
	l := s.Links().AppendEmpty()
	l.SetTraceID(pcommon.TraceID{0xab})
	l.SetSpanID(pcommon.SpanID{0xcd})
	l.Attributes().PutInt("n", -1)
	plain := s.Links().AppendEmpty()
	plain.SetTraceID(pcommon.TraceID{0xef})
	plain.SetSpanID(pcommon.SpanID{0x01})
	root := addSpan(spans, "root")
	root.SetEndTimestamp(sampleTime)
	root.Attributes().PutStr("shared", "span")

	resource := []seamark.Label{
		{Name: "cluster", Value: "eu"}, {Name: "host.arch", Value: "arm64"}, {Name: "namespace", Value: "prod"},
		{Name: "pod", Value: "checkout-7d9"}, {Name: "service.namespace", Value: "shop"}, {Name: "workload", Value: "checkout"},
	}
	version := seamark.Label{Name: "otel.scope.version", Value: "1.2"}
	return td, []seamark.Span{
		{
			TraceID: [16]byte{1, 15: 2}, SpanID: [8]byte{3, 7: 4}, ParentID: [8]byte{9}, TimeNano: int64(sampleTime), DurationNano: 1500,
			Name: "POST /pay", Service: "checkout", Kind: "server", Status: "error", StatusMessage: "boom", TraceState: "a=b",
			Scope: "net/http", Resource: resource,
			Attrs: []seamark.Label{
				{Name: "http.method", Value: "POST"}, {Name: "http.status_code", Value: "500"}, {Name: "list", Value: "[true]"},
				version, {Name: "shared", Value: "scope"},
			},
			Events: `[{"time_unix_nano":"1795000000123456796","name":"exception \"x\"","attributes":{"exception.type":"E\n","map":{"k":2.5}}},` +
				`{"time_unix_nano":"0","name":""}]`,
			Links: `[{"trace_id":"ab000000000000000000000000000000","span_id":"cd00000000000000","attributes":{"n":-1}},` +
				`{"trace_id":"ef000000000000000000000000000000","span_id":"0100000000000000"}]`,
		},
		{
			TraceID: [16]byte{1, 15: 2}, SpanID: [8]byte{3, 7: 4}, TimeNano: int64(sampleTime), Name: "root", Service: "checkout",
			Kind: "unspecified", Status: "unset", Scope: "net/http", Resource: resource,
			Attrs: []seamark.Label{version, {Name: "shared", Value: "span"}},
		},
	}
}

func TestTraces(t *testing.T) {
	td, want := sampleTraces()
	for _, enc := range []otlp.Encoding{otlp.Protobuf, otlp.JSON} {
		d, b := otlp.New(), new(seamark.Batch)
		for round := range 3 { // the later rounds run on used buffers
			b.Reset()
			if err := d.DecodeTraces(&otlp.Request{Body: tracesBody(t, td, enc), Encoding: enc, Now: now}, b); err != nil {
				t.Fatal(err)
			}
			for i := range b.Spans {
				b.Spans[i].Attrs = sorted(b.Spans[i].Attrs)
			}
			if diff := cmp.Diff(want, b.Spans); diff != "" {
				t.Errorf("%s, round %d, -want +got:\n%s", enc.ContentType(), round, diff)
			}
			if len(b.Rejected.Reasons) != 0 {
				t.Errorf("rejected %+v", b.Rejected)
			}
			for _, text := range []string{b.Spans[0].Events, b.Spans[0].Links} {
				if !json.Valid([]byte(text)) {
					t.Errorf("not JSON: %s", text)
				}
			}
		}
	}
}

func decodeTraces(t testing.TB, td ptrace.Traces, limits otlp.Limits) *seamark.Batch {
	t.Helper()
	b := new(seamark.Batch)
	r := &otlp.Request{Body: tracesBody(t, td, otlp.Protobuf), Catalog: catalogtest.New(), Cluster: "token's", Now: now, Limits: limits}
	if err := otlp.New().DecodeTraces(r, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSpansOfBareResource(t *testing.T) {
	td, spans := newSpans()
	for kind, name := range []string{"unspecified", "internal", "server", "client", "producer", "consumer", "unspecified"} {
		addSpan(spans, name).SetKind(ptrace.SpanKind(kind))
	}
	for status := range 4 {
		addSpan(spans, "unspecified").Status().SetCode(ptrace.StatusCode(status))
	}
	b := decodeTraces(t, td, otlp.Limits{})
	for i, s := range b.Spans {
		if s.Kind != s.Name || s.Service != "unknown_service" || !cmp.Equal(s.Resource, []seamark.Label{{Name: "cluster", Value: "token's"}}) {
			t.Errorf("span %d: %+v", i, s)
		}
	}
	var statuses []string
	for _, s := range b.Spans[7:] {
		statuses = append(statuses, s.Status)
	}
	if diff := cmp.Diff([]string{"unset", "ok", "error", "unset"}, statuses); diff != "" {
		t.Error(diff)
	}
}

func TestSpansRefused(t *testing.T) {
	cases := map[string]struct {
		change func(s ptrace.Span)
		says   string
	}{
		"seamark-span-trace-id":    {func(s ptrace.Span) { s.SetTraceID(pcommon.TraceID{}) }, "bad"},
		"seamark-span-id":          {func(s ptrace.Span) { s.SetSpanID(pcommon.SpanID{}) }, "not all zero"},
		"seamark-span-time":        {func(s ptrace.Span) { s.SetEndTimestamp(sampleTime - 3) }, "3 nanoseconds"},
		"seamark-span-bytes":       {func(s ptrace.Span) { s.SetName(strings.Repeat("x", 1000)) }, "limit is 1000"},
		"seamark-attributes-limit": {manyAttributes, "more than 5"},
	}
	for id, c := range cases {
		t.Run(id, func(t *testing.T) {
			td, spans := newSpans("service.name", "s")
			for range 2 {
				c.change(addSpan(spans, "bad"))
			}
			addSpan(spans, "good")
			b := decodeTraces(t, td, otlp.Limits{MaxSpanBytes: 1000, MaxAttrs: 5})
			if len(b.Spans) != 1 || b.Spans[0].Name != "good" {
				t.Errorf("spans %+v", b.Spans)
			}
			r := b.Rejected.Reasons
			if b.Rejected.Spans != 2 || len(r) != 1 || r[0].Reason != id || r[0].Count != 2 || !strings.Contains(r[0].Detail, c.says) {
				t.Errorf("rejected %+v, want %s naming %q", b.Rejected, id, c.says)
			}
		})
	}
}

func manyAttributes(s ptrace.Span) {
	for i := range 6 {
		s.Attributes().PutInt(fmt.Sprint("a", i), 1)
	}
}

// TestSpanIDsOfWrongLength sends what pdata cannot: ids of another length, and no start time.
func TestSpanIDsOfWrongLength(t *testing.T) {
	field := func(n byte, s string) string { return string([]byte{n<<3 | 2, byte(len(s))}) + s }
	const trace, id = "0123456789abcdef", "01234567"
	start, end := "\x39\x05\x00\x00\x00\x00\x00\x00\x00", "\x41\x06\x00\x00\x00\x00\x00\x00\x00"
	for span, want := range map[string]string{
		field(1, trace) + field(2, id) + start + end:                                                "",
		field(1, trace) + field(2, id) + field(4, "\x00\x00\x00\x00\x00\x00\x00\x00") + start + end: "",
		field(2, id) + start + end:                                                                  "seamark-span-trace-id",
		field(1, trace+"x") + field(2, id) + start + end:                                            "seamark-span-trace-id",
		field(1, trace) + field(2, id+"x") + start + end:                                            "seamark-span-id",
		field(1, trace) + start + end:                                                               "seamark-span-id",
		field(1, trace) + field(2, id) + field(4, "x") + start + end:                                "seamark-span-parent-id",
		field(1, trace) + field(2, id) + end:                                                        "seamark-span-time",
		field(1, trace) + field(2, id) + start:                                                      "seamark-span-time",
		field(1, trace) + field(2, id) + strings.ReplaceAll(start, "\x00", "\xff") + strings.ReplaceAll(end, "\x00", "\xff"): "seamark-span-time",
	} {
		b := new(seamark.Batch)
		if err := otlp.New().DecodeTraces(&otlp.Request{Body: []byte(field(1, field(2, field(2, span)))), Now: now}, b); err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(b.Rejected.Reasons) > 0 {
			got = b.Rejected.Reasons[0].Reason
		}
		if got != want || len(b.Spans)+b.Rejected.Spans != 1 {
			t.Errorf("%q: got %q, want %q; %d spans", span, got, want, len(b.Spans))
		}
	}
}

// TestSpanPartsLeftOut keeps spans with too many events and links, and tells what is missing.
func TestSpanPartsLeftOut(t *testing.T) {
	td, spans := newSpans()
	s := addSpan(spans, "long")
	for i := range 3 {
		s.Events().AppendEmpty().SetName(fmt.Sprint("e", i))
		l := s.Links().AppendEmpty()
		l.SetTraceID(pcommon.TraceID{byte(i)}) // the first is none
		l.SetSpanID(pcommon.SpanID{1})
	}
	addSpan(spans, "dead end").Links().AppendEmpty()
	b := decodeTraces(t, td, otlp.Limits{MaxSpanEvents: 1, MaxSpanLinks: 2})
	if len(b.Spans) != 2 || b.Rejected.Rows() != 0 {
		t.Fatalf("%d spans, rejected %+v", len(b.Spans), b.Rejected)
	}
	if got, want := b.Spans[0].Events, `[{"time_unix_nano":"0","name":"e0"}]`; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	if got, want := b.Spans[0].Links, `[{"trace_id":"01000000000000000000000000000000","span_id":"0100000000000000"}]`; got != want {
		t.Errorf("links %s, want %s", got, want)
	}
	if b.Spans[1].Links != "" {
		t.Errorf("links %s, want none", b.Spans[1].Links)
	}
	var ids []string
	for _, r := range b.Rejected.Reasons {
		ids = append(ids, r.Reason)
	}
	if diff := cmp.Diff([]string{"seamark-span-events", "seamark-span-links", "seamark-span-link"}, ids); diff != "" {
		t.Error(diff)
	}
	answer := ptraceotlp.NewExportResponse()
	unmarshal(t, answer, otlp.Protobuf, otlp.AppendTracesResponse(nil, otlp.Protobuf, &b.Rejected))
	if p := answer.PartialSuccess(); p.RejectedSpans() != 0 || !strings.Contains(p.ErrorMessage(), "3 events; the first 1 are stored") {
		t.Errorf("%d rejected, %q", p.RejectedSpans(), p.ErrorMessage())
	}
}

func TestTracesRowLimits(t *testing.T) {
	td, spans := newSpans()
	addSpan(spans, "a").Attributes().PutStr("k", "v")
	addSpan(spans, "b").Attributes().PutStr("k", "v")
	body := tracesBody(t, td, otlp.Protobuf)
	for name, limits := range map[string]otlp.Limits{"rows": {MaxRows: 1}, "pairs": {MaxPairs: 1}} {
		err := otlp.New().DecodeTraces(&otlp.Request{Body: body, Now: now, Limits: limits}, new(seamark.Batch))
		if errorID(err) != "seamark-rows-limit" || seamark.KindOf(err) != seamark.TooLarge {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
