package receivers

import (
	"io"
	"net/http"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/seamarkhq/seamark/internal/guard"
)

// Bounds of one delivery. Without them a receiver that answers slowly or endlessly holds a notification pipeline and its
// memory.
const (
	deliveryTimeout    = 10 * time.Second
	maxDeliveryTimeout = 30 * time.Second
	maxResponseBytes   = 64 << 10
	maxHeaderBytes     = 64 << 10
)

// newClient returns the HTTP client of one receiver: it dials through the guard, follows no redirect, uses no proxy, not
// even one from the environment, and reads at most maxResponseBytes of an answer.
func newClient(g *guard.Guard, cfg *commoncfg.HTTPClientConfig) (*http.Client, error) {
	tlsConfig, err := commoncfg.NewTLSConfig(&cfg.TLSConfig)
	if err != nil {
		return nil, err
	}
	var rt http.RoundTripper = &http.Transport{
		DialContext:            g.Dial,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  deliveryTimeout,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    2,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      cfg.EnableHTTP2,
		DisableCompression:     true, // an inflated answer would not be bounded by what was read
	}
	rt = boundedBody{rt}
	switch {
	case cfg.Authorization != nil:
		rt = commoncfg.NewAuthorizationCredentialsRoundTripper(cfg.Authorization.Type,
			commoncfg.NewInlineSecret(string(cfg.Authorization.Credentials)), rt)
	case cfg.BearerToken != "":
		rt = commoncfg.NewAuthorizationCredentialsRoundTripper("Bearer", commoncfg.NewInlineSecret(string(cfg.BearerToken)), rt)
	case cfg.BasicAuth != nil:
		rt = commoncfg.NewBasicAuthRoundTripper(commoncfg.NewInlineSecret(cfg.BasicAuth.Username),
			commoncfg.NewInlineSecret(string(cfg.BasicAuth.Password)), rt)
	}
	if cfg.HTTPHeaders != nil {
		rt = commoncfg.NewHeadersRoundTripper(cfg.HTTPHeaders, rt)
	}
	return &http.Client{
		Transport:     rt,
		Timeout:       deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// boundedBody ends every answer after maxResponseBytes.
type boundedBody struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b boundedBody) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxResponseBytes), resp.Body}
	return resp, nil
}
