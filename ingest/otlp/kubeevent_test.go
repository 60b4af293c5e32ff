package otlp_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var (
	eventFirst = time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC)
	eventLast  = time.Date(2026, 11, 20, 23, 5, 49, 0, time.UTC)
)

// backOff is the event that the receivers' records below tell.
func backOff() seamark.Event {
	return seamark.Event{
		Cluster: "eu", UID: "8fdf8be9-ceb8-4245-886f-77a044d99b29", Namespace: "prod", Kind: "Pod", Object: "web-0", Type: "Warning",
		Reason: "BackOff", Message: "Back-off restarting \"failed\" container", Node: "node-7", Count: 12, First: eventFirst, Last: eventLast,
	}
}

// k8sEvents is a record as the k8s_events receiver makes it.
func k8sEvents() (plog.Logs, plog.LogRecord) {
	ld, rec := oneRecord("k8s.node.name", "node-7", "k8s.object.kind", "Pod", "k8s.object.name", "web-0", "k8s.object.uid", "0b1c",
		"k8s.object.fieldpath", "spec.containers{app}", "k8s.object.api_version", "v1", "k8s.object.resource_version", "2426", "k8s.cluster.name", "eu")
	rec.SetTimestamp(pcommon.NewTimestampFromTime(eventLast))
	rec.Body().SetStr("Back-off restarting \"failed\" container")
	rec.SetSeverityNumber(plog.SeverityNumberWarn)
	rec.SetSeverityText("Warning")
	for _, kv := range [][2]string{
		{"k8s.event.reason", "BackOff"}, {"k8s.event.action", ""}, {"k8s.event.start_time", "2026-11-20 22:31:21 +0000 UTC"},
		{"k8s.event.name", "web-0.18a"}, {"k8s.event.uid", "8fdf8be9-ceb8-4245-886f-77a044d99b29"}, {"k8s.namespace.name", "prod"},
	} {
		rec.Attributes().PutStr(kv[0], kv[1])
	}
	rec.Attributes().PutInt("k8s.event.count", 12)
	return ld, rec
}

// k8sObject is the event as the API server has it.
func k8sObject() map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Event", "reason": "BackOff", "type": "Warning", "message": "Back-off restarting \"failed\" container",
		"metadata":       map[string]any{"name": "web-0.18a", "namespace": "prod", "uid": "8fdf8be9-ceb8-4245-886f-77a044d99b29", "resourceVersion": "2426"},
		"involvedObject": map[string]any{"kind": "Pod", "namespace": "prod", "name": "web-0"},
		"source":         map[string]any{"component": "kubelet", "host": "node-7"},
		"firstTimestamp": "2026-11-20T22:31:21Z", "lastTimestamp": "2026-11-20T23:05:49Z", "count": int64(12),
	}
}

// k8sObjects is a record as the k8sobjects receiver makes it: of a watch when change is not "", else of a list.
func k8sObjects(t *testing.T, change string) plog.Logs {
	t.Helper()
	ld, rec := oneRecord("k8s.namespace.name", "prod", "k8s.cluster.name", "eu")
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	rec.Attributes().PutStr("k8s.resource.name", "events")
	body := k8sObject()
	if change != "" {
		body = map[string]any{"type": change, "object": body}
		rec.Attributes().PutStr("event.domain", "k8s")
		rec.Attributes().PutStr("event.name", "web-0.18a")
	}
	if err := rec.Body().SetEmptyMap().FromRaw(body); err != nil {
		t.Fatal(err)
	}
	return ld
}

func TestKubernetesEventsInLogs(t *testing.T) {
	viaEvents, _ := k8sEvents()
	objects := backOff()
	objects.Source, objects.Version = "kubelet", "2426"
	cases := map[string]struct {
		logs plog.Logs
		want seamark.Event
	}{
		"k8s_events":          {viaEvents, backOff()},
		"k8sobjects pull":     {k8sObjects(t, ""), objects},
		"k8sobjects added":    {k8sObjects(t, "ADDED"), objects},
		"k8sobjects modified": {k8sObjects(t, "MODIFIED"), objects},
	}
	for name, c := range cases {
		for _, enc := range []otlp.Encoding{otlp.Protobuf, otlp.JSON} {
			t.Run(name+" "+enc.ContentType(), func(t *testing.T) {
				// A line of the same resource stays a line.
				line := c.logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
				line.Body().SetStr("a line")
				cat, b := catalogtest.New(), new(seamark.Batch)
				if err := otlp.New().DecodeLogs(&otlp.Request{Body: logsBody(t, c.logs, enc), Encoding: enc, Catalog: cat, Now: now}, b); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]seamark.Event{c.want}, b.Events); diff != "" || b.Rejected.Rows() != 0 {
					t.Errorf("rejected %+v, -want +got:\n%s", b.Rejected, diff)
				}
				for _, body := range b.Logs.Body {
					if body != "a line" {
						t.Errorf("line %q", body)
					}
				}
			})
		}
	}
}

// TestEventsMakeNoStream keeps the catalogue free of the resources of events, of which each object has its own.
func TestEventsMakeNoStream(t *testing.T) {
	ld, _ := k8sEvents()
	cat := catalogtest.New()
	if err := otlp.New().DecodeLogs(&otlp.Request{Body: logsBody(t, ld, otlp.Protobuf), Catalog: cat, Now: now}, new(seamark.Batch)); err != nil {
		t.Fatal(err)
	}
	if cat.Creates() != 0 {
		t.Errorf("%d streams were made", cat.Creates())
	}
}

// TestOtherObjectsStayLines keeps what is no occurrence of an event a log line.
func TestOtherObjectsStayLines(t *testing.T) {
	pods, rec := oneRecord()
	rec.Attributes().PutStr("k8s.resource.name", "pods")
	rec.Body().SetEmptyMap().PutStr("kind", "Pod")
	text, rec := oneRecord()
	rec.Attributes().PutStr("k8s.resource.name", "events")
	rec.Body().SetStr("no object")
	for name, ld := range map[string]plog.Logs{
		"deleted": k8sObjects(t, "DELETED"), "bookmark": k8sObjects(t, "BOOKMARK"), "pods": pods, "text": text,
	} {
		if b := decodeLogs(t, ld); b.Logs.Len() != 1 || len(b.Events) != 0 || b.Rejected.Rows() != 0 {
			t.Errorf("%s: %d lines, %d events, rejected %+v", name, b.Logs.Len(), len(b.Events), b.Rejected)
		}
	}
}

// TestBadEventsInLogs counts an event that cannot be read, and says so in the answer, while its neighbours are kept.
func TestBadEventsInLogs(t *testing.T) {
	ld, rec := k8sEvents()
	rec.Attributes().PutStr("k8s.event.start_time", "yesterday")
	other, _ := k8sEvents()
	other.ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	b := decodeLogs(t, ld)
	if len(b.Events) != 1 || b.Rejected.Events != 1 || b.Rejected.Reasons[0].Reason != "seamark-event-malformed" {
		t.Fatalf("%d events, rejected %+v", len(b.Events), b.Rejected)
	}
	if got, want := string(otlp.AppendLogsResponse(nil, otlp.JSON, &b.Rejected)), `{"partialSuccess":{"rejectedLogRecords":"1",`; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("answer %s", got)
	}
}

// TestSparseEvent reads an event with the least that makes one.
func TestSparseEvent(t *testing.T) {
	ld, rec := oneRecord("k8s.namespace.name", "ns")
	rec.Attributes().PutStr("k8s.event.reason", "Started")
	b := decodeLogs(t, ld)
	if len(b.Events) != 1 {
		t.Fatalf("rejected %+v", b.Rejected)
	}
	got := b.Events[0]
	if got.UID == "" {
		t.Error("the event has no uid")
	}
	got.UID = ""
	want := seamark.Event{Namespace: "ns", Reason: "Started", Count: 1, First: now, Last: now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
