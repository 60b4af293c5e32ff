package oidc

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	askTimeout = 10 * time.Second
	// maxAnswerBytes bounds a provider's document. Without it a provider takes our memory.
	maxAnswerBytes = 1 << 20
)

// NewHTTP returns a client for providers that dials with dial: it follows no redirect, uses no proxy, and bounds each answer in
// time and size.
func NewHTTP(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Timeout:       askTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: bounded{&http.Transport{
			DialContext: dial, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: askTimeout, IdleConnTimeout: 30 * time.Second,
			MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
			DisableCompression: true, // an inflated answer would not be bounded by what was read
		}},
	}
}

// bounded ends every answer after maxAnswerBytes.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswerBytes), answer.Body}
	return answer, nil
}
