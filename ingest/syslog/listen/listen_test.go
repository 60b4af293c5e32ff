package listen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/syslog/listen"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// script is a listener whose Accept returns what the test puts in.
type script struct{ next chan any }

func (s *script) Accept() (net.Conn, error) {
	switch v := (<-s.next).(type) {
	case net.Conn:
		return v, nil
	case error:
		return nil, v
	}
	return nil, net.ErrClosed
}

func (s *script) Close() error   { return nil }
func (s *script) Addr() net.Addr { return &net.TCPAddr{} }

// remote is a connection from an address.
type remote struct {
	net.Conn
	address string
}

func (r *remote) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(r.address), Port: 1}
}

func options(l net.Listener, log io.Writer) listen.Options {
	o := listen.DefaultOptions()
	o.Listener = l
	o.Verify = func(context.Context, string) (seamark.Principal, error) {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "Unknown.")
	}
	o.Catalog = func(seamark.Principal) seamark.Catalog { return nil }
	o.Push = func(context.Context, seamark.Principal, seamark.Signal, string, *seamark.Batch) error { return nil }
	o.Logger, o.Registerer, o.Now = slog.New(slog.NewTextHandler(log, nil)), prometheus.NewRegistry(), time.Now
	return o
}

func refuseAll(c *listen.Conn) error { return c.Unproven("Go away.") }

// TestAccept: errors that pass are waited for, with longer and longer waits; one that does not ends the server.
func TestAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &script{next: make(chan any)}
		var log bytes.Buffer
		s, err := listen.New(options(l, &log), listen.Protocol{Name: "test", MaxMessageBytes: 1 << 10, Serve: refuseAll})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(t.Context()) }()
		began := time.Now()
		for range 10 {
			l.next <- syscall.EMFILE
		}
		if took := time.Since(began); took < 2*time.Second || took > 5*time.Second {
			t.Errorf("ten failures were waited for %s in all", took)
		}
		ours, theirs := net.Pipe()
		l.next <- &remote{theirs, "192.0.2.1"}
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("got %v of a connection that is refused", err)
		}
		l.next <- net.ErrClosed
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
}

// TestNotes: the log hears of each sender's fault once a minute, with how often it went unheard, and of a flood of
// senders no more than it can remember.
func TestNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &script{next: make(chan any)}
		var log bytes.Buffer
		s, err := listen.New(options(l, &log), listen.Protocol{Name: "test", MaxMessageBytes: 1 << 10, Serve: refuseAll})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(t.Context()) }()
		connect := func(address string) {
			ours, theirs := net.Pipe()
			l.next <- &remote{theirs, address}
			_, _ = ours.Read(make([]byte, 1)) // until it is closed
			synctest.Wait()
		}
		heard := func() int {
			n := strings.Count(log.String(), "connection closed")
			return n
		}
		for range 50 {
			connect("192.0.2.1")
		}
		if got := heard(); got != 1 {
			t.Errorf("the log heard %d times of one sender", got)
		}
		time.Sleep(time.Minute) // on the bubble's clock
		connect("192.0.2.1")
		if got := heard(); got != 2 || !strings.Contains(log.String(), "again=49") {
			t.Errorf("the log heard %d times:\n%s", got, log.String())
		}
		log.Reset()
		for i := range 3000 {
			connect(fmt.Sprintf("10.0.%d.%d", i/250, i%250))
		}
		if got := heard(); got > 1024 {
			t.Errorf("the log heard %d times of a flood", got)
		}
		log.Reset()
		time.Sleep(time.Minute)
		connect("192.0.2.2")
		if got := heard(); got != 1 {
			t.Errorf("after a flood the log heard %d times of a new sender", got)
		}
		l.next <- net.ErrClosed
		<-ended
	})
}
