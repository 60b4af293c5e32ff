package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/coder/websocket"
)

// maxMessageBytes bounds one message of a Socket. Without it a server that goes wrong takes the program's memory.
const maxMessageBytes = 64 << 20

// Socket is a WebSocket (RFC 6455) that an operation has opened; the server sends messages over it until one side closes it.
// Whoever gets one closes it. One goroutine at a time may call Next.
type Socket struct{ conn *websocket.Conn }

// Next waits for the next message. The error is io.EOF when the server has ended the socket in good order; when ctx ends while
// it waits, the socket is closed.
func (s *Socket) Next(ctx context.Context) ([]byte, error) {
	_, message, err := s.conn.Read(ctx)
	if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("client: read a message of the socket: %w", err)
	}
	return message, nil
}

// Close ends the socket.
func (s *Socket) Close() error { return s.conn.Close(websocket.StatusNormalClosure, "") }

// connect makes a call that a WebSocket answers. It is sent once.
func (c *Client) connect(ctx context.Context, r *call) (*Socket, error) {
	if r.err != nil {
		return nil, r.err
	}
	req, err := r.request(ctx, c)
	if err != nil {
		return nil, err
	}
	//nolint:bodyclose // the socket has the body of an upgrade, and any other is in memory
	conn, resp, err := websocket.Dial(ctx, req.URL.String(), &websocket.DialOptions{HTTPClient: &c.sockets, HTTPHeader: req.Header})
	if resp != nil {
		r.tell(resp)
	}
	switch {
	case err == nil:
		conn.SetReadLimit(maxMessageBytes)
		return &Socket{conn}, nil
	case resp != nil && resp.StatusCode >= http.StatusBadRequest && resp.Body != nil:
		return nil, errorOf(resp, c.now())
	case ctx.Err() != nil:
		return nil, errors.Join(context.Cause(ctx), err)
	}
	return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
}
