package metering

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Store is what a sampler needs of the store.
type Store interface {
	ListStored(ctx context.Context, tenant seamark.TenantID, byDay bool) ([]store.StoredRows, error)
	ListMeteredRows(ctx context.Context, tenant seamark.TenantID, start, end int32) ([]store.MeteredRows, error)
	ListUsageBegins(ctx context.Context, tenant seamark.TenantID) (map[seamark.TenantID]int32, error)
	CloseUsage(ctx context.Context, start, end int32) error
}

// Active is how many series and streams of a cluster have had a row within the hour.
type Active struct {
	Cluster         string // name
	Series, Streams int64
}

// SamplerOptions configures a Sampler.
type SamplerOptions struct {
	Store   Store
	Publish Publish
	// Tenants lists the tenants that are there, by number.
	Tenants func(ctx context.Context) map[seamark.TenantNumber]seamark.TenantID
	// Active returns what is active in a tenant's clusters.
	Active func(ctx context.Context, tenant seamark.TenantID) ([]Active, error)
	// Kept returns how long a signal's rows are kept.
	Kept func(tenant seamark.TenantID, signal seamark.Signal) time.Duration
	// Hold runs fn while this process is the one that samples.
	Hold func(ctx context.Context, fn func(ctx context.Context) error) error
	// Interval is how often samples are taken.
	Interval   time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *SamplerOptions) validate() error {
	switch {
	case o.Store == nil || o.Publish == nil || o.Tenants == nil || o.Active == nil || o.Kept == nil || o.Hold == nil:
		return errors.New("metering: Store, Publish, Tenants, Active, Kept and Hold are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil || o.Interval <= 0:
		return errors.New("metering: Logger, Registerer, Now and a positive Interval are required")
	}
	return nil
}

// Sampler measures what all tenants hold, closes the meter's days and compares the meter with the store. One process does it for
// all.
type Sampler struct {
	opts        SamplerOptions
	unexplained *prometheus.GaugeVec
	faults      prometheus.Counter
	closed      int32 // the day on which days were closed last
}

// NewSampler returns a sampler that does nothing before Run.
func NewSampler(o SamplerOptions) (*Sampler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Sampler{
		opts: o,
		unexplained: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "seamark_metering_unexplained_rows", Help: "Rows of yesterday and today by which the meter and the store differ and that nothing explains, over all tenants, by signal.",
		}, []string{"signal"}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_metering_sample_faults_total", Help: "Samples of what tenants hold that failed; the next one tries again.",
		}),
	}
	o.Registerer.MustRegister(s.unexplained, s.faults)
	return s, nil
}

// Run samples while this process is the one to do it, until ctx ends.
func (s *Sampler) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.opts.Hold(ctx, s.lead); err != nil && ctx.Err() == nil {
			s.opts.Logger.WarnContext(ctx, "usage is not sampled; another try follows", slog.Any("error", err))
		}
		pause := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return nil
}

func (s *Sampler) lead(ctx context.Context) error {
	tick := time.NewTicker(s.opts.Interval)
	defer tick.Stop()
	defer s.unexplained.Reset()
	for {
		if err := s.Sample(ctx); err != nil && ctx.Err() == nil {
			s.faults.Inc()
			s.opts.Logger.WarnContext(ctx, "usage was not sampled, the next round tries again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sample takes one sample of everything.
func (s *Sampler) Sample(ctx context.Context) error {
	tenants := s.opts.Tenants(ctx)
	return errors.Join(s.sample(ctx, tenants), s.closeDays(ctx), s.compare(ctx, tenants))
}

func (s *Sampler) sample(ctx context.Context, tenants map[seamark.TenantNumber]seamark.TenantID) error {
	now := s.opts.Now()
	faults := []error(nil)
	stored, err := s.opts.Store.ListStored(ctx, "", false)
	if err != nil { // of a part of the store that is away; what the rest holds is metered
		faults = append(faults, fmt.Errorf("list what is stored: %w", err))
	}
	lines := map[seamark.TenantID][]seamark.Usage{}
	key := seamark.UsageKey{Hour: seamark.HourOf(now)}
	for i := range stored {
		id, ok := tenants[stored[i].Number]
		if !ok {
			continue
		}
		k := key
		k.Kind, k.Signal, k.Source = seamark.UsageStored, stored[i].Table.Signal(), stored[i].Table.String()
		lines[id] = append(lines[id], seamark.Usage{UsageKey: k, UsageCounts: seamark.UsageCounts{Requests: 1, Rows: stored[i].Rows, Bytes: stored[i].Bytes}})
	}
	for _, id := range tenants {
		active, err := s.opts.Active(ctx, id)
		if err != nil {
			faults = append(faults, fmt.Errorf("count what is active: %w", err))
			break
		}
		lines[id] = append(lines[id], activeLines(active, key)...)
	}
	for id, list := range lines {
		if len(list) == 0 {
			continue
		}
		if err := s.opts.Publish(ctx, id, "sample."+strconv.FormatInt(now.UnixNano(), 36), now, list); err != nil && seamark.KindOf(err) != seamark.NotFound {
			return errors.Join(append(faults, fmt.Errorf("publish samples: %w", err))...)
		}
	}
	return errors.Join(faults...)
}

func activeLines(active []Active, key seamark.UsageKey) []seamark.Usage {
	var list []seamark.Usage
	key.Kind = seamark.UsageActive
	for _, a := range active {
		k := key
		k.Cluster = a.Cluster
		for _, held := range []struct {
			signal seamark.Signal
			n      int64
		}{{seamark.Metrics, a.Series}, {seamark.Logs, a.Streams}} {
			k.Signal = held.signal
			list = append(list, seamark.Usage{UsageKey: k, UsageCounts: seamark.UsageCounts{Requests: 1, Rows: uint64(max(held.n, 0))}})
		}
	}
	return list
}

// closeDays closes all whole days that lines are there of, once a day: rows may be metered late, when the writer was away.
func (s *Sampler) closeDays(ctx context.Context) error {
	today := dayOf(s.opts.Now())
	if s.closed == today {
		return nil
	}
	if err := s.opts.Store.CloseUsage(ctx, today-store.UsageLineDays(), today); err != nil {
		return err
	}
	s.closed = today
	return nil
}

// compare tells of rows of yesterday and today that the meter and the store do not agree on.
func (s *Sampler) compare(ctx context.Context, tenants map[seamark.TenantNumber]seamark.TenantID) error {
	today := dayOf(s.opts.Now())
	lines, err := Compare(ctx, s.opts.Store, CompareOptions{
		Start: today - 1, End: today + 1, Tenants: tenants, Kept: s.opts.Kept, Now: s.opts.Now(),
	})
	if err != nil {
		return fmt.Errorf("compare the meter with the store: %w", err)
	}
	sums := Unexplained(lines)
	for _, signal := range seamark.Signals() {
		s.unexplained.WithLabelValues(signal.String()).Set(float64(sums[signal]))
	}
	return nil
}

// CompareOptions says what Compare looks at.
type CompareOptions struct {
	Tenant     seamark.TenantID // the zero TenantID is all
	Start, End int32            // days since 1970 of the rows' times
	Tenants    map[seamark.TenantNumber]seamark.TenantID
	Kept       func(tenant seamark.TenantID, signal seamark.Signal) time.Duration
	Now        time.Time
}

// Compare reads the meter and the store, in this order, and compares them.
func Compare(ctx context.Context, from Store, o CompareOptions) ([]Line, error) {
	begins, err := from.ListUsageBegins(ctx, o.Tenant)
	if err != nil {
		return nil, err
	}
	metered, err := from.ListMeteredRows(ctx, o.Tenant, o.Start, o.End)
	if err != nil {
		return nil, err
	}
	stored, err := from.ListStored(ctx, o.Tenant, true)
	if err != nil {
		return nil, err
	}
	held := map[HeldKey]Held{}
	there := map[seamark.TenantID]bool{}
	for _, id := range o.Tenants {
		there[id] = true
	}
	for i := range metered {
		m := &metered[i]
		if !there[m.Tenant] {
			continue // it was deleted: the meter outlives its rows
		}
		held[HeldKey{m.Tenant, m.Signal, m.Day}] = Held{Metered: m.Rows, SetAside: m.SetAside}
	}
	for i := range stored {
		r := &stored[i]
		id, ok := o.Tenants[r.Number]
		if !ok || r.Table.Signal() == 0 || r.Day < o.Start || r.Day >= o.End {
			continue
		}
		key := HeldKey{id, r.Table.Signal(), r.Day}
		h := held[key]
		h.Stored += r.Rows
		if r.Changed.After(h.Changed) {
			h.Changed = r.Changed
		}
		held[key] = h
	}
	for id := range begins {
		begins[id]++ // of the first day some rows may have come before the meter
	}
	return Reconcile(held, &ReconcileOptions{Now: o.Now, Kept: o.Kept, Began: begins}), nil
}
