package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

const (
	// documentLife is how long a provider's documents and keys are used: a key that it withdrew is good here for no longer.
	documentLife = 15 * time.Minute
	// failureLife is how long a provider that failed is not asked again. Without it each click waits for its timeout.
	failureLife = 5 * time.Second
	// keysPause is the least time between two looks for a key that is not known. Without it tokens with made-up key ids make
	// us ask the provider each time.
	keysPause = 10 * time.Second
)

// source is a provider with its documents.
type source struct {
	Provider
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex // guards what follows; held while the provider is asked, so that it is asked once
	known *metadata
	err   error
	asked time.Time
}

// metadata is a provider's discovery document (OpenID Connect Discovery 3), with the keys behind it. It never changes.
type metadata struct {
	Issuer      string   `json:"issuer"`
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	KeysURL     string   `json:"jwks_uri"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	NamesIssuer bool     `json:"authorization_response_iss_parameter_supported"`

	keys keySet
}

// document returns the provider's metadata and keys, from memory where they are fresh.
func (s *source) document(ctx context.Context) (*metadata, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	life := documentLife
	if s.err != nil {
		life = failureLife
	}
	if !s.asked.IsZero() && s.now().Sub(s.asked) < life {
		return s.known, s.err
	}
	return s.askLocked(ctx)
}

// renewed returns metadata with keys that are newer than those of m, or m when the provider was just asked.
func (s *source) renewed(ctx context.Context, m *metadata) (*metadata, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != m && s.err == nil { // somebody else has asked meanwhile
		return s.known, nil
	}
	if s.now().Sub(s.asked) < keysPause {
		return m, nil
	}
	return s.askLocked(ctx)
}

func (s *source) askLocked(ctx context.Context) (*metadata, error) {
	m, err := s.discover(ctx)
	if ctx.Err() != nil { // the caller went; that says nothing of the provider
		return nil, err
	}
	s.known, s.err, s.asked = m, err, s.now()
	return m, err
}

// discover reads the provider's documents.
func (s *source) discover(ctx context.Context) (*metadata, error) {
	m := &metadata{}
	if err := s.read(ctx, strings.TrimSuffix(s.Issuer, "/")+"/.well-known/openid-configuration", m); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if m.Issuer != s.Issuer { // Discovery 4.3: else a provider could speak for another
		return nil, fmt.Errorf("discovery: the document is of issuer %.80q", m.Issuer)
	}
	for _, address := range []string{m.AuthURL, m.TokenURL, m.KeysURL} {
		if err := checkEndpoint(s.Issuer, address); err != nil {
			return nil, err
		}
	}
	var set jwkSet
	if err := s.read(ctx, m.KeysURL, &set); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	m.keys = set.parse()
	return m, nil
}

// read fetches one document.
func (s *source) read(ctx context.Context, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	answer, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", address, answer.StatusCode)
	}
	body, err := io.ReadAll(answer.Body) // bounded by the transport
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// checkEndpoint refuses addresses that are less safe than the issuer's own.
func checkEndpoint(issuer, address string) error {
	of, err := url.Parse(issuer)
	to, toErr := url.Parse(address)
	if err := errors.Join(err, toErr); err != nil {
		return err
	}
	if to.Host == "" || to.Scheme != "https" && to.Scheme != of.Scheme {
		return fmt.Errorf("discovery: the document names %.80q, which is not https", address)
	}
	return nil
}

// endpoint is where and how the client's secret is sent. It is read from the document and never tried out: a provider that
// refuses the first try may have spent the code.
func (m *metadata) endpoint(secret string) oauth2.Endpoint {
	e := oauth2.Endpoint{AuthURL: m.AuthURL, TokenURL: m.TokenURL, AuthStyle: oauth2.AuthStyleInParams}
	if secret != "" && (len(m.AuthMethods) == 0 || slices.Contains(m.AuthMethods, "client_secret_basic")) {
		e.AuthStyle = oauth2.AuthStyleInHeader
	}
	return e
}
