package otlpgrpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Server answers the OTLP services. It is an http.Handler for requests over HTTP/2 whose Content-Type begins with
// application/grpc, and runs a port of its own with Serve. Make one with New.
type Server struct {
	opts    Options
	methods map[string]*method // by path
	calls   sync.Pool          // *call
	http    *http.Server
}

// method is one Export method.
type method struct {
	signal     seamark.Signal
	permission string
	decode     func(r *otlp.Request, b *seamark.Batch) error
	answer     func(dst []byte, enc otlp.Encoding, r *seamark.Rejections) []byte
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{opts: o, calls: sync.Pool{New: func() any { return new(call) }}}
	s.methods = map[string]*method{
		"/opentelemetry.proto.collector.logs.v1.LogsService/Export": {
			signal: seamark.Logs, decode: o.Decoder.DecodeLogs, answer: otlp.AppendLogsResponse,
		},
		"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": {
			signal: seamark.Metrics, decode: o.Decoder.DecodeMetrics, answer: otlp.AppendMetricsResponse,
		},
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export": {
			signal: seamark.Traces, decode: o.Decoder.DecodeTraces, answer: otlp.AppendTracesResponse,
		},
	}
	for _, m := range s.methods {
		m.permission = "ingest:" + m.signal.String()
	}
	s.http = s.newHTTPServer()
	return s, nil
}

// Paths lists the paths of the methods, for a route table.
func (s *Server) Paths() []string {
	var list []string
	for path := range s.methods {
		list = append(list, path)
	}
	return list
}

// The limits of a connection. Headers and idle connections that come at leisure hold memory and file descriptors; a peer
// that is gone without a word is found by the ping it does not answer.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 5 * time.Minute
	maxHeaderBytes    = 16 << 10
	pingAfter         = 30 * time.Second
	pingTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	// maxConnBuffer is what a connection may have sent before its messages are read, one of its streams as much.
	maxConnBuffer = 1 << 20
)

func (s *Server) newHTTPServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: s, Protocols: protocols, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: s.opts.MaxConcurrentStreams, SendPingTimeout: pingAfter, PingTimeout: pingTimeout,
			WriteByteTimeout: writeTimeout, MaxReceiveBufferPerConnection: maxConnBuffer, MaxReceiveBufferPerStream: maxConnBuffer,
		},
		ErrorLog: slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug), // peers that break the protocol, not us
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connBorn{}, s.opts.Now())
		},
	}
}

// connBorn is the key of the time at which a request's connection was accepted.
type connBorn struct{}

// Serve answers calls on ln, with TLS when ln does (a tls.Listener that offers h2), until Shutdown; it then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Shutdown stops accepting, tells the peers to go elsewhere, and waits for the calls under way until ctx ends; those that
// are left are cut then. Calls behind ServeHTTP are the other server's to wait for.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	return err
}

// Matches reports whether r is a gRPC request, for a front that serves other protocols beside it.
func Matches(r *http.Request) bool {
	return r.ProtoMajor >= 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !validRequest(w, r) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Accept-Encoding", acceptEncoding)
	if born, ok := r.Context().Value(connBorn{}).(time.Time); ok && s.opts.Now().Sub(born) > s.opts.MaxConnectionAge {
		h.Set("Connection", "close") // over HTTP/2 this is GOAWAY: calls under way finish, the next one reconnects
	}
	m := s.methods[r.URL.Path]
	if m == nil {
		writeStatus(w, seamark.Errorf(seamark.Unsupported, "seamark-grpc-method",
			"Method %.100q is unknown; the services are OTLP's LogsService, MetricsService and TraceService.", r.URL.Path))
		return
	}
	p, err := s.serve(w, r, m)
	if err == nil {
		return
	}
	e := asError(err)
	if e.Kind == seamark.Internal {
		s.opts.Logger.ErrorContext(r.Context(), "export failed", "error", err, "tenant", p.Tenant, "signal", m.signal.String())
	}
	if s.opts.Refused != nil && p.Tenant != "" {
		s.opts.Refused(r.Context(), p, m.signal, e)
	}
	writeStatus(w, e)
}

// validRequest refuses with an HTTP status what is no gRPC call, as the protocol asks.
func validRequest(w http.ResponseWriter, r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	switch {
	case r.ProtoMajor < 2:
		http.Error(w, "gRPC needs HTTP/2.", http.StatusHTTPVersionNotSupported)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "gRPC calls are POST requests.", http.StatusMethodNotAllowed)
	case contentType != "application/grpc" && contentType != "application/grpc+proto":
		http.Error(w, "The Content-Type must be application/grpc or application/grpc+proto.", http.StatusUnsupportedMediaType)
	default:
		return true
	}
	return false
}

// serve answers one call. The error is for the sender; the principal is as far as it is known.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, m *method) (seamark.Principal, error) {
	token, err := tokenOf(r)
	if err != nil {
		return seamark.Principal{}, err
	}
	p, err := s.opts.Verify(r.Context(), token)
	if err != nil {
		return p, err
	}
	if err := s.opts.Permit(p, m.permission); err != nil {
		return p, err
	}
	c, _ := s.calls.Get().(*call)
	defer s.put(c)
	claimer, release := s.opts.Claim(r.Context())
	defer release()
	c.server, c.method, c.http, c.principal, c.memory = s, m, r, p, memory{next: claimer}
	defer c.dropLarge()
	if err := c.run(w); err != nil {
		return p, err
	}
	c.reply(w)
	return p, nil
}

func (s *Server) put(c *call) {
	*c = call{raw: c.raw, body: c.body, answer: c.answer[:0], batch: c.batch}
	c.batch.Reset()
	s.calls.Put(c)
}
