package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// patience is how long a test waits for what should happen within milliseconds; the machine may be busy.
const patience = time.Minute

// cheap is a password cost for tests that are not about it.
func cheap() tenant.PasswordCost { return tenant.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1} }

func jetStream(t testing.TB, n *engine.NATS) jetstream.JetStream {
	t.Helper()
	nc, err := n.Connect()
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(nc.Close)
	return newJetStream(t, nc)
}

func newJetStream(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("jetstream: %v", err)
	}
	return js
}

// openDirectory opens a directory that is closed at the test's end.
func openDirectory(t testing.TB, js jetstream.JetStream, change ...func(*tenant.Options)) *tenant.Directory {
	t.Helper()
	d, err := tryOpen(t, js, change...)
	if err != nil {
		t.Fatalf("open directory: %v", err)
	}
	return d
}

// testRoot is the root key of every test's store.
const testRoot = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// newRing opens the keys that secrets are sealed with.
func newRing(t testing.TB, js jetstream.JetStream) *seal.Ring {
	t.Helper()
	ring, err := seal.Open(t.Context(), seal.Options{JS: js, Root: seal.RootSource{Text: testRoot}})
	if err != nil {
		t.Fatalf("open the ring of keys: %v", err)
	}
	return ring
}

func tryOpen(t testing.TB, js jetstream.JetStream, change ...func(*tenant.Options)) (*tenant.Directory, error) {
	t.Helper()
	opts := tenant.Options{JS: js, PasswordCost: cheap(), SyncTimeout: patience, ReconnectJitter: 10 * time.Millisecond}
	for _, c := range change {
		c(&opts)
	}
	if opts.Keys == nil && js.Conn().IsConnected() {
		opts.Keys = newRing(t, js)
	}
	d, err := tenant.Open(t.Context(), opts)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := d.Close(ctx); err != nil && t.Failed() {
			t.Logf("close directory: %v", err)
		}
	})
	return d, nil
}

func withClock(clock *testkit.Clock) func(*tenant.Options) {
	return func(o *tenant.Options) { o.Now = clock.Now }
}

func newTenant(t testing.TB, d *tenant.Directory, slug string) tenant.Tenant {
	t.Helper()
	made, err := d.CreateTenant(t.Context(), tenant.TenantSpec{Slug: slug})
	if err != nil {
		t.Fatalf("create tenant %s: %v", slug, err)
	}
	return made
}

func newCluster(t testing.TB, d *tenant.Directory, id seamark.TenantID, name string) tenant.Cluster {
	t.Helper()
	made, err := d.CreateCluster(t.Context(), id, tenant.ClusterSpec{Name: name})
	if err != nil {
		t.Fatalf("create cluster %s: %v", name, err)
	}
	return made
}

func newToken(t testing.TB, d *tenant.Directory, id seamark.TenantID, spec tenant.TokenSpec) (tenant.Token, string) {
	t.Helper()
	made, secret, err := d.CreateToken(t.Context(), id, spec)
	if err != nil {
		t.Fatalf("create token: %v", err)
	}
	return made, secret
}

func newUser(t testing.TB, d *tenant.Directory, spec tenant.UserSpec) tenant.User {
	t.Helper()
	made, err := d.CreateUser(t.Context(), spec)
	if err != nil {
		t.Fatalf("create user %s: %v", spec.Login, err)
	}
	return made
}

func signIn(t testing.TB, d *tenant.Directory, c tenant.Credentials) tenant.SessionToken {
	t.Helper()
	session, err := d.SignIn(t.Context(), c)
	if err != nil {
		t.Fatalf("sign in %s: %v", c.Login, err)
	}
	return session
}

// wantError checks kind and id of an error, which is all that callers may rely on.
func wantError(t testing.TB, err error, kind seamark.Kind, id string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != kind || e.ID != id {
		t.Fatalf("got error %v (kind %s), want kind %s and id %s", err, seamark.KindOf(err), kind, id)
	}
}

// eventually waits until check returns nil.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	testkit.Eventually(t, patience, check)
}

// refused is a check for eventually: the error has the wanted id by now.
func refused(err error, id string) error {
	if e, ok := errors.AsType[*seamark.Error](err); ok && e.ID == id {
		return nil
	}
	return fmt.Errorf("got %w, want %s", errOrNone(err), id)
}

func errOrNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// fragileNATS is a server that a test stops and starts again on the same data, under connections that live on.
type fragileNATS struct {
	folder string

	mu      sync.Mutex
	current *server.Server
}

func newFragileNATS(t testing.TB) *fragileNATS {
	t.Helper()
	n := &fragileNATS{folder: t.TempDir()}
	n.start(t, n.folder)
	t.Cleanup(n.stop)
	return n
}

// start runs a server on the folder; another folder than before means that all data was lost.
func (n *fragileNATS) start(t testing.TB, folder string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		DontListen: true, NoSigs: true, JetStream: true, StoreDir: folder, JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 64 << 20,
	})
	if err != nil {
		t.Fatalf("start NATS: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS did not become ready")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.current = s
}

func (n *fragileNATS) stop() {
	n.mu.Lock()
	s := n.current
	n.current = nil
	n.mu.Unlock()
	if s != nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// Dial implements nats.CustomDialer.
func (n *fragileNATS) Dial(_, _ string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return nil, errors.New("the server is stopped")
	}
	return n.current.InProcessConn()
}

func (n *fragileNATS) connect(t testing.TB) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect("nats://127.0.0.1:4222", nats.SetCustomDialer(n), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(nc.Close)
	return newJetStream(t, nc)
}
