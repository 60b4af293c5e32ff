package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/seamarkhq/seamark/internal/httpx"
)

const (
	// sendWithin is how long a reader may take for a frame. Without it one that is gone without a word holds its tail for ever.
	sendWithin = 30 * time.Second
	// standardPing keeps proxies from closing a tail without lines; most do after a minute.
	standardPing = 20 * time.Second
	// leastPing is the least time that a ping has, however soon the next one is due.
	leastPing = time.Second
	// closeWithin is how long a peer may take to hear why the connection ends and to say goodbye. Without it one that stops
	// within a message holds the connection for ever.
	closeWithin = time.Second
	// maxHeardBytes bounds what a reader may say: it has nothing to.
	maxHeardBytes = 64 << 10
)

// tailSocket is an open WebSocket that is only written to.
//
// A context that ends within a call of the library breaks the connection, and the peer would not be told why. So each call has
// a context that ends with the call's own time alone.
type tailSocket struct {
	conn *websocket.Conn
	raw  net.Conn // under conn
}

// socketEnd says why a WebSocket ends (RFC 6455, section 7.4.1). The peer reads the reason, of at most 123 bytes.
type socketEnd struct {
	code   websocket.StatusCode
	reason string
}

// send sends one frame of text.
func (s *tailSocket) send(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, frame)
}

// ping sends pings until ctx ends. It does not mind how one goes: a peer need not answer, a ping that waits behind a slow frame
// is not needed, and one that cannot be written breaks the connection, which hear notices.
func (s *tailSocket) ping(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.pingOnce(ctx, max(every, leastPing))
	}
}

func (s *tailSocket) pingOnce(ctx context.Context, within time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	_ = s.conn.Ping(ctx)
}

// hear answers the peer's control frames, and returns when it closes or says more than it has a reason to. The library's
// CloseRead is not for this: it breaks with a peer at its first message, and ends its context 15 seconds after that.
func (s *tailSocket) hear(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	s.conn.SetReadLimit(maxHeardBytes)
	for left := int64(maxHeardBytes); left > 0; {
		_, message, err := s.conn.Reader(ctx)
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, io.LimitReader(message, left))
		if err != nil {
			return
		}
		left -= n
	}
}

// close tells the peer why the connection ends.
func (s *tailSocket) close(end socketEnd) {
	_ = s.raw.SetDeadline(time.Now().Add(closeWithin)) // fails where the connection has ended already
	_ = s.conn.Close(end.code, end.reason)             // a peer that is gone needs no word
}

// serveSocket makes the connection of a request that checkSocket has passed a WebSocket, and runs fn until it returns or the
// peer goes, which ends its context. It returns an error only where the connection cannot be taken over: later there is no HTTP
// left to tell it in.
func serveSocket(w http.ResponseWriter, r *httpx.Request, ping time.Duration, fn func(ctx context.Context, s *tailSocket) socketEnd) error {
	taken := &takeover{ResponseWriter: w}
	conn, err := websocket.Accept(taken, r.Request, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // checkSocket looks at the origin
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return fmt.Errorf("accept a WebSocket: %w", err)
	}
	defer func() { _ = conn.CloseNow() }() // where fn panics
	// The request's own context outlives the connection once that is taken over.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &tailSocket{conn: conn, raw: taken.conn}
	go s.ping(ctx, ping)
	go func() {
		defer cancel()
		s.hear(ctx)
	}()
	s.close(fn(ctx, s))
	return nil
}

// takeover notes the connection that is taken over from a ResponseWriter.
type takeover struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (t *takeover) Hijack() (conn net.Conn, rw *bufio.ReadWriter, err error) {
	t.conn, rw, err = http.NewResponseController(t.ResponseWriter).Hijack()
	return t.conn, rw, err
}
