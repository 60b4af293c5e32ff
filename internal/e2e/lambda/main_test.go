// Package lambda runs the built binary as an AWS Lambda function: a stand-in of Lambda's Runtime API hands it events, stops the process
// as Lambda freezes a sandbox, and kills it as Lambda does without a word.
package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// patience is how long an event may take on a machine that is shared.
const patience = 60 * time.Second

// sandbox is one process of the function, and Lambda around it.
type sandbox struct {
	*harness.Process
	t        *testing.T
	events   chan []byte
	replies  chan []byte // answers and errors of invocations
	failures chan string // of starts
	next     int
}

// newSandbox starts a sandbox and waits until it is ready.
func newSandbox(t *testing.T, flags ...string) *sandbox {
	t.Helper()
	s, l := launch(t, flags...)
	if err := l.WaitReady(2 * time.Minute); err != nil {
		t.Fatalf("the sandbox did not start: %v", err)
	}
	return s
}

// launch starts a sandbox without waiting for it.
func launch(t *testing.T, flags ...string) (*sandbox, *harness.Launched) {
	t.Helper()
	s := &sandbox{t: t, events: make(chan []byte, 1), replies: make(chan []byte, 1), failures: make(chan string, 1)}
	api := httptest.NewServer(s.runtimeAPI())
	t.Cleanup(func() { api.CloseClientConnections(); api.Close() })
	l := harness.Launch(t, t.TempDir(), append([]string{"lambda", "--lambda.runtime-api", strings.TrimPrefix(api.URL, "http://")}, flags...)...)
	s.Process = l.Process
	return s, l
}

// runtimeAPI is what Lambda serves to the process.
func (s *sandbox) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case event := <-s.events:
			s.next++
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint(s.next))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
			_, _ = w.Write(event)
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		s.replies <- body
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		s.failures <- string(body)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "e")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

// request is an HTTP request as a gateway gets it.
type request struct {
	method, path, token, media, encoding string
	body                                 []byte
}

// event is the request in payload format 2.0.
func (r *request) event() []byte {
	u, err := url.Parse(r.path)
	if err != nil {
		panic(err)
	}
	headers := map[string]string{"host": "ingest.example.com", "content-type": r.media, "x-forwarded-for": "198.51.100.7"}
	if r.token != "" {
		headers["authorization"] = "Bearer " + r.token
	}
	if r.encoding != "" {
		headers["content-encoding"] = r.encoding
	}
	text, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": u.EscapedPath(), "rawQueryString": u.RawQuery, "headers": headers,
		"requestContext":  map[string]any{"http": map[string]any{"method": r.method, "path": u.Path, "sourceIp": "198.51.100.7"}, "stage": "$default"},
		"body":            base64.StdEncoding.EncodeToString(r.body),
		"isBase64Encoded": true,
	})
	if err != nil {
		panic(err)
	}
	return text
}

// reply is what the gateway gets.
type reply struct {
	StatusCode        int
	StatusDescription string
	Headers           map[string]string
	Body              string
	ErrorMessage      string
}

// send hands an event over without waiting for its answer.
func (s *sandbox) send(event []byte) { s.events <- event }

// receive waits for the answer to an event.
func (s *sandbox) receive() *reply {
	s.t.Helper()
	select {
	case text := <-s.replies:
		got := &reply{}
		if err := json.Unmarshal(text, got); err != nil {
			s.t.Fatalf("the answer is no JSON: %v: %s", err, text)
		}
		return got
	case <-s.Done():
		s.t.Fatal("the sandbox ended")
	case <-time.After(patience):
		s.t.Fatal("no answer")
	}
	return nil
}

// invoke sends a request and returns its answer.
func (s *sandbox) invoke(r *request) *reply {
	s.t.Helper()
	s.send(r.event())
	return s.receive()
}

// freeze stops the process as Lambda does when nothing is to do, thaw lets it go on.
func (s *sandbox) freeze() {
	s.t.Helper()
	testkit.Freeze(s.t, s.Pid())
}

func (s *sandbox) thaw() {
	s.t.Helper()
	if err := syscall.Kill(s.Pid(), syscall.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
}

// path is the network between a sandbox and NATS, which forgets connections that were silent.
type path struct {
	t        *testing.T
	target   string
	listener net.Listener

	mu   sync.Mutex // guards what follows
	lost bool       // new connections are held, too
	open []*link
}

// link is one connection through a path.
type link struct {
	near, far net.Conn
	lost      chan struct{} // closed when nothing gets through any more, and nobody is told
	once      sync.Once
}

func (l *link) lose() { l.once.Do(func() { close(l.lost) }) }

func newPath(t *testing.T, target string) *path {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &path{t: t, target: u.Host, listener: listener}
	t.Cleanup(p.close)
	go p.serve()
	return p
}

// URL is the address of NATS through the path.
func (p *path) URL() string { return "nats://" + p.listener.Addr().String() }

func (p *path) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp4", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		l := &link{near: near, far: far, lost: make(chan struct{})}
		p.mu.Lock()
		p.open = append(p.open, l)
		if p.lost {
			l.lose()
		}
		p.mu.Unlock()
		go l.copy(near, far)
		go l.copy(far, near)
	}
}

// copy passes bytes on until the link is lost. Nothing that comes later is read, as if it went nowhere.
func (l *link) copy(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-l.lost:
			return
		default:
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	l.close()
}

func (l *link) close() {
	_ = l.near.Close()
	_ = l.far.Close()
}

// lose has nothing get through, on connections of now and, while it lasts, on new ones.
func (p *path) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = true
	for _, l := range p.open {
		l.lose()
	}
}

// heal lets new connections through. Those that were lost stay so.
func (p *path) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = false
}

func (p *path) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.open {
		l.close()
	}
}
