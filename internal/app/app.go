package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/transfer"
	"github.com/seamarkhq/seamark/metering"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/jobs"
	"github.com/seamarkhq/seamark/querier/logcontext"
	"github.com/seamarkhq/seamark/querier/logexplore"
	"github.com/seamarkhq/seamark/querier/logexport"
	"github.com/seamarkhq/seamark/querier/logfilter"
	"github.com/seamarkhq/seamark/querier/logpatterns"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logtail"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/quarantine"
	"github.com/seamarkhq/seamark/querier/seriesindex"
	"github.com/seamarkhq/seamark/querier/sql"
	"github.com/seamarkhq/seamark/tenant"
	"github.com/seamarkhq/seamark/tenant/oidc"
)

// App is one running process of Seamark.
type App struct {
	opts     Options
	log      *slog.Logger
	registry *prometheus.Registry
	node     string

	natsServer   *engine.NATS       // nil with an outside NATS
	clickhouse   *engine.ClickHouse // nil with an outside ClickHouse
	reader       *readerProcess     // nil where the roles that read run in this process, or in none here
	disk         *engine.DiskGuard  // nil without an embedded engine
	patience     *bus.Patience      // of the start
	nc           *nats.Conn
	js           jetstream.JetStream
	keys         *seal.Ring   // nil in roles that need no secrets
	providers    *oidc.Client // nil where no sign-in provider is configured
	directory    *tenant.Directory
	changes      *tenant.ChangeLog
	certificates *tenant.Certificates
	retention    *retention       // of the querier and writer roles
	transfers    *transfer.Keeper // of the querier role
	bus          *bus.Bus
	store        *store.Store
	index        *seriesindex.Index
	filters      *logfilter.Cache
	turns        turns
	admission    *admit.Admission // of the querier and alerting roles
	running      *runningAPI      // of those, and so is what follows
	history      *queryHistory
	quarantine   *quarantine.Keeper
	victims      victims
	jobs         *jobs.Keeper           // of the querier role
	jobRoutes    map[string]httpx.Route // that take queries in the background, by method and path
	sizes        *sizes                 // beside it
	promql       *promql.Engine
	logql        *logqlengine.Engine
	explorer     *logexplore.Explorer
	patterns     *logpatterns.Finder
	logContext   *logcontext.Reader
	logExport    *logexport.Exporter
	tailer       *logtail.Tailer
	events       *events.Searcher
	sql          *sql.Runner
	audit        *audit.Searcher
	pipelines    *pipelines           // nil without the ingest and API roles
	forwarders   forwarderAPI         // of the forwarder and API roles
	savedQueries *tenant.SavedQueries // of the API role
	dashboards   *tenant.Dashboards   // of the API role
	quotas       quotaAPI             // of the API and querier roles
	meter        *metering.Meter
	shares       *shares       // of ClickHouse's processors
	replays      httpx.Replays // of the API role
	ingester     *ingest.Ingester
	alerting     *alerting.Service
	detectors    *detect.Keeper   // of the alerting role
	grpc         *otlpgrpc.Server // nil without the ingest role
	edge         *httpx.Edge
	health       *healthDesk       // of the API role
	listening    map[string]string // addresses of the listeners beside the two below, by flag
	httpAddr     string
	adminAddr    string

	refusedConns, lostChanges prometheus.Counter

	ready                   atomic.Bool
	engineUp, engineWatched atomic.Bool // of the embedded ClickHouse
	chores                  []*chore
	cleanups                []cleanup
	stopOnce                sync.Once
	stopErr                 error
	failed                  chan error
}

// cleanup undoes one step of the start. They run last in, first out.
type cleanup struct {
	name string
	fn   func(ctx context.Context) error
}

// maxSocketPath is what the kernel takes as the address of a unix socket (unix(7)).
const maxSocketPath = 107

// New checks the options and returns an app that has not started.
func New(o Options) (*App, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var err error
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	if path := SocketPath(o.DataDir); o.embedsNATS() && o.Link == nil && len(path) > maxSocketPath {
		return nil, fmt.Errorf("--data-dir: the socket %s has %d bytes; the system takes %d. Choose a shorter folder", path, len(path), maxSocketPath)
	}
	if o.Sandbox != nil {
		o.Sandbox.apply(&o)
	}
	if o.Reader != nil {
		o.Roles = slices.DeleteFunc(slices.Clone(o.Roles), func(r Role) bool { return slices.Contains(readerRoles(), r) })
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seamark_http_refused_connections_total", Help: "Connections that were closed because there were too many, in all or from their address.",
	})
	lost := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seamark_changes_unrecorded_total", Help: "Changes that were made and could not be put on record. Must stay 0.",
	})
	registry.MustRegister(refused, lost)
	return &App{refusedConns: refused, lostChanges: lost, opts: o, log: o.Logger, registry: registry, failed: make(chan error, 8), listening: map[string]string{}}, nil
}

// Start brings everything up, in the order of who needs whom, and returns when the process answers requests. When it
// fails, what had started is stopped again.
func (a *App) Start(ctx context.Context) error {
	steps := []struct {
		name string
		when bool
		fn   func(context.Context) error
	}{
		{"data folder", true, func(context.Context) error { return a.prepareDataDir() }},
		{"sign-in providers", a.opts.has(RoleAPI), func(context.Context) error { return a.openProviders() }},
		{"admin listener", a.opts.Sandbox == nil, a.serveAdmin},
		{"nats", true, a.startNATS},
		{"keys", a.usesKeys(), a.openKeys},
		{"directory", true, a.openDirectory},
		{"change log", true, a.openChanges},
		{"bus", a.usesBus(), a.openBus},
		{"store", a.usesStore(), a.openStore},
		{"roles", true, a.startRoles},
		{readerName, a.opts.Reader != nil, a.startReader},
		{"http", true, a.serveHTTP},
		{"ingest listeners", a.opts.Sandbox == nil, a.serveIngestListeners},
		{"signs of life", a.opts.Sandbox == nil, a.startHealthTeller}, // one that is frozen would look dead
	}
	for _, s := range steps {
		if !s.when {
			continue
		}
		begin := a.opts.Now()
		if err := s.fn(ctx); err != nil {
			err = fmt.Errorf("start %s: %w", s.name, err)
			return errors.Join(err, a.undo(ctx))
		}
		a.log.Debug("started", "part", s.name, "took", a.opts.Now().Sub(begin))
	}
	a.ready.Store(true)
	if a.opts.Link != nil {
		a.log.Debug("started", "roles", a.opts.Roles)
		return nil
	}
	a.log.Info("ready", "http", a.httpAddr, "admin", a.adminAddr, "listeners", a.listening, "roles", a.opts.Roles, "version", a.opts.Version)
	return nil
}

// undo stops what a failed start has started.
func (a *App) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.opts.DrainTimeout)
	defer cancel()
	return a.Stop(ctx)
}

func (a *App) usesBus() bool {
	return a.opts.has(RoleIngest) || a.opts.has(RoleWriter) || a.opts.has(RoleQuerier) || a.opts.has(RoleAlerting)
}

func (a *App) usesStore() bool {
	return a.opts.has(RoleWriter) || a.opts.has(RoleQuerier) || a.opts.has(RoleAlerting) || a.opts.has(RoleForwarder)
}

// defers registers what undoes a step.
func (a *App) defers(name string, fn func(ctx context.Context) error) {
	a.cleanups = append(a.cleanups, cleanup{name, fn})
}

// background runs fn until Stop. An error of fn's ends the process: a part that is gone must not look alive.
func (a *App) background(name string, fn func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			a.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	a.defers(name, func(stop context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stop.Done():
			return stop.Err()
		}
	})
}

// Failed yields the error of a part that ended on its own.
func (a *App) Failed() <-chan error { return a.failed }

// Stop takes the process out of service in order: not ready, requests drained, roles, connections, engines. It may be
// called more than once and from several places.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() {
		a.ready.Store(false)
		for i := len(a.cleanups) - 1; i >= 0; i-- {
			c := a.cleanups[i]
			begin := time.Now()
			if err := c.fn(ctx); err != nil {
				a.stopErr = errors.Join(a.stopErr, fmt.Errorf("stop %s: %w", c.name, err))
			}
			a.log.Debug("stopped", "part", c.name, "took", time.Since(begin))
		}
	})
	return a.stopErr
}

// HTTPAddr returns the address that tenants talk to, with the real port.
func (a *App) HTTPAddr() string { return a.httpAddr }

// AdminAddr returns the address of health and metrics, with the real port.
func (a *App) AdminAddr() string { return a.adminAddr }

// ListenAddr returns the address, with the real port, of the listener that a flag such as syslog.listen has opened; "" when none.
func (a *App) ListenAddr(flag string) string { return a.listening[flag] }

// URL returns the base URL of the front.
func (a *App) URL() string {
	if a.opts.HTTP.TLSCertFile != "" {
		return "https://" + a.httpAddr
	}
	return "http://" + a.httpAddr
}

// Directory returns the tenant directory, for demo mode and tests.
func (a *App) Directory() *tenant.Directory { return a.directory }

// Routes returns the route table, for the tests that walk it.
func (a *App) Routes() []httpx.Route { return a.edge.Routes() }

// Engines returns the process ids of this process's engines, for benchmarks and crash tests; 0 where there is none, or none that is known
// to answer.
func (a *App) Engines() (clickhousePid int) {
	if a.clickhouse == nil || !a.clickhouse.Up() {
		return 0
	}
	return a.clickhouse.Pid()
}
