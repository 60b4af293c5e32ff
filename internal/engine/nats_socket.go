package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// ServeSocket opens a unix socket in the data folder, readable by this user alone, whose connections reach the embedded
// server: the way for `seamark admin`, another process of the same user. A relative path counts from the data folder; a
// path outside it is refused. A socket left by a dead process is replaced. Stop closes it.
func (n *NATS) ServeSocket(path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(n.options.DataDir, path)
	}
	inside, err := filepath.Rel(n.options.DataDir, path)
	if err != nil || inside == "." || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return fmt.Errorf("serve NATS socket: %s is not inside the data folder %s", path, n.options.DataDir)
	}
	listener, err := listenUnix(path)
	if err != nil {
		return fmt.Errorf("serve NATS socket: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped || n.socket != nil {
		_ = listener.Close()
		return errors.New("serve NATS socket: stopped, or serving a socket already")
	}
	n.socket = newSocketServer(listener, inProcessDialer{n})
	return nil
}

// listenUnix binds path with mode 0600. The data folder's mode of 0700 covers the moment between bind and chmod.
func listenUnix(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%s is served by another process", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// DialSocket connects to the embedded server of another process through the socket that it serves. The connection
// reconnects for ever, as one made by Connect does.
func DialSocket(path string, opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect(natsURL, append(clientOptions(socketDialer(path)), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS socket %s: %w", path, err)
	}
	return nc, nil
}

// socketDialer dials the unix socket at its value.
type socketDialer string

// Dial implements nats.CustomDialer; the address is ignored.
func (d socketDialer) Dial(_, _ string) (net.Conn, error) {
	return net.DialTimeout("unix", string(d), 5*time.Second)
}

// socketServer joins each connection of a listener with an in-process connection of the current server.
type socketServer struct {
	listener net.Listener
	dialer   inProcessDialer
	running  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	open   map[net.Conn]struct{}
}

func newSocketServer(listener net.Listener, dialer inProcessDialer) *socketServer {
	s := &socketServer{listener: listener, dialer: dialer, open: map[net.Conn]struct{}{}}
	s.running.Go(s.accept)
	return s
}

// accept ends with the listener. A failure to accept that is not its end can only be a lack of descriptors, so it pauses.
func (s *socketServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.running.Go(func() { s.join(conn) })
	}
}

// join copies both ways until either side ends, then closes both.
func (s *socketServer) join(outside net.Conn) {
	defer func() { _ = outside.Close() }()
	inside, err := s.dialer.Dial("", "")
	if err != nil {
		// The server is restarting; the client's reconnect comes back.
		return
	}
	defer func() { _ = inside.Close() }()
	if !s.track(outside) {
		return
	}
	defer s.forget(outside)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(outside, inside)
		_ = outside.Close()
	})
	_, _ = io.Copy(inside, outside)
	_ = inside.Close()
	back.Wait()
}

func (s *socketServer) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

func (s *socketServer) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// close ends the listener, which removes the socket, and every connection.
func (s *socketServer) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}
