package metering

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Publish stores lines of a tenant's meter durably. Publishing the same lines under the same id again stores them once.
type Publish = func(ctx context.Context, tenant seamark.TenantID, id string, at time.Time, lines []seamark.Usage) error

// MeterOptions configures a Meter.
type MeterOptions struct {
	Publish Publish
	// Flush is how often sums are published: what a crash may lose of what was read. Rows that tenants send are not counted here.
	Flush time.Duration
	// MaxActors bounds the languages and actors of one tenant between two flushes; more are counted together without a name.
	// Without it a tenant with many tokens holds the memory of all.
	MaxActors int
	// MaxUnsent bounds the lines that wait while the bus is away; the newest are lost beyond it.
	MaxUnsent  int
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// DefaultMeterOptions returns the options without what must be handed in.
func DefaultMeterOptions() MeterOptions {
	return MeterOptions{Flush: 30 * time.Second, MaxActors: 1000, MaxUnsent: 100_000}
}

func (o *MeterOptions) validate() error {
	switch {
	case o.Publish == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("metering: Publish, Logger, Registerer and Now are required")
	case o.Flush <= 0 || o.MaxActors < 1 || o.MaxUnsent < 1:
		return errors.New("metering: Flush, MaxActors and MaxUnsent must be positive")
	}
	return nil
}

// Meter adds up what queries read and publishes the sums now and then. It is safe for concurrent use.
type Meter struct {
	opts MeterOptions
	lost prometheus.Counter

	mu      sync.Mutex // guards books and origins
	books   map[seamark.TenantID]map[seamark.UsageKey]*seamark.UsageCounts
	origins map[seamark.TenantID]*originBook

	flushing sync.Mutex // guards unsent
	unsent   []page
}

// page is what one message carries. It keeps its id until it was published.
type page struct {
	tenant seamark.TenantID
	id     string
	at     time.Time
	lines  []seamark.Usage
}

// maxPageLines bounds a message.
const maxPageLines = 5000

// NewMeter returns a meter that publishes nothing before Run.
func NewMeter(o MeterOptions) (*Meter, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Meter{
		opts: o, books: map[seamark.TenantID]map[seamark.UsageKey]*seamark.UsageCounts{}, origins: map[seamark.TenantID]*originBook{},
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_metering_lost_lines_total", Help: "Lines about queries that were not stored, because the bus was away for too long or the tenant is gone.",
		}),
	}
	o.Registerer.MustRegister(m.lost)
	return m, nil
}

// Query counts a part of a query in a language by an actor, a login or the key id of a token.
func (m *Meter) Query(tenant seamark.TenantID, language, actor string, counts seamark.UsageCounts) {
	key := seamark.UsageKey{Kind: seamark.UsageQuery, Hour: seamark.HourOf(m.opts.Now()), Source: language, Actor: actor}
	m.mu.Lock()
	defer m.mu.Unlock()
	if book := m.books[tenant]; book[key] == nil && len(book) >= m.opts.MaxActors {
		key.Actor = ""
	}
	m.countLocked(tenant, key, counts)
}

// countLocked adds to a tenant's book.
func (m *Meter) countLocked(tenant seamark.TenantID, key seamark.UsageKey, counts seamark.UsageCounts) {
	book := m.books[tenant]
	if book == nil {
		book = map[seamark.UsageKey]*seamark.UsageCounts{}
		m.books[tenant] = book
	}
	if have := book[key]; have != nil {
		have.Add(&counts)
		return
	}
	book[key] = &counts
}

// Run publishes until ctx ends, and once more then.
func (m *Meter) Run(ctx context.Context) error {
	tick := time.NewTicker(m.opts.Flush)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return m.flushLast(ctx)
		case <-tick.C:
		}
		if err := m.Flush(ctx); err != nil && ctx.Err() == nil {
			m.opts.Logger.WarnContext(ctx, "the meter of queries was not published, the next round tries again", slog.Any("error", err))
		}
	}
}

// flushLast publishes on the way out, for some seconds at most.
func (m *Meter) flushLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return m.Flush(ctx)
}

// Flush publishes what was counted. What could not be published keeps its id and goes first next time, so that a message whose
// answer was lost counts once.
func (m *Meter) Flush(ctx context.Context) error {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	m.gather()
	for len(m.unsent) > 0 {
		p := &m.unsent[0]
		if err := m.opts.Publish(ctx, p.tenant, p.id, p.at, p.lines); err != nil {
			if kind := seamark.KindOf(err); kind != seamark.NotFound && kind != seamark.Invalid {
				return fmt.Errorf("publish usage: %w", err)
			}
			m.lost.Add(float64(len(p.lines)))
		}
		m.unsent = m.unsent[1:]
	}
	return nil
}

// gather makes pages of the books.
func (m *Meter) gather() {
	m.mu.Lock()
	m.closeOriginsLocked()
	books := m.books
	m.books = map[seamark.TenantID]map[seamark.UsageKey]*seamark.UsageCounts{}
	m.mu.Unlock()
	waiting := 0
	for i := range m.unsent {
		waiting += len(m.unsent[i].lines)
	}
	at := m.opts.Now()
	for _, tenant := range slices.Sorted(maps.Keys(books)) {
		lines := make([]seamark.Usage, 0, len(books[tenant]))
		for key, counts := range books[tenant] {
			lines = append(lines, seamark.Usage{UsageKey: key, UsageCounts: *counts})
		}
		slices.SortFunc(lines, func(a, b seamark.Usage) int {
			return cmp.Or(cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Actor, b.Actor))
		})
		for chunk := range slices.Chunk(lines, maxPageLines) {
			if waiting += len(chunk); waiting > m.opts.MaxUnsent {
				m.lost.Add(float64(len(chunk)))
				continue
			}
			m.unsent = append(m.unsent, page{tenant, rand.Text(), at, chunk})
		}
	}
}
