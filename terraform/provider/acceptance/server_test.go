package acceptance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const password = "correct horse battery staple"

// TestAcceptance runs everything against one server, each part in a tenant of its own.
func TestAcceptance(t *testing.T) {
	s := harness.Serve(t, t.TempDir(), "serve", "--forwarders.allowed-targets", "127.0.0.0/8", "--session.token-lifetime", "15m", "--tenants.purge-settle", "100ms")
	harness.MustRun(t, password+"\n", "admin", "--data-dir", s.DataDir, "user", "create", "--password-stdin", "ops@example.com", "--operator")
	var session *client.NewSession
	testkit.Eventually(t, time.Minute, func() (err error) { // the server hears of the person a moment later
		session, err = as(t, s.URL, "").CreateSession(t.Context(), client.Credentials{Login: "ops@example.com", Password: password})
		return err
	})
	provider := buildProvider(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"tenant", testTenant}, {"receivers", testReceivers}, {"operator", testOperator}, {"rotation", testTokenRotation}, {"run", testRunToken},
		{"faults", testFaults}, {"settings", testProviderFaults}, {"conflict", testConflict}, {"refused", testRefusedChange}, {"plain", testPlainSecret},
		{"examples", testExamples},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s, part.name, *session.Token)
			w.provider = provider
			part.run(t, w)
		})
	}
}

// world is a server with a tenant of the test's own, and a client for each who asks.
type world struct {
	*harness.Server
	provider                  string // folder of its executable
	slug                      string
	adminToken, operatorToken string
	admin, operator           *client.Client

	publicKey, privateKey string // that secrets are sealed to
}

func newWorld(t *testing.T, s *harness.Server, slug, operatorToken string) *world {
	t.Helper()
	w := &world{Server: s, slug: slug, operatorToken: operatorToken, operator: as(t, s.URL, operatorToken)}
	if _, err := w.operator.CreateTenant(t.Context(), client.TenantSpec{Slug: slug}); err != nil {
		t.Fatal(err)
	}
	var made struct{ Token string }
	s.Admin(t)(&made, "token", "create", slug, "--kind", "admin")
	w.adminToken = made.Token
	w.admin = as(t, s.URL, w.adminToken)
	w.publicKey, w.privateKey = keys(t)
	return w
}

// as returns a client with a credential.
func as(t *testing.T, url, token string) *client.Client {
	t.Helper()
	c, err := client.New(url, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keys returns a pair of keys that secrets are sealed to, in PEM.
func keys(t *testing.T) (public, private string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("PUBLIC KEY", publicDER), encode("PRIVATE KEY", privateDER)
}
