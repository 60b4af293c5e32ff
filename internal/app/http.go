package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seamarkhq/seamark/api/reference"
	"github.com/seamarkhq/seamark/console"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Timeouts of the front. Without them a few thousand idle or stalling sockets take all file descriptors.
const (
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = time.Minute
	maxHeaderBytes    = 16 << 10
	maxStreams        = 100 // of one HTTP/2 connection
)

// serveHTTP opens the front.
func (a *App) serveHTTP(ctx context.Context) error {
	routes, err := a.routes()
	if err != nil {
		return err
	}
	a.runJobs() // their requests go to the routes
	o := httpx.Options{
		Routes: routes, Verifier: a.verifier(), Refused: a.tellRefused, Changed: a.tellChanged, Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
		Replays: a.replays, Used: a.directory.Used,
	}
	for _, s := range a.opts.HTTP.TrustedProxies {
		_, network, err := net.ParseCIDR(s)
		if err != nil {
			return fmt.Errorf("--http.trusted-proxies: %w", err)
		}
		o.TrustedProxies = append(o.TrustedProxies, network)
	}
	if a.opts.has(RoleAPI) {
		o.Fallback = reference.Handler(console.Handler())
	}
	if a.reader != nil {
		o.Passed, o.Pass = a.reader.routes, a.reader.pass
	}
	if a.opts.Link != nil {
		o.ClientIP = linkedClientIP
	}
	if a.edge, err = httpx.New(o); err != nil {
		return err
	}
	switch {
	case a.opts.Link != nil:
		return a.serveLocal(ctx, frontSocket, a.front())
	case a.opts.Sandbox != nil:
		return nil // whoever has started it sends the requests
	}
	certificate, err := a.opts.HTTP.loadCertificate(a.log)
	if err != nil {
		return err
	}
	a.httpAddr, err = a.listen(ctx, "http.listen", a.opts.HTTP.Listen, a.front(), certificate)
	return err
}

// serveAdmin opens the listener for health and metrics. It opens first, so that a slow start can be watched.
func (a *App) serveAdmin(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.gatherer(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.answerReady)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	if a.opts.Link != nil {
		return a.serveLocal(ctx, adminSocket, mux)
	}
	var err error
	a.adminAddr, err = a.listen(ctx, "admin.listen", a.opts.Admin.Listen, mux, nil)
	return err
}

// answerReady says whether requests will be answered, and if not what is missing.
func (a *App) answerReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	warning, err := a.checkReady(ctx)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte(readyText + warning))
}

// readyText is what a process answers that is ready; warnings follow, a line each.
const readyText = "ready\n"

// checkReady fails for what this process's roles cannot work without, and warns of what they can. Ingest works while ClickHouse is
// away.
func (a *App) checkReady(ctx context.Context) (warning string, err error) {
	switch {
	case !a.ready.Load():
		return "", errors.New("starting or stopping")
	case a.nc.Status().String() != "CONNECTED":
		return "", errors.New("NATS is not connected")
	case a.directory.Blind():
		return "", fmt.Errorf("what this node knows of tenants and credentials is %s old, more than --directory.max-ingest-age, %s",
			a.directory.Freshness().Round(time.Second), a.opts.Directory.MaxIngestAge)
	}
	if a.natsServer != nil {
		if err := a.natsServer.Health(); err != nil {
			return "", fmt.Errorf("embedded NATS: %w", err)
		}
	}
	if a.directory.Stale() {
		warning = fmt.Sprintf("stale: changes of tenants and credentials were not seen for %s\n", a.directory.Freshness().Round(time.Second))
	}
	if a.reader != nil {
		of, err := a.reader.checkReady(ctx)
		return cmp.Or(warning, of), err
	}
	if a.opts.has(RoleQuerier) {
		of, err := a.storeReady(ctx)
		return warning + of, err
	}
	return warning, nil
}

// storeReady fails where no ClickHouse shard answers. While some do, this node serves their tenants, and warns of the others.
func (a *App) storeReady(ctx context.Context) (warning string, err error) {
	away, shards := a.store.Ping(ctx), a.store.Shards()
	if len(away) == shards {
		return "", errors.New("ClickHouse does not answer")
	}
	for i := range seamark.StoreShard(shards) {
		if away[i] != nil {
			warning += fmt.Sprintf("ClickHouse shard %s does not answer: queries of its tenants fail\n", i)
		}
	}
	return warning, nil
}

// capped bounds a listener's connections. Without it whoever opens enough of them takes all file descriptors.
func (a *App) capped(ln net.Listener) net.Listener {
	var exempt []netip.Prefix
	for _, s := range a.opts.HTTP.TrustedProxies {
		if p, err := netip.ParsePrefix(s); err == nil {
			exempt = append(exempt, p)
		}
	}
	return newCapListener(ln, a.opts.HTTP.MaxConns, a.opts.HTTP.MaxConnsPerIP, exempt, a.refusedConns.Inc)
}

// listen serves a handler on an address.
func (a *App) listen(ctx context.Context, name, addr string, h http.Handler, certificate *tls.Config) (string, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", name, err)
	}
	ln = a.capped(ln)
	a.serve(name, ln, h, certificate)
	return ln.Addr().String(), nil
}

// serve serves a handler and registers its drain.
func (a *App) serve(name string, ln net.Listener, h http.Handler, certificate *tls.Config) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true) // gRPC behind a proxy that ends TLS, and on loopback
	server := &http.Server{
		Protocols: &protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, TLSConfig: certificate,
	}
	go func() {
		var err error
		if certificate != nil {
			err = server.ServeTLS(ln, "", "")
		} else {
			err = server.Serve(ln)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve %s: %w", name, err)
		}
	}()
	a.defers(name, func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		return nil
	})
}
