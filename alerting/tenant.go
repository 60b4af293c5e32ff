package alerting

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sweepInterval is how often alerts without news are looked for; they wait for minutes anyway.
const sweepInterval = 30 * time.Second

// tenant is one tenant's running rules and Alertmanager. It has a goroutine of its own that takes changes over, because
// upstream's Update waits for the evaluation that is under way, and a slow query of one tenant must not delay another.
type tenant struct {
	id       seamark.TenantID
	tenure   *tenure
	service  *Service
	loader   *groupLoader
	recent   *recent
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

// startTenant builds a tenant from its stored state and starts it; it ends with the tenure.
func startTenant(held *tenure, s *Service, id seamark.TenantID, stored map[string]stateEntry) (*tenant, error) {
	t := &tenant{
		id: id, tenure: held, service: s, loader: &groupLoader{parser: newParser(), salt: string(id)}, external: s.opts.ExternalURL(id),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if t.external == nil {
		t.external = &url.URL{}
	}
	t.recent = newRecent(s.opts.Queryable(id), t.over())
	t.journal = newJournal(id, stored, s, held)
	ctx, cancel := context.WithCancel(held.ctx)
	t.cancel = cancel
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
		QueryFunc:              t.queryFunc(),
		NotifyFunc:             t.forward.notify,
		Context:                ctx,
		Appendable:             &appendable{tenant: t.id, publish: t.publish, note: t.recent.note},
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
		RestoreNewRuleGroups:     false,
		RuleDependencyController: noDependencies{},
		Parser:                   t.loader.parser,
	}
}

// publish stores what rules produced, unless another process may evaluate them by now.
func (t *tenant) publish(ctx context.Context, id seamark.TenantID, batch []Sample) error {
	if !t.tenure.acts() {
		return errNotLeading
	}
	return t.service.opts.Publish(ctx, id, batch)
}

// over returns what evaluates an expression over series that are not all stored; nil where nothing does.
func (t *tenant) over() func(storage.Queryable) rules.QueryFunc {
	if t.service.opts.QueryOver == nil {
		return nil
	}
	return func(q storage.Queryable) rules.QueryFunc { return t.service.opts.QueryOver(t.id, q) }
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
	// What the last evaluation left is written before the shard is handed over; after its loss nothing is.
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
	groups := t.service.groupsOf(t.id, docs)
	namespaces := t.loader.replace(groups)
	t.recent.replace(groups)
	return t.manager.Update(t.service.opts.EvaluationInterval, namespaces, labels.EmptyLabels(), t.external.String(), t.iterate)
}

// iterate evaluates a group once, at the moment that is its turn, and counts that. It implements rules.GroupEvalIterationFunc.
func (t *tenant) iterate(ctx context.Context, g *rules.Group, at time.Time) {
	if last := g.GetLastEvalTimestamp(); !last.IsZero() && g.Interval() > 0 {
		if missed := at.Sub(last)/g.Interval() - 1; missed > 0 {
			t.service.metrics.missed.Add(float64(missed))
		}
	}
	if !t.awaitLate(ctx, g, at) {
		return
	}
	begun := time.Now()
	rules.DefaultEvalIterationFunc(ctx, g, at)
	t.service.metrics.iteration.Observe(time.Since(begun).Seconds())
	if t.tenure.acts() {
		t.settle(ctx, g)
	}
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
