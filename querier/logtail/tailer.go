// Package logtail shows log lines as they arrive: a tail begins with what the store holds and goes on with the messages of
// the bus, which it reads itself; it never polls the store. Every line goes through the LogQL engine, so a tail shows what
// the same query would. It knows neither HTTP nor NATS; package app hands it its source and gives it to the HTTP API.
package logtail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Source is the shards of the bus that log lines come in. Implementations are safe for concurrent use.
type Source interface {
	// Shards returns in how many shards a tenant's lines come; they are numbered from 0.
	Shards(tenant seamark.TenantID) (int, error)
	// Position returns sequences of a shard's messages: up to stored, all rows are in the store; last is the newest message.
	// Both may be older than the truth.
	Position(ctx context.Context, tenant seamark.TenantID, shard int) (stored, last uint64, err error)
	// Follow hands every message of the tenant from sequence from on to fn, in order, until ctx ends or fn returns an error. No
	// other tenant's message reaches fn. fn owns data.
	Follow(ctx context.Context, tenant seamark.TenantID, shard int, from uint64, fn func(sequence uint64, data []byte) error) error
}

// Storage is where the labels of streams are looked up whose lines come without them; package store implements it.
type Storage interface {
	LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error)
}

// Querier finds the lines that a tail begins with; *engine.Engine is one.
type Querier interface {
	Query(ctx context.Context, tenant seamark.TenantID, p engine.Params) (*engine.Result, error)
}

// DefaultMaxTails is how many tails a tenant may have open in a process.
const DefaultMaxTails = 10

// Options configures a Tailer.
type Options struct {
	Source  Source
	Storage Storage
	History Querier
	// MaxTails bounds the open tails of one tenant in this process (DefaultMaxTails). Each decodes all of the tenant's lines.
	MaxTails int
	// MaxQueuedLines bounds what waits for a reader (10,000 lines); what comes beyond is dropped and counted. Without it a
	// browser that sleeps fills the memory here.
	MaxQueuedLines int
	// Gather is how long lines are gathered before they are sent (100 ms): a frame per line costs more than the line.
	Gather     time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *Options) validate() error {
	switch {
	case o.Source == nil || o.Storage == nil || o.History == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("logtail: Source, Storage, History, Logger, Registerer and Now are required")
	case o.MaxTails < 0 || o.MaxQueuedLines < 0 || o.Gather < 0:
		return errors.New("logtail: limits must not be negative")
	}
	if o.MaxTails == 0 {
		o.MaxTails = DefaultMaxTails
	}
	if o.MaxQueuedLines == 0 {
		o.MaxQueuedLines = 10_000
	}
	if o.Gather == 0 {
		o.Gather = 100 * time.Millisecond
	}
	return nil
}

// Tailer opens tails. It is safe for concurrent use.
type Tailer struct {
	opts    Options
	metrics metrics

	mu     sync.Mutex // guards open and closed
	open   map[seamark.TenantID]int
	closed bool
	stop   chan struct{} // closed by Close
}

// New returns a tailer without tails.
func New(o Options) (*Tailer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Tailer{opts: o, metrics: newMetrics(o.Registerer), open: map[seamark.TenantID]int{}, stop: make(chan struct{})}, nil
}

// ErrClosing ends the tails of a tailer that is closed.
var ErrClosing = errors.New("the server stops")

// Close ends all tails with ErrClosing, and refuses new ones.
func (t *Tailer) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		close(t.stop)
	}
}

// MaxDelay bounds Params.Delay, as Loki does.
const MaxDelay = 5 * time.Second

// Params is one tail.
type Params struct {
	Query string    // a log query
	Start time.Time // lines of before are not shown at the beginning; zero is an hour ago
	Limit int       // lines to begin with, the newest; 0: none
	// Delay is how long lines wait for older ones that arrive later; at most MaxDelay.
	Delay time.Duration
	// Categorize keeps structured metadata and parsed labels with each line instead of in its stream's labels.
	Categorize bool
}

// Open checks p and takes a place among the tenant's tails, which Tail.Run or Tail.Close gives back. The error is of kind
// Invalid for what the query gets wrong, RateLimited when the tenant has too many tails, and Unavailable at the end. What is
// pushed from now on is shown whatever p.Start and p.Limit say.
func (t *Tailer) Open(ctx context.Context, tenant seamark.TenantID, p Params) (*Tail, error) {
	if _, err := seamark.ParseTenantID(string(tenant)); err != nil {
		return nil, err
	}
	if p.Delay < 0 || p.Delay > MaxDelay {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-tail-delay", "The delay %s is not between 0 and %s.", p.Delay, MaxDelay)
	}
	if p.Start.IsZero() {
		p.Start = t.opts.Now().Add(-time.Hour)
	}
	log, err := logql.ParseLogQuery(p.Query)
	if err != nil {
		return nil, err
	}
	selector, err := logmem.NewSelector(storeMatchers(log.Matchers))
	if err != nil {
		return nil, err
	}
	l := &Tail{tailer: t, tenant: tenant, params: p, selector: selector, rows: logmem.New()}
	if l.engine, err = engine.New(engine.Options{Storage: l.rows, MaxEntries: maxRows, MaxStreams: maxRows}); err != nil {
		return nil, err
	}
	if err := l.check(ctx); err != nil {
		return nil, err
	}
	if err := l.history.mark(ctx, t.opts.Source, tenant); err != nil {
		return nil, err
	}
	return l, t.enter(tenant)
}

func storeMatchers(matchers []logql.Matcher) []store.LogMatcher {
	list := make([]store.LogMatcher, 0, len(matchers))
	for _, m := range matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		list = append(list, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	return list
}

func (t *Tailer) enter(tenant seamark.TenantID) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return seamark.Errorf(seamark.Unavailable, "seamark-tail-closing", "The server stops. Open the tail again.")
	}
	if t.open[tenant] >= t.opts.MaxTails {
		return seamark.Errorf(seamark.RateLimited, "seamark-tail-limit",
			"The limit of %d open tails is reached. Close one, or ask the operator to raise --query.max-tails.", t.opts.MaxTails)
	}
	t.open[tenant]++
	t.metrics.open.Inc()
	return nil
}

func (t *Tailer) leave(tenant seamark.TenantID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics.open.Dec()
	if t.open[tenant]--; t.open[tenant] == 0 {
		delete(t.open, tenant)
	}
}

type metrics struct {
	open           prometheus.Gauge
	lines, dropped prometheus.Counter
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "seamark_querier_tails_open", Help: "Open live tails of logs."}),
		lines:   prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_querier_tail_lines_total", Help: "Lines that live tails have shown."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "seamark_querier_tail_dropped_lines_total", Help: "Lines that live tails have dropped, because their readers were slow or their streams are not known."}),
	}
	r.MustRegister(m.open, m.lines, m.dropped)
	return m
}
