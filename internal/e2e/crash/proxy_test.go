package crash

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy passes requests on whole, and loses a share of the answers: the server has taken the request, and the sender
// learns nothing of it. Half of the lost ones end while the server is still at work, so that the repeat can meet the
// original on its way; the others end after the answer has come, and of those half in the middle of it.
type proxy struct {
	url    string
	target atomic.Pointer[string]
	client http.Client
	loses  float64

	mu         sync.Mutex // guards rnd
	rnd        *rand.Rand
	acks, lost atomic.Int64 // answers of success, and those of them that no sender saw
	pending    sync.WaitGroup
}

func newProxy(t *testing.T, rnd *rand.Rand, loses float64) *proxy {
	p := &proxy{rnd: rand.New(rand.NewPCG(rnd.Uint64(), 1)), loses: loses}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	p.client.Transport = transport
	server := httptest.NewServer(p)
	p.url = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		p.pending.Wait()
		transport.CloseIdleConnections()
	})
	return p
}

// aim says which server the requests go to.
func (p *proxy) aim(url string) { p.target.Store(&url) }

// ways in which an answer gets lost, or not.
const (
	passed = iota
	lostBefore
	lostAfter
	lostWithin
)

func (p *proxy) chance() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := p.rnd.Float64(); {
	case n < p.loses/2:
		return lostBefore
	case n < p.loses*3/4:
		return lostAfter
	case n < p.loses:
		return lostWithin
	}
	return passed
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	way := p.chance()
	if way == lostBefore {
		p.pending.Go(func() { _, _, _ = p.forward(r, body, way) })
		panic(http.ErrAbortHandler) // it closes the sender's connection
	}
	resp, answer, err := p.forward(r, body, way)
	switch {
	case err != nil || way == lostAfter:
		panic(http.ErrAbortHandler)
	case way == lostWithin:
		cut(w)
		return
	}
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// forward has the server answer the request.
func (p *proxy) forward(r *http.Request, body []byte, way int) (*http.Response, []byte, error) {
	out, err := http.NewRequest(r.Method, *p.target.Load()+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	out.Header = r.Header.Clone()
	resp, err := p.client.Do(out)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 == 2 {
		p.acks.Add(1)
		if way != passed {
			p.lost.Add(1)
		}
	}
	return resp, answer, err
}

// cut sends the beginning of an answer and ends the connection.
func cut(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = buffered.WriteString("HTTP/1.1 20")
	_ = buffered.Flush()
	_ = conn.Close()
}

// relay is a TCP address that stays while the server behind it goes and comes back elsewhere.
type relay struct {
	listener net.Listener
	target   atomic.Pointer[string]
}

func newRelay(t *testing.T, target string) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener}
	r.aim(target)
	go r.accept()
	t.Cleanup(func() { _ = listener.Close() })
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) aim(target string) { r.target.Store(&target) }

func (r *relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.join(conn)
	}
}

// join copies both ways until either side ends, then closes both.
func (r *relay) join(outside net.Conn) {
	defer func() { _ = outside.Close() }()
	inside, err := net.Dial("tcp", *r.target.Load())
	if err != nil {
		return // as if nothing listened there
	}
	defer func() { _ = inside.Close() }()
	go func() {
		_, _ = io.Copy(outside, inside)
		_ = outside.Close()
	}()
	_, _ = io.Copy(inside, outside)
}
