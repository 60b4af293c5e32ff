package abuse

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seamarkhq/seamark/internal/engine"
)

const (
	floodFor = 5 * time.Second
	// maxFloodCPU is how much of one core a single hostile connection after the other may take. Without a bound a laptop stops
	// a cluster's telemetry.
	maxFloodCPU = 1.5
	// maxFloodGrowth is what such a connection may add to the resident memory: the garbage of some hundred thousand streams a
	// second, of which the collector lets so much pile up, while none of it is kept.
	maxFloodGrowth = 256 << 20
)

// frames is one HTTP/2 connection without TLS, whose sender writes what it likes.
type frames struct {
	*http2.Framer
	conn   net.Conn
	packed bytes.Buffer
	hpack  *hpack.Encoder
	ended  chan struct{} // the server has closed the connection
	goAway atomic.Uint32 // its reason, one more than the code
}

// dialFrames opens a connection. It works beside the test, too, which then goes on without it.
func dialFrames(g *target) (*frames, error) {
	conn, err := net.Dial("tcp", g.host())
	if err != nil {
		return nil, err
	}
	f := &frames{Framer: http2.NewFramer(conn, conn), conn: conn, ended: make(chan struct{})}
	f.hpack = hpack.NewEncoder(&f.packed)
	go f.listen()
	if _, err = io.WriteString(conn, http2.ClientPreface); err == nil {
		err = f.WriteSettings()
	}
	return f, err
}

func mustDialFrames(t *testing.T, g *target) *frames {
	t.Helper()
	f, err := dialFrames(g)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// listen reads what the server says until it hangs up.
func (f *frames) listen() {
	defer close(f.ended)
	reader := http2.NewFramer(io.Discard, f.conn)
	for {
		frame, err := reader.ReadFrame()
		var stream http2.StreamError
		if errors.As(err, &stream) {
			continue
		}
		if err != nil {
			return
		}
		if bye, ok := frame.(*http2.GoAwayFrame); ok {
			f.goAway.Store(uint32(bye.ErrCode) + 1)
		}
	}
}

// request packs the headers of a push.
func (f *frames) request(g *target) []byte {
	f.packed.Reset()
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", g.host()}, {":path", lokiJSON.path},
		{"authorization", "Bearer " + g.account.Ingest}, {"content-type", "application/json"}, {"content-length", "100"},
	} {
		_ = f.hpack.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}) // a buffer takes everything
	}
	return f.packed.Bytes()
}

func (g *target) host() string { return strings.TrimPrefix(g.URL, "http://") }

// TestRapidReset opens streams and resets them at once (CVE-2023-44487), on connection after connection.
func TestRapidReset(t *testing.T) {
	g := newTarget(t)
	g.warmUp()
	g.flood("rapid reset", func(f *frames, stream uint32) error {
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.request(g), EndHeaders: true}); err != nil {
			return err
		}
		return f.WriteRSTStream(stream, http2.ErrCodeCancel)
	})
}

// TestResetByServer does the same with resets that the server is made to send: a window update of nothing on each stream.
func TestResetByServer(t *testing.T) {
	g := newTarget(t)
	g.warmUp()
	g.flood("reset by server", func(f *frames, stream uint32) error {
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.request(g), EndHeaders: true}); err != nil {
			return err
		}
		return f.WriteRawFrame(http2.FrameWindowUpdate, 0, stream, []byte{0, 0, 0, 0})
	})
}

// TestControlFloods sends frames that the server has to answer, or to remember, without any request.
func TestControlFloods(t *testing.T) {
	g := newTarget(t)
	g.warmUp()
	for name, send := range map[string]func(f *frames, stream uint32) error{
		// Continuations without content add nothing to the header that could become too large.
		"empty continuations": func(f *frames, stream uint32) error {
			if stream == 1 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.request(g)})
			}
			return f.WriteContinuation(1, false, nil)
		},
		"pings":    func(f *frames, _ uint32) error { return f.WritePing(false, [8]byte{}) },
		"settings": func(f *frames, _ uint32) error { return f.WriteSettings() },
		"empty data": func(f *frames, stream uint32) error {
			if stream == 1 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.request(g), EndHeaders: true})
			}
			return f.WriteData(1, false, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := *g
			g.t = t
			g.flood(name, send)
		})
	}
}

// flood sends frames as fast as the server reads them, on one connection after the other, and wants it to serve the others.
func (g *target) flood(name string, send func(f *frames, stream uint32) error) {
	g.t.Helper()
	cpu, _, err := engine.ProcStats(g.Pid())
	if err != nil {
		g.t.Fatal(err)
	}
	watch := g.watchMemory()
	begin := time.Now()
	var sent, closed atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for time.Since(begin) < floodFor {
			f, err := dialFrames(g)
			if err != nil {
				g.t.Errorf("open a connection: %v", err)
				return
			}
			for stream := uint32(1); time.Since(begin) < floodFor && send(f, stream) == nil; stream += 2 {
				sent.Add(1)
			}
			if f.goAway.Load() != 0 || f.isOver() {
				closed.Add(1)
			}
			_ = f.conn.Close()
			<-f.ended
		}
	}()
	g.serveWell()
	<-done
	took := time.Since(begin)
	close(watch.stop)
	<-watch.done
	after, _, err := engine.ProcStats(g.Pid())
	if err != nil {
		g.t.Fatal(err)
	}
	share := (after - cpu) / took.Seconds()
	g.t.Logf("%s: %d rounds in %s, %d connections closed by the server, %.2f cores, resident memory %+d MiB", name, sent.Load(), took.Round(time.Millisecond), closed.Load(), share, (watch.peak.Load()-g.warm)>>20)
	if share > maxFloodCPU {
		g.t.Errorf("the server took %.2f cores; at most %.1f is fine", share, maxFloodCPU)
	}
	if grown := watch.peak.Load() - g.warm; grown > maxFloodGrowth {
		g.t.Errorf("resident memory grew by %d MiB; at most %d is fine", grown>>20, maxFloodGrowth>>20)
	}
	g.alive()
}

// isOver reports whether the server has closed the connection.
func (f *frames) isOver() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// TestContinuationFlood sends headers that never end (CVE-2023-45288); the server must hang up after what a header may have.
func TestContinuationFlood(t *testing.T) {
	g := newTarget(t)
	for name, piece := range map[string][]byte{
		"literals": repeat(8<<10, 0x00, 0x01, 'a', 0x01, 'b'), // a field of four bytes, not to be indexed
		"indexed":  repeat(8<<10, 0x82),                       // ":method: GET" from the static table, one byte each
	} {
		t.Run(name, func(t *testing.T) {
			f := mustDialFrames(t, g)
			defer func() { _ = f.conn.Close() }()
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.request(g)})
			sent := 0
			begin := time.Now()
			for ; err == nil && !f.isOver() && time.Since(begin) < floodFor; sent++ {
				err = f.WriteContinuation(1, false, piece)
			}
			t.Logf("the server hung up after %d frames (%d bytes) and %s", sent, sent*len(piece), time.Since(begin).Round(time.Millisecond))
			if sent*len(piece) > 16<<20 || err == nil && !f.isOver() {
				t.Errorf("the server took %d frames of a header without end", sent)
			}
			g.alive()
		})
	}
	g.serveWell()
}

// TestTooManyStreams opens more streams than one connection may have at once; the surplus is refused, the rest is answered.
func TestTooManyStreams(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	conn := mustDialFrames(t, g)
	defer func() { _ = conn.conn.Close() }()
	for i := range uint32(5000) {
		if err := conn.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: conn.request(g), EndHeaders: true}); err != nil {
			t.Logf("the server hung up after %d streams", i)
			break
		}
	}
	answer, err := g.push(lokiJSON, "", goodLogs(time.Now(), 10))
	if err != nil || answer.Status != http.StatusNoContent {
		t.Errorf("a good push beside 5000 open streams: %+v %v", answer, err)
	}
	g.alive()
}
