package syslog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func withTokenOf(token, body string) string {
	return `<14>1 - - app - - [seamark@0 token="` + token + `"][x@1 a="b"] ` + body + "\n"
}

// TestProofInMessage: a token in structured data holds for its message and the rest of the connection, and is not stored.
func TestProofInMessage(t *testing.T) {
	withServer(t, nil, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, withTokenOf("a1", "one")+"<14>two\n"+withTokenOf("a1", "three"))
		c.Close()
		other := f.pipes.dial(t)
		send(t, other, withTokenOf("b1", "other"))
		other.Close()
		synctest.Wait()
		byTenant := map[seamark.TenantID][]string{}
		for _, p := range f.pushes() {
			byTenant[p.tenant] = append(byTenant[p.tenant], p.bodies...)
			for _, stored := range slices.Concat(p.attrs, p.streams, p.bodies) {
				if strings.Contains(stored, "token") || strings.Contains(stored, "seamark") {
					t.Errorf("%q is stored", stored)
				}
			}
		}
		if a, b := byTenant[tenantA], byTenant[tenantB]; !slices.Equal(a, []string{"one", "two", "three"}) || !slices.Equal(b, []string{"other"}) {
			t.Errorf("tenant A has %q and B %q", a, b)
		}
	})
}

// TestProofRefused: each fault closes the connection, is counted under its id, stores nothing, and the log hears once.
func TestProofRefused(t *testing.T) {
	for name, c := range map[string]struct {
		input, reason string
		change        func(o *syslog.Options)
	}{
		"no token":            {"<14>hello\n", "seamark-stream-unproven", nil},
		"no token, too long":  {"<14>" + strings.Repeat("x", 300<<10), "seamark-stream-unproven", nil},
		"unknown token":       {withTokenOf("zz", "hello"), "seamark-token-unknown", nil},
		"a token to query":    {withTokenOf("query", "hello"), "seamark-stream-scope", nil},
		"a token for metrics": {withTokenOf("metrics", "hello"), "seamark-stream-scope", nil},
		"a token in the open": {withTokenOf("a1", "hello"), "seamark-stream-plaintext", func(o *syslog.Options) { o.Listen.AllowPlainTokens = false }},
		"a listener's token that is unknown": {"<14>hello\n", "seamark-token-unknown", func(o *syslog.Options) {
			o.Listen.Token = "zz"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, c.change, func(t *testing.T, f *fixture) {
				for range 5 {
					conn := f.pipes.dial(t)
					_, _ = io.WriteString(conn, c.input) // the server may close before it has read all
					expectClosed(t, conn)
				}
				if got := f.bodies(); len(got) != 0 {
					t.Errorf("%q was stored", got)
				}
				if got := f.counter(t, closedTotal, c.reason); got != 5 {
					t.Errorf("%v connections were counted, want 5", got)
				}
				if got := strings.Count(f.log.String(), "connection closed"); got != 1 {
					t.Errorf("the log heard %d times, want once:\n%s", got, f.log)
				}
				for _, secret := range []string{`"zz`, `"query`, `"metrics`, `"a1`} {
					if strings.Contains(strings.ReplaceAll(f.log.String(), `\`, ""), secret) {
						t.Errorf("the log has a token:\n%s", f.log)
					}
				}
			})
		})
	}
}

func TestProofSecondToken(t *testing.T) {
	t.Run("of the same cluster", func(t *testing.T) {
		withServer(t, nil, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, withTokenOf("a1", "one")+withTokenOf("a2", "two"))
			c.Close()
			synctest.Wait()
			if got := f.bodies(); !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("got %q", got)
			}
		})
	})
	t.Run("of another", func(t *testing.T) {
		withServer(t, nil, func(t *testing.T, f *fixture) {
			c := f.pipes.dial(t)
			send(t, c, withTokenOf("a1", "one")+withTokenOf("b1", "two"))
			expectClosed(t, c)
			got := f.pushes()
			if len(got) != 1 || got[0].tenant != tenantA || !slices.Equal(got[0].bodies, []string{"one"}) {
				t.Errorf("got %+v", got)
			}
			if n := f.counter(t, closedTotal, "seamark-stream-token"); n != 1 {
				t.Errorf("counted %v times", n)
			}
		})
	})
}

// TestProofRevoked: a token that is revoked while its connection is open pushes nothing more.
func TestProofRevoked(t *testing.T) {
	withServer(t, nil, func(t *testing.T, f *fixture) {
		c := f.pipes.dial(t)
		send(t, c, withTokenOf("a1", "one"))
		pass(time.Second)
		f.mu.Lock()
		f.revoked["a1"] = true
		f.mu.Unlock()
		send(t, c, "<14>two\n")
		pass(time.Second)
		expectClosed(t, c)
		if got := f.bodies(); !slices.Equal(got, []string{"one"}) {
			t.Errorf("got %q", got)
		}
		if got := f.counter(t, droppedTotal, "seamark-token-unknown"); got != 1 {
			t.Errorf("%v rows were counted as lost, want 1", got)
		}
	})
}

// authority is a certificate authority for tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{key, cert, pool}
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestProofTLS is RFC 5425 over a real connection: a verified certificate proves a tenant, one that is merely shown does
// not, and a token in a message is taken without AllowPlainTokens.
func TestProofTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	server := ours.issue(t, "seamark.test")
	client := func(a *authority) []tls.Certificate { return []tls.Certificate{a.issue(t, "edge-7")} }
	for name, c := range map[string]struct {
		auth   tls.ClientAuthType
		certs  []tls.Certificate
		input  string
		stored bool
		reason string
	}{
		"a verified certificate":            {tls.VerifyClientCertIfGiven, client(ours), "9 <14>hello", true, ""},
		"no certificate, a token":           {tls.VerifyClientCertIfGiven, nil, withTokenOf("a1", "hello"), true, ""},
		"no certificate and no token":       {tls.VerifyClientCertIfGiven, nil, "<14>hello\n", false, "seamark-stream-unproven"},
		"a certificate of nobody's":         {tls.RequireAnyClientCert, client(theirs), "9 <14>hello", false, "seamark-stream-unproven"},
		"a certificate that is not trusted": {tls.RequireAndVerifyClientCert, client(theirs), "9 <14>hello", false, "seamark-stream-tls"},
	} {
		t.Run(name, func(t *testing.T) {
			plain, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			f := start(t, func(o *syslog.Options) {
				o.Listen.AllowPlainTokens = false
				o.Listen.Listener = tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: c.auth, ClientCAs: ours.pool})
				o.Listen.CertificateToken = func(leaf *x509.Certificate) (string, bool) { return "a1", leaf.Subject.CommonName == "edge-7" }
			})
			conn, err := tls.Dial("tcp", f.listener.Addr().String(), &tls.Config{RootCAs: ours.pool, ServerName: "seamark.test", Certificates: c.certs})
			if err == nil {
				_, _ = io.WriteString(conn, c.input) // a refused handshake shows on the client's side only later
				_ = conn.CloseWrite()
				_, _ = io.Copy(io.Discard, conn) // until the server has done its part
				conn.Close()
			}
			f.finish(t)
			if got := f.bodies(); c.stored != slices.Equal(got, []string{"hello"}) {
				t.Errorf("got %q, want stored %v", got, c.stored)
			}
			if c.reason != "" && f.counter(t, closedTotal, c.reason) != 1 {
				t.Errorf("%s was not counted; the log says %s", c.reason, f.log)
			}
		})
	}
}

// TestProofTLSSilent: a client that connects and never shakes hands loses its place.
func TestProofTLSSilent(t *testing.T) {
	ours := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ours.issue(t, "seamark.test")}}
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		f := start(t, func(o *syslog.Options) { o.Listen.Listener = tls.NewListener(listener, config) })
		c := listener.dial(t)
		pass(31 * time.Second)
		expectClosed(t, c)
		if got := f.counter(t, closedTotal, "seamark-stream-tls"); got != 1 {
			t.Errorf("counted %v times", got)
		}
		f.finish(t)
	})
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(o *syslog.Options){
		"no listener":        func(o *syslog.Options) { o.Listen.Listener = nil },
		"no verification":    func(o *syslog.Options) { o.Listen.Verify = nil },
		"no push":            func(o *syslog.Options) { o.Listen.Push = nil },
		"no catalogue":       func(o *syslog.Options) { o.Listen.Catalog = nil },
		"no logger":          func(o *syslog.Options) { o.Listen.Logger = nil },
		"no connections":     func(o *syslog.Options) { o.Listen.MaxConns = 0 },
		"a batch of nothing": func(o *syslog.Options) { o.Listen.BatchBytes = 1 },
		"no idle time":       func(o *syslog.Options) { o.Listen.IdleTimeout = 0 },
		"too little memory":  func(o *syslog.Options) { o.Listen.MaxMemoryBytes = 1 << 20 },
		"messages too short": func(o *syslog.Options) { o.MaxMessageBytes = 1024 },
		"no attributes":      func(o *syslog.Options) { o.Listen.MaxAttrs = nil },
	} {
		o := syslog.DefaultOptions()
		f := &fixture{}
		o.Listen.Listener, o.Listen.Verify, o.Listen.Push = newPipes(), f.verify, f.push
		o.Listen.Catalog = func(seamark.Principal) seamark.Catalog { return nil }
		o.Listen.Logger, o.Listen.Registerer, o.Listen.Now = quiet(), newRegistry(), time.Now
		if _, err := syslog.New(o); err != nil {
			t.Fatalf("the options without a fault are refused: %v", err)
		}
		o.Listen.Registerer = newRegistry()
		change(&o)
		if _, err := syslog.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestNewTwice: two listeners of one process share their metrics.
func TestNewTwice(t *testing.T) {
	registry := newRegistry()
	for range 2 {
		o := syslog.DefaultOptions()
		f := &fixture{}
		o.Listen.Listener, o.Listen.Verify, o.Listen.Push = newPipes(), f.verify, f.push
		o.Listen.Catalog = func(seamark.Principal) seamark.Catalog { return nil }
		o.Listen.Logger, o.Listen.Registerer, o.Listen.Now = quiet(), registry, time.Now
		if _, err := syslog.New(o); err != nil {
			t.Fatal(err)
		}
	}
}
