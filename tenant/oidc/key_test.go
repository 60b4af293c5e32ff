package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"
)

// published is a JWK set with one good key of each kind and many that are not to be used.
func published(t testing.TB) (text []byte, good int) {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	rsaKey, rsaErr := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, ecErr := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	public, _, edErr := ed25519.GenerateKey(rand.Reader)
	if rsaErr != nil || ecErr != nil || edErr != nil {
		t.Fatal(rsaErr, ecErr, edErr)
	}
	point, err := ecKey.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := b64(point[1:49]), b64(point[49:])
	n, e := b64(rsaKey.N.Bytes()), b64(big.NewInt(int64(rsaKey.E)).Bytes())
	small := b64(new(big.Int).Lsh(big.NewInt(1), 1023).Bytes())
	text, err = json.Marshal(map[string]any{"keys": []map[string]any{
		{"kty": "RSA", "kid": "rsa", "n": n, "e": e, "use": "sig"},
		{"kty": "EC", "kid": "ec", "crv": "P-384", "x": x, "y": y},
		{"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": b64(public)},
		{"kty": "RSA", "kid": "encrypts", "n": n, "e": e, "use": "enc"},
		{"kty": "RSA", "kid": "small", "n": small, "e": e},
		{"kty": "RSA", "kid": "one", "n": n, "e": "AQ"},
		{"kty": "RSA", "kid": "huge exponent", "n": n, "e": n},
		{"kty": "EC", "kid": "off the curve", "crv": "P-384", "x": x, "y": x},
		{"kty": "EC", "kid": "short", "crv": "P-256", "x": x, "y": y},
		{"kty": "OKP", "kid": "x25519", "crv": "X25519", "x": b64(public)},
		{"kty": "oct", "kid": "shared", "k": "AAAA"},
		{"kty": "RSA", "kid": "no text", "n": "!", "e": e},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return text, 3
}

func TestOnlyGoodKeysCount(t *testing.T) {
	text, good := published(t)
	var set jwkSet
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	keys := set.parse()
	if len(keys) != good || len(keys.find("")) != good {
		t.Errorf("got %d keys, want %d: %v", len(keys), good, keys)
	}
	for _, id := range []string{"rsa", "ec", "ed"} {
		if len(keys.find(id)) != 1 {
			t.Errorf("key %s is not found", id)
		}
	}
	if len(keys.find("shared")) != 0 {
		t.Error("a shared secret is taken for a key")
	}
}

// FuzzKeySet: whatever a provider publishes is read without a panic, and no more keys than the bound come of it.
func FuzzKeySet(f *testing.F) {
	text, _ := published(f)
	f.Add(text)
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var set jwkSet
		if json.Unmarshal(text, &set) != nil {
			return
		}
		if n := len(set.parse()); n > maxKeys {
			t.Errorf("%d keys", n)
		}
	})
}
