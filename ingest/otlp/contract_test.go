package otlp_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The requests as the protocol's JSON mapping writes them: lowerCamelCase, ids in hex, enums as integers, 64-bit integers
// as strings or numbers, and fields of a later version of the protocol everywhere.
const (
	logsJSON = `{"later":1,"resourceLogs":[{"later":{},"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}],"later":[]},
		"scopeLogs":[{"scope":{"name":"n","later":null},"logRecords":[{"timeUnixNano":"1795000000000000001","observedTimeUnixNano":1795000000000000002,
		"severityNumber":17,"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","body":{"stringValue":"x"},"later":"y",
		"attributes":[{"key":"n","value":{"intValue":"9007199254740993"},"later":1}]}],"schemaUrl":"u"}]}]}`
	metricsJSON = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
		{"name":"s","later":1,"sum":{"aggregationTemporality":2,"isMonotonic":true,"later":1,"dataPoints":[{"timeUnixNano":"1795000000123000000",
		"startTimeUnixNano":1794999999123000000,"asInt":"7","later":{"a":[1]},"exemplars":[{"asDouble":2.5,"traceId":"5b8efff798038103d269b633813fc60c",
		"spanId":"eee19b7ec3c1b174","timeUnixNano":"1795000000122000000"}]}]}},
		{"name":"h","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"1795000000123000000","count":"5","sum":3,
		"scale":2,"zeroCount":1,"positive":{"offset":-1,"bucketCounts":["1",3]},"zeroThreshold":0.5}]}}]}]}]}`
	tracesJSON = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"EEE19B7EC3C1B174",
		"parentSpanId":"","name":"n","kind":3,"startTimeUnixNano":"1795000000000000001","endTimeUnixNano":1795000000000000003,
		"status":{"code":2,"later":1},"later":[{}],"droppedEventsCount":1,"events":[{"timeUnixNano":"5","name":"e","later":1}]}]}]}]}`
)

var (
	jsonTrace = [16]byte{0x5b, 0x8e, 0xff, 0xf7, 0x98, 0x03, 0x81, 0x03, 0xd2, 0x69, 0xb6, 0x33, 0x81, 0x3f, 0xc6, 0x0c}
	jsonSpan  = [8]byte{0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74}
)

func jsonRequest(body string) *otlp.Request {
	return &otlp.Request{Body: []byte(body), Encoding: otlp.JSON, Catalog: catalogtest.New(), Now: now}
}

func TestJSONMappingOfLogs(t *testing.T) {
	b := new(seamark.Batch)
	if err := otlp.New().DecodeLogs(jsonRequest(logsJSON), b); err != nil {
		t.Fatal(err)
	}
	want := []line{{"[{service_name s}]", 1_795_000_000_000_000_001, "error", "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "x",
		[]seamark.Label{{Name: "n", Value: "9007199254740993"}, {Name: "scope_name", Value: "n"}}}}
	if diff := cmp.Diff(want, linesOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestJSONMappingOfMetrics(t *testing.T) {
	b := new(seamark.Batch)
	if err := otlp.New().DecodeMetrics(jsonRequest(metricsJSON), b); err != nil {
		t.Fatal(err)
	}
	s := &b.Samples
	if diff := cmp.Diff([]float64{0, 7}, s.Value); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{1_794_999_999_123, 1_795_000_000_123}, s.TimeMilli); diff != "" {
		t.Error(diff)
	}
	exemplars := []seamark.Exemplar{{
		TimeMilli: 1_795_000_000_122, Value: 2.5, TraceID: jsonTrace, Labels: []seamark.Label{{Name: "span_id", Value: "eee19b7ec3c1b174"}},
	}}
	if diff := cmp.Diff(exemplars, b.Exemplars); diff != "" {
		t.Error(diff)
	}
	if b.Histograms.Len() != 1 {
		t.Fatalf("%d histograms, rejected %+v", b.Histograms.Len(), b.Rejected)
	}
	h := decodeNative(t, b.Histograms.Data[0])
	if diff := cmp.Diff(map[int]uint64{0: 1, 1: 3}, bucketMap(h.PositiveSpans, h.PositiveBuckets)); diff != "" ||
		h.Schema != 2 || h.ZeroCount != 1 || h.ZeroThreshold != 0.5 || h.Sum != 3 || h.Count != 5 {
		t.Errorf("histogram %v, %s", h, diff)
	}
}

func TestJSONMappingOfTraces(t *testing.T) {
	b := new(seamark.Batch)
	if err := otlp.New().DecodeTraces(jsonRequest(tracesJSON), b); err != nil {
		t.Fatal(err)
	}
	want := []seamark.Span{{
		TraceID: jsonTrace, SpanID: jsonSpan, TimeNano: 1_795_000_000_000_000_001, DurationNano: 2, Name: "n", Service: "unknown_service",
		Kind: "client", Status: "error", Events: `[{"time_unix_nano":"5","name":"e"}]`,
	}}
	if diff := cmp.Diff(want, b.Spans); diff != "" {
		t.Error(diff)
	}
}

// TestWarningsAreTold is the protocol's rule that a partial success without a rejected row is a warning.
func TestWarningsAreTold(t *testing.T) {
	var r seamark.Rejections
	r.Add(seamark.Logs, 0, "seamark-x", "Mind this.")
	const message = "Mind this. (seamark-x)"
	for name, c := range map[string]struct {
		answer func(dst []byte, enc otlp.Encoding, r *seamark.Rejections) []byte
		count  string
	}{
		"logs": {otlp.AppendLogsResponse, "rejectedLogRecords"}, "metrics": {otlp.AppendMetricsResponse, "rejectedDataPoints"},
		"traces": {otlp.AppendTracesResponse, "rejectedSpans"},
	} {
		want := `{"partialSuccess":{"` + c.count + `":"0","errorMessage":"` + message + `"}}`
		if got := string(c.answer(nil, otlp.JSON, &r)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if got, want := string(c.answer(nil, otlp.Protobuf, &r)), "\x0a\x18\x12\x16"+message; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
