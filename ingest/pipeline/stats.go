package pipeline

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// tally is what one batch adds to a step's counters.
type tally struct {
	in, changed, dropped, errors, nanos uint64
}

// counters are a step's counters on this node. Later revisions of the step share them.
type counters struct {
	in, changed, dropped, errors, nanos atomic.Uint64
}

func (c *counters) add(t *tally) {
	c.in.Add(t.in)
	c.changed.Add(t.changed)
	c.dropped.Add(t.dropped)
	c.errors.Add(t.errors)
	c.nanos.Add(t.nanos)
}

// StepStats are a step's counters.
type StepStats struct {
	Pipeline string `json:"pipeline"`
	Step     string `json:"step"`
	Kind     Kind   `json:"kind"`
	In       uint64 `json:"in"`      // records that reached the step
	Changed  uint64 `json:"changed"` // records that it changed
	Dropped  uint64 `json:"dropped"` // records that it removed
	Errors   uint64 `json:"errors"`  // records that it failed on, and samples that it could not store
	Nanos    uint64 `json:"nanoseconds"`
}

func (s *StepStats) add(o *StepStats) {
	s.In += o.In
	s.Changed += o.Changed
	s.Dropped += o.Dropped
	s.Errors += o.Errors
	s.Nanos += o.Nanos
}

// Stats returns the counters of the steps on this node, in their order.
func (p *Pipeline) Stats() []StepStats {
	list := make([]StepStats, len(p.steps))
	for i, s := range p.steps {
		c := s.counters
		list[i] = StepStats{
			Pipeline: s.pipeline, Step: s.name, Kind: s.kind, In: c.in.Load(), Changed: c.changed.Load(), Dropped: c.dropped.Load(),
			Errors: c.errors.Load(), Nanos: c.nanos.Load(),
		}
	}
	return list
}

// TenantStats is one tenant's document in the book: a section for each node that ever ran its pipelines.
type TenantStats struct {
	Nodes map[string]NodeStats `json:"nodes"`
}

// NodeStats is what one node says.
type NodeStats struct {
	Updated  time.Time   `json:"updated"`
	Revision uint64      `json:"revision"`        // of the definitions that it has seen last
	Fault    string      `json:"fault,omitempty"` // why it cannot compile them; it goes on with those before
	Steps    []StepStats `json:"steps"`
}

// Report is a tenant's counters over all nodes.
type Report struct {
	Steps []StepStats           `json:"steps"`
	Nodes map[string]NodeStatus `json:"nodes"`
}

// NodeStatus is the state of one node.
type NodeStatus struct {
	Updated  time.Time `json:"updated"`
	Revision uint64    `json:"revision"`
	Fault    string    `json:"fault,omitempty"`
}

// maxNodes bounds the sections of a document; the counters of the node that has been silent longest move to retiredNode.
const (
	maxNodes      = 32
	retiredNode   = "retired"
	flushPatience = 5 * time.Second
	saveAttempts  = 4
)

// Report returns the tenant's counters, this node's as of now and the others' as of their last flush.
func (e *Engine) Report(ctx context.Context, tenant seamark.TenantID) (Report, error) {
	doc, _, err := e.opts.Book.Find(ctx, string(tenant))
	if err != nil {
		return Report{}, seamark.Wrap(err, seamark.Unavailable, "seamark-pipeline-stats", "The pipelines' counters cannot be read right now. Retry in some seconds.")
	}
	nodes := maps.Clone(doc.Nodes)
	if nodes == nil {
		nodes = map[string]NodeStats{}
	}
	e.mu.RLock()
	t := e.tenants[tenant]
	e.mu.RUnlock()
	if t != nil {
		t.flushing.Lock()
		t.takeBase(&doc, e.opts.Node)
		if own, ok := t.section(e.opts.Now()); ok {
			nodes[e.opts.Node] = own
		}
		t.flushing.Unlock()
	}
	return sum(nodes), nil
}

// sum adds up the nodes, by step.
func sum(nodes map[string]NodeStats) Report {
	r := Report{Steps: []StepStats{}, Nodes: map[string]NodeStatus{}}
	at := map[[2]string]int{}
	// The newest definitions come first, so that the steps stand in their order.
	for _, name := range slices.SortedFunc(maps.Keys(nodes), func(a, b string) int {
		return cmp.Or(cmp.Compare(nodes[b].Revision, nodes[a].Revision), cmp.Compare(a, b))
	}) {
		n := nodes[name]
		if name != retiredNode {
			r.Nodes[name] = NodeStatus{Updated: n.Updated, Revision: n.Revision, Fault: n.Fault}
		}
		for i := range n.Steps {
			s := &n.Steps[i]
			key := [2]string{s.Pipeline, s.Step}
			if k, ok := at[key]; ok {
				r.Steps[k].add(s)
				continue
			}
			at[key] = len(r.Steps)
			r.Steps = append(r.Steps, *s)
		}
	}
	return r
}

// takeBase reads, once, what this node counted before it was started. The caller holds flushing.
func (t *entry) takeBase(doc *TenantStats, node string) {
	if !t.based {
		t.base, t.based = doc.Nodes[node].Steps, true
		t.written = t.base
	}
}

// section returns what this node has to say; false when it has run nothing. The caller holds flushing.
func (t *entry) section(now time.Time) (NodeStats, bool) {
	s := t.state.Load()
	if s == nil {
		return NodeStats{}, false
	}
	n := NodeStats{Updated: now.UTC(), Revision: s.revision, Fault: s.fault, Steps: []StepStats{}}
	if s.pipeline != nil {
		n.Steps = s.pipeline.Stats()
	}
	for i := range n.Steps {
		for k := range t.base {
			if t.base[k].Pipeline == n.Steps[i].Pipeline && t.base[k].Step == n.Steps[i].Step {
				n.Steps[i].add(&t.base[k])
			}
		}
	}
	return n, true
}

// Run writes the counters until ctx ends, and once more then.
func (e *Engine) Run(ctx context.Context) {
	ticker := time.NewTicker(e.opts.FlushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			e.flushLast(ctx)
			return
		case <-ticker.C:
			e.flushLogged(ctx)
		}
	}
}

// flushLast writes the counters after ctx has ended.
func (e *Engine) flushLast(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushPatience)
	defer cancel()
	e.flushLogged(last)
}

func (e *Engine) flushLogged(ctx context.Context) {
	if err := e.Flush(ctx); err != nil && ctx.Err() == nil {
		e.log.WarnContext(ctx, "pipeline counters were not written, they will be with the next round", slog.Any("error", err))
	}
}

// Flush writes what the book does not say of this node yet.
func (e *Engine) Flush(ctx context.Context) error {
	e.mu.RLock()
	tenants := maps.Clone(e.tenants)
	e.mu.RUnlock()
	var failed error
	for tenant, t := range tenants {
		failed = errors.Join(failed, e.flushTenant(ctx, tenant, t))
	}
	return failed
}

func (e *Engine) flushTenant(ctx context.Context, tenant seamark.TenantID, t *entry) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	if n, ok := t.section(e.opts.Now()); !ok || t.based && t.shown == t.state.Load() && slices.Equal(n.Steps, t.written) {
		return nil
	}
	var failed error
	for range saveAttempts { // another node may write its section in between
		doc, revision, err := e.opts.Book.Find(ctx, string(tenant))
		if err != nil {
			return err
		}
		t.takeBase(&doc, e.opts.Node)
		shown := t.state.Load()
		own, _ := t.section(e.opts.Now())
		nodes := maps.Clone(doc.Nodes)
		if nodes == nil {
			nodes = map[string]NodeStats{}
		}
		nodes[e.opts.Node] = own
		retire(nodes)
		if _, failed = e.opts.Book.Save(ctx, string(tenant), TenantStats{Nodes: nodes}, revision); failed == nil {
			t.written, t.shown = own.Steps, shown
			return nil
		}
	}
	return failed
}

// retire keeps the number of sections in bounds.
func retire(nodes map[string]NodeStats) {
	for len(nodes) > maxNodes {
		oldest := ""
		for name, n := range nodes {
			if name != retiredNode && (oldest == "" || n.Updated.Before(nodes[oldest].Updated)) {
				oldest = name
			}
		}
		merged := sum(map[string]NodeStats{oldest: nodes[oldest], retiredNode: nodes[retiredNode]})
		delete(nodes, oldest)
		nodes[retiredNode] = NodeStats{Updated: nodes[retiredNode].Updated, Steps: merged.Steps}
	}
}
