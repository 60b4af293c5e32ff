// Package oidc is an OpenID Connect provider for tests: discovery, authorization, tokens with a strict check of PKCE, keys that
// rotate, and every fault that a client must notice. Only _test.go files import it.
package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Fault is what an issuer does wrong in the tokens it makes from then on.
type Fault string

// The faults. None is the zero value.
const (
	WrongNonce    Fault = "wrong nonce"
	NoNonce       Fault = "no nonce"
	WrongAudience Fault = "wrong audience"
	TwoAudiences  Fault = "two audiences without azp"
	OtherParty    Fault = "azp of another client"
	WrongIssuer   Fault = "wrong issuer"
	Expired       Fault = "expired"
	NoExpiry      Fault = "no expiry"
	FromFuture    Fault = "from the future"
	AlgNone       Fault = "alg none"
	AlgHS256      Fault = "alg HS256 with the client secret"
	HS256OfKey    Fault = "alg HS256 with the public key"
	StrangeKey    Fault = "signed with a key that is not published"
	UnknownKeyID  Fault = "names a key that is not published"
	NoSubject     Fault = "no subject"
	NoToken       Fault = "no ID token"
	Broken        Fault = "status 500"
	Endless       Fault = "an endless token answer"
	Redirects     Fault = "redirects the token request"
)

// Faults lists the faults of a token answer.
func Faults() []Fault {
	return []Fault{
		WrongNonce, NoNonce, WrongAudience, TwoAudiences, OtherParty, WrongIssuer, Expired, NoExpiry, FromFuture, AlgNone, AlgHS256, HS256OfKey,
		StrangeKey, UnknownKeyID, NoSubject, NoToken, Broken, Endless, Redirects,
	}
}

// The client that every issuer knows.
const (
	ClientID     = "seamark"
	ClientSecret = "a secret of the test issuer"
)

// Issuer is a running provider. It signs in the person it was told, without asking.
type Issuer struct {
	URL string

	mu      sync.Mutex // guards what follows
	now     func() time.Time
	person  map[string]any // claims, sub among them
	denies  string         // the error that it answers with instead of a code
	fault   Fault
	keys    []*rsa.PrivateKey // the last signs
	kids    []string
	made    int
	codes   map[string]*grant
	visits  map[string]int // by path
	refused []string
}

// grant is a code that was given out.
type grant struct {
	redirect, challenge, nonce string
	spent                      bool
}

// New starts an issuer that runs until the test ends. now is its clock.
func New(t testing.TB, now func() time.Time) *Issuer {
	t.Helper()
	i := &Issuer{now: now, person: map[string]any{"sub": "1"}, codes: map[string]*grant{}, visits: map[string]int{}}
	i.RotateKeys(t, false)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	mux.HandleFunc("GET /keys", i.jwks)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.visits[r.URL.Path]++
		i.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// SignIn says who is signed in from now on. claims must have a sub.
func (i *Issuer) SignIn(claims map[string]any) { i.set(func() { i.person, i.denies = claims, "" }) }

// Deny answers authorization with an error from now on, such as access_denied.
func (i *Issuer) Deny(code string) { i.set(func() { i.denies = code }) }

// Misbehave makes the issuer do one thing wrong from now on; "" ends that.
func (i *Issuer) Misbehave(f Fault) { i.set(func() { i.fault = f }) }

func (i *Issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

// RotateKeys signs with a new key from now on. The ones before stay published when keep is true.
func (i *Issuer) RotateKeys(t testing.TB, keep bool) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i.set(func() {
		if !keep {
			i.keys, i.kids = nil, nil
		}
		i.made++
		i.keys, i.kids = append(i.keys, key), append(i.kids, fmt.Sprintf("key-%d", i.made))
	})
}

// Visits counts the requests to a path.
func (i *Issuer) Visits(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.visits[path]
}

// Refused lists why token requests were refused.
func (i *Issuer) Refused() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.refused...)
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic"},
		"authorization_response_iss_parameter_supported": true,
	})
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	keys := []map[string]any{{"kty": "oct", "kid": "not ours", "k": "AA"}, {"kty": "RSA", "use": "enc", "kid": "encrypts", "n": "AA", "e": "AQAB"}}
	for n, k := range i.keys {
		keys = append(keys, map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": i.kids[n],
			"n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.E)).Bytes()),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// authorize checks the request as RFC 6749 4.1.1 and RFC 7636 want it, and sends the browser back at once.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name, want := range map[string]string{"client_id": ClientID, "response_type": "code", "code_challenge_method": "S256"} {
		if got := q.Get(name); got != want {
			http.Error(w, fmt.Sprintf("%s is %q, want %q", name, got, want), http.StatusBadRequest)
			return
		}
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("code_challenge") == "" || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "redirect_uri, code_challenge, nonce and state are required here", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {i.URL}}
	i.mu.Lock()
	if i.denies != "" {
		answer.Set("error", i.denies)
	} else {
		code := rand.Text()
		i.codes[code] = &grant{redirect: back.String(), challenge: q.Get("code_challenge"), nonce: q.Get("nonce")}
		answer.Set("code", code)
	}
	i.mu.Unlock()
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

// token redeems a code once, from who has the verifier.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, reason := i.redeemLocked(r)
	if reason != "" {
		i.refused = append(i.refused, reason)
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": reason})
		return
	}
	switch i.fault {
	case Broken:
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	case Redirects:
		http.Redirect(w, r, i.URL+"/elsewhere", http.StatusTemporaryRedirect)
		return
	case Endless:
		w.Header().Set("Content-Type", "application/json")
		for _, err := w.Write(make([]byte, 64<<10)); err == nil; {
			_, err = w.Write(make([]byte, 64<<10))
		}
		return
	}
	answer := map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300}
	if i.fault != NoToken {
		answer["id_token"] = i.idTokenLocked(g.nonce)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (i *Issuer) redeemLocked(r *http.Request) (g *grant, reason string) {
	id, secret, ok := r.BasicAuth()
	g = i.codes[r.FormValue("code")]
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case !ok || id != ClientID || secret != url.QueryEscape(ClientSecret):
		return nil, "client credentials"
	case r.FormValue("grant_type") != "authorization_code" || g == nil:
		return nil, "code"
	case g.spent:
		return nil, "code was redeemed before"
	case g.redirect != r.FormValue("redirect_uri"):
		return nil, "redirect_uri"
	case subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.challenge)) != 1:
		return nil, "code_verifier"
	}
	g.spent = true
	return g, ""
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

// sign makes a JWS in compact form. It is made by hand so that every wrong one can be made, too.
func sign(header map[string]any, claims map[string]any, signature func(input []byte) []byte) string {
	part := func(v any) string {
		text, _ := json.Marshal(v) // maps of texts and numbers
		return base64.RawURLEncoding.EncodeToString(text)
	}
	input := part(header) + "." + part(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature([]byte(input)))
}

func withRSA(key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err) // a key of 2048 bits signs everything
		}
		return signature
	}
}
