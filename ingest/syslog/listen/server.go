package listen

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Server serves one listener. Make one with New and run Serve once.
type Server struct {
	opts     Options
	protocol Protocol
	memory   *memory
	metrics  *metrics
	notes    notes
	batches  sync.Pool // *seamark.Batch

	mu       sync.Mutex // guards conns and draining; a Conn's lock may be taken under it
	conns    map[*Conn]struct{}
	draining bool
}

// New makes a Server that speaks p.
func New(o Options, p Protocol) (*Server, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	// One connection alone must never wait for what it holds itself.
	if least := int64((2+rowBytesPerByte)*o.BatchBytes + 2*p.MaxMessageBytes); o.MaxMemoryBytes < least {
		return nil, fmt.Errorf("listen: MaxMemoryBytes is %d; it must be at least %d, the largest batch and message of one connection", o.MaxMemoryBytes, least)
	}
	m, err := newMetrics(o.Registerer, p.Name)
	if err != nil {
		return nil, fmt.Errorf("listen: register metrics: %w", err)
	}
	return &Server{
		opts: o, protocol: p, memory: newMemory(o.MaxMemoryBytes, o.StallTimeout), metrics: m, conns: make(map[*Conn]struct{}),
		batches: sync.Pool{New: func() any { return new(seamark.Batch) }},
	}, nil
}

// Serve accepts connections until ctx ends. Then it stops reading, pushes what whole messages it holds, and returns nil
// when all connections are closed, at the latest DrainTimeout later. It returns an error when the listener fails.
func (s *Server) Serve(ctx context.Context) error {
	// Pushes outlive ctx, so that what was read is stored.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	undo := context.AfterFunc(ctx, func() {
		_ = s.opts.Listener.Close() // what it closes for is told by ctx
		s.drain()
		time.AfterFunc(s.opts.DrainTimeout, stop)
	})
	defer undo()

	var served sync.WaitGroup
	err := s.accept(ctx, func(conn net.Conn) {
		if c := s.admit(work, conn); c != nil {
			served.Go(func() { s.run(c) })
		}
	})
	if err != nil {
		_ = s.opts.Listener.Close() // it has failed already
		s.drain()
		time.AfterFunc(s.opts.DrainTimeout, stop)
	}
	served.Wait()
	return err
}

// accept calls serve for each connection until the listener ends. Errors that pass, as a want of descriptors, are waited
// for.
func (s *Server) accept(ctx context.Context, serve func(net.Conn)) error {
	const first, most = 5 * time.Millisecond, time.Second
	for wait := first; ; {
		conn, err := s.opts.Listener.Accept()
		switch {
		case err == nil:
			wait = first
			serve(conn)
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept connections: %w", err)
		}
		if silent, due := s.notes.due(note{reason: "accept"}, s.opts.Now()); due {
			s.opts.Logger.Warn("cannot accept connections", "protocol", s.protocol.Name, "error", err, "again", silent)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, most)
	}
}

// admit makes a Conn of a connection, or closes it and returns nil when there are too many.
func (s *Server) admit(work context.Context, conn net.Conn) *Conn {
	c := &Conn{server: s, conn: conn, work: work, nonce: rand.Text(), began: time.Now(), rows: rowClaim{ctx: work, memory: s.memory}}
	s.mu.Lock()
	full := len(s.conns) >= s.opts.MaxConns
	if !full {
		s.conns[c] = struct{}{}
		c.draining = s.draining
	}
	s.mu.Unlock()
	if full {
		s.fault(c, seamark.Errorf(seamark.Unavailable, "seamark-stream-conns",
			"This listener has its %d connections. Close those that are not used, or raise the limit of connections.", s.opts.MaxConns))
		_ = conn.Close() // nothing was said
		return nil
	}
	s.metrics.conns.Inc()
	return c
}

// drain ends the reading of all connections, those to come included.
func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for c := range s.conns {
		c.drain()
	}
}

// run serves one connection to its end.
func (s *Server) run(c *Conn) {
	defer s.forget(c)
	err := s.serve(c)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, errDraining) {
		return
	}
	s.fault(c, err)
}

// serve speaks the protocol on c. A fault in a decoder must cost one connection and not the process.
func (s *Server) serve(c *Conn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.opts.Logger.Error("connection's decoder panicked", "protocol", s.protocol.Name, "panic", r, "stack", string(debug.Stack()))
			c.dropBatch("seamark-stream-panic", "The server failed while it read this connection.")
			err = seamark.Errorf(seamark.Internal, "seamark-stream-panic", "The server failed while it read this connection.")
		}
	}()
	if err := c.begin(); err != nil {
		return err
	}
	err = s.protocol.Serve(c)
	if pushErr := c.Flush(); pushErr != nil && (err == nil || errors.Is(err, io.EOF)) {
		return pushErr
	}
	return err
}

func (s *Server) forget(c *Conn) {
	_ = c.conn.Close() // the peer learns it by itself
	c.release()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.metrics.conns.Dec()
}

// fault counts why a connection was closed, and tells the log.
func (s *Server) fault(c *Conn, err error) {
	reason, detail := "seamark-stream-broken", "The connection broke."
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		reason, detail = e.ID, e.Message
	}
	s.metrics.closed.WithLabelValues(reason).Inc()
	who := note{reason: reason, who: c.who()}
	if silent, due := s.notes.due(who, s.opts.Now()); due {
		s.opts.Logger.LogAttrs(c.work, slog.LevelWarn, "connection closed", slog.String("protocol", s.protocol.Name),
			slog.String("reason", reason), slog.String("detail", detail), slog.String("remote", c.remote()),
			slog.String("tenant", string(c.principal.Tenant)), slog.String("token", c.principal.CredentialID),
			slog.Int("again", silent), slog.Any("error", errors.Unwrap(err)))
	}
}

// secured reports whether conn is TLS.
func secured(conn net.Conn) (tlsConn, bool) {
	t, ok := conn.(tlsConn)
	return t, ok
}

// tlsConn is what is asked of a TLS connection; *tls.Conn has it.
type tlsConn interface {
	HandshakeContext(ctx context.Context) error
	ConnectionState() tls.ConnectionState
}
