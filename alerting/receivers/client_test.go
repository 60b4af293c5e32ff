package receivers

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	commoncfg "github.com/prometheus/common/config"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/seamarkhq/seamark/internal/guard"
)

// sink counts the connections that reach a loopback port.
type sink struct {
	*httptest.Server
	connections atomic.Int64
}

func newSink(t *testing.T, h http.HandlerFunc) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *sink) port(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// resolverTo returns a resolver whose every answer is the next of addrs, the last one for ever: DNS rebinding.
func resolverTo(t *testing.T, addrs ...string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go answerDNS(pc, addrs)
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", pc.LocalAddr().String())
	}}
}

func answerDNS(pc net.PacketConn, addrs []string) {
	buf := make([]byte, 1500)
	asked := 0
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.Authoritative, m.RecursionAvailable = true, true, true
		m.Additionals = nil
		if q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(addrs[min(asked, len(addrs)-1)]).As4()},
			}}
			asked++
		}
		if out, err := m.Pack(); err == nil {
			_, _ = pc.WriteTo(out, from)
		}
	}
}

func TestDialRefusesEveryFormOfLoopback(t *testing.T) {
	target := newSink(t, func(http.ResponseWriter, *http.Request) {})
	port := target.port(t)
	g := guard.New(guard.Options{Ports: []uint16{443}, Resolver: resolverTo(t, "127.0.0.1")})
	client, err := newClient(g, &commoncfg.HTTPClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost", "[::1]", "[::]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "rebinding.example.com", "127.0.0.1.nip.example.",
	} {
		req, err := http.NewRequest(http.MethodPost, "http://"+host+":"+port+"/", strings.NewReader("{}"))
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: delivered", host)
		}
	}
	if n := target.connections.Load(); n != 0 {
		t.Errorf("%d connections reached the loopback listener, want 0", n)
	}
}

func TestDialChecksTheAddressThatIsConnected(t *testing.T) {
	target := newSink(t, func(http.ResponseWriter, *http.Request) {})
	// Whoever checks a name by resolving it first sees the public address; the connection would go to loopback.
	resolver := resolverTo(t, "93.184.215.14", "127.0.0.1")
	g := guard.New(guard.Options{Ports: []uint16{443}, Resolver: resolver})
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebinding.example.com")
	if err != nil || first[0].String() != "93.184.215.14" {
		t.Fatalf("first answer = %v, %v", first, err)
	}
	_, err = g.Dial(t.Context(), "tcp", net.JoinHostPort("rebinding.example.com", target.port(t)))
	if !errors.Is(err, guard.ErrBlocked) {
		t.Errorf("dial = %v, want a refusal", err)
	}
	if n := target.connections.Load(); n != 0 {
		t.Errorf("%d connections reached the loopback listener, want 0", n)
	}
}

func loopbackGuard(t *testing.T, addrs ...string) *guard.Guard {
	t.Helper()
	return guard.New(guard.Options{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Resolver: resolverTo(t, addrs...)})
}

func TestClientFollowsNoRedirect(t *testing.T) {
	second := newSink(t, func(http.ResponseWriter, *http.Request) {})
	first := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, second.URL, http.StatusTemporaryRedirect)
	})
	client, err := newClient(loopbackGuard(t, "127.0.0.1"), &commoncfg.HTTPClientConfig{FollowRedirects: true})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Post(first.URL, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTemporaryRedirect || second.connections.Load() != 0 {
		t.Errorf("status %d and %d connections to the redirect's target, want 307 and 0", resp.StatusCode, second.connections.Load())
	}
	if f := judgeStatus(&answer{status: resp.StatusCode}); f == nil || f.Retry {
		t.Errorf("judgeStatus(307) = %v, want a final failure", f)
	}
}

func TestClientIgnoresProxyOfEnvironment(t *testing.T) {
	proxy := newSink(t, func(http.ResponseWriter, *http.Request) {})
	target := newSink(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	client, err := newClient(loopbackGuard(t, "127.0.0.1"), &commoncfg.HTTPClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Post("http://receiver.example.com:"+target.port(t), "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if proxy.connections.Load() != 0 || target.connections.Load() != 1 {
		t.Errorf("%d connections to the proxy, %d to the target, want 0 and 1", proxy.connections.Load(), target.connections.Load())
	}
}

func TestClientReadsBoundedAnswer(t *testing.T) {
	endless := newSink(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 32<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	client, err := newClient(loopbackGuard(t, "127.0.0.1"), &commoncfg.HTTPClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(endless.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != maxResponseBytes {
		t.Errorf("read %d bytes, %v, want %d and no error", n, err, maxResponseBytes)
	}
}

func TestClientSendsCredentials(t *testing.T) {
	got := make(chan http.Header, 1)
	target := newSink(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header })
	basic := &commoncfg.HTTPClientConfig{BasicAuth: &commoncfg.BasicAuth{Username: "u", Password: "p"}}
	bearer := &commoncfg.HTTPClientConfig{Authorization: &commoncfg.Authorization{Type: "Bearer", Credentials: "tok"}}
	for want, cfg := range map[string]*commoncfg.HTTPClientConfig{"Basic dTpw": basic, "Bearer tok": bearer} {
		client, err := newClient(loopbackGuard(t, "127.0.0.1"), cfg)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Get(target.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if h := (<-got).Get("Authorization"); h != want {
			t.Errorf("Authorization = %q, want %q", h, want)
		}
	}
}
