package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/seamarkhq/seamark/ingest/forward"
	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/ingest/syslog/listen"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// StreamOptions configures a protocol that has listeners of its own: syslog or Fluent forward.
type StreamOptions struct {
	Listen    string // plain TCP, "" for none
	TLSListen string // TLS with the front's certificate, "" for none
	// TokenFile holds the token whose every connection is.
	TokenFile string
	// CertificateTokensFile holds lines of a client certificate's common name and the token that it stands for.
	CertificateTokensFile string
	// AllowPlaintext takes logs, and tokens in them, over plain connections off loopback.
	AllowPlaintext bool
	// SharedKeyFile holds the forward protocol's shared key.
	SharedKeyFile string
}

func (o *StreamOptions) checkListen(certFile string) error {
	switch {
	case o.TLSListen != "" && certFile == "":
		return errors.New("-tls needs --http.tls-cert-file")
	case o.Listen == "" || o.AllowPlaintext:
		return nil
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("is %q; it must be host:port", o.Listen)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("is %q: logs and tokens would cross the network unencrypted. Use the TLS listener, or allow plain text", o.Listen)
}

// serveIngestListeners opens the ports of protocols that have ports of their own.
func (a *App) serveIngestListeners(ctx context.Context) error {
	if !a.opts.has(RoleIngest) {
		return nil
	}
	certificate, err := a.opts.HTTP.loadCertificate(a.log)
	if err != nil {
		return err
	}
	o := &a.opts.OTLP
	if o.HTTPListen != "" {
		addr, err := a.listen(ctx, "otlp.http-listen", o.HTTPListen, a.front(), certificate)
		if err != nil {
			return err
		}
		a.listening["otlp.http-listen"] = addr
	}
	if o.GRPCListen != "" {
		ln, err := a.open(ctx, "otlp.grpc-listen", o.GRPCListen, certificate)
		if err != nil {
			return err
		}
		a.serveGRPC(ln)
	}
	for _, l := range []struct {
		name   string
		stream *StreamOptions
		serve  func(o *listen.Options) (func(context.Context) error, error)
	}{
		{"syslog", &a.opts.Syslog, a.newSyslog}, {"forward", &a.opts.Forward, a.newForward},
	} {
		if err := a.serveStream(ctx, l.name, l.stream, certificate, l.serve); err != nil {
			return err
		}
	}
	return nil
}

// front is the handler of the main port: gRPC beside everything else.
func (a *App) front() http.Handler {
	if a.grpc == nil {
		return a.edge
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if otlpgrpc.Matches(r) {
			a.grpc.ServeHTTP(w, r)
			return
		}
		a.edge.ServeHTTP(w, r)
	})
}

// open listens on an address, with TLS when there is a certificate.
func (a *App) open(ctx context.Context, flag, addr string, certificate *tls.Config) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	a.listening[flag] = ln.Addr().String()
	ln = a.capped(ln)
	if certificate != nil {
		certificate = certificate.Clone()
		certificate.NextProtos = []string{"h2", "http/1.1"}
		return tls.NewListener(ln, certificate), nil
	}
	return ln, nil
}

func (a *App) serveGRPC(ln net.Listener) {
	go func() {
		if err := a.grpc.Serve(ln); err != nil {
			a.failed <- fmt.Errorf("serve OTLP over gRPC: %w", err)
		}
	}()
	a.defers("otlp grpc listener", a.grpc.Shutdown)
}

// serveStream opens a protocol's plain and TLS listeners, where they are asked for.
func (a *App) serveStream(ctx context.Context, name string, o *StreamOptions, certificate *tls.Config, build func(*listen.Options) (func(context.Context) error, error)) error {
	for _, l := range []struct {
		flag, addr  string
		certificate *tls.Config
	}{{name + ".listen", o.Listen, nil}, {name + ".tls-listen", o.TLSListen, certificate}} {
		if l.addr == "" {
			continue
		}
		lo, err := a.streamOptions(name, o)
		if err != nil {
			return fmt.Errorf("--%s: %w", l.flag, err)
		}
		if lo.Listener, err = a.open(ctx, l.flag, l.addr, l.certificate); err != nil {
			return err
		}
		serve, err := build(&lo)
		if err != nil {
			return errors.Join(fmt.Errorf("--%s: %w", l.flag, err), lo.Listener.Close())
		}
		a.background(l.flag, serve)
	}
	return nil
}

// streamOptions joins a listener to the process.
func (a *App) streamOptions(protocol string, o *StreamOptions) (listen.Options, error) {
	lo := listen.DefaultOptions()
	lo.Catalog, lo.MaxAttrs, lo.Push = a.ingester.Catalog, a.ingester.MaxAttrs, a.ingester.PushAs(seamark.Source{Protocol: protocol})
	lo.Verify = func(ctx context.Context, token string) (seamark.Principal, error) {
		p, err := a.directory.Authenticate(ctx, token)
		if err == nil {
			err = a.directory.Permit(p, tenant.IngestPermission(seamark.Logs))
		}
		return p, err
	}
	lo.Dropped = func(p seamark.Principal, d seamark.Drop) { a.ingester.TellRefused(p, &d) }
	lo.AllowPlainTokens = o.AllowPlaintext
	lo.Logger, lo.Registerer, lo.Now = a.log, a.registry, a.opts.Now
	var err error
	if lo.Token, err = readSecret(o.TokenFile); err != nil {
		return lo, err
	}
	lo.CertificateToken, err = readCertificateTokens(o.CertificateTokensFile)
	return lo, err
}

func (a *App) newSyslog(lo *listen.Options) (func(context.Context) error, error) {
	o := syslog.DefaultOptions()
	lo.MaxMemoryBytes = o.Listen.MaxMemoryBytes // a protocol knows what its messages take
	o.Listen = *lo
	s, err := syslog.New(o)
	if err != nil {
		return nil, err
	}
	return s.Serve, nil
}

func (a *App) newForward(lo *listen.Options) (func(context.Context) error, error) {
	o := forward.DefaultOptions()
	lo.MaxMemoryBytes = o.Listen.MaxMemoryBytes
	o.Listen, o.ServerName = *lo, "seamark-"+a.node
	var err error
	if o.SharedKey, err = readSecret(a.opts.Forward.SharedKeyFile); err != nil {
		return nil, err
	}
	s, err := forward.New(o)
	if err != nil {
		return nil, err
	}
	return s.Serve, nil
}

// readSecret reads a file that holds one secret; "" has none.
func readSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, " \t\r\n") {
		return "", fmt.Errorf("%s must hold one secret and nothing else", file)
	}
	return secret, nil
}

// readCertificateTokens reads lines of a client certificate's common name and the token it stands for.
func readCertificateTokens(file string) (func(*x509.Certificate) (string, bool), error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no file is a valid answer: certificates stand for nobody
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tokens := map[string]string{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		fields := strings.Fields(string(line))
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case len(fields) != 2:
			return nil, fmt.Errorf("%s: line %d must hold a common name and a token", file, i+1)
		default:
			tokens[fields[0]] = fields[1]
		}
	}
	return func(leaf *x509.Certificate) (string, bool) {
		token, ok := tokens[leaf.Subject.CommonName]
		return token, ok
	}, nil
}
