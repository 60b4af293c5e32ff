package engine

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// DialClickHouse opens a native TCP connection to the embedded engine; it fits clickhouse-go's Options.DialContext. Every
// native client of the embedded engine must use it, because the engine's process ends on any error that leaves a native
// connection's thread: measured on 26.7, a reset of an idle connection does that, and closing a socket with unread data
// (what a canceled query leaves) sends a reset. The connection's Close therefore says goodbye with a FIN and reads on in
// the background until the engine has closed its side, which it does as soon as it sees the FIN and drops the query.
//
// A refused login (wrong password, unknown user, a database that does not exist) ends the process too, and no dialer can
// prevent that: connect without a database and qualify table names.
func DialClickHouse(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &politeConn{TCPConn: conn.(*net.TCPConn)}, nil
}

// politeConn is a TCP connection that is never reset by its own side.
type politeConn struct {
	*net.TCPConn
	reading sync.RWMutex // held shared while a read is in progress; the drain takes it once all are out
	closed  atomic.Bool
}

// Read fails with net.ErrClosed after Close.
func (c *politeConn) Read(p []byte) (int, error) {
	c.reading.RLock()
	defer c.reading.RUnlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return c.TCPConn.Read(p)
}

// SetDeadline fails with net.ErrClosed after Close: a deadline would cut the drain short, and that resets.
func (c *politeConn) SetDeadline(t time.Time) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	return c.TCPConn.SetDeadline(t)
}

// SetReadDeadline is like SetDeadline.
func (c *politeConn) SetReadDeadline(t time.Time) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	return c.TCPConn.SetReadDeadline(t)
}

// Close ends the connection without a reset. A read in progress fails at once, a later write fails.
func (c *politeConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.CloseWrite()
	_ = c.TCPConn.SetReadDeadline(time.Now())
	go c.drain()
	return err
}

// drain reads until the engine closes its side or is gone. It needs no time limit: both follow from the FIN.
func (c *politeConn) drain() {
	// The deadline that wakes readers must stand until they are out, or they would sleep on.
	c.reading.Lock()
	_ = c.TCPConn.SetReadDeadline(time.Time{})
	c.reading.Unlock()
	_, _ = io.Copy(io.Discard, c.TCPConn)
	_ = c.TCPConn.Close()
}
