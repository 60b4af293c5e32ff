package child

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// ClientIPHeader tells the child the address of the client. The child's socket is open to this process's user alone, and the header is
// always set, so that no client can set it.
const ClientIPHeader = "Seamark-Client-Ip"

const (
	// idleConns are connections to the child that are kept, idleFor shorter than the child keeps them: a request that can not be sent
	// twice must not meet one that the other side has just closed.
	idleConns = 256
	idleFor   = 20 * time.Second
	copySize  = 32 << 10
)

// Proxy passes requests to a child that serves HTTP on a unix socket. It is safe for concurrent use.
type Proxy struct {
	transport *http.Transport
	reverse   *httputil.ReverseProxy
}

// NewProxy makes the proxy of a socket, which need not be there yet.
func NewProxy(socket string, log *slog.Logger) *Proxy {
	p := &Proxy{transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: idleConns, IdleConnTimeout: idleFor, DisableCompression: true,
	}}
	p.reverse = &httputil.ReverseProxy{
		Transport: p.transport, BufferPool: &buffers{}, Rewrite: rewrite, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) {
			if failed, ok := r.Context().Value(failedKey{}).(*error); ok {
				*failed = err
			}
		},
	}
	return p
}

type (
	failedKey struct{}
	clientKey struct{}
)

// rewrite sends the request on as it came: its parameters are not ours to clean.
func rewrite(r *httputil.ProxyRequest) {
	to := *r.In.URL
	to.Scheme, to.Host = "http", "child"
	r.Out.URL, r.Out.Host = &to, r.In.Host
	client, _ := r.In.Context().Value(clientKey{}).(string)
	r.Out.Header.Set(ClientIPHeader, client)
	// This server's own front says 100 Continue when the body is read. A second one, of the child, would come through as the answer's
	// status line for writers that take the first WriteHeader for the last.
	r.Out.Header.Del("Expect")
}

// Pass answers a request by the child's answer. It fails, with nothing written, when the child does not answer.
func (p *Proxy) Pass(w http.ResponseWriter, r *http.Request, clientIP string) (err error) {
	ctx := context.WithValue(context.WithValue(r.Context(), failedKey{}, &err), clientKey{}, clientIP)
	p.reverse.ServeHTTP(w, r.WithContext(ctx))
	return err
}

// Client returns a client whose requests all go to the child.
func (p *Proxy) Client() *http.Client { return &http.Client{Transport: p.transport} }

// Forget closes the connections that nobody uses, after the child behind them has ended.
func (p *Proxy) Forget() { p.transport.CloseIdleConnections() }

// buffers implements httputil.BufferPool.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if have, ok := b.pool.Get().(*[]byte); ok {
		return *have
	}
	return make([]byte, copySize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
