package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The buckets, and what each may hold.
const (
	rulesBucket  = "seamark_rules"
	configBucket = "seamark_alertmanager"
	stateBucket  = "seamark_alertstate"

	maxRulesBytes  = 64 << 20
	maxConfigBytes = 64 << 20
	maxStateBytes  = 128 << 20
)

// leaseKey is the one lease of the whole role.
const leaseKey = "alerting"

// Limits bounds what one tenant may have. Each is a flag (`--alerting.…`).
type Limits struct {
	// GroupsPerTenant and RulesPerGroup bound the queries that run for one tenant without anybody asking.
	GroupsPerTenant, RulesPerGroup int
	// MinInterval is the shortest evaluation interval. Without it one group of 1 ms is a query storm.
	MinInterval time.Duration
	// AlertsPerRule bounds the active alerts of one alert name, AggregationGroups the groups they are notified in. Without
	// them a rule over a label explosion holds the process's memory and calls a receiver for each series.
	AlertsPerRule, AggregationGroups int
	// Silences counts ended ones too until they are forgotten; SilenceBytes bounds one. Without them one tenant fills the
	// bucket that all tenants' silences are in.
	Silences, SilenceBytes int
}

// DefaultLimits returns the limits that a tenant starts with.
func DefaultLimits() Limits {
	return Limits{
		GroupsPerTenant: 70, RulesPerGroup: 20, MinInterval: 10 * time.Second, AlertsPerRule: 5000, AggregationGroups: 5000,
		Silences: 1000, SilenceBytes: 16 << 10,
	}
}

// Options configures the role.
type Options struct {
	JS jetstream.JetStream
	// Leases is the cell's bucket of leases.
	Leases *bus.LeaseDocs
	// Keys seals the tenants' configurations, which hold the receivers' secrets.
	Keys *seal.Ring
	// Replicas is 1 on one node, 3 on a NATS cluster.
	Replicas int
	// Owner names this process among the candidates for the lease. A process that keeps it over a restart goes on at once.
	Owner string
	// LeaseTTL is how long a dead holder keeps the lease: the gap in evaluations after a crash.
	LeaseTTL time.Duration

	// Query returns the function that evaluates a tenant's expressions, as an instant query of class rules.
	Query func(tenant seamark.TenantID) rules.QueryFunc
	// Queryable reads a tenant's series; the `for` state of alerts is restored through it after a takeover.
	Queryable func(tenant seamark.TenantID) storage.Queryable
	// Publish stores what rules produced as the tenant's metrics. It returns after the bus has acknowledged, and keeps
	// neither the slice nor its labels.
	Publish func(ctx context.Context, tenant seamark.TenantID, batch []Sample) error
	// Standing says whether a tenant's rules run; nil runs all. Touch tells of a change.
	Standing func(tenant seamark.TenantID) Standing
	// ExternalURL is where a tenant's people see their alerts; it stands in notifications.
	ExternalURL func(tenant seamark.TenantID) *url.URL

	// PrivateReceivers are networks that receivers may be in although they are not public, on any port; for those who host
	// Seamark for themselves. Empty is the safe default: no address inside the platform can be reached.
	PrivateReceivers []netip.Prefix
	// ReceiverPorts are the ports that receivers at public addresses may have.
	ReceiverPorts []uint16
	// Resolver resolves receivers' names; nil is the system's.
	Resolver *net.Resolver

	// EvaluationInterval is that of groups that name none.
	EvaluationInterval time.Duration
	// EvaluationDelay is how far behind the clock expressions are evaluated, so that samples under way are in.
	EvaluationDelay time.Duration
	// OutageTolerance is the longest gap after which `for` state is restored; ForGracePeriod the least time an alert
	// stays pending after a restore; ResendDelay how often Alertmanager hears of an active alert.
	OutageTolerance, ForGracePeriod, ResendDelay time.Duration

	Limits     Limits
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// DefaultOptions returns the options of one node, without what must be handed in.
func DefaultOptions() Options {
	return Options{
		Replicas: 1, LeaseTTL: 10 * time.Second, ReceiverPorts: []uint16{443, 465, 587}, EvaluationInterval: time.Minute,
		OutageTolerance: time.Hour, ForGracePeriod: 2 * time.Minute, ResendDelay: time.Minute, Limits: DefaultLimits(),
		Now: time.Now,
	}
}

func (o *Options) validate() error {
	l := o.Limits
	switch {
	case o.JS == nil || o.Leases == nil || o.Keys == nil || o.Query == nil || o.Queryable == nil || o.Publish == nil || o.ExternalURL == nil:
		return errors.New("alerting: JS, Leases, Keys, Query, Queryable, Publish and ExternalURL are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("alerting: Logger, Registerer and Now are required")
	case o.Owner == "" || o.Replicas < 1 || o.LeaseTTL < 100*time.Millisecond:
		return errors.New("alerting: Owner, Replicas and a LeaseTTL of at least 100 ms are required")
	case o.EvaluationInterval <= 0 || o.EvaluationDelay < 0 || o.OutageTolerance <= 0 || o.ForGracePeriod <= 0 || o.ResendDelay <= 0:
		return errors.New("alerting: EvaluationInterval, OutageTolerance, ForGracePeriod and ResendDelay must be positive")
	case o.LeaseTTL+2*o.EvaluationInterval >= 4*max(o.EvaluationInterval, o.ResendDelay):
		return fmt.Errorf("alerting: LeaseTTL %s is too long for EvaluationInterval %s: alerts would count as resolved before a successor evaluates them",
			o.LeaseTTL, o.EvaluationInterval)
	case l.GroupsPerTenant < 1 || l.RulesPerGroup < 1 || l.AlertsPerRule < 1 || l.AggregationGroups < 1 || l.Silences < 1 || l.SilenceBytes < 1:
		return errors.New("alerting: all Limits must be positive")
	}
	return nil
}

// Service is the alerting role. It is safe for concurrent use.
type Service struct {
	opts    Options
	metrics *metrics
	guard   *guard.Guard
	rules   *documents[ruleDoc]
	configs *documents[*configDoc]
	silent  *configDoc // of tenants that have set no configuration
	state   jetstream.KeyValue
	stop    context.CancelFunc
	stopped context.Context // ends with Stop
	ended   chan struct{}   // closed when Run has returned

	mu      sync.Mutex // guards all fields below
	running bool       // Run was called
	held    context.Context
	stored  map[seamark.TenantID]map[string]stateEntry // state of tenants that do not run yet
	tenants map[seamark.TenantID]*tenant               // nil while another process evaluates
	dirty   map[seamark.TenantID]bool
	changed chan struct{} // holds one value while dirty is not empty
}

// New opens the buckets. Nothing is evaluated before Run.
func New(ctx context.Context, o Options) (*Service, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Service{
		opts: o, metrics: newMetrics(o.Registerer), guard: guard.New(guard.Options{Private: o.PrivateReceivers, Ports: o.ReceiverPorts, Resolver: o.Resolver}),
		ended: make(chan struct{}), dirty: map[seamark.TenantID]bool{}, changed: make(chan struct{}, 1),
	}
	var err error
	if s.silent, err = s.parseConfig(configSource{Config: defaultConfig}); err != nil {
		return nil, err
	}
	rulesKV, err := openBucket(ctx, &o, rulesBucket, "Seamark: rule groups per tenant", maxRulesBytes)
	if err != nil {
		return nil, err
	}
	configKV, err := openBucket(ctx, &o, configBucket, "Seamark: Alertmanager configuration per tenant", maxConfigBytes)
	if err != nil {
		return nil, err
	}
	if s.state, err = openBucket(ctx, &o, stateBucket, "Seamark: silences, notification log, active alerts", maxStateBytes); err != nil {
		return nil, err
	}
	if err := s.sealPlainConfigs(ctx, configKV); err != nil {
		return nil, err
	}
	s.rules = newDocuments(rulesKV, decodeRule, &o, s.metrics)
	s.configs = newDocuments(configKV, s.decodeConfig, &o, s.metrics)
	s.rules.changed, s.configs.changed = s.touch, s.touch
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Run serves until ctx ends or Stop is called: it follows the documents and, while it holds the lease, evaluates. It is
// called once.
func (s *Service) Run(ctx context.Context) error {
	s.mu.Lock()
	again := s.running
	s.running = true
	s.mu.Unlock()
	if again {
		return errors.New("alerting: Run was called twice")
	}
	defer close(s.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	var watches sync.WaitGroup
	watches.Go(func() { s.rules.run(ctx) })
	watches.Go(func() { s.configs.run(ctx) })
	lease := bus.NewLease(s.opts.Leases, leaseKey, s.opts.Owner, s.opts.LeaseTTL, s.opts.Logger)
	for ctx.Err() == nil {
		if err := lease.Hold(ctx, s.lead); err != nil && ctx.Err() == nil {
			s.opts.Logger.Error("alerting stopped evaluating and tries again", "err", err)
		}
		pause := time.NewTimer(s.opts.LeaseTTL / 10)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	watches.Wait()
	return nil
}

// Stop ends Run and waits until it has handed the lease over, at most until ctx ends.
func (s *Service) Stop(ctx context.Context) error {
	s.stop()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if !running {
		return nil
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// touch notes that a tenant's documents changed.
func (s *Service) touch(id seamark.TenantID) {
	s.mu.Lock()
	s.dirty[id] = true
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// lead evaluates all tenants while the lease is held; ctx ends with the lease.
func (s *Service) lead(ctx context.Context) error {
	s.rules.await(ctx, func() bool { return s.rules.loaded })
	s.configs.await(ctx, func() bool { return s.configs.loaded })
	stored, err := loadState(ctx, s.state, s.metrics, s.opts.Logger)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.held, s.stored, s.tenants = ctx, stored, map[seamark.TenantID]*tenant{}
	for id := range stored {
		s.dirty[id] = true
	}
	s.mu.Unlock()
	s.metrics.leading.Set(1)
	defer s.retire()
	for _, id := range append(s.rules.tenants(), s.configs.tenants()...) {
		s.touch(id)
	}
	for {
		for _, id := range s.takeDirty() {
			if s.standing(id) == Gone {
				s.dismiss(id)
				continue
			}
			t, err := s.tenant(id, true)
			if err != nil {
				s.opts.Logger.Error("tenant's alerting not started", "tenant", id, "err", err)
				continue
			}
			t.kick()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.changed:
		}
	}
}

func (s *Service) takeDirty() []seamark.TenantID {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]seamark.TenantID, 0, len(s.dirty))
	for id := range s.dirty {
		list = append(list, id)
	}
	clear(s.dirty)
	return list
}

// retire waits until every tenant has ended; their context is over.
func (s *Service) retire() {
	s.mu.Lock()
	running := s.tenants
	s.held, s.stored, s.tenants = nil, nil, nil
	s.mu.Unlock()
	for _, t := range running {
		<-t.done
	}
	s.metrics.leading.Set(0)
	s.metrics.tenants.Set(0)
}

// tenant returns a running tenant, which it starts when create is set, and nil when the tenant does not run. It fails with
// Unavailable while another process evaluates.
func (s *Service) tenant(id seamark.TenantID, create bool) (*tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenants == nil || s.held.Err() != nil {
		return nil, seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby",
			"This process does not evaluate rules at the moment; another one does or is about to. Try again.")
	}
	if t, ok := s.tenants[id]; ok || !create {
		return t, nil
	}
	if s.standing(id) == Gone {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "There is no such tenant.")
	}
	t, err := startTenant(s.held, s, id, s.stored[id])
	if err != nil {
		return nil, fmt.Errorf("start alerting of tenant: %w", err)
	}
	s.tenants[id] = t
	delete(s.stored, id)
	s.metrics.tenants.Set(float64(len(s.tenants)))
	return t, nil
}

// Alertmanager returns the API v2 of the tenant's Alertmanager, whose paths begin with /api/v2.
func (s *Service) Alertmanager(_ context.Context, id seamark.TenantID) (http.Handler, error) {
	t, err := s.tenant(id, true)
	if err != nil {
		return nil, err
	}
	return t.am.handler()
}

// SyncAlertmanager returns when every silence that was set so far is stored; Unavailable when that cannot be said.
func (s *Service) SyncAlertmanager(ctx context.Context, id seamark.TenantID) error {
	t, err := s.tenant(id, true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := t.journal.sync(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}
