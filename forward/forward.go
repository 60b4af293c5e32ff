package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Filter is a compiled log query. One is used by one goroutine.
type Filter interface {
	// Selects reports whether lines of a stream with these labels can pass.
	Selects(labels []seamark.Label) bool
	// Apply returns the rows that pass, oldest first; rows whose stream is not in streams do not exist. at is the time that the
	// query's templates see. The rows may share the block's memory.
	Apply(ctx context.Context, at time.Time, streams []store.LogStream, block *store.LogBlock) ([]Row, error)
}

// Language makes filters and writes rows; package app fills it from the query language and its exports.
type Language struct {
	// Compile returns an error of kind Invalid for what the query gets wrong.
	Compile func(ctx context.Context, tenant seamark.TenantID, query string) (Filter, error)
	// JSON appends a row as an object of an NDJSON export.
	JSON func(out []byte, r *Row) []byte
	// Parquet writes rows as a file of an export.
	Parquet func(w io.Writer, rows []Row) error
}

// Streams knows the labels of streams that messages do not tell of; package store implements it.
type Streams interface {
	LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error)
}

// Options configures a Service.
type Options struct {
	JS       jetstream.JetStream
	Replicas int // of the buckets
	// Followers read the shards of each signal that can be forwarded, see Signals.
	Followers map[seamark.Signal]*bus.Follower
	Keys      *seal.Ring
	Guard     *guard.Guard
	Language  Language
	Limits    Limits

	// Streams, Stored, Leases, Active and Owner are what Run needs; a process that only answers requests has none.
	Streams Streams
	// Stored returns a message of shard up to which all is in the store, 0 when nobody knows.
	Stored func(ctx context.Context, shard bus.Shard) (uint64, error)
	Leases *bus.LeaseDocs
	// Active reports whether a tenant's forwarders may run: it is not suspended, nor gone.
	Active func(tenant seamark.TenantID) bool
	// Owner names this process among those that run forwarders.
	Owner string
	// LeaseTTL is how long a dead process keeps its forwarders.
	LeaseTTL time.Duration
	// Backoff is the pause after the first failure; it doubles up to MaxBackoff, and a random part of it is left out.
	Backoff, MaxBackoff time.Duration
	// Look is how often lag and gaps are looked at, and documents written while nothing else does.
	Look       time.Duration
	UserAgent  string
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// sendTimeout bounds one attempt. Without it a target that takes everything and answers nothing would look like one at work.
const sendTimeout = 30 * time.Second

// DefaultOptions returns the options of one node without its connections.
func DefaultOptions() Options {
	return Options{
		Replicas: 1, Limits: DefaultLimits(), LeaseTTL: 10 * time.Second, Backoff: time.Second, MaxBackoff: time.Minute, Look: 5 * time.Second,
		UserAgent: "seamark",
	}
}

func (o *Options) validate() error {
	l := &o.Limits
	switch {
	case o.JS == nil || o.Keys == nil || o.Guard == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("forward: JS, Keys, Guard, Logger, Registerer and Now are required")
	case o.Followers[seamark.Logs] == nil || o.Followers[seamark.Events] == nil:
		return errors.New("forward: Followers are required for every signal that can be forwarded")
	case o.Language.Compile == nil || o.Language.JSON == nil || o.Language.Parquet == nil:
		return errors.New("forward: Language is required")
	case l.MaxPerTenant < 1 || l.MaxBatchBytes < minBatchByte || l.MaxBatchAge < time.Second || l.MaxAttempts < 1:
		return errors.New("forward: Limits must be positive")
	case o.LeaseTTL <= 0 || o.Backoff <= 0 || o.MaxBackoff < o.Backoff || o.Look <= 0:
		return errors.New("forward: LeaseTTL, Backoff, MaxBackoff and Look must be positive")
	}
	return nil
}

// Signals lists what can be forwarded: log lines, and the log lines that events are, too.
func Signals() []seamark.Signal { return []seamark.Signal{seamark.Logs, seamark.Events} }

// Service keeps the tenants' forwarders, and runs those it has the lease of. It is safe for concurrent use.
type Service struct {
	opts    Options
	book    *book
	ledger  *ledger
	metrics metrics
}

// New opens the buckets. Nothing is forwarded until Run.
func New(ctx context.Context, o Options) (*Service, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	b, err := openBook(ctx, o.JS, o.Replicas, o.Logger)
	if err != nil {
		return nil, err
	}
	l, err := openLedger(ctx, o.JS, o.Replicas)
	if err != nil {
		return nil, err
	}
	return &Service{opts: o, book: b, ledger: l, metrics: newMetrics(o.Registerer)}, nil
}

// sinkFor opens a document's secrets and the sink that uses them.
func (s *Service) sinkFor(ctx context.Context, doc *document) (sink, *safe, error) {
	secrets, err := s.open(ctx, doc)
	if err != nil {
		return nil, nil, err
	}
	out, err := openSink(&doc.Definition.Target, secrets, sinkOptions{
		dial: s.opts.Guard.Dial, parquet: s.opts.Language.Parquet, userAgent: s.opts.UserAgent,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open the target: %s", secrets.scrub(err.Error()))
	}
	return out, secrets, nil
}
