package otlp_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// line is a row of the batch with its stream spelled out.
type line struct {
	Stream   string
	TimeNano int64
	Level    string
	TraceID  string
	SpanID   string
	Body     string
	Attrs    []seamark.Label
}

func linesOf(b *seamark.Batch) []line {
	var lines []line
	l := &b.Logs
	for i := range l.Len() {
		lines = append(lines, line{
			Stream: fmt.Sprint(l.Streams[l.Stream[i]].Labels), TimeNano: l.TimeNano[i], Level: l.Level[i].String(),
			TraceID: fmt.Sprintf("%x", l.TraceID[i]), SpanID: fmt.Sprintf("%x", l.SpanID[i]), Body: l.Body[i],
			Attrs: sorted(l.AttrsOf(i)),
		})
	}
	return lines
}

// sorted returns attributes by name; their order means nothing.
func sorted(attrs []seamark.Label) []seamark.Label {
	own := append([]seamark.Label(nil), attrs...)
	seamark.SortLabels(own)
	return own
}

func logsBody(t testing.TB, ld plog.Logs, enc otlp.Encoding) []byte {
	t.Helper()
	req := plogotlp.NewExportRequestFromLogs(ld)
	body, err := req.MarshalProto()
	if enc == otlp.JSON {
		body, err = req.MarshalJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decodeLogs(t testing.TB, ld plog.Logs) *seamark.Batch {
	t.Helper()
	b := new(seamark.Batch)
	if err := otlp.New().DecodeLogs(&otlp.Request{Body: logsBody(t, ld, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// oneRecord returns logs with one record of one resource.
func oneRecord(resource ...string) (plog.Logs, plog.LogRecord) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for i := 0; i < len(resource); i += 2 {
		rl.Resource().Attributes().PutStr(resource[i], resource[i+1])
	}
	return ld, rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
}

const zeroTrace = "00000000000000000000000000000000"

// fillRecord sets everything that a record can hold.
func fillRecord(rec plog.LogRecord) {
	rec.SetTimestamp(1_795_000_000_000_000_001)
	rec.SetObservedTimestamp(1_795_000_000_000_000_002)
	rec.SetSeverityNumber(plog.SeverityNumberWarn2)
	rec.SetSeverityText("Warnung")
	rec.SetEventName("payment.failed")
	rec.SetTraceID(pcommon.TraceID{1, 2, 3, 15: 255})
	rec.SetSpanID(pcommon.SpanID{7: 9})
	rec.Body().SetStr("payment failed: \"käse\"\n")
	rec.Attributes().PutStr("http.method", "POST")
	rec.Attributes().PutStr("9lives", "digit")
	rec.Attributes().PutInt("int", -5)
	rec.Attributes().PutDouble("double", 2.5e-7)
	rec.Attributes().PutBool("bool", false)
	rec.Attributes().PutEmptyBytes("bytes").FromRaw([]byte("\x00\x01"))
	list := rec.Attributes().PutEmptySlice("list")
	list.AppendEmpty().SetStr("a\"\\\x01\u2028")
	list.AppendEmpty().SetDouble(math.NaN())
	list.AppendEmpty()
	list.AppendEmpty().SetEmptyMap().PutInt("n", 1)
	list.AppendEmpty().SetEmptyBytes().FromRaw([]byte{1})
	list.AppendEmpty().SetBool(true)
	rec.Attributes().PutStr("empty", "")
}

// sampleLogs is a request with all that a record can hold, and the lines it means.
func sampleLogs() (plog.Logs, []line) {
	ld, rec := oneRecord("service.name", "checkout", "k8s.namespace.name", "prod", "k8s.pod.name", "checkout-7d9",
		"k8s.container.name", "app", "k8s.node.name", "n1", "k8s.cluster.name", "eu", "k8s.deployment.name", "checkout",
		"service.namespace", "shop", "host.arch", "arm64", "shared", "resource", "empty", "")
	ld.ResourceLogs().At(0).Resource().Attributes().PutInt("process.pid", 4711)
	sl := ld.ResourceLogs().At(0).ScopeLogs().At(0)
	sl.Scope().SetName("logger")
	sl.Scope().SetVersion("1.2")
	sl.Scope().Attributes().PutStr("shared", "scope")
	sl.Scope().Attributes().PutStr("own-key/of.scope", "s")
	fillRecord(rec)
	second := sl.LogRecords().AppendEmpty()
	second.SetObservedTimestamp(1_795_000_000_000_000_003)
	second.SetSeverityText("ERROR")
	second.Body().SetEmptyMap().PutStr("msg", "boom")
	second.Attributes().PutStr("shared", "record")
	third := sl.LogRecords().AppendEmpty()
	third.Body().SetStr("level=debug trace_id=4bf92f3577b34da6a3ce929d0e0e4736 msg=x")
	sl.LogRecords().AppendEmpty().Body().SetInt(42)

	stream := "[{cluster eu} {container app} {namespace prod} {node n1} {pod checkout-7d9} {service_name checkout} {workload checkout}]"
	base := []seamark.Label{
		{Name: "scope_name", Value: "logger"}, {Name: "scope_version", Value: "1.2"}, {Name: "shared", Value: "scope"},
		{Name: "own_key_of_scope", Value: "s"}, {Name: "service_namespace", Value: "shop"}, {Name: "host_arch", Value: "arm64"},
		{Name: "process_pid", Value: "4711"},
	}
	first := append([]seamark.Label{
		{Name: "http_method", Value: "POST"}, {Name: "key_9lives", Value: "digit"}, {Name: "int", Value: "-5"},
		{Name: "double", Value: "2.5e-7"}, {Name: "bool", Value: "false"}, {Name: "bytes", Value: "AAE="},
		{Name: "list", Value: `["a\"\\\u0001` + "\u2028" + `","NaN",null,{"n":1},"AQ==",true]`},
		{Name: "event_name", Value: "payment.failed"}, {Name: "severity_text", Value: "Warnung"},
	}, base...)
	own := []seamark.Label{{Name: "shared", Value: "record"}, {Name: "severity_text", Value: "ERROR"}}
	for _, l := range base {
		if l.Name != "shared" {
			own = append(own, l)
		}
	}
	return ld, []line{
		{stream, 1_795_000_000_000_000_001, "warn", "010203000000000000000000000000ff", "0000000000000009", "payment failed: \"käse\"\n", sorted(first)},
		{stream, 1_795_000_000_000_000_003, "error", zeroTrace, "0000000000000000", `{"msg":"boom"}`, sorted(own)},
		{stream, now.UnixNano(), "debug", "4bf92f3577b34da6a3ce929d0e0e4736", "0000000000000000",
			"level=debug trace_id=4bf92f3577b34da6a3ce929d0e0e4736 msg=x", sorted(base)},
		{stream, now.UnixNano(), "unknown", zeroTrace, "0000000000000000", "42", sorted(base)},
	}
}

func TestLogs(t *testing.T) {
	ld, want := sampleLogs()
	for _, enc := range []otlp.Encoding{otlp.Protobuf, otlp.JSON} {
		d, cat, b := otlp.New(), catalogtest.New(), new(seamark.Batch)
		// The later rounds run on used buffers and a warm catalogue.
		for round := range 3 {
			b.Reset()
			if err := d.DecodeLogs(&otlp.Request{Body: logsBody(t, ld, enc), Encoding: enc, Catalog: cat, Now: now}, b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, linesOf(b)); diff != "" {
				t.Errorf("%s, round %d, -want +got:\n%s", enc.ContentType(), round, diff)
			}
			if len(b.Logs.Streams) != 1 || cat.Creates() != 1 || b.Rejected.Rows() != 0 {
				t.Errorf("%d streams, %d creates, rejected %+v", len(b.Logs.Streams), cat.Creates(), b.Rejected)
			}
		}
	}
}

func TestStreamLabels(t *testing.T) {
	cases := []struct {
		resource []string
		want     string
	}{
		{nil, "[{service_name unknown_service}]"},
		{[]string{"k8s.container.name", "app", "k8s.deployment.name", "web"}, "[{container app} {service_name app} {workload web}]"},
		{[]string{"k8s.deployment.name", "web"}, "[{service_name web} {workload web}]"},
		{[]string{"k8s.job.name", "run-123", "k8s.cronjob.name", "run", "service.name", "s"}, "[{service_name s} {workload run}]"},
		{[]string{"k8s.statefulset.name", "db"}, "[{service_name db} {workload db}]"},
		{[]string{"k8s.daemonset.name", "agent", "service.name", ""}, "[{service_name agent} {workload agent}]"},
	}
	for _, c := range cases {
		ld, rec := oneRecord(c.resource...)
		rec.Body().SetStr("x")
		b := decodeLogs(t, ld)
		if got := linesOf(b)[0].Stream; got != c.want {
			t.Errorf("%v: got %s, want %s", c.resource, got, c.want)
		}
		if b.Logs.Streams[0].Kind != seamark.LogStream {
			t.Errorf("%v: stream is a series of kind %d", c.resource, b.Logs.Streams[0].Kind)
		}
	}
	// The workload's name that is not the label stays visible.
	ld, rec := oneRecord("k8s.job.name", "run-123", "k8s.cronjob.name", "run")
	rec.Body().SetStr("x")
	if diff := cmp.Diff([]seamark.Label{{Name: "k8s_job_name", Value: "run-123"}}, decodeLogs(t, ld).Logs.AttrsOf(0)); diff != "" {
		t.Error(diff)
	}
}

// TestLogsOfRefusedStream keeps the neighbours of a resource that the catalogue refuses.
func TestLogsOfRefusedStream(t *testing.T) {
	ld, rec := oneRecord("service.name", "\xff")
	rec.Body().SetStr("lost")
	rec.CopyTo(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty())
	good, rec := oneRecord("service.name", "good")
	rec.Body().SetStr("kept")
	good.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	b := decodeLogs(t, ld)
	if lines := linesOf(b); len(lines) != 1 || lines[0].Body != "kept" {
		t.Errorf("got %v", lines)
	}
	if b.Rejected.Logs != 2 || b.Rejected.Reasons[0].Reason != "seamark-label-utf8" || b.Rejected.Reasons[0].Count != 2 {
		t.Errorf("rejected %+v", b.Rejected)
	}
}

func TestLogsAttributeLimit(t *testing.T) {
	ld, rec := oneRecord("service.name", "s", "r1", "v", "r2", "v")
	rec.Body().SetStr("too many")
	rec.Attributes().PutStr("a", "v")
	rec.CopyTo(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty())
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().Clear()
	b := new(seamark.Batch)
	r := &otlp.Request{Body: logsBody(t, ld, otlp.Protobuf), Catalog: catalogtest.New(), Now: now, Limits: otlp.Limits{MaxAttrs: 2}}
	if err := otlp.New().DecodeLogs(r, b); err != nil {
		t.Fatal(err)
	}
	if b.Logs.Len() != 1 || b.Rejected.Logs != 1 || b.Rejected.Reasons[0].Reason != "seamark-attributes-limit" {
		t.Errorf("%d rows, rejected %+v", b.Logs.Len(), b.Rejected)
	}
	for name, limits := range map[string]otlp.Limits{"rows": {MaxRows: 1}, "pairs": {MaxPairs: 1}} {
		r.Limits = limits
		err := otlp.New().DecodeLogs(r, new(seamark.Batch))
		if errorID(err) != "seamark-rows-limit" || seamark.KindOf(err) != seamark.TooLarge {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestLogsFieldOrder puts the resource and the scope behind the records, which protobuf allows.
func TestLogsFieldOrder(t *testing.T) {
	field := func(n byte, s string) string { return string([]byte{n<<3 | 2, byte(len(s))}) + s }
	kv := func(k, v string) string { return field(1, k) + field(2, field(1, v)) }
	record := field(2, field(5, field(1, "body")))
	scope := field(2, record+field(1, field(1, "late")))
	body := field(1, scope+field(1, field(1, kv("service.name", "s")))+field(1, field(1, kv("k", "v"))))
	b := new(seamark.Batch)
	if err := otlp.New().DecodeLogs(&otlp.Request{Body: []byte(body), Catalog: catalogtest.New(), Now: now}, b); err != nil {
		t.Fatal(err)
	}
	want := []line{{"[{service_name s}]", now.UnixNano(), "unknown", zeroTrace, "0000000000000000", "body",
		[]seamark.Label{{Name: "k", Value: "v"}, {Name: "scope_name", Value: "late"}}}}
	if diff := cmp.Diff(want, linesOf(b)); diff != "" {
		t.Error(diff)
	}
}

func TestLogsDeepBody(t *testing.T) {
	ld, rec := oneRecord()
	v := rec.Body()
	for range 101 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	err := otlp.New().DecodeLogs(&otlp.Request{Body: logsBody(t, ld, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}, new(seamark.Batch))
	if errorID(err) != "seamark-body-protobuf" || !strings.Contains(err.Error(), "100 levels") {
		t.Errorf("got %v", err)
	}
}
