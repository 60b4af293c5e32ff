package propagation_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// relay is the way of one node to NATS. While it is held nothing passes, and no side is told: a network that drops packets.
type relay struct {
	listener net.Listener
	target   string

	mu   sync.Mutex // guards held
	free *sync.Cond
	held bool
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: target}
	r.free = sync.NewCond(&r.mu)
	go r.accept()
	t.Cleanup(func() {
		r.hold(false)
		_ = listener.Close()
	})
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// hold cuts the way, or opens it again.
func (r *relay) hold(held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = held
	r.free.Broadcast()
}

// pass waits while the way is cut.
func (r *relay) pass() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held {
		r.free.Wait()
	}
}

func (r *relay) accept() {
	for {
		outside, err := r.listener.Accept()
		if err != nil {
			return
		}
		inside, err := net.Dial("tcp", r.target)
		if err != nil {
			_ = outside.Close()
			continue
		}
		go r.copy(inside, outside)
		go r.copy(outside, inside)
	}
}

// copy passes one direction on until it ends, then closes both ends.
func (r *relay) copy(to io.WriteCloser, from io.ReadCloser) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.pass()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}
