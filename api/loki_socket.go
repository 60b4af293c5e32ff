package api

import (
	"context"
	"net/http"
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
	// pingEvery keeps proxies from closing a tail without lines; most do after a minute.
	pingEvery = 20 * time.Second
	// maxHeardBytes bounds what a reader may say: it has nothing to.
	maxHeardBytes = 64 << 10
)

// socket is an open WebSocket that is only written to.
type socket struct{ conn *websocket.Conn }

// send sends one frame of text.
func (s *socket) send(frame []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	return websocket.Message.Send(s.conn, string(frame))
}

// serveSocket makes the connection of a request that checkSocket has passed a WebSocket, and runs fn until it returns or the
// peer goes, which ends its context. It never returns an error: there is no HTTP left to tell it in.
func serveSocket(w http.ResponseWriter, r *httpx.Request, fn func(ctx context.Context, s *socket) closeCode) error {
	server := websocket.Server{
		Handshake: func(*websocket.Config, *http.Request) error { return nil }, // checkSocket looks at the origin
		Handler: func(conn *websocket.Conn) {
			// The request's own context outlives the connection once that is taken over.
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			go func() {
				defer cancel()
				hear(conn)
			}()
			go ping(ctx, conn)
			code := fn(ctx, &socket{conn})
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			_ = conn.WriteClose(int(code))
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

// pingCodec writes ping frames.
var pingCodec = websocket.Codec{Marshal: func(any) ([]byte, byte, error) { return nil, websocket.PingFrame, nil }}

// ping sends a ping now and then; a connection that takes none is noticed by who writes next.
func ping(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = pingCodec.Send(conn, nil)
		}
	}
}
