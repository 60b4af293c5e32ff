package syslog_test

import (
	"crypto/tls"
	"io"
	stdsyslog "log/syslog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestStandardClient: Go's own log/syslog over a real connection.
func TestStandardClient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, func(o *syslog.Options) { fixedToken(o); o.Listen.Listener = listener })
	f.stored = make(chan struct{}, 100)
	w, err := stdsyslog.Dial("tcp", listener.Addr().String(), stdsyslog.LOG_DAEMON|stdsyslog.LOG_NOTICE, "billing")
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range []func() error{
		func() error { return w.Err("it broke") },
		func() error { return w.Warning("it creaks") },
		func() error { return w.Info("it works") },
	} {
		if err := log(); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	f.waitFor(3)
	f.finish(t)
	var levels []seamark.Level
	for _, p := range f.pushes() {
		levels = append(levels, p.levels...)
		for i := range p.streams {
			if !strings.Contains(p.streams[i], "service_name=billing") || !strings.Contains(p.attrs[i], "facility=daemon procid=") {
				t.Errorf("row of %q with %q", p.streams[i], p.attrs[i])
			}
		}
	}
	if want := []string{"it broke", "it creaks", "it works"}; !slices.Equal(f.bodies(), want) {
		t.Errorf("got %q, want %q", f.bodies(), want)
	}
	if want := []seamark.Level{seamark.LevelError, seamark.LevelWarn, seamark.LevelInfo}; !slices.Equal(levels, want) {
		t.Errorf("got %v, want %v", levels, want)
	}
}

// TestTLSGoesOn: a TLS connection is read on after the deadline that its batch's age makes, also in the middle of a
// message.
func TestTLSGoesOn(t *testing.T) {
	ours := newAuthority(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, func(o *syslog.Options) {
		fixedToken(o)
		o.Listen.Listener = tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "seamark.test")}})
	})
	f.stored = make(chan struct{}, 100)
	conn, err := tls.Dial("tcp", plain.Addr().String(), &tls.Config{RootCAs: ours.pool, ServerName: "seamark.test"})
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range []string{"9 <14>first10 <14>sec", "ond9 <14>th", "ird"} {
		if _, err := io.WriteString(conn, part); err != nil {
			t.Fatal(err)
		}
		f.waitFor(i + 1)
	}
	conn.Close()
	f.finish(t)
	if want := []string{"first", "second", "third"}; !slices.Equal(f.bodies(), want) {
		t.Errorf("got %q, want %q", f.bodies(), want)
	}
}
