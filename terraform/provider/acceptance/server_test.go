package acceptance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	slug     = "acme"
	password = "correct horse battery staple"
)

// world is a server with a tenant, and a client for each who asks.
type world struct {
	*harness.Server
	adminToken, operatorToken string
	admin, operator           *client.Client

	publicKey, privateKey string // that secrets are sealed to
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), "serve", "--forwarders.allowed-targets", "127.0.0.0/8", "--session.token-lifetime", "15m", "--tenants.purge-settle", "100ms")
	w := &world{Server: s}
	var made struct{ Token string }
	s.Admin(t)(nil, "tenant", "create", slug)
	s.Admin(t)(&made, "token", "create", slug, "--kind", "admin")
	w.adminToken = made.Token
	w.admin = w.as(t, w.adminToken)
	harness.MustRun(t, password+"\n", "admin", "--data-dir", s.DataDir, "user", "create", "--password-stdin", "ops@example.com", "--operator")
	session, err := w.as(t, "").CreateSession(t.Context(), client.Credentials{Login: "ops@example.com", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	w.operatorToken = *session.Token
	w.operator = w.as(t, w.operatorToken)
	w.publicKey, w.privateKey = keys(t)
	return w
}

// as returns a client with a credential.
func (w *world) as(t *testing.T, token string) *client.Client {
	t.Helper()
	c, err := client.New(w.URL, token)
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
