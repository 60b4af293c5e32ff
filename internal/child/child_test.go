package child_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/child"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// childArgument is the argument with which this test binary is a child.
const childArgument = "be-a-child"

// orders are what a test's child does.
type orders struct {
	Socket string
	Fail   bool // end before it is ready
	Deaf   bool // go on when it is asked to end
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		if err := serveChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveChild answers requests with what it got of them.
func serveChild() error {
	var o orders
	parent, err := child.Listen(os.Stdin, os.Stdout, &o)
	if err != nil {
		return err
	}
	if o.Fail {
		return errors.New("as ordered")
	}
	if o.Socket != "" {
		_ = os.Remove(o.Socket)
		ln, err := net.Listen("unix", o.Socket)
		if err != nil {
			return err
		}
		go func() { _ = http.Serve(ln, http.HandlerFunc(echo)) }() //nolint:gosec // a test's
	}
	if err := parent.Ready(map[string]int{"pid": os.Getpid()}); err != nil {
		return err
	}
	<-parent.Wanted(context.Background()).Done()
	fmt.Fprintln(os.Stderr, "asked to end")
	if o.Deaf {
		select {}
	}
	return nil
}

func echo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/cut" {
		_, _ = w.Write([]byte("half"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/refuse" {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Trailer", "Cost")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"uri": r.RequestURI, "host": r.Host, "client": r.Header.Get(child.ClientIPHeader), "forwarded": r.Header.Get("X-Forwarded-For"), "body": string(body),
	})
	w.Header().Set("Cost", "7")
}

// buffer is a bytes.Buffer for many.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start starts a child and returns the pids that have said that they are ready.
func start(t *testing.T, o *orders, change func(*child.Options)) (p *child.Process, pids chan int, stderr *buffer, err error) {
	t.Helper()
	pids, stderr = make(chan int, 10), &buffer{}
	opts := child.Options{
		Command: []string{os.Args[0], childArgument}, Hello: o, Ended: func(error) {}, StopWithin: time.Minute, Stderr: stderr, Logger: slog.New(slog.DiscardHandler),
		Started: func(hello json.RawMessage) error {
			var said struct{ PID int }
			err := json.Unmarshal(hello, &said)
			pids <- said.PID
			return err
		},
	}
	if change != nil {
		change(&opts)
	}
	p, err = child.Start(t.Context(), opts)
	if p != nil {
		t.Cleanup(func() { _ = p.Stop(context.Background()) })
	}
	return p, pids, stderr, err
}

// TestChildIsStartedAgain kills a child, which comes back, and ends it in order.
func TestChildIsStartedAgain(t *testing.T) {
	ended := make(chan error, 1)
	p, pids, stderr, err := start(t, &orders{}, func(o *child.Options) { o.Ended = func(err error) { ended <- err } })
	require.NoError(t, err)
	first := <-pids
	require.Equal(t, first, p.Pid())
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	require.ErrorContains(t, <-ended, "killed")
	second := <-pids
	require.NotEqual(t, first, second)
	require.NoError(t, p.Stop(t.Context()))
	require.Contains(t, stderr.String(), "asked to end")
	require.Zero(t, p.Pid())
	require.Error(t, syscall.Kill(second, 0), "it is gone")
}

// TestChildThatCannotStart is an error of the start, with what the child did.
func TestChildThatCannotStart(t *testing.T) {
	_, _, stderr, err := start(t, &orders{Fail: true}, nil)
	require.ErrorContains(t, err, "ended before it was ready: exit status 3")
	require.Contains(t, stderr.String(), "as ordered")
	_, _, _, err = start(t, &orders{}, func(o *child.Options) { o.Command = []string{filepath.Join(t.TempDir(), "nothing")} })
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, _, err = start(t, &orders{}, func(o *child.Options) { o.StopWithin = 0 })
	require.ErrorContains(t, err, "StopWithin")
}

// TestDeafChildIsKilled stops a child that does not listen.
func TestDeafChildIsKilled(t *testing.T) {
	p, pids, _, err := start(t, &orders{Deaf: true}, func(o *child.Options) { o.StopWithin = 50 * time.Millisecond })
	require.NoError(t, err)
	pid := <-pids
	require.NoError(t, p.Stop(t.Context()))
	require.Error(t, syscall.Kill(pid, 0), "it is gone")
}

// TestPass sends requests through a front to a child: they arrive as they were sent, with the client's address that the front saw, and
// answers come back whole, with trailers, or cut where the child cuts them.
func TestPass(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	p, pids, _, err := start(t, &orders{Socket: socket}, nil)
	require.NoError(t, err)
	<-pids
	proxy := child.NewProxy(socket, slog.New(slog.DiscardHandler))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := proxy.Pass(w, r, "192.0.2.7"); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(front.Close)

	const uri = "/a%2Fb/%7Bx%7D?q=%7B&a=1;b=2&bad=%zz"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL, strings.NewReader("body"))
	require.NoError(t, err)
	req.URL.Opaque, req.Host = uri, "seamark.example.org"
	req.Header.Set(child.ClientIPHeader, "203.0.113.1") // nobody can set it
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	var got map[string]string
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	require.NoError(t, json.Unmarshal(text, &got), "%s", text)
	require.Equal(t, map[string]string{"uri": uri, "host": "seamark.example.org", "client": "192.0.2.7", "forwarded": "", "body": "body"}, got)
	require.Equal(t, "7", resp.Trailer.Get("Cost"))

	cut, err := http.Get(front.URL + "/cut") //nolint:noctx // a test's
	require.NoError(t, err)
	_, err = io.ReadAll(cut.Body)
	require.ErrorIs(t, errors.Join(err, cut.Body.Close()), io.ErrUnexpectedEOF)

	require.NoError(t, p.Stop(t.Context()))
	proxy.Forget()
	testkit.Eventually(t, time.Minute, func() error {
		away, err := http.Get(front.URL) //nolint:noctx // a test's
		if err == nil {
			_ = away.Body.Close()
			if away.StatusCode != http.StatusServiceUnavailable {
				err = fmt.Errorf("a child that is gone answers %s", away.Status)
			}
		}
		return err
	})
}

// TestPassContinues: a sender that waits for 100 Continue gets it once, before the child's answer, whose status is kept. curl waits so
// with bodies over a megabyte.
func TestPassContinues(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	_, pids, _, err := start(t, &orders{Socket: socket}, nil)
	require.NoError(t, err)
	<-pids
	proxy := child.NewProxy(socket, slog.New(slog.DiscardHandler))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = proxy.Pass(w, r, "192.0.2.7") }))
	t.Cleanup(front.Close)

	var informed []int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		informed = append(informed, code)
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, front.URL+"/refuse", strings.NewReader("body"))
	require.NoError(t, err)
	req.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	require.Equal(t, []int{http.StatusContinue}, informed)
}

// TestSliceIsSet sets time slices and puts them back. Where the kernel knows none it does nothing.
func TestSliceIsSet(t *testing.T) {
	require.NoError(t, child.SetSlice(child.ComputeSlice))
	require.NoError(t, child.SetSlice(0))
}
