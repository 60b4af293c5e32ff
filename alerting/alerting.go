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
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/alerting/packs"
	"github.com/seamarkhq/seamark/alerting/receivers"
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

// Limits bounds what one tenant may have. Each is a flag (`--alerting.…`).
type Limits struct {
	// GroupsPerTenant and RulesPerGroup bound the queries that run for one tenant without anybody asking.
	GroupsPerTenant, RulesPerGroup int
	// MinInterval is the shortest evaluation interval. Without it one group of 1 ms is a query storm.
	MinInterval time.Duration
	// MaxQueryOffset bounds how far behind the clock a group is evaluated. Without it a group reads what nobody keeps at hand.
	MaxQueryOffset time.Duration
	// GroupBytes bounds a group's document. Without it one group fills the message that it is stored in.
	GroupBytes int
	// AlertsPerRule bounds the active alerts of one alert name, AggregationGroups the groups they are notified in. Without
	// them a rule over a label explosion holds the process's memory and calls a receiver for each series.
	AlertsPerRule, AggregationGroups int
	// Silences counts ended ones too until they are forgotten; SilenceBytes bounds one. Without them one tenant fills the
	// bucket that all tenants' silences are in.
	Silences, SilenceBytes int
	// DeliveriesKept is how many attempts to tell receivers the delivery log keeps of a tenant. Without it one failing receiver
	// fills the log of all.
	DeliveriesKept int
	// TestsPerMinute bounds how often a tenant may try its receivers. Without it the button is a way to send anything anywhere.
	TestsPerMinute int
}

// DefaultLimits returns the limits that a tenant starts with.
func DefaultLimits() Limits {
	return Limits{
		GroupsPerTenant: 70, RulesPerGroup: 20, MinInterval: 10 * time.Second, MaxQueryOffset: time.Hour, GroupBytes: 256 << 10, AlertsPerRule: 5000, AggregationGroups: 5000,
		Silences: 1000, SilenceBytes: 16 << 10, DeliveriesKept: 500, TestsPerMinute: 20,
	}
}

// Options configures the role.
type Options struct {
	JS jetstream.JetStream
	// Keys seals the tenants' configurations, which hold the receivers' secrets.
	Keys *seal.Ring
	// Replicas is 1 on one node, 3 on a NATS cluster.
	Replicas int
	// Owner names this process among the replicas that share the tenants. A process that keeps it over a restart goes on at once.
	Owner string
	// LeaseTTL is how long a dead replica keeps its tenants: the gap in evaluations after a crash.
	LeaseTTL time.Duration

	// Query returns the function that evaluates a tenant's expressions, as an instant query of class rules.
	Query func(tenant seamark.TenantID) rules.QueryFunc
	// QueryOver evaluates an expression over q, which holds the tenant's series and some beside them: what a group has just recorded
	// is seen by the rules after it before it is stored. nil leaves that to the store.
	QueryOver func(tenant seamark.TenantID, q storage.Queryable) rules.QueryFunc
	// QueryLogs is Query for rules over logs, CheckLogs checks such an expression and tells where it is wrong, counted from 1 and
	// 0 where that is not known. Without both there are no rules over logs.
	QueryLogs func(tenant seamark.TenantID) rules.QueryFunc
	CheckLogs func(expr string) (line, column int, err error)
	// Queryable reads a tenant's series; the `for` state of alerts is restored through it after a takeover.
	Queryable func(tenant seamark.TenantID) storage.Queryable
	// Publish stores what rules produced as the tenant's metrics. It returns after the bus has acknowledged, and keeps
	// neither the slice nor its labels.
	Publish func(ctx context.Context, tenant seamark.TenantID, batch []Sample) error
	// Standing says whether a tenant's rules run; nil runs all. Touch tells of a change.
	Standing func(tenant seamark.TenantID) Standing
	// Evidence collects what helps whoever is told of an alert; nil attaches none. It is given about two seconds.
	Evidence func(ctx context.Context, tenant seamark.TenantID, a *model.Alert) (receivers.Evidence, error)
	// ExternalURL is where a tenant's people see their alerts; it stands in notifications.
	ExternalURL func(tenant seamark.TenantID) *url.URL
	// Runbooks is where this server's API is reached from outside, for the links to packs' runbooks; nil leaves them out.
	Runbooks *url.URL

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
	// Behind tells for how long something of a tenant that was acknowledged has waited to be stored; nil is for never. While that is
	// more than some seconds a group waits for it, for at most MaxHold and half of its interval: what is missing only because it is late
	// makes no rule fire, and none resolve. A MaxHold of 0 waits for nothing.
	Behind  func(tenant seamark.TenantID) time.Duration
	MaxHold time.Duration
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
		Replicas: 1, LeaseTTL: 9 * time.Second, ReceiverPorts: []uint16{443, 465, 587}, EvaluationInterval: time.Minute,
		MaxHold: 30 * time.Second, OutageTolerance: time.Hour, ForGracePeriod: 2 * time.Minute, ResendDelay: time.Minute, Limits: DefaultLimits(),
		Now: time.Now,
	}
}

func (o *Options) validate() error {
	l := o.Limits
	switch {
	case o.JS == nil || o.Keys == nil || o.Query == nil || o.Queryable == nil || o.Publish == nil || o.ExternalURL == nil:
		return errors.New("alerting: JS, Keys, Query, Queryable, Publish and ExternalURL are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("alerting: Logger, Registerer and Now are required")
	case o.Owner == "" || o.Replicas < 1 || o.LeaseTTL < 100*time.Millisecond:
		return errors.New("alerting: Owner, Replicas and a LeaseTTL of at least 100 ms are required")
	case o.EvaluationInterval <= 0 || o.EvaluationDelay < 0 || o.MaxHold < 0 || o.OutageTolerance <= 0 || o.ForGracePeriod <= 0 || o.ResendDelay <= 0:
		return errors.New("alerting: EvaluationInterval, OutageTolerance, ForGracePeriod and ResendDelay must be positive")
	case o.LeaseTTL+2*o.EvaluationInterval >= 4*max(o.EvaluationInterval, o.ResendDelay):
		return fmt.Errorf("alerting: LeaseTTL %s is too long for EvaluationInterval %s: alerts would count as resolved before a successor evaluates them",
			o.LeaseTTL, o.EvaluationInterval)
	case l.GroupsPerTenant < 1 || l.RulesPerGroup < 1 || l.AlertsPerRule < 1 || l.AggregationGroups < 1 || l.Silences < 1 || l.SilenceBytes < 1 || l.DeliveriesKept < 1 || l.TestsPerMinute < 1 || l.GroupBytes < 1 || l.MaxQueryOffset < 0:
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
	packs   []packs.Pack
	books   *url.URL // where packs' runbooks are served; nil leaves links out
	state   jetstream.KeyValue
	tests   *receivers.Pace // of receivers that people try

	deliveries *deliveryLog
	shards     *bus.Shards
	work       sync.WaitGroup // what begins and ends with shards

	stop    context.CancelFunc
	stopped context.Context // ends with Stop
	ended   chan struct{}   // closed when Run has returned

	mu      sync.Mutex                                 // guards all fields below
	running bool                                       // Run was called
	held    map[int]*tenure                            // by shard
	stored  map[seamark.TenantID]map[string]stateEntry // state of tenants that do not run yet
	tenants map[seamark.TenantID]*tenant
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
		held: map[int]*tenure{}, stored: map[seamark.TenantID]map[string]stateEntry{}, tenants: map[seamark.TenantID]*tenant{},
	}
	if err := s.loadPacks(); err != nil {
		return nil, err
	}
	s.books = o.Runbooks
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
	if s.deliveries, err = openDeliveryLog(ctx, &o, s.metrics); err != nil {
		return nil, err
	}
	if err := s.openShards(ctx); err != nil {
		return nil, err
	}
	s.tests = receivers.NewPace(o.Now)
	if err := s.sealPlainConfigs(ctx, configKV); err != nil {
		return nil, err
	}
	s.rules = newDocuments(rulesKV, s.decodeRule, &o, s.metrics)
	s.configs = newDocuments(configKV, s.decodeConfig, &o, s.metrics)
	s.rules.changed, s.configs.changed = s.touch, s.touch
	s.stopped, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Run serves until ctx ends or Stop is called: it follows the documents and evaluates the tenants whose shards it holds. It is
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
	defer s.stop() // ctx may have ended alone
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	background, stop := context.WithCancel(context.WithoutCancel(ctx)) // tenants that end still need what follows
	var parts sync.WaitGroup
	parts.Go(func() { s.rules.run(background) })
	parts.Go(func() { s.configs.run(background) })
	parts.Go(func() { s.deliveries.run(background) })
	parts.Go(func() { s.follow(ctx) })
	err := s.shards.Run(ctx) // returns when all shards are handed over
	stop()
	parts.Wait()
	s.work.Wait()
	return err
}

// Stop ends Run and waits until it has handed its shards over, at most until ctx ends.
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

// tenant returns a running tenant, which it starts when create is set, and nil when the tenant does not run. It fails with
// Unavailable while this process does not hold the tenant's shard.
func (s *Service) tenant(id seamark.TenantID, create bool) (*tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held[shardOf(id)]
	if held == nil || !held.acts() {
		return nil, seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby",
			"This process does not evaluate the tenant's rules at the moment; another one does or is about to. Try again.")
	}
	if t, ok := s.tenants[id]; ok || !create {
		return t, nil
	}
	if s.standing(id) == Gone {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "There is no such tenant.")
	}
	t, err := startTenant(held, s, id, s.stored[id])
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
	if !t.tenure.holds() {
		return unavailable(errFenced) // it may stand behind another process's fence
	}
	return nil
}
