package alerting

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	apiv2 "github.com/prometheus/alertmanager/api/v2"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/seamarkhq/seamark/alerting/receivers"
	"github.com/seamarkhq/seamark/internal/guard"
)

// Intervals of one Alertmanager's housekeeping.
const (
	stateRetention   = 5 * 24 * time.Hour // of ended silences and of the notification log; upstream's default
	housekeeping     = 15 * time.Minute   // between garbage collections, upstream's default
	alertsGCInterval = 30 * time.Minute   // of resolved alerts; upstream's default
	groupsGCInterval = 30 * time.Second   // of empty aggregation groups; upstream's default
)

// alertmanager is one tenant's Alertmanager: upstream's parts in the construction order of upstream's reloader, without
// files and gossip. The parts up to pipeline live as long as it does; dispatcher and inhibitor are replaced by apply.
type alertmanager struct {
	logger      *slog.Logger
	externalURL *url.URL
	limits      Limits
	guard       *guard.Guard
	outcomes    *prometheus.CounterVec
	deliveries  *deliveryLog
	pace        *receivers.Pace
	evidence    *receivers.Evidences
	may         func() bool // this process still evaluates the tenant; nothing is sent after that

	registry    *prometheus.Registry
	recorder    eventrecorder.Recorder
	journal     *journal
	alerts      *mem.Alerts
	silences    *silence.Silences
	silencer    *silence.Silencer
	log         *nflog.Log
	groupMarker marker.GroupMarker
	pipeline    *notify.PipelineBuilder
	dispatching *dispatch.DispatcherMetrics

	dispatcher atomic.Pointer[dispatch.Dispatcher]
	inhibitor  atomic.Pointer[inhibit.Inhibitor]

	mu     sync.Mutex // guards config and api
	config *config.Config
	api    *apiv2.API // made at its first use: its route table is large and most tenants never call it
}

// newAlertmanager builds the parts that outlive a configuration and puts the stored state into them. It notifies nobody
// before the first apply.
func newAlertmanager(ctx context.Context, s *Service, j *journal, externalURL *url.URL) (*alertmanager, error) {
	logger := j.logger.With("part", "alertmanager")
	m := &alertmanager{
		logger: logger, externalURL: externalURL, limits: s.opts.Limits, guard: s.guard, outcomes: s.metrics.deliveries,
		may: func() bool { return ctx.Err() == nil && j.held.acts() }, registry: prometheus.NewRegistry(), recorder: eventrecorder.NopRecorder(), journal: j,
		groupMarker: marker.NewGroupMarker(), deliveries: s.deliveries, pace: receivers.NewPace(s.opts.Now), evidence: s.evidenceOf(j.tenant),
	}
	flags := featurecontrol.NoopFlags{}
	var err error
	m.log, err = nflog.New(nflog.Options{Retention: stateRetention, Logger: logger, Metrics: m.registry})
	if err != nil {
		return nil, fmt.Errorf("make notification log: %w", err)
	}
	m.silences, err = silence.New(silence.Options{
		Retention: stateRetention, Logger: logger, Metrics: m.registry, EventRecorder: m.recorder,
		Limits: silence.Limits{
			MaxSilences:         func() int { return m.limits.Silences },
			MaxSilenceSizeBytes: func() int { return m.limits.SilenceBytes },
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make silences: %w", err)
	}
	m.silencer = silence.NewSilencer(m.silences, logger, m.recorder)
	m.alerts, err = mem.NewAlerts(context.WithoutCancel(ctx), alertsGCInterval, m.limits.AlertsPerRule, m.silencer, logger,
		m.recorder, m.registry, flags)
	if err != nil {
		return nil, fmt.Errorf("make alerts: %w", err)
	}
	m.pipeline = notify.NewPipelineBuilder(m.registry, flags, m.recorder)
	m.dispatching = dispatch.NewDispatcherMetrics(false, m.registry, flags)
	m.restore(ctx)
	m.writeThrough()
	return m, nil
}

// restore merges the stored state in. Merge broadcasts what it takes, which is why writeThrough comes after it.
func (m *alertmanager) restore(ctx context.Context) {
	for rest, entry := range m.journal.snapshot() {
		var err error
		switch kind(rest) {
		case silenceState:
			err = m.silences.Merge(entry.body)
		case nflogState:
			err = m.log.Merge(entry.body)
		case alertState:
			var doc alertDoc
			if doc, err = decodeAlert(entry.body); err == nil {
				err = m.alerts.Put(ctx, doc.restored(m.journal.now()))
			}
		}
		if err != nil {
			m.logger.Error("state cannot be restored", "key", rest, "err", err)
		}
	}
}

// writeThrough records every change of silences and of the notification log. Upstream itself writes them to a file every
// 15 minutes, so that a crash forgets silences and repeats notifications.
func (m *alertmanager) writeThrough() {
	through := func(decode func([]byte) (string, time.Time, error)) func([]byte) {
		return func(body []byte) {
			rest, expires, err := decode(body)
			if err != nil {
				m.logger.Error("state cannot be recorded", "err", err)
				return
			}
			m.journal.record(rest, body, expires)
		}
	}
	m.silences.SetBroadcast(through(decodeSilence))
	m.log.SetBroadcast(through(decodeLogEntry))
}

// apply replaces routing, receivers, inhibition and templates. All that can fail comes first, so a configuration that
// does not work leaves the old one running.
func (m *alertmanager) apply(doc *configDoc) error {
	tmpl, err := doc.template(m.externalURL)
	if err != nil {
		return err
	}
	routes := dispatch.NewRoute(doc.parsed.Route, nil)
	told := make(map[string][]notify.Integration, len(doc.receivers))
	options := m.receiverOptions(doc, tmpl)
	for _, receiver := range doc.receivers {
		told[receiver.Name] = nil // a receiver that tells nobody is still a place to route to
		integrations, err := receiver.Build(options)
		if err != nil {
			return fmt.Errorf("make receiver %q: %w", receiver.Name, err)
		}
		for _, i := range integrations {
			told[receiver.Name] = append(told[receiver.Name],
				notify.NewIntegration(m.counted(receiver.Name, i), i.Sender, i.Kind, i.Index, receiver.Name))
		}
	}
	m.stopDispatching()
	inhibitor := inhibit.NewInhibitor(m.alerts, doc.parsed.InhibitRules, m.logger, m.recorder)
	pipeline := m.pipeline.New(told, func() time.Duration { return 0 }, inhibitor, m.silencer,
		timeinterval.NewIntervener(intervals(doc.parsed)), m.groupMarker, m.log, nil)
	dispatcher := dispatch.NewDispatcher(m.alerts, routes, pipeline, m.groupMarker, pipelineTimeout, groupsGCInterval,
		m, m.logger, m.recorder, m.dispatching, tmpl.Upstream)
	// The inhibitor must know all alerts before the dispatcher may notify about one of them.
	go inhibitor.Run()
	inhibitor.WaitForLoading()
	m.inhibitor.Store(inhibitor)
	go dispatcher.Run(time.Now())
	dispatcher.WaitForLoading()
	m.dispatcher.Store(dispatcher)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.config = doc.parsed
	m.updateAPILocked()
	return nil
}

func intervals(c *config.Config) map[string][]timeinterval.TimeInterval {
	named := make(map[string][]timeinterval.TimeInterval, len(c.MuteTimeIntervals)+len(c.TimeIntervals))
	for _, t := range c.MuteTimeIntervals {
		named[t.Name] = t.TimeIntervals
	}
	for _, t := range c.TimeIntervals {
		named[t.Name] = t.TimeIntervals
	}
	return named
}

func pipelineTimeout(d time.Duration) time.Duration { return max(d, notify.MinTimeout) }

// MaxNumberOfAggregationGroups implements dispatch.Limits.
func (m *alertmanager) MaxNumberOfAggregationGroups() int { return m.limits.AggregationGroups }

// handler returns upstream's API v2, whose paths begin with /api/v2.
func (m *alertmanager) handler() (http.Handler, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.api == nil {
		groups := func(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
			return m.dispatcher.Load().Groups(ctx, routes, alerts)
		}
		api, err := apiv2.NewAPI(m.alerts, groups, m.groupMarker.Muted, m.silences, nil, demoted(m.logger, slog.LevelError), m.registry)
		if err != nil {
			return nil, fmt.Errorf("make Alertmanager API: %w", err)
		}
		m.api = api
		m.updateAPILocked()
	}
	return m.api.Handler, nil
}

func (m *alertmanager) updateAPILocked() {
	if m.api == nil {
		return
	}
	m.api.Update(m.config, func(ctx context.Context, labels model.LabelSet) {
		m.inhibitor.Load().Mutes(ctx, labels)
		m.silencer.Mutes(ctx, labels)
	})
}

// housekeep forgets what has expired, in memory and in the bucket, until ctx ends.
func (m *alertmanager) housekeep(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := m.silences.GC(); err != nil {
			m.logger.Error("silences not collected", "err", err)
		}
		if _, err := m.log.GC(); err != nil {
			m.logger.Error("notification log not collected", "err", err)
		}
		m.journal.collect(ctx)
	}
}

func (m *alertmanager) stopDispatching() {
	if old := m.inhibitor.Load(); old != nil {
		old.Stop()
	}
	if old := m.dispatcher.Load(); old != nil {
		old.Stop()
	}
}

// stop ends all of it; deliveries that are under way are cut.
func (m *alertmanager) stop() {
	m.stopDispatching()
	m.alerts.Close()
}
