package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Source knows the tenants' definitions.
type Source interface {
	// PipelineDefinitions returns a tenant's definitions, a JSON array, and their revision, which is 0 when it has none. It is
	// called for every request, so it answers from memory; the bytes are never changed.
	PipelineDefinitions(tenant seamark.TenantID) (revision uint64, definitions []byte)
}

// Book keeps the counters of all nodes, one document per tenant. *bus.Docs[pipeline.TenantStats] is one.
type Book interface {
	// Find returns a document and its revision, 0 when there is none.
	Find(ctx context.Context, key string) (TenantStats, uint64, error)
	// Save writes a document that must still have the revision, and fails when somebody else was first.
	Save(ctx context.Context, key string, doc TenantStats, revision uint64) (uint64, error)
}

// EngineOptions configures an Engine. Source, Book, Node and Logger are required.
type EngineOptions struct {
	Options
	Source Source
	Book   Book
	Node   string // names this process among the nodes; the same after a restart, so that counters go on
	// FlushInterval is how often counters are written; 5 s unless told.
	FlushInterval time.Duration
	Logger        *slog.Logger
}

func (o *EngineOptions) validate() error {
	if o.Source == nil || o.Book == nil || o.Node == "" || o.Logger == nil {
		return errors.New("pipeline: Source, Book, Node and Logger are required")
	}
	if o.FlushInterval < 0 || o.Budget < 0 {
		return errors.New("pipeline: FlushInterval and Budget must not be negative")
	}
	return nil
}

// Engine applies each tenant's pipelines on this node. It is safe for concurrent use.
type Engine struct {
	opts EngineOptions
	log  *slog.Logger

	mu      sync.RWMutex // guards tenants
	tenants map[seamark.TenantID]*entry
}

// entry is what a node has of one tenant.
type entry struct {
	state     atomic.Pointer[state]
	compiling sync.Mutex // held while a new revision is compiled
	flushing  sync.Mutex // guards base and written
	base      []StepStats
	based     bool        // base was read from the book
	written   []StepStats // what the book says of this node
	shown     *state      // whose revision and fault the book shows
}

// state is a compiled revision. It is replaced, never changed.
type state struct {
	revision uint64
	pipeline *Pipeline // the last one that could be compiled; nil when none could
	fault    string    // why the revision could not be compiled, "" when it was
}

// NewEngine returns an engine.
func NewEngine(o EngineOptions) (*Engine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	if o.FlushInterval == 0 {
		o.FlushInterval = 5 * time.Second
	}
	return &Engine{opts: o, log: o.Logger, tenants: map[seamark.TenantID]*entry{}}, nil
}

// Apply runs the pipelines of p's tenant on b; see Pipeline.Apply. A tenant without pipelines costs one look-up.
func (e *Engine) Apply(ctx context.Context, p seamark.Principal, cat seamark.Catalog, b *seamark.Batch) error {
	if b.Logs.Len() == 0 {
		return nil
	}
	revision, definitions := e.opts.Source.PipelineDefinitions(p.Tenant)
	if revision == 0 {
		return nil
	}
	s := e.current(ctx, p.Tenant, revision, definitions)
	if s.pipeline == nil {
		return nil
	}
	return s.pipeline.Apply(ctx, cat, b)
}

func (e *Engine) entry(tenant seamark.TenantID) *entry {
	e.mu.RLock()
	found := e.tenants[tenant]
	e.mu.RUnlock()
	if found != nil {
		return found
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tenants[tenant] == nil {
		e.tenants[tenant] = &entry{}
	}
	return e.tenants[tenant]
}

// current returns the compiled state of a revision. While it is being compiled, other requests go on with the one before.
func (e *Engine) current(ctx context.Context, tenant seamark.TenantID, revision uint64, definitions []byte) *state {
	t := e.entry(tenant)
	old := t.state.Load()
	if old != nil && old.revision == revision {
		return old
	}
	if !t.compiling.TryLock() {
		if old != nil {
			return old
		}
		t.compiling.Lock()
	}
	defer t.compiling.Unlock()
	if old = t.state.Load(); old != nil && old.revision == revision {
		return old
	}
	next := &state{revision: revision}
	list, err := Parse(definitions)
	if err == nil {
		next.pipeline, err = Compile(e.opts.Options, list...)
	}
	if err != nil {
		next.fault = err.Error()
		if old != nil {
			next.pipeline = old.pipeline
		}
		e.log.ErrorContext(ctx, "pipelines cannot be compiled on this node, the last good ones stay", slog.String("tenant", string(tenant)),
			slog.Uint64("revision", revision), slog.Any("error", err))
	} else if old != nil && old.pipeline != nil {
		next.pipeline.adopt(old.pipeline)
	}
	t.state.Store(next)
	return next
}

// adopt goes on with the counters of an earlier revision's steps of the same name. Nobody else has p yet.
func (p *Pipeline) adopt(old *Pipeline) {
	known := map[[2]string]*step{}
	for _, s := range old.steps {
		known[[2]string{s.pipeline, s.name}] = s
	}
	for _, s := range p.steps {
		if before := known[[2]string{s.pipeline, s.name}]; before != nil && before.kind == s.kind {
			s.counters = before.counters
		}
	}
}
