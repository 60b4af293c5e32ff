package metering

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// WatcherOptions configures a Watcher.
type WatcherOptions struct {
	Meter Usage
	// Budgets lists the tenants that have budgets, with them.
	Budgets func() map[seamark.TenantID][]seamark.Budget
	// Raise hands alerts to the tenant's Alertmanager, where they last for the given time unless they are raised again. An error of
	// kind Unavailable says that another process does it.
	Raise func(ctx context.Context, tenant seamark.TenantID, alerts []Alert, lasts time.Duration) error
	// Interval is how often budgets are looked at.
	Interval   time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *WatcherOptions) validate() error {
	if o.Meter == nil || o.Budgets == nil || o.Raise == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil || o.Interval <= 0 {
		return errors.New("metering: all options of a watcher are required")
	}
	return nil
}

// Watcher tells tenants of their budgets.
type Watcher struct {
	opts   WatcherOptions
	faults prometheus.Counter
}

// NewWatcher returns a watcher that looks at nothing before Run.
func NewWatcher(o WatcherOptions) (*Watcher, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	w := &Watcher{opts: o, faults: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "seamark_metering_budget_faults_total", Help: "Looks at a tenant's budgets that failed; the next one tries again.",
	})}
	o.Registerer.MustRegister(w.faults)
	return w, nil
}

// Run looks at all budgets each interval until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	tick := time.NewTicker(w.opts.Interval)
	defer tick.Stop()
	for {
		w.Look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// missedLooks is how many looks may fail before an alert ends by itself.
const missedLooks = 4

// Look raises what is to be told of all tenants' budgets now. It stops where another process is the one to do it.
func (w *Watcher) Look(ctx context.Context) {
	now := w.opts.Now()
	for tenant, budgets := range w.opts.Budgets() {
		err := w.look(ctx, tenant, budgets, now)
		switch {
		case err == nil:
		case ctx.Err() != nil, seamark.KindOf(err) == seamark.Unavailable:
			return
		default:
			w.faults.Inc()
			w.opts.Logger.WarnContext(ctx, "a tenant's budgets were not looked at", slog.String("tenant", string(tenant)), slog.Any("error", err))
		}
	}
}

func (w *Watcher) look(ctx context.Context, tenant seamark.TenantID, budgets []seamark.Budget, now time.Time) error {
	// The empty raise is asked first, so that a process that is not the one reads no meters.
	if err := w.opts.Raise(ctx, tenant, nil, 0); err != nil {
		return err
	}
	summary, err := Summarize(ctx, w.opts.Meter, tenant, now)
	if err != nil {
		return err
	}
	var alerts []Alert
	for _, state := range BudgetStates(budgets, summary, now) {
		alerts = append(alerts, state.Alerts(now)...)
	}
	if len(alerts) == 0 {
		return nil
	}
	return w.opts.Raise(ctx, tenant, alerts, missedLooks*max(w.opts.Interval, time.Minute))
}
