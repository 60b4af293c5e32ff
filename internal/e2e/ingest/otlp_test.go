package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// dial connects without TLS, which HTTP/2 allows to those who know that the server takes it (h2c).
func dial(t testing.TB, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func as(ctx context.Context, secret string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+secret)
}

// logRecord is an export of one line of a service.
func logRecord(service string, at time.Time, body string) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	r.Body().SetStr(body)
	return logs
}

// exportLogs sends logs by gRPC with gzip.
func exportLogs(ctx context.Context, t testing.TB, addr, secret string, logs plog.Logs) error {
	t.Helper()
	client := plogotlp.NewGRPCClient(dial(t, addr))
	answer, err := client.Export(as(ctx, secret), plogotlp.NewExportRequestFromLogs(logs))
	if err == nil && answer.PartialSuccess().RejectedLogRecords() != 0 {
		return errors.New(answer.PartialSuccess().ErrorMessage())
	}
	return err
}

// TestOTLPByGRPC exports to the main port and to the port of its own.
func TestOTLPByGRPC(t *testing.T) {
	x := newAccount(t, "otlp-grpc")
	at := now().Add(-time.Minute)
	for i, addr := range []string{x.App.HTTPAddr(), x.App.ListenAddr("otlp.grpc-listen")} {
		logs := logRecord("shop", at.Add(time.Duration(i)*time.Second), fmt.Sprint("port ", i))
		for range 2 { // the second is a repeat, as after an answer that was lost
			if err := exportLogs(t.Context(), t, addr, x.Ingest, logs); err != nil {
				t.Fatalf("%s: %v", addr, err)
			}
		}
	}
	x.awaitBodies(t, `{service_name="shop"}`, "port 0", "port 1")
}

// TestTracesAreStored counts the spans that the writer stored: nothing reads them yet.
func TestTracesAreStored(t *testing.T) {
	x := newAccount(t, "traces")
	const spans = 25
	stored := func() float64 { return x.metric(t, "seamark_writer_rows_total", `signal="traces"`) }
	before := stored()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	list := resource.ScopeSpans().AppendEmpty().Spans()
	for i := range spans {
		s := list.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{byte(i + 1)})
		s.SetName("GET /pay")
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(now().Add(-time.Minute)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(now()))
	}
	client := ptraceotlp.NewGRPCClient(dial(t, x.App.HTTPAddr()))
	for range 2 {
		if _, err := client.Export(as(t.Context(), x.Ingest), ptraceotlp.NewExportRequestFromTraces(traces)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, within, func() error {
		if got := stored() - before; got != spans {
			return fmt.Errorf("%v spans stored, want %d", got, spans)
		}
		return nil
	})
}

// TestEventsAmongLogs exports what the collector's k8s_events receiver makes of an event, beside a line.
func TestEventsAmongLogs(t *testing.T) {
	x := newAccount(t, "events-otlp")
	at := now().Add(-time.Minute).Truncate(time.Second)
	logs := logRecord("shop", at, "a line")
	resource := logs.ResourceLogs().AppendEmpty()
	for name, value := range map[string]string{"k8s.object.kind": "Pod", "k8s.object.name": "shop-0", "k8s.object.uid": "u-1", "k8s.node.name": "node-1"} {
		resource.Resource().Attributes().PutStr(name, value)
	}
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	r.SetSeverityText("Warning")
	r.Body().SetStr("Back-off restarting failed container")
	for name, value := range map[string]string{
		"k8s.event.reason": "BackOff", "k8s.event.uid": "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d", "k8s.event.name": "shop-0.17c1", "k8s.namespace.name": "prod",
		"k8s.event.start_time": at.UTC().String(),
	} {
		r.Attributes().PutStr(name, value)
	}
	r.Attributes().PutInt("k8s.event.count", 3)
	if err := exportLogs(t.Context(), t, x.App.HTTPAddr(), x.Ingest, logs); err != nil {
		t.Fatal(err)
	}
	type event struct {
		Cluster, UID, Namespace, Kind, Object, Type, Reason, Message string
		Count                                                        int
	}
	want := event{
		"eu-1", "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d", "prod", "Pod", "shop-0", "Warning", "BackOff", "Back-off restarting failed container", 3,
	}
	testkit.Eventually(t, within, func() error {
		var list struct{ Items []event }
		x.Get(t, "/api/v1/events", nil, &list)
		if len(list.Items) != 1 || list.Items[0] != want {
			return fmt.Errorf("got %+v, want %+v", list.Items, want)
		}
		return nil
	})
	x.awaitBodies(t, `{service_name="shop"}`, "a line") // and no line of the event among the shop's
}
