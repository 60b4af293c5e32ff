package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logql"
)

// sizesAge is how old what is known of a tenant's tables may be: a day's part grows little in it. Of a tenant that has next to
// nothing it may be younger: what comes first can be as much as all that it has.
const (
	sizesAge     = 30 * time.Second
	newSizesAge  = 3 * time.Second
	newSizesRows = 1_000_000
)

// sizesTimeout bounds a look at a tenant's tables.
const sizesTimeout = 5 * time.Second

// sizes knows what tenants have of each day, so that queries can be estimated without reading. Nobody waits for what it knows
// already.
type sizes struct {
	list func(ctx context.Context, tenant seamark.TenantID) ([]store.DaySize, error)
	now  func() time.Time
	log  *slog.Logger

	mu      sync.Mutex // guards tenants
	tenants map[seamark.TenantID]*tenantSizes
}

// tenantSizes is what one tenant has.
type tenantSizes struct {
	refresh sync.Mutex // held while somebody looks

	mu    sync.Mutex // guards what follows
	days  []store.DaySize
	at    time.Time // when the tables were looked at; zero is never
	age   time.Duration
	asked time.Time
}

func newSizes(s *store.Store, now func() time.Time, log *slog.Logger) *sizes {
	return &sizes{list: s.ListDaySizes, now: now, log: log, tenants: map[seamark.TenantID]*tenantSizes{}}
}

// estimate implements admit.Options.Estimate. Where the tables cannot be looked at, nothing is known of the query.
func (s *sizes) estimate(ctx context.Context, tenant seamark.TenantID, want *admit.Want) admit.Estimate {
	days := s.days(ctx, tenant)
	var e admit.Estimate
	for i := range days {
		d := &days[i]
		if part := overlap(d, want.Start, want.End, s.now()); part > 0 && slices.Contains(want.Signals, d.Signal) {
			e.Rows += uint64(part * float64(d.Rows))
			e.Bytes += uint64(part * float64(d.Bytes))
		}
	}
	return e
}

// overlap returns which part of a partition's rows a range has, if they came evenly. Those of today came until now.
func overlap(d *store.DaySize, start, end, now time.Time) float64 {
	last := d.End
	if now.After(d.Start) && now.Before(last) {
		last = now
	}
	from, to := d.Start, last
	if start.After(from) {
		from = start
	}
	if !end.IsZero() && end.Before(to) {
		to = end
	}
	if !to.After(from) {
		return 0
	}
	return float64(to.Sub(from)) / float64(last.Sub(d.Start))
}

// rowBytes returns how many bytes a tenant's row of a signal has; 0 is not known.
func (s *sizes) rowBytes(ctx context.Context, tenant seamark.TenantID, signal seamark.Signal) float64 {
	var rows, bytes float64
	for _, d := range s.days(ctx, tenant) {
		if d.Signal == signal {
			rows, bytes = rows+float64(d.Rows), bytes+float64(d.Bytes)
		}
	}
	if rows == 0 {
		return 0
	}
	return bytes / rows
}

// days returns what is known of a tenant's tables. The first to ask waits; who finds it old asks anew for the next.
func (s *sizes) days(ctx context.Context, id seamark.TenantID) []store.DaySize {
	now := s.now()
	s.mu.Lock()
	t := s.tenants[id]
	if t == nil {
		s.forgetLocked(now)
		t = &tenantSizes{}
		s.tenants[id] = t
	}
	s.mu.Unlock()
	t.mu.Lock()
	days, at, age := t.days, t.at, t.age
	t.asked = now
	t.mu.Unlock()
	switch {
	case at.IsZero():
		t.refresh.Lock()
		defer t.refresh.Unlock()
		return s.look(ctx, id, t)
	case now.Sub(at) > age && t.refresh.TryLock():
		go func() {
			defer t.refresh.Unlock()
			s.look(context.WithoutCancel(ctx), id, t)
		}()
	}
	return days
}

// look reads the sizes of a tenant's tables, unless somebody just has.
func (s *sizes) look(ctx context.Context, id seamark.TenantID, t *tenantSizes) []store.DaySize {
	t.mu.Lock()
	days, at, age := t.days, t.at, t.age
	t.mu.Unlock()
	if !at.IsZero() && s.now().Sub(at) <= age {
		return days
	}
	ctx, cancel := context.WithTimeout(ctx, sizesTimeout)
	defer cancel()
	found, err := s.list(ctx, id)
	if err != nil {
		s.log.Debug("the sizes of a tenant's tables are not known", "tenant", id, "err", err)
		return days
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.days, t.at, t.age = found, s.now(), ageOf(found)
	return found
}

func ageOf(days []store.DaySize) time.Duration {
	var rows uint64
	for i := range days {
		rows += days[i].Rows
	}
	if rows < newSizesRows {
		return newSizesAge
	}
	return sizesAge
}

// forgetLocked drops what nobody has asked for in an hour.
func (s *sizes) forgetLocked(now time.Time) {
	for id, t := range s.tenants {
		t.mu.Lock()
		idle := now.Sub(t.asked)
		t.mu.Unlock()
		if idle > time.Hour {
			delete(s.tenants, id)
		}
	}
}

// narrowLogRows returns what looks into the index of logs for the streams of a query's selections.
func (a *App) narrowLogRows(scope seamark.Scope, reads []*logql.LogQuery, r seamark.TimeRange) func(context.Context) (admit.Estimate, error) {
	return func(ctx context.Context) (e admit.Estimate, err error) {
		for _, read := range reads {
			streams, err := narrowLogs(a.logql, scope).Streams(ctx, scope.Tenant, read.Matchers, r)
			if err != nil {
				return e, err
			}
			rows, err := a.store.EstimateLogRows(ctx, scope.Tenant, &store.LogScope{Streams: streams, Start: r.Start.UnixNano(), End: r.End.UnixNano()})
			if err != nil {
				return e, err
			}
			e.Rows += rows
		}
		e.Bytes = uint64(float64(e.Rows) * a.sizes.rowBytes(ctx, scope.Tenant, seamark.Logs))
		return e, nil
	}
}

// narrowSamples returns what looks into the index of samples for the metrics that an expression names; nil where one of its
// selectors names none.
func (a *App) narrowSamples(tenant seamark.TenantID, expr parser.Expr, r seamark.TimeRange) func(context.Context) (admit.Estimate, error) {
	var metrics []string
	named := true
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			name := metricOf(s)
			metrics, named = append(metrics, name), named && name != ""
		}
		return nil
	})
	if !named || len(metrics) == 0 {
		return nil
	}
	slices.Sort(metrics)
	metrics = slices.Compact(metrics)
	return func(ctx context.Context) (admit.Estimate, error) {
		rows, err := a.store.EstimateSampleRows(ctx, tenant, metrics, r.Start.UnixMilli(), r.End.UnixMilli())
		return admit.Estimate{Rows: rows, Bytes: uint64(float64(rows) * a.sizes.rowBytes(ctx, tenant, seamark.Metrics))}, err
	}
}
