package otlpgrpc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // registers what UseCompressor names
	"google.golang.org/grpc/status"

	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// exportAll sends one request of each signal with the OpenTelemetry clients, and checks what arrived.
func exportAll(t *testing.T, b *backend, conn *grpc.ClientConn, opts ...grpc.CallOption) {
	t.Helper()
	ctx := as(t, "Bearer "+goodToken)
	logs, err := plogotlp.NewGRPCClient(conn).Export(ctx, logsOf("one", "two"), opts...)
	if err != nil || logs.PartialSuccess().ErrorMessage() != "" {
		t.Fatalf("logs: %v, %q", err, logs.PartialSuccess().ErrorMessage())
	}
	metrics, err := pmetricotlp.NewGRPCClient(conn).Export(ctx, metricsOf(1, 2), opts...)
	if err != nil || metrics.PartialSuccess().ErrorMessage() != "" {
		t.Fatalf("metrics: %v, %q", err, metrics.PartialSuccess().ErrorMessage())
	}
	traces, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, spansOf("a", "b"), opts...)
	if err != nil || traces.PartialSuccess().ErrorMessage() != "" {
		t.Fatalf("traces: %v, %q", err, traces.PartialSuccess().ErrorMessage())
	}
	want := []push{
		{signal: seamark.Logs, logs: []string{"one", "two"}},
		{signal: seamark.Metrics, values: []float64{1, 2}},
		{signal: seamark.Traces, spans: []string{"a of eu", "b of eu"}},
	}
	got := b.kept()
	for i := range got {
		if got[i].tenant == "" || len(got[i].id) != 32 {
			t.Errorf("tenant %q, id %q", got[i].tenant, got[i].id)
		}
		got[i].tenant, got[i].id = "", ""
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(push{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if b.released != 3 || b.sent == 0 {
		t.Errorf("%d claims released, %d bytes received", b.released, b.sent)
	}
}

func TestOwnPort(t *testing.T) {
	for name, opts := range map[string][]grpc.CallOption{"plain": nil, "gzip": {grpc.UseCompressor("gzip")}} {
		t.Run(name, func(t *testing.T) {
			b := new(backend)
			exportAll(t, b, dial(t, serve(t, newServer(t, b.options(t)))), opts...)
		})
	}
}

// TestMainPort serves gRPC beside other protocols on a TLS port.
func TestMainPort(t *testing.T) {
	b := new(backend)
	s := newServer(t, b.options(t))
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !otlpgrpc.Matches(r) {
			http.Error(w, "another protocol", http.StatusTeapot)
			return
		}
		s.ServeHTTP(w, r)
	}))
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	pool := x509.NewCertPool()
	pool.AddCert(front.Certificate())
	config := &tls.Config{RootCAs: pool, ServerName: "example.com"}
	exportAll(t, b, dial(t, front.Listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(config))), grpc.UseCompressor("gzip"))
	resp, err := front.Client().Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusTeapot {
		t.Errorf("other protocols get %d", resp.StatusCode)
	}
}

// TestTLSPort runs the own port behind a TLS listener.
func TestTLSPort(t *testing.T) {
	donor := httptest.NewUnstartedServer(nil) // for its certificate
	donor.StartTLS()
	defer donor.Close()
	b := new(backend)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: donor.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, newServer(t, b.options(t)), ln)
	pool := x509.NewCertPool()
	pool.AddCert(donor.Certificate())
	config := &tls.Config{RootCAs: pool, ServerName: "example.com"}
	exportAll(t, b, dial(t, ln.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(config))))
}

func TestCredentials(t *testing.T) {
	b := new(backend)
	conn := dial(t, serve(t, newServer(t, b.options(t))))
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for authorization, want := range map[string]codes.Code{
		"Bearer " + goodToken: codes.OK, "bearer  " + goodToken: codes.OK, basic("any", goodToken): codes.OK, "Bearer " + narrowToken: codes.PermissionDenied,
		"": codes.Unauthenticated, "Bearer": codes.Unauthenticated, "Bearer smk_other": codes.Unauthenticated, basic("any", "x"): codes.Unauthenticated,
		"Basic ???": codes.Unauthenticated, "Digest x": codes.Unauthenticated, "Bearer " + strings.Repeat("x", 5000): codes.Unauthenticated,
	} {
		_, err := pmetricotlp.NewGRPCClient(conn).Export(as(t, authorization), metricsOf(1))
		if got := status.Code(err); got != want {
			t.Errorf("%.40q: got %v, want %v", authorization, err, want)
		}
	}
	if len(b.kept()) != 3 {
		t.Errorf("%d requests were stored", len(b.kept()))
	}
	if diff := cmp.Diff([]string{"seamark-permission-missing"}, b.refused); diff != "" {
		t.Errorf("refusals of known senders: %s", diff)
	}
}

func TestPartialSuccess(t *testing.T) {
	b := new(backend)
	conn := dial(t, serve(t, newServer(t, b.options(t))))
	req := spansOf("good", "bad")
	bad := req.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1)
	bad.SetEndTimestamp(0)
	resp, err := ptraceotlp.NewGRPCClient(conn).Export(as(t, "Bearer "+goodToken), req)
	if err != nil {
		t.Fatal(err)
	}
	if p := resp.PartialSuccess(); p.RejectedSpans() != 1 || !strings.Contains(p.ErrorMessage(), "seamark-span-time") {
		t.Errorf("%d rejected, %q", p.RejectedSpans(), p.ErrorMessage())
	}
	if _, err := plogotlp.NewGRPCClient(conn).Export(as(t, "Bearer "+goodToken), plogotlp.NewExportRequest()); err != nil {
		t.Errorf("an empty request: %v", err)
	}
}

// TestRetriesHaveOneID sends the same request twice, as a sender that missed the answer does.
func TestRetriesHaveOneID(t *testing.T) {
	b := new(backend)
	client := plogotlp.NewGRPCClient(dial(t, serve(t, newServer(t, b.options(t)))))
	for _, body := range []string{"x", "x", "y"} {
		if _, err := client.Export(as(t, "Bearer "+goodToken), logsOf(body)); err != nil {
			t.Fatal(err)
		}
	}
	got := b.kept()
	if got[0].id != got[1].id || got[0].id == got[2].id {
		t.Errorf("ids %s, %s, %s", got[0].id, got[1].id, got[2].id)
	}
}

// TestStatusOfEveryKind checks what a sender is told for each kind of error: the code and, when it may come back, when.
func TestStatusOfEveryKind(t *testing.T) {
	want := map[seamark.Kind]struct {
		code  codes.Code
		delay time.Duration // 0 for a status that is final
	}{
		seamark.Internal: {codes.Unavailable, 2 * time.Second}, seamark.Invalid: {codes.InvalidArgument, 0},
		seamark.Unauthenticated: {codes.Unauthenticated, 0}, seamark.Forbidden: {codes.PermissionDenied, 0},
		seamark.NotFound: {codes.NotFound, 0}, seamark.Conflict: {codes.AlreadyExists, 0}, seamark.TooLarge: {codes.InvalidArgument, 0},
		seamark.Unsupported: {codes.Unimplemented, 0}, seamark.Unprocessable: {codes.FailedPrecondition, 0},
		seamark.RateLimited: {codes.ResourceExhausted, 1500 * time.Millisecond}, seamark.Canceled: {codes.Canceled, 0},
		seamark.Timeout: {codes.DeadlineExceeded, 2 * time.Second}, seamark.Unavailable: {codes.Unavailable, 2 * time.Second},
	}
	b := new(backend)
	client := plogotlp.NewGRPCClient(dial(t, serve(t, newServer(t, b.options(t)))))
	for _, kind := range seamark.Kinds() {
		b.onPush = func(context.Context) error {
			e := seamark.Errorf(kind, "seamark-x", "100%% of \"é\"\n%s", strings.Repeat("x", 2000))
			if kind == seamark.RateLimited {
				e.RetryAfter = 1500 * time.Millisecond
			}
			return e
		}
		_, err := client.Export(as(t, "Bearer "+goodToken), logsOf("x"))
		s := status.Convert(err)
		if s.Code() != want[kind].code {
			t.Errorf("%s: got %v, want %v", kind, s.Code(), want[kind].code)
		}
		message := "100% of \"é\"\n" + strings.Repeat("x", 1024-13)
		if kind == seamark.Internal {
			message = "Internal error."
		}
		if s.Message() != message {
			t.Errorf("%s: message %q", kind, s.Message())
		}
		var delay time.Duration
		for _, detail := range s.Details() {
			if info, ok := detail.(*errdetails.RetryInfo); ok {
				delay = info.GetRetryDelay().AsDuration()
			}
		}
		if delay != want[kind].delay {
			t.Errorf("%s: retry after %s, want %s", kind, delay, want[kind].delay)
		}
	}
}

func TestMemoryRefused(t *testing.T) {
	b := &backend{onClaim: func(bytes int64) error {
		if bytes > 100<<10 {
			return seamark.Errorf(seamark.Unavailable, "seamark-ingest-busy", "Too much at once.")
		}
		return nil
	}}
	client := plogotlp.NewGRPCClient(dial(t, serve(t, newServer(t, b.options(t)))))
	// The message itself passes, its inflated form does not.
	_, err := client.Export(as(t, "Bearer "+goodToken), logsOf(strings.Repeat("x", 1<<20)), grpc.UseCompressor("gzip"))
	if status.Code(err) != codes.Unavailable || len(status.Convert(err).Details()) != 1 {
		t.Errorf("got %v", err)
	}
	if b.claimed > 3<<20 || b.released != 1 {
		t.Errorf("%d bytes were asked for, %d claims released", b.claimed, b.released)
	}
}
