package seamark

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func newKey(t *testing.T, bits int) (key *rsa.PrivateKey, pkcs8 string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestDelivery seals a secret to a key and writes it to a file that only its owner reads, also when others could before.
func TestDelivery(t *testing.T) {
	const secret = "smk_ingest_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	key, pkcs8 := newKey(t, shortestKeyBits)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(strings.Repeat("longer than what comes ", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	d := delivery{SealTo: new(publicPEM(t, &key.PublicKey)), SecretFile: &file}
	if err := d.deliver(secret); err != nil {
		t.Fatal(err)
	}
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for form, private := range map[string]string{"PKCS #8": pkcs8, "PKCS #1": pkcs1} {
		if got, err := unseal(d.SealedSecret.ValueString(), private); err != nil || got != secret {
			t.Errorf("by a key in %s: got %q, %v", form, got, err)
		}
	}
	text, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	if err != nil || statErr != nil || string(text) != secret+"\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("the file holds %q with %v: %v, %v", text, info.Mode(), err, statErr)
	}
	_, other := newKey(t, shortestKeyBits)
	for name, c := range map[string]struct{ sealed, key, want string }{
		"another key": {d.SealedSecret.ValueString(), other, "was not sealed to this key"},
		"no key":      {d.SealedSecret.ValueString(), "x", "not PEM"},
		"no base64":   {"*", pkcs8, "not base64"},
	} {
		if got, err := unseal(c.sealed, c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// TestPublicKeys refuses keys before there is a secret that would be lost.
func TestPublicKeys(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, _ := newKey(t, 1024)
	for name, c := range map[string]struct{ key, want string }{
		"an elliptic curve": {publicPEM(t, &curve.PublicKey), "only RSA keys encrypt"},
		"a short key":       {publicPEM(t, &short.PublicKey), "1024 bits"},
		"no PEM":            {"ssh-rsa AAAA", "not a public key in PEM"},
		"no key":            {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key"},
	} {
		if err := (&delivery{SealTo: &c.key}).open(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
