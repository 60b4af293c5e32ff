package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
)

// Defaults of Options.
const (
	DefaultTimeout  = 30 * time.Second
	DefaultAttempts = 4
	DefaultMaxWait  = 30 * time.Second
)

// Options configures a Client.
type Options struct {
	// Address is where the server's HTTP API listens, such as https://seamark.example.com; a path before the API's is kept.
	Address string
	// Token is an API token (smk_...) or a session's. Without one only sign-in and health are answered.
	Token string
	// UserAgent goes before the client's own name in the User-Agent header, such as terraform-provider-seamark/1.2.
	UserAgent string
	// Timeout bounds one attempt up to the answer's header; 0 is DefaultTimeout, less is no bound. Bodies that are streamed,
	// such as exports, are bounded by the context alone.
	Timeout time.Duration
	// Attempts bounds how often a call that may be repeated is sent; 0 is DefaultAttempts, 1 never repeats.
	Attempts int
	// MaxWait bounds the wait before a repetition. A server that asks for longer gets no repetition. 0 is DefaultMaxWait.
	MaxWait time.Duration
	// CACertificates are trusted beside the system's, in PEM.
	CACertificates []byte
	// InsecureSkipVerify takes any certificate, for a first look at a test server.
	InsecureSkipVerify bool
	// Transport carries the requests; nil is a transport of its own with the settings above, which it replaces.
	Transport http.RoundTripper
}

func (o *Options) validate() (*url.URL, error) {
	if o.Address == "" {
		return nil, errors.New("client: the address is empty")
	}
	address, err := url.Parse(o.Address)
	if err != nil {
		return nil, fmt.Errorf("client: the address %q is not an http or https URL with a host: %w", o.Address, err)
	}
	switch {
	case address.Scheme != "http" && address.Scheme != "https" || address.Host == "":
		return nil, fmt.Errorf("client: the address %q is not an http or https URL with a host", o.Address)
	case address.User != nil || address.RawQuery != "" || address.Fragment != "":
		return nil, fmt.Errorf("client: the address %q has more than scheme, host and path", address.Redacted())
	case o.Attempts < 0 || o.MaxWait < 0:
		return nil, errors.New("client: Attempts and MaxWait are not negative")
	case o.Transport != nil && (o.CACertificates != nil || o.InsecureSkipVerify):
		return nil, errors.New("client: a Transport has its own settings of TLS")
	}
	address.Path = strings.TrimSuffix(address.Path, "/")
	return address, nil
}

// Client calls one server with one credential. It is safe for concurrent use.
type Client struct {
	address   *url.URL
	token     string
	userAgent string
	attempts  int
	maxWait   time.Duration
	http      http.Client
	sockets   http.Client // without HTTP/2, which cannot switch to another protocol
	now       func() time.Time
	after     func(time.Duration) <-chan time.Time
}

// New returns a client of the server at address that shows token.
func New(address, token string) (*Client, error) {
	return NewWithOptions(Options{Address: address, Token: token})
}

// NewWithOptions returns a client.
func NewWithOptions(o Options) (*Client, error) {
	address, err := o.validate()
	if err != nil {
		return nil, err
	}
	transport := o.Transport
	if transport == nil {
		if transport, err = newTransport(&o); err != nil {
			return nil, err
		}
	}
	c := &Client{
		address: address, token: o.Token, userAgent: userAgent(o.UserAgent), attempts: o.Attempts, maxWait: o.MaxWait,
		http: http.Client{Transport: transport, CheckRedirect: stay}, sockets: http.Client{Transport: withoutHTTP2(transport), CheckRedirect: stay},
		now: time.Now, after: time.After,
	}
	if c.attempts == 0 {
		c.attempts = DefaultAttempts
	}
	if c.maxWait == 0 {
		c.maxWait = DefaultMaxWait
	}
	return c, nil
}

// stay follows no redirect: those of the API are for browsers, and a token must not go to another host.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutHTTP2 returns the like of a transport of ours; one of the caller's is taken as it is.
func withoutHTTP2(transport http.RoundTripper) http.RoundTripper {
	t, ok := transport.(*http.Transport)
	if !ok {
		return transport
	}
	t = t.Clone()
	t.ForceAttemptHTTP2, t.Protocols = false, new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return t
}

func newTransport(o *Options) (http.RoundTripper, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.InsecureSkipVerify}, //nolint:gosec // the caller's wish
		ResponseHeaderTimeout: o.Timeout,
	}
	switch {
	case o.Timeout == 0:
		t.ResponseHeaderTimeout = DefaultTimeout
	case o.Timeout < 0:
		t.ResponseHeaderTimeout = 0
	}
	if len(o.CACertificates) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(o.CACertificates) {
			return nil, errors.New("client: CACertificates hold no certificate in PEM")
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t, nil
}

// userAgent returns the name of the program and of this client with the version that the program was built with.
func userAgent(program string) string {
	const module = "github.com/seamarkhq/seamark"
	own := "seamark-go"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == module && m.Version != "" && m.Version != "(devel)" {
				own += "/" + m.Version
			}
		}
	}
	return strings.TrimSpace(program + " " + own)
}
