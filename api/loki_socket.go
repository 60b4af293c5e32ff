package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/websocket"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// closeCode says why a WebSocket ends (RFC 6455, section 7.4.1).
type closeCode int

const (
	closeNormal    closeCode = 1000
	closeGoingAway closeCode = 1001
	closePolicy    closeCode = 1008
	closeInternal  closeCode = 1011
)

const (
	// sendWithin is how long a reader may take for a frame. Without it one that is gone without a word holds its tail for ever.
	sendWithin = 30 * time.Second
	// standardPing keeps proxies from closing a tail without lines; most do after a minute.
	standardPing = 20 * time.Second
	// maxHeardBytes bounds what a reader may say: it has nothing to.
	maxHeardBytes = 64 << 10
)

// tailSocket is an open WebSocket that is only written to.
type tailSocket struct {
	conn *websocket.Conn
	mu   sync.Mutex // held while a frame is written
}

// send sends one frame of text.
func (s *tailSocket) send(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeLocked(sendWithin, func() error { return websocket.Message.Send(s.conn, string(frame)) })
}

// writeLocked writes within a time. The deadline of one write must not stand when the next one begins: a write that fails
// breaks the connection for good.
func (s *tailSocket) writeLocked(within time.Duration, write func() error) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return write()
}

// pingCodec writes ping frames.
var pingCodec = websocket.Codec{Marshal: func(any) ([]byte, byte, error) { return nil, websocket.PingFrame, nil }}

// ping sends pings until ctx ends or the connection takes none. While a frame is written there is no need for one.
func (s *tailSocket) ping(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.mu.TryLock() {
			continue
		}
		err := s.writeLocked(sendWithin, func() error { return pingCodec.Send(s.conn, nil) })
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// close tells the peer why the connection ends.
func (s *tailSocket) close(code closeCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.writeLocked(time.Second, func() error { return s.conn.WriteClose(int(code)) }) // a peer that is gone needs no word
}

// serveSocket makes the connection of a request that checkSocket has passed a WebSocket, and runs fn until it returns or the
// peer goes, which ends its context. It never returns an error: there is no HTTP left to tell it in.
func serveSocket(w http.ResponseWriter, r *httpx.Request, ping time.Duration, fn func(ctx context.Context, s *tailSocket) closeCode) error {
	server := websocket.Server{
		Handshake: func(*websocket.Config, *http.Request) error { return nil }, // checkSocket looks at the origin
		Handler: func(conn *websocket.Conn) {
			// The request's own context outlives the connection once that is taken over.
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			s := &tailSocket{conn: conn}
			for _, watch := range []func(){func() { hear(conn) }, func() { s.ping(ctx, ping) }} {
				go func() {
					defer cancel()
					watch()
				}()
			}
			s.close(fn(ctx, s))
		},
	}
	server.ServeHTTP(w, r.Request)
	return nil
}

// hear answers the peer's control frames, and returns when it closes or says more than it has a reason to.
func hear(conn *websocket.Conn) {
	buffer := make([]byte, 512)
	for heard := 0; heard < maxHeardBytes; {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		heard += n
	}
}
