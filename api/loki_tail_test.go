package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lokiTailer opens one tail, which does what run says.
type lokiTailer struct {
	query  api.LogTailQuery
	err    error
	run    func(ctx context.Context, send func([]byte) error) error
	closed chan struct{} // closes when the tail's place is given back; made by tailServer
}

func (l *lokiTailer) TailLogs(_ context.Context, _ seamark.Scope, q api.LogTailQuery) (api.LogTail, error) {
	l.query = q
	return l, l.err
}

func (l *lokiTailer) Run(ctx context.Context, send func([]byte) error) error { return l.run(ctx, send) }

func (l *lokiTailer) Close() { close(l.closed) }

// awaitClosed waits until the connection has ended and the tail's place is free again.
func (l *lokiTailer) awaitClosed(t *testing.T) {
	t.Helper()
	select {
	case <-l.closed:
	case <-time.After(time.Minute):
		t.Fatal("the tail's place was not given back")
	}
}

// pingEvery is short, so that tests see pings.
const pingEvery = 10 * time.Millisecond

// revocable is a verifier whose token may be revoked.
type revocable struct {
	lokiVerifier
	revoked atomic.Bool
}

func (v *revocable) Authenticate(ctx context.Context, token string) (seamark.Principal, error) {
	if v.revoked.Load() {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked", "Revoked.")
	}
	return v.lokiVerifier.Authenticate(ctx, token)
}

func tailServer(t *testing.T, l *lokiTailer, v httpx.Verifier) *httptest.Server {
	t.Helper()
	l.closed = make(chan struct{})
	edge, err := httpx.New(httpx.Options{
		Routes: api.LokiRoutes(api.LokiOptions{
			Tailer: l, Limits: lokiLimits, PingEvery: pingEvery, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return lokiNow },
		}),
		Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(edge)
	t.Cleanup(server.Close)
	return server
}

// dial opens a tail; options may be nil.
func dial(t *testing.T, server *httptest.Server, params url.Values, options *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	if options == nil {
		options = &websocket.DialOptions{}
	}
	header := http.Header{"Authorization": {"Bearer smk_query_x_y"}, "Origin": {server.URL}}
	maps.Copy(header, options.HTTPHeader)
	options.HTTPHeader = header
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/loki/api/v1/tail?"+params.Encode(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// frames returns the texts that come until the connection closes, and what it closes with.
func frames(t *testing.T, conn *websocket.Conn) (texts []string, end websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		kind, body, err := conn.Read(ctx)
		if end, ok := errors.AsType[websocket.CloseError](err); ok {
			return texts, end
		}
		if err != nil || kind != websocket.MessageText {
			t.Fatalf("read %v after %q: %v", kind, texts, err)
		}
		texts = append(texts, string(body))
	}
}

// TestTailFramesAndEnd tells each reader why its tail ends.
func TestTailFramesAndEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  error
		want websocket.CloseError
	}{
		"the server stops": {api.ErrTailClosing, websocket.CloseError{Code: 1001, Reason: "the server is stopping"}},
		"a fault":          {errors.New("the store is away"), websocket.CloseError{Code: 1011, Reason: "a fault of the server ended the tail"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lokiTailer{run: func(_ context.Context, send func([]byte) error) error {
				return errors.Join(send([]byte("one")), send([]byte("two")), c.end)
			}}
			conn := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
			if texts, end := frames(t, conn); end != c.want || !cmp.Equal(texts, []string{"one", "two"}) {
				t.Errorf("got %q and %v, want two and %v", texts, end, c.want)
			}
			l.awaitClosed(t)
		})
	}
}

func TestTailQuery(t *testing.T) {
	for name, c := range map[string]struct {
		params url.Values
		header http.Header
		want   api.LogTailQuery
	}{
		"defaults": {url.Values{"query": {"{}"}}, nil, api.LogTailQuery{Query: "{}", Start: lokiNow.Add(-time.Hour), Limit: 100}},
		"all": {
			url.Values{"query": {"{}"}, "start": {fmt.Sprint(lokiNow.UnixNano())}, "limit": {"7"}, "delay_for": {"5"}},
			http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}},
			api.LogTailQuery{Query: "{}", Start: lokiNow, Limit: 7, Delay: 5 * time.Second, Categorize: true},
		},
		"too much": {url.Values{"query": {"{}"}, "limit": {"1000000"}, "delay_for": {"0"}}, nil, api.LogTailQuery{Query: "{}", Start: lokiNow.Add(-time.Hour), Limit: 5000}},
	} {
		l := &lokiTailer{run: func(context.Context, func([]byte) error) error { return api.ErrTailClosing }}
		frames(t, dial(t, tailServer(t, l, lokiVerifier{}), c.params, &websocket.DialOptions{HTTPHeader: c.header}))
		if diff := cmp.Diff(c.want, l.query); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTailPings sends a frame after some pings, to a reader that answers them and to one that does not.
func TestTailPings(t *testing.T) {
	for name, answers := range map[string]bool{"answers": true, "is silent": false} {
		pinged := make(chan struct{})
		l := &lokiTailer{run: func(ctx context.Context, send func([]byte) error) error {
			select {
			case <-pinged:
			case <-ctx.Done():
			}
			return errors.Join(send([]byte("after")), api.ErrTailClosing)
		}}
		pings := 0
		conn := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, &websocket.DialOptions{
			OnPingReceived: func(context.Context, []byte) bool {
				if pings++; pings == 2 {
					close(pinged)
				}
				return answers
			},
		})
		if texts, _ := frames(t, conn); pings < 2 || !cmp.Equal(texts, []string{"after"}) {
			t.Errorf("a reader that %s got %q after %d pings", name, texts, pings)
		}
	}
}

// TestTailRevoked closes a tail whose token is revoked while it is open.
func TestTailRevoked(t *testing.T) {
	v := &revocable{}
	l := &lokiTailer{run: func(ctx context.Context, _ func([]byte) error) error {
		v.revoked.Store(true)
		<-ctx.Done()
		return ctx.Err()
	}}
	conn := dial(t, tailServer(t, l, v), url.Values{"query": {"{}"}}, nil)
	want := websocket.CloseError{Code: 1008, Reason: "the credential is no longer valid"}
	if _, end := frames(t, conn); end != want {
		t.Errorf("got %v, want %v", end, want)
	}
}

// TestTailReaderGoes ends the tail of a reader that closes, of one that vanishes, and of those that talk too much.
func TestTailReaderGoes(t *testing.T) {
	for name, leave := range map[string]func(*websocket.Conn) error{
		"closes":   func(c *websocket.Conn) error { return c.Close(websocket.StatusNormalClosure, "") },
		"vanishes": (*websocket.Conn).CloseNow,
		"talks": func(c *websocket.Conn) error {
			return c.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat("x", 1<<20)))
		},
		"stops within a message": func(c *websocket.Conn) error {
			w, err := c.Writer(t.Context(), websocket.MessageText)
			if err != nil {
				return err
			}
			_, err = w.Write([]byte(strings.Repeat("x", 1<<20)))
			return err
		},
	} {
		l := &lokiTailer{run: func(ctx context.Context, _ func([]byte) error) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		conn := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
		if err := leave(conn); err != nil {
			t.Logf("%s: %v", name, err) // the server may be faster
		}
		l.awaitClosed(t)
	}
}

// TestTailStalledMessage ends the tail of a reader that announces a message of a gigabyte, sends some of it and falls silent.
func TestTailStalledMessage(t *testing.T) {
	l := &lokiTailer{run: func(ctx context.Context, _ func([]byte) error) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	server := tailServer(t, l, lokiVerifier{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const opening = "GET /loki/api/v1/tail?query={} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer smk_query_x_y\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	const text, masked = "\x81", "\xff\x00\x00\x00\x00\x40\x00\x00\x00mask"
	if _, err := io.WriteString(conn, opening+text+masked+strings.Repeat("x", 65<<10)); err != nil {
		t.Fatal(err)
	}
	l.awaitClosed(t)
}

// TestTailHearsLittle lets a reader say something: Loki does.
func TestTailHearsLittle(t *testing.T) {
	heard := make(chan struct{})
	l := &lokiTailer{run: func(ctx context.Context, send func([]byte) error) error {
		select {
		case <-heard:
		case <-ctx.Done():
		}
		return errors.Join(send([]byte("after")), api.ErrTailClosing)
	}}
	conn := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
	go func() {
		defer close(heard)
		for range 2 { // the pong comes after the server has read what was said
			if err := errors.Join(conn.Write(t.Context(), websocket.MessageText, []byte("hello")), conn.Ping(t.Context())); err != nil {
				t.Errorf("say hello: %v", err)
			}
		}
	}()
	if texts, end := frames(t, conn); end.Code != 1001 || !cmp.Equal(texts, []string{"after"}) {
		t.Errorf("got %q and %v, want a frame after the words", texts, end)
	}
}

// TestTailRefuses tells what is wrong as HTTP, before there is a WebSocket.
func TestTailRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h http.Header, q url.Values)
		err    error
		status int
		want   string
	}{
		"no upgrade":         {func(h http.Header, _ url.Values) { h.Del("Upgrade") }, nil, 400, "no Upgrade"},
		"another connection": {func(h http.Header, _ url.Values) { h.Set("Connection", "keep-alive") }, nil, 400, "no Upgrade"},
		"another version":    {func(h http.Header, _ url.Values) { h.Set("Sec-WebSocket-Version", "8") }, nil, 400, "another version"},
		"no version":         {func(h http.Header, _ url.Values) { h.Del("Sec-WebSocket-Version") }, nil, 400, "another version"},
		"a short key":        {func(h http.Header, _ url.Values) { h.Set("Sec-WebSocket-Key", "c2hvcnQ=") }, nil, 400, "Sec-WebSocket-Key"},
		"two keys":           {func(h http.Header, _ url.Values) { h.Add("Sec-WebSocket-Key", h.Get("Sec-WebSocket-Key")) }, nil, 400, "Sec-WebSocket-Key"},
		"no key":             {func(h http.Header, _ url.Values) { h.Del("Sec-WebSocket-Key") }, nil, 400, "Sec-WebSocket-Key"},
		"no query":           {func(_ http.Header, q url.Values) { q.Del("query") }, nil, 400, "The parameter query is missing."},
		"bad start":          {func(_ http.Header, q url.Values) { q.Set("start", "x") }, nil, 400, `start="x"`},
		"bad limit":          {func(_ http.Header, q url.Values) { q.Set("limit", "x") }, nil, 400, `limit="x"`},
		"bad delay":          {func(_ http.Header, q url.Values) { q.Set("delay_for", "x") }, nil, 400, `delay_for="x"`},
		"long delay":         {func(_ http.Header, q url.Values) { q.Set("delay_for", "6") }, nil, 400, `delay_for="6"`},
		"too many":           {func(http.Header, url.Values) {}, seamark.Errorf(seamark.RateLimited, "seamark-tail-limit", "Too many."), 429, "Too many."},
	} {
		server := tailServer(t, &lokiTailer{err: c.err}, lokiVerifier{})
		h := http.Header{
			"Authorization": {"Bearer smk_query_x_y"}, "Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"},
			"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		q := url.Values{"query": {"{}"}}
		c.change(h, q)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/loki/api/v1/tail?"+q.Encode(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = h
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != c.status || !strings.Contains(string(body), c.want) || answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: got %d %s %q, %v, want %d with %q", name, answer.StatusCode, answer.Header.Get("Content-Type"), body, err, c.status, c.want)
		}
	}
}
