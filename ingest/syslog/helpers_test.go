package syslog_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// pipes is a listener without a network, so that tests run on a clock that stands still while somebody works.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// pushed is one successful push, copied.
type pushed struct {
	id       string
	tenant   seamark.TenantID
	bodies   []string
	attrs    []string
	streams  []string
	levels   []seamark.Level
	rejected []seamark.Rejection
	after    time.Duration // since the test began
}

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

// fixture is a running server with a recorder behind it.
type fixture struct {
	listener net.Listener
	pipes    *pipes
	registry *prometheus.Registry
	log      *bytes.Buffer // to be read after a Wait
	ended    chan error
	stop     context.CancelFunc
	began    time.Time

	mu      sync.Mutex // guards what follows
	list    []pushed
	tries   []string // id of each attempt
	drops   []seamark.Drop
	fail    func(attempt int) error // nil error lets the push through
	revoked map[string]bool
	stored  chan struct{} // when set, hears of every push; it has room for all of them
}

// principals by token. Tokens a1 and a2 are the same cluster's.
func principalOf(token string) (seamark.Principal, bool) {
	p := seamark.Principal{Kind: seamark.IngestToken, Signals: seamark.AllSignals, CredentialID: "key-" + token, ClusterName: "prod"}
	switch token {
	case "a1", "a2":
		p.Tenant, p.Cluster = tenantA, "C1"
	case "b1":
		p.Tenant, p.Cluster = tenantB, "C2"
	case "metrics":
		p.Tenant, p.Cluster, p.Signals = tenantA, "C1", seamark.NewSignalSet(seamark.Metrics)
	case "query":
		p.Tenant, p.Cluster, p.Kind = tenantA, "C1", seamark.QueryToken
	default:
		return seamark.Principal{}, false
	}
	return p, true
}

func (f *fixture) verify(_ context.Context, token string) (seamark.Principal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := principalOf(token)
	if !ok || f.revoked[token] {
		return p, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "The token is unknown.")
	}
	return p, nil
}

func (f *fixture) push(_ context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error {
	f.mu.Lock()
	f.tries = append(f.tries, id)
	attempt, fail := len(f.tries), f.fail
	f.mu.Unlock()
	if fail != nil {
		if err := fail(attempt); err != nil {
			return err
		}
	}
	got := pushed{id: id, tenant: p.Tenant, rejected: append([]seamark.Rejection(nil), b.Rejected.Reasons...), after: time.Since(f.began)}
	if signal != seamark.Logs {
		panic("a signal other than logs")
	}
	for i, body := range b.Logs.Body {
		got.bodies = append(got.bodies, strings.Clone(body))
		got.levels = append(got.levels, b.Logs.Level[i])
		got.streams = append(got.streams, text(b.Logs.Streams[b.Logs.Stream[i]].Labels))
		got.attrs = append(got.attrs, text(b.Logs.AttrsOf(i)))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, got)
	if f.stored != nil {
		f.stored <- struct{}{}
	}
	return nil
}

// waitFor waits until n rows are stored.
func (f *fixture) waitFor(n int) {
	for len(f.bodies()) < n {
		<-f.stored
	}
}

func text(labels []seamark.Label) string {
	var t []string
	for _, l := range labels {
		t = append(t, l.Name+"="+l.Value)
	}
	return strings.Join(t, " ")
}

func (f *fixture) pushes() []pushed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]pushed(nil), f.list...)
}

func (f *fixture) bodies() []string {
	var all []string
	for _, p := range f.pushes() {
		all = append(all, p.bodies...)
	}
	return all
}

// start runs a server inside the caller's bubble. Its tokens come over plain connections unless change says otherwise.
func start(t *testing.T, change func(o *syslog.Options)) *fixture {
	t.Helper()
	f := &fixture{pipes: newPipes(), registry: prometheus.NewRegistry(), log: &bytes.Buffer{}, ended: make(chan error, 1),
		revoked: map[string]bool{}, began: time.Now()}
	cat := catalogtest.New()
	o := syslog.DefaultOptions()
	o.Listen.Listener = f.pipes
	o.Listen.AllowPlainTokens = true
	o.Listen.Verify, o.Listen.Push = f.verify, f.push
	o.Listen.Catalog = func(seamark.Principal) seamark.Catalog { return cat }
	o.Listen.Dropped = func(_ seamark.Principal, d seamark.Drop) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drops = append(f.drops, d)
	}
	o.Listen.Logger, o.Listen.Registerer, o.Listen.Now = slog.New(slog.NewTextHandler(f.log, nil)), f.registry, func() time.Time { return now }
	if change != nil {
		change(&o)
	}
	f.listener = o.Listen.Listener
	s, err := syslog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	f.stop = stop
	go func() { f.ended <- s.Serve(ctx) }()
	return f
}

// finish stops the server and waits for it.
func (f *fixture) finish(t *testing.T) {
	t.Helper()
	f.stop()
	if err := <-f.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// withServer runs body against a server whose every connection is tenant A's, unless change says otherwise.
func withServer(t *testing.T, change func(o *syslog.Options), body func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := start(t, change)
		body(t, f)
		f.finish(t)
	})
}

func fixedToken(o *syslog.Options) { o.Listen.Token = "a1" }

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("send %.60q: %v", text, err)
	}
}

// expectClosed fails unless the server has closed c.
func expectClosed(t *testing.T, c net.Conn) {
	t.Helper()
	synctest.Wait()
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("the connection is open")
	}
}

// counter returns the value of a metric with the given reason ("" for none).
func (f *fixture) counter(t *testing.T, name, reason string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			found := reason == ""
			for _, l := range m.GetLabel() {
				found = found || l.GetName() == "reason" && l.GetValue() == reason
			}
			if found {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

// pass lets d go by on the clock of the test's bubble, which stands still while anybody works and costs no time.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newRegistry() *prometheus.Registry { return prometheus.NewRegistry() }
