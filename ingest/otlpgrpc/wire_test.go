package otlpgrpc_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// compress returns body in the named encoding.
func compress(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "snappy":
		w = snappy.NewBufferedWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	default:
		return body
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEncodings(t *testing.T) {
	b := new(backend)
	addr := serve(t, newServer(t, b.options(t)))
	long := strings.Repeat("a long line of which there are many; ", 20_000)
	for _, encoding := range []string{"identity", "gzip", "zstd", "snappy", "deflate"} {
		header := http.Header{"Grpc-Encoding": {encoding}}
		flag := byte(1)
		if encoding == "identity" {
			flag = 0
		}
		got := post(t, addr, header, bytes.NewReader(frame(flag, compress(t, encoding, logsBody(t, long)))))
		if got.status != http.StatusOK || got.code != "0" || !bytes.Equal(got.body, frame(0, nil)) {
			t.Errorf("%s: %+v", encoding, got)
		}
		// A message may be sent as it is, whatever the encoding of those that are not.
		if got := post(t, addr, header, bytes.NewReader(frame(0, logsBody(t, "short")))); got.code != "0" {
			t.Errorf("%s, uncompressed: %+v", encoding, got)
		}
	}
	for i, p := range b.kept() {
		if want := []string{long, "short"}[i%2]; len(p.logs) != 1 || p.logs[0] != want {
			t.Errorf("push %d: %d lines, %d bytes", i, len(p.logs), len(p.logs[0]))
		}
	}
}

func TestBrokenMessages(t *testing.T) {
	b := new(backend)
	o := b.options(t)
	o.Limits.MaxBodyBytes, o.Limits.MaxInflatedBytes = 64<<10, 1<<20
	addr := serve(t, newServer(t, o))
	bomb := make([]byte, 2<<20)
	encoded := func(encoding string) http.Header { return http.Header{"Grpc-Encoding": {encoding}} }
	cases := map[string]struct {
		header http.Header
		body   []byte
		code   codes.Code
		says   string
	}{
		"no message":        {nil, nil, codes.InvalidArgument, "has no message"},
		"half a header":     {nil, []byte{0, 0}, codes.InvalidArgument, "ended after 0 bytes"},
		"half a message":    {nil, frame(0, []byte("12345"))[:8], codes.InvalidArgument, "ended after 3 bytes"},
		"two messages":      {nil, append(frame(0, nil), frame(0, nil)...), codes.InvalidArgument, "more than one message"},
		"bad flag":          {nil, frame(2, nil), codes.InvalidArgument, "flag is 2"},
		"flag, no encoding": {nil, frame(1, []byte("x")), codes.InvalidArgument, "does not say how"},
		"unknown encoding":  {encoded("br"), frame(1, []byte("x")), codes.Unimplemented, "gzip,zstd"},
		"not protobuf":      {nil, frame(0, []byte("\x0a\x05\x12")), codes.InvalidArgument, "byte 2 of 3"},
		"not gzip":          {encoded("gzip"), frame(1, []byte("nonsense")), codes.InvalidArgument, "not valid gzip"},
		"not snappy":        {encoded("snappy"), frame(1, []byte("nonsense")), codes.InvalidArgument, "framed format"},
		"too large":         {nil, binary.BigEndian.AppendUint32([]byte{0}, 64<<10+1), codes.InvalidArgument, "limit is 65536"},
		"gzip bomb":         {encoded("gzip"), frame(1, compress(t, "gzip", bomb)), codes.InvalidArgument, "1048576"},
		"zstd bomb":         {encoded("zstd"), frame(1, compress(t, "zstd", bomb)), codes.InvalidArgument, "1048576"},
		"deflate bomb":      {encoded("deflate"), frame(1, compress(t, "deflate", bomb)), codes.InvalidArgument, "1048576"},
		"snappy bomb":       {encoded("snappy"), frame(1, compress(t, "snappy", make([]byte, 1<<20+1))), codes.InvalidArgument, "1048576"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := post(t, addr, c.header, bytes.NewReader(c.body))
			if got.status != http.StatusOK || got.code != itoa(c.code) || !strings.Contains(got.message, c.says) || len(got.body) != 0 || got.details != "" {
				t.Errorf("got %+v, want code %d with %q", got, c.code, c.says)
			}
		})
	}
	if len(b.kept()) != 0 {
		t.Errorf("%d batches were stored", len(b.kept()))
	}
	if most := int64(len(cases)) * (4 << 20); b.claimed > most {
		t.Errorf("%d bytes were claimed, more than %d", b.claimed, most)
	}
}

func itoa(c codes.Code) string { return strconv.Itoa(int(c)) }

// stalling returns a body that stops after start until it is closed.
func stalling(start []byte) io.ReadCloser {
	reader, _ := io.Pipe()
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), reader), reader}
}

// TestRefusedBeforeTheMessage answers senders without a valid token, or with a message that is too large, although their
// message never comes.
func TestRefusedBeforeTheMessage(t *testing.T) {
	b := new(backend)
	addr := serve(t, newServer(t, b.options(t)))
	for name, c := range map[string]struct {
		header http.Header
		start  []byte
		code   codes.Code
	}{
		"token":    {http.Header{"Authorization": {"Bearer smk_revoked"}}, nil, codes.Unauthenticated},
		"encoding": {http.Header{"Grpc-Encoding": {"br"}}, nil, codes.Unimplemented},
		"size":     {nil, []byte{0, 0xff, 0xff, 0xff, 0xff}, codes.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			got := post(t, addr, c.header, stalling(c.start))
			if got.code != itoa(c.code) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if b.claimed > 0 {
		t.Errorf("%d bytes were claimed for messages that never came", b.claimed)
	}
}

// TestSlowMessage ends a call whose sender stalls; the sender is told that it may come back.
func TestSlowMessage(t *testing.T) {
	b := new(backend)
	o := b.options(t)
	o.BodyPatience = time.Second // in which a busy machine brings what was sent
	addr := serve(t, newServer(t, o))
	got := post(t, addr, nil, stalling(frame(0, logsBody(t, "stalled"))[:9]))
	if got.code != itoa(codes.DeadlineExceeded) || got.details == "" || !strings.Contains(got.message, "4 of its bytes") {
		t.Errorf("got %+v", got)
	}
}

// TestNotGRPC answers what is no call with an HTTP status.
func TestNotGRPC(t *testing.T) {
	s := newServer(t, new(backend).options(t))
	for name, c := range map[string]struct {
		method, contentType string
		major, want         int
	}{
		"HTTP/1.1": {http.MethodPost, "application/grpc", 1, http.StatusHTTPVersionNotSupported},
		"GET":      {http.MethodGet, "application/grpc", 2, http.StatusMethodNotAllowed},
		"JSON":     {http.MethodPost, "application/json", 2, http.StatusUnsupportedMediaType},
		"codec":    {http.MethodPost, "application/grpc+json", 2, http.StatusUnsupportedMediaType},
	} {
		r := httptest.NewRequest(c.method, logsPath, http.NoBody)
		r.ProtoMajor = c.major
		r.Header.Set("Content-Type", c.contentType)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, c.want)
		}
		if matches := otlpgrpc.Matches(r); matches != (name != "HTTP/1.1" && name != "JSON") {
			t.Errorf("%s: matches is %v", name, matches)
		}
	}
}

func TestUnknownMethod(t *testing.T) {
	conn := dial(t, serve(t, newServer(t, new(backend).options(t))))
	_, err := healthpb.NewHealthClient(conn).Check(as(t, "Bearer "+goodToken), new(healthpb.HealthCheckRequest))
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("got %v", err)
	}
	s := newServer(t, new(backend).options(t))
	if paths := s.Paths(); len(paths) != 3 || !strings.Contains(strings.Join(paths, " "), logsPath) {
		t.Errorf("paths %v", paths)
	}
}

// TestShutdownWaits lets a call that is being stored finish, and takes no new one.
func TestShutdownWaits(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	b := &backend{onPush: func(context.Context) error {
		close(entered)
		<-leave
		return nil
	}}
	s := newServer(t, b.options(t))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, called, stopped := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	client := plogotlp.NewGRPCClient(dial(t, ln.Addr().String()))
	ctx := as(t, "Bearer "+goodToken)
	go func() {
		_, err := client.Export(ctx, logsOf("late"))
		called <- err
	}()
	<-entered
	go func() { stopped <- s.Shutdown(ctx) }()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	select {
	case err := <-stopped:
		t.Errorf("shutdown did not wait: %v", err)
	default:
	}
	close(leave)
	if err := <-called; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := client.Export(ctx, logsOf("too late")); status.Code(err) != codes.Unavailable {
		t.Errorf("a call after the end: %v", err)
	}
}

// countingListener counts connections.
type countingListener struct {
	net.Listener
	accepted atomic.Int64
}

// Accept implements net.Listener.
func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// TestOldConnectionsComeBack sends the owner of an old connection elsewhere without failing a call.
func TestOldConnectionsComeBack(t *testing.T) {
	b := new(backend)
	o := b.options(t)
	var ahead atomic.Int64
	o.Now = func() time.Time { return testNow.Add(time.Duration(ahead.Load())) }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counting := &countingListener{Listener: ln}
	serveOn(t, newServer(t, o), counting)
	client := plogotlp.NewGRPCClient(dial(t, ln.Addr().String()))
	export := func() {
		t.Helper()
		if _, err := client.Export(as(t, "Bearer "+goodToken), logsOf("x")); err != nil {
			t.Fatal(err)
		}
	}
	export()
	export()
	if n := counting.accepted.Load(); n != 1 {
		t.Fatalf("%d connections for two calls", n)
	}
	ahead.Store(int64(31 * time.Minute))
	export() // is answered, and told that the connection ends
	deadline := time.Now().Add(10 * time.Second)
	for counting.accepted.Load() < 2 && time.Now().Before(deadline) {
		export()
	}
	if n := counting.accepted.Load(); n < 2 {
		t.Error("the connection stayed")
	}
}

// TestConcurrentStreams bounds the calls of one connection.
func TestConcurrentStreams(t *testing.T) {
	const limit, calls = 2, 6
	var inside, peak atomic.Int64
	turn := make(chan struct{})
	b := &backend{onPush: func(context.Context) error {
		n := inside.Add(1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); {
			old = peak.Load()
		}
		<-turn
		inside.Add(-1)
		return nil
	}}
	o := b.options(t)
	o.MaxConcurrentStreams = limit
	client := plogotlp.NewGRPCClient(dial(t, serve(t, newServer(t, o))))
	ctx := as(t, "Bearer "+goodToken)
	done := make(chan error, calls)
	for range calls {
		go func() {
			_, err := client.Export(ctx, logsOf("x"))
			done <- err
		}()
	}
	for range calls {
		turn <- struct{}{}
	}
	for range calls {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := peak.Load(); n > limit {
		t.Errorf("%d calls at once, the limit is %d", n, limit)
	}
}

func TestOptions(t *testing.T) {
	good := new(backend).options(t)
	for name, change := range map[string]func(o *otlpgrpc.Options){
		"verify": func(o *otlpgrpc.Options) { o.Verify = nil }, "decoder": func(o *otlpgrpc.Options) { o.Decoder = nil },
		"limits": func(o *otlpgrpc.Options) { o.Limits = seamark.Limits{} }, "streams": func(o *otlpgrpc.Options) { o.MaxConcurrentStreams = -1 },
	} {
		o := good
		change(&o)
		if _, err := otlpgrpc.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
