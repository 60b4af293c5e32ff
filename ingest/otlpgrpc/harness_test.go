package otlpgrpc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	goodToken   = "smk_good"
	narrowToken = "smk_narrow" // may push logs alone
	logsPath    = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
)

var testNow = time.Date(2026, 11, 21, 1, 2, 3, 0, time.UTC)

// push is what one call stored.
type push struct {
	tenant seamark.TenantID
	signal seamark.Signal
	id     string
	logs   []string
	values []float64
	spans  []string
	events int
}

// backend is what stands behind the server: it keeps what is pushed and does what its functions say.
type backend struct {
	mu       sync.Mutex
	pushes   []push
	refused  []string
	claimed  int64
	released int
	sent     int

	onPush  func(ctx context.Context) error // before a batch is kept
	onClaim func(bytes int64) error
}

// Claim implements seamark.Claimer.
func (b *backend) Claim(bytes int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claimed += bytes
	if b.onClaim != nil {
		return b.onClaim(b.claimed)
	}
	return nil
}

func (b *backend) push(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, batch *seamark.Batch) error {
	if b.onPush != nil {
		if err := b.onPush(ctx); err != nil {
			return err
		}
	}
	kept := push{tenant: p.Tenant, signal: signal, id: id, events: len(batch.Events), values: append([]float64(nil), batch.Samples.Value...)}
	for _, body := range batch.Logs.Body {
		kept.logs = append(kept.logs, string(append([]byte(nil), body...)))
	}
	for i := range batch.Spans {
		kept.spans = append(kept.spans, batch.Spans[i].Name+" of "+batch.Spans[i].Resource[0].Value)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pushes = append(b.pushes, kept)
	return nil
}

func (b *backend) kept() []push {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]push(nil), b.pushes...)
}

func (b *backend) options(t testing.TB) otlpgrpc.Options {
	t.Helper()
	inflater, err := inflate.New(inflate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cat := catalogtest.New()
	return otlpgrpc.Options{
		Verify: func(_ context.Context, token string) (seamark.Principal, error) {
			p := seamark.Principal{Tenant: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Kind: seamark.IngestToken, ClusterName: "eu", CredentialID: token}
			switch token {
			case goodToken:
				p.Signals = seamark.AllSignals
			case narrowToken:
				p.Signals = seamark.NewSignalSet(seamark.Logs)
			default:
				return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "The token is unknown.")
			}
			return p, nil
		},
		Permit: func(p seamark.Principal, permission string) error {
			for _, signal := range p.Signals.List() {
				if permission == "ingest:"+signal.String() {
					return nil
				}
			}
			return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing", "The token may not %s.", permission)
		},
		Catalog: func(seamark.Principal) seamark.Catalog { return cat },
		Push:    b.push,
		Claim: func(context.Context) (seamark.Claimer, func()) {
			return b, func() {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.released++
			}
		},
		Received: func(_ seamark.Signal, sent, _ int) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.sent += sent
		},
		Refused: func(_ context.Context, _ seamark.Principal, _ seamark.Signal, err *seamark.Error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.refused = append(b.refused, err.ID)
		},
		Decoder: otlp.New(), Inflater: inflater, Limits: seamark.DefaultLimits(),
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return testNow },
	}
}

func newServer(t testing.TB, o otlpgrpc.Options) *otlpgrpc.Server {
	t.Helper()
	s, err := otlpgrpc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs s on a port of its own until the test ends, and returns its address.
func serve(t testing.TB, s *otlpgrpc.Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, s, ln)
	return ln.Addr().String()
}

func serveOn(t testing.TB, s *otlpgrpc.Server, ln net.Listener) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// dial returns grpc-go's client of the address.
func dial(t testing.TB, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// as returns a context whose calls carry the value as authorization.
func as(t testing.TB, authorization string) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
}

func logsOf(bodies ...string) plogotlp.ExportRequest {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "checkout")
	sl := rl.ScopeLogs().AppendEmpty()
	for _, body := range bodies {
		sl.LogRecords().AppendEmpty().Body().SetStr(body)
	}
	return plogotlp.NewExportRequestFromLogs(ld)
}

func metricsOf(values ...float64) pmetricotlp.ExportRequest {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("g")
	points := m.SetEmptyGauge().DataPoints()
	for i, v := range values {
		p := points.AppendEmpty()
		p.SetDoubleValue(v)
		p.Attributes().PutStr("n", fmt.Sprint(i))
	}
	return pmetricotlp.NewExportRequestFromMetrics(md)
}

func spansOf(names ...string) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, name := range names {
		s := spans.AppendEmpty()
		s.SetName(name)
		s.SetTraceID(pcommon.TraceID{1})
		s.SetSpanID(pcommon.SpanID{1})
		s.SetStartTimestamp(1)
		s.SetEndTimestamp(2)
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func logsBody(t testing.TB, bodies ...string) []byte {
	t.Helper()
	body, err := logsOf(bodies...).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// frame is a message with what gRPC puts before it.
func frame(compressed byte, message []byte) []byte {
	head := binary.BigEndian.AppendUint32([]byte{compressed}, uint32(len(message)))
	return append(head, message...)
}

// answer is what a call over plain HTTP/2 got.
type answer struct {
	status  int
	code    string
	message string
	details string
	body    []byte
}

// post makes a call over plain HTTP/2, for what grpc-go's client would not send.
func post(t testing.TB, addr string, header http.Header, body io.Reader) answer {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+logsPath, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/grpc"}, "Authorization": {"Bearer " + goodToken}, "Te": {"trailers"}}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got bytes.Buffer
	if _, err := got.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return answer{
		status: resp.StatusCode, code: resp.Trailer.Get("Grpc-Status"), message: resp.Trailer.Get("Grpc-Message"),
		details: resp.Trailer.Get("Grpc-Status-Details-Bin"), body: got.Bytes(),
	}
}
