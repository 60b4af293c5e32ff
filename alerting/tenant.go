package alerting

import (
	"context"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sweepInterval is how often alerts without news are looked for; they wait for minutes anyway.
const sweepInterval = 30 * time.Second

// tenant is one tenant's running rules and Alertmanager. It has a goroutine of its own that takes changes over, because
// upstream's Update waits for the evaluation that is under way, and a slow query of one tenant must not delay another.
type tenant struct {
	id       seamark.TenantID
	service  *Service
	loader   *groupLoader
	manager  *rules.Manager
	am       *alertmanager
	forward  *forwarder
	journal  *journal
	external *url.URL
	config   *configDoc    // what runs; only the tenant's goroutine touches it after start
	wake     chan struct{} // holds one value while there is a change to take over
	done     chan struct{} // closed when everything has ended
	cancel   context.CancelFunc
}

// startTenant builds a tenant from its stored state and starts it; it ends with ctx.
func startTenant(ctx context.Context, s *Service, id seamark.TenantID, stored map[string]stateEntry) (*tenant, error) {
	t := &tenant{
		id: id, service: s, loader: &groupLoader{parser: newParser()}, external: s.opts.ExternalURL(id),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if t.external == nil {
		t.external = &url.URL{}
	}
	t.journal = newJournal(id, stored, s)
	ctx, t.cancel = context.WithCancel(ctx)
	am, err := newAlertmanager(ctx, s, t.journal, t.external)
	if err != nil {
		t.cancel()
		return nil, err
	}
	t.am = am
	t.forward = newForwarder(am, s.opts.Now)
	doc, err := t.wantedConfig()
	if err == nil {
		err = am.apply(doc)
	}
	if err != nil {
		am.stop()
		t.cancel()
		return nil, err
	}
	t.config = doc
	t.manager = rules.NewManager(t.managerOptions(ctx))
	go t.manager.Run()
	t.kick()
	go t.run(ctx)
	return t, nil
}

func (t *tenant) managerOptions(ctx context.Context) *rules.ManagerOptions {
	o := &t.service.opts
	return &rules.ManagerOptions{
		ExternalURL:            t.external,
		QueryFunc:              o.Query(t.id),
		NotifyFunc:             t.forward.notify,
		Context:                ctx,
		Appendable:             &appendable{tenant: t.id, publish: o.Publish},
		Queryable:              o.Queryable(t.id),
		Logger:                 demoted(t.journal.logger.With("part", "rules"), slog.LevelWarn),
		Registerer:             t.am.registry,
		OutageTolerance:        o.OutageTolerance,
		ForGracePeriod:         o.ForGracePeriod,
		ResendDelay:            o.ResendDelay,
		GroupLoader:            t.loader,
		DefaultRuleQueryOffset: func() time.Duration { return o.EvaluationDelay },
		// Every takeover makes a new manager, whose first Update restores the `for` state of all groups. Restoring groups
		// that are added later would suspend ALERTS for two evaluations at every edit; leases per group will need it.
		RestoreNewRuleGroups: false,
		Parser:               t.loader.parser,
	}
}

// kick asks the tenant to take its documents over.
func (t *tenant) kick() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *tenant) run(ctx context.Context) {
	defer close(t.done)
	defer t.cancel()
	background := make(chan struct{}, 2)
	go func() { t.journal.run(ctx); background <- struct{}{} }()
	go func() { t.am.housekeep(ctx); background <- struct{}{} }()
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.wake:
			t.takeOver()
		case <-tick.C:
			t.forward.sweep()
		}
	}
	t.manager.Stop()
	t.am.stop()
	<-background
	<-background
	// What the last evaluation left is written before the lease is given up; a lost lease makes this a no-op, because
	// each write expects the revision that this process knows.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	t.journal.drain(last)
}

// takeOver brings what runs to what is stored. Groups that did not change keep running untouched.
func (t *tenant) takeOver() {
	outcome := "applied"
	if err := t.applyConfig(); err != nil {
		outcome = "failed"
		t.journal.logger.Error("Alertmanager configuration not taken over; the old one stays", "err", err)
	}
	if err := t.applyRules(); err != nil {
		outcome = "failed"
		t.journal.logger.Error("rules not taken over; the old ones stay", "err", err)
	}
	t.service.metrics.applied.WithLabelValues(outcome).Inc()
}

func (t *tenant) wantedConfig() (*configDoc, error) {
	doc, err := t.service.configOf(t.id)
	if doc == nil || t.service.standing(t.id) != Running {
		doc = t.service.silent
	}
	return doc, err
}

func (t *tenant) applyConfig() error {
	doc, err := t.wantedConfig()
	if err != nil || doc.equal(t.config) {
		return err
	}
	if err := t.am.apply(doc); err != nil {
		return err
	}
	t.config = doc
	return nil
}

func (t *tenant) applyRules() error {
	docs, err := t.service.rules.of(t.id)
	if err != nil {
		return err
	}
	if t.service.standing(t.id) != Running {
		docs = nil // its receivers are silent by now, so nobody is told that its alerts ended
	}
	t.loader.groups = groupsByNamespace(docs)
	namespaces := slices.Sorted(maps.Keys(t.loader.groups))
	return t.manager.Update(t.service.opts.EvaluationInterval, namespaces, labels.EmptyLabels(), t.external.String(), nil)
}

// demoted returns a logger whose records up to most become debug records: what a tenant's rules and requests do wrong is
// shown to the tenant and would flood the operator.
func demoted(l *slog.Logger, most slog.Level) *slog.Logger {
	return slog.New(demoter{l.Handler(), most})
}

type demoter struct {
	slog.Handler
	most slog.Level
}

// Enabled implements slog.Handler.
func (d demoter) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, d.level(level))
}

// Handle implements slog.Handler.
func (d demoter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = d.level(r.Level)
	return d.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (d demoter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoter{d.Handler.WithAttrs(attrs), d.most}
}

// WithGroup implements slog.Handler.
func (d demoter) WithGroup(name string) slog.Handler {
	return demoter{d.Handler.WithGroup(name), d.most}
}

func (d demoter) level(level slog.Level) slog.Level {
	if level <= d.most {
		return min(level, slog.LevelDebug)
	}
	return level
}
