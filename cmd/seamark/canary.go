package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seamarkhq/seamark/internal/canary"
)

// canaryCmd tries the way of a tenant's data through a server, from outside.
type canaryCmd struct {
	URL         string        `default:"http://127.0.0.1:4480" help:"Server's address, for pushes." env:"SEAMARK_URL"`
	QueryURL    string        `help:"Address for queries, where the roles run alone; --url unless set." env:"SEAMARK_QUERY_URL"`
	CAFile      string        `name:"ca-file" help:"PEM authorities that the server's certificate is checked against, instead of the system's." type:"path" env:"SEAMARK_CA_FILE"`
	IngestToken string        `help:"Ingest token; set it as SEAMARK_INGEST_TOKEN, since a command line stands in the process list." env:"SEAMARK_INGEST_TOKEN"`
	QueryToken  string        `help:"Query token of the same tenant; set it as SEAMARK_QUERY_TOKEN." env:"SEAMARK_QUERY_TOKEN"`
	TenantsFile string        `help:"File with a line per tenant, instead of the two tokens: a name, an ingest token and a query token." type:"path" env:"SEAMARK_CANARY_TENANTS_FILE"`
	Instance    string        `help:"Name of this canary among others; the host's unless set." env:"SEAMARK_CANARY_INSTANCE"`
	Once        bool          `help:"Try once, print a line per path, and exit with 0 where all are good, 1 otherwise." env:"SEAMARK_CANARY_ONCE"`
	Interval    time.Duration `default:"30s" help:"Time between two tries." env:"SEAMARK_CANARY_INTERVAL"`
	Timeout     time.Duration `default:"20s" help:"How long a push may take until it is acknowledged, and then its row until a query finds it." env:"SEAMARK_CANARY_TIMEOUT"`
	Listen      string        `default:"127.0.0.1:4482" help:"Address of /metrics and /healthz. Keep it private: it has no sign-in." env:"SEAMARK_CANARY_LISTEN"`
}

// canaryPause is the time between two looks for a row. It is what queryable times are rounded up to.
const canaryPause = 100 * time.Millisecond

// Run tries once, or until a signal.
func (c *canaryCmd) Run(ctx context.Context) error {
	registry := prometheus.NewRegistry()
	made, err := c.open(registry)
	if err != nil {
		return err
	}
	if c.Once {
		return c.once(ctx, made)
	}
	if c.Interval <= 0 {
		return fmt.Errorf("--interval is %s; it must be positive", c.Interval)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(listener)
		stop()
	}()
	c.logger().Info("canary runs", "listen", listener.Addr().String())
	err = made.Run(ctx, c.Interval)
	_ = server.Close()
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		return serveErr
	}
	return err
}

func (c *canaryCmd) logger() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }

func (c *canaryCmd) once(ctx context.Context, made *canary.Canary) error {
	failed := false
	for _, r := range made.Try(ctx) {
		fmt.Println(r.String())
		failed = failed || r.Err != nil
	}
	if failed {
		return exitCode(1)
	}
	return nil
}

// open makes the canary.
func (c *canaryCmd) open(registry prometheus.Registerer) (*canary.Canary, error) {
	if c.Timeout <= 0 {
		return nil, fmt.Errorf("--timeout is %s; it must be positive", c.Timeout)
	}
	targets, err := c.targets()
	if err != nil {
		return nil, err
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	if c.Instance == "" {
		if c.Instance, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("--instance: %w", err)
		}
	}
	return canary.New(canary.Options{
		URL: c.URL, QueryURL: c.QueryURL, Targets: targets, Instance: c.Instance, Timeout: c.Timeout, Pause: canaryPause,
		Client: &http.Client{Transport: transport}, Logger: c.logger(), Registerer: registry, Now: time.Now,
		Mark: func() uint64 { return 1 + rand.Uint64N(1<<48-1) }, // a float64 holds it whole, and an event's uid has room for it
	})
}

func (c *canaryCmd) transport() (*http.Transport, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if c.CAFile == "" {
		return transport, nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca-file: %s has no certificate in PEM form", c.CAFile)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// targets reads the tenants from the flags or the file.
func (c *canaryCmd) targets() ([]canary.Target, error) {
	if c.TenantsFile == "" {
		if c.IngestToken == "" || c.QueryToken == "" {
			return nil, errors.New("set SEAMARK_INGEST_TOKEN and SEAMARK_QUERY_TOKEN, or --tenants-file")
		}
		return []canary.Target{{Name: "tenant", IngestToken: c.IngestToken, QueryToken: c.QueryToken}}, nil
	}
	file, err := os.Open(c.TenantsFile)
	if err != nil {
		return nil, fmt.Errorf("--tenants-file: %w", err)
	}
	defer func() { _ = file.Close() }()
	var list []canary.Target
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("--tenants-file: line %d of %s has %d words; it must have a name, an ingest token and a query token", n, c.TenantsFile, len(f))
		}
		list = append(list, canary.Target{Name: f[0], IngestToken: f[1], QueryToken: f[2]})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--tenants-file: %w", err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("--tenants-file: %s names no tenant", c.TenantsFile)
	}
	return list, nil
}
