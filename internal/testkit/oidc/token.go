package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"maps"
	"time"
)

// idTokenLocked makes the ID token of the person who is signed in, with the fault that was asked for.
func (i *Issuer) idTokenLocked(nonce string) string {
	now := i.now()
	claims := map[string]any{"iss": i.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": nonce}
	maps.Copy(claims, i.person)
	switch i.fault {
	case WrongNonce:
		claims["nonce"] = "another sign-in's"
	case NoNonce:
		delete(claims, "nonce")
	case WrongAudience:
		claims["aud"] = "another client"
	case TwoAudiences:
		claims["aud"] = []string{ClientID, "another client"}
	case OtherParty:
		claims["azp"] = "another client"
	case WrongIssuer:
		claims["iss"] = "https://elsewhere.example"
	case Expired:
		claims["exp"] = now.Add(-5 * time.Minute).Unix()
	case NoExpiry:
		delete(claims, "exp")
	case FromFuture:
		claims["iat"] = now.Add(time.Hour).Unix()
	case NoSubject:
		delete(claims, "sub")
	}
	return i.signLocked(claims)
}

func (i *Issuer) signLocked(claims map[string]any) string {
	key, kid := i.keys[len(i.keys)-1], i.kids[len(i.kids)-1]
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": kid}
	switch i.fault {
	case AlgNone:
		return sign(map[string]any{"alg": "none"}, claims, func([]byte) []byte { return nil })
	case AlgHS256:
		header["alg"] = "HS256"
		return sign(header, claims, withHMAC([]byte(ClientSecret)))
	case HS256OfKey:
		header["alg"] = "HS256"
		public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey) // an RSA key can be marshalled
		return sign(header, claims, withHMAC(public))
	case StrangeKey:
		strange, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // the system's randomness never fails
		}
		return sign(header, claims, withRSA(strange))
	case UnknownKeyID:
		header["kid"] = "unpublished"
	}
	return sign(header, claims, withRSA(key))
}

func withHMAC(secret []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		h := hmac.New(sha256.New, secret)
		_, _ = h.Write(input)
		return h.Sum(nil)
	}
}
