package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// jwkSet is a provider's keys as it publishes them (RFC 7517).
type jwkSet struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// keySet is the keys that can check a signature.
type keySet []signingKey

type signingKey struct {
	id     string
	public crypto.PublicKey
}

// maxKeys bounds the keys of one provider: a token without a key id is tried with each.
const maxKeys = 32

// parse returns the keys that we can check signatures with. The others are somebody else's: a set may hold keys for encryption,
// and kinds that are younger than this code.
func (s jwkSet) parse() keySet {
	var set keySet
	for _, k := range s.Keys {
		if k.Use != "" && k.Use != "sig" || len(set) == maxKeys {
			continue
		}
		if public, err := k.parse(); err == nil {
			set = append(set, signingKey{k.ID, public})
		}
	}
	return set
}

func (k *jwk) parse() (crypto.PublicKey, error) {
	switch k.Type {
	case "RSA":
		return k.parseRSA()
	case "EC":
		return k.parseEC()
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("not an Ed25519 key")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, fmt.Errorf("key type %.20q", k.Type)
}

// parseRSA refuses keys that can be factored, and those that make a check expensive.
func (k *jwk) parseRSA() (crypto.PublicKey, error) {
	const minBits, maxBits = 2048, 8192
	n, nErr := base64.RawURLEncoding.DecodeString(k.N)
	e, eErr := base64.RawURLEncoding.DecodeString(k.E)
	if err := errors.Join(nErr, eErr); err != nil {
		return nil, err
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minBits || bits > maxBits || exponent.BitLen() > 31 || exponent.Int64() < 3 {
		return nil, errors.New("RSA key out of bounds")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

func (k *jwk) parseEC() (crypto.PublicKey, error) {
	curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Curve]
	x, xErr := base64.RawURLEncoding.DecodeString(k.X)
	y, yErr := base64.RawURLEncoding.DecodeString(k.Y)
	if err := errors.Join(xErr, yErr); err != nil || !ok {
		return nil, errors.New("not a key on a known curve")
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("coordinates of another length than the curve's")
	}
	return ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
}

// find returns the keys that may have made a signature: the one with the id, or all when the token names none.
func (s keySet) find(id string) []crypto.PublicKey {
	var list []crypto.PublicKey
	for _, k := range s {
		if id == "" || k.id == id {
			list = append(list, k.public)
		}
	}
	return list
}
