package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/websocket"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lokiTailer opens tails that do what run says.
type lokiTailer struct {
	query  api.LogTailQuery
	err    error
	run    func(ctx context.Context, send func([]byte) error) error
	closed atomic.Int32
}

func (l *lokiTailer) TailLogs(_ context.Context, _ seamark.TenantID, q api.LogTailQuery) (api.LogTail, error) {
	l.query = q
	return l, l.err
}

func (l *lokiTailer) Run(ctx context.Context, send func([]byte) error) error { return l.run(ctx, send) }

func (l *lokiTailer) Close() { l.closed.Add(1) }

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

func dial(t *testing.T, server *httptest.Server, params url.Values, header http.Header) (*websocket.Conn, error) {
	t.Helper()
	config, err := websocket.NewConfig("ws"+strings.TrimPrefix(server.URL, "http")+"/loki/api/v1/tail?"+params.Encode(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.Header = http.Header{"Authorization": {"Bearer smk_query_x_y"}}
	for name, values := range header {
		config.Header[name] = values
	}
	return config.DialContext(t.Context())
}

// frames returns the texts that come until the connection closes, and the code it closes with.
func frames(t *testing.T, conn *websocket.Conn) (texts []string, code int) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		r, err := conn.NewFrameReader()
		if err != nil {
			t.Fatalf("read after %q: %v", texts, err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch r.PayloadType() {
		case websocket.TextFrame:
			texts = append(texts, string(body))
		case websocket.CloseFrame:
			return texts, int(body[0])<<8 | int(body[1])
		}
	}
}

func TestTailFramesAndEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(ctx context.Context) error
		code int
	}{
		"the server stops": {func(context.Context) error { return api.ErrTailClosing }, 1001},
		"a fault":          {func(context.Context) error { return errors.New("the store is away") }, 1011},
	} {
		t.Run(name, func(t *testing.T) {
			l := &lokiTailer{run: func(ctx context.Context, send func([]byte) error) error {
				return errors.Join(send([]byte("one")), send([]byte("two")), c.end(ctx))
			}}
			conn, err := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if texts, code := frames(t, conn); code != c.code || !cmp.Equal(texts, []string{"one", "two"}) {
				t.Errorf("got %q and code %d, want two and %d", texts, code, c.code)
			}
			if l.closed.Load() == 0 {
				t.Error("the tail's place was not given back")
			}
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
		conn, err := dial(t, tailServer(t, l, lokiVerifier{}), c.params, c.header)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		frames(t, conn)
		if diff := cmp.Diff(c.want, l.query); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTailPings sends a frame after some pings.
func TestTailPings(t *testing.T) {
	pinged := make(chan struct{})
	l := &lokiTailer{run: func(ctx context.Context, send func([]byte) error) error {
		select {
		case <-pinged:
		case <-ctx.Done():
		}
		return errors.Join(send([]byte("after")), api.ErrTailClosing)
	}}
	conn, err := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pings := 0; pings < 3; pings++ {
		r, err := conn.NewFrameReader()
		if err != nil || r.PayloadType() != websocket.PingFrame {
			t.Fatalf("got %v, %v, want a ping", r, err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
	}
	close(pinged)
	if texts, _ := frames(t, conn); !cmp.Equal(texts, []string{"after"}) {
		t.Errorf("got %q after pings", texts)
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
	conn, err := dial(t, tailServer(t, l, v), url.Values{"query": {"{}"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, code := frames(t, conn); code != 1008 {
		t.Errorf("got code %d, want 1008", code)
	}
}

// TestTailReaderGoes ends the tail of a reader that closes, and of one that talks too much.
func TestTailReaderGoes(t *testing.T) {
	for name, leave := range map[string]func(*websocket.Conn) error{
		"closes": (*websocket.Conn).Close,
		"talks": func(c *websocket.Conn) error {
			return websocket.Message.Send(c, strings.Repeat("x", 1<<20))
		},
	} {
		ended := make(chan struct{})
		l := &lokiTailer{run: func(ctx context.Context, _ func([]byte) error) error {
			defer close(ended)
			<-ctx.Done()
			return ctx.Err()
		}}
		conn, err := dial(t, tailServer(t, l, lokiVerifier{}), url.Values{"query": {"{}"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := leave(conn); err != nil {
			t.Logf("%s: %v", name, err) // the server may be faster
		}
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the tail goes on", name)
		}
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
