package detect

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The buckets. Keys are <tenant>.<detector>, so that the purge of a deleted tenant finds them.
const (
	specBucket  = "seamark_detectors"
	stateBucket = "seamark_detector_state"
)

// Options configures a Keeper. All fields but Replicas are required.
type Options struct {
	JS       jetstream.JetStream
	Replicas int
	Source   Source
	Limits   Limits
	// Parse refuses what is no expression of a language, promql or logql, or no selector.
	Parse func(language, text string) error
	// Raise hands alerts to a tenant's Alertmanager, each for some time. It fails with Unavailable where another process is the one
	// to do so; raising nothing asks for that alone.
	Raise func(ctx context.Context, tenant seamark.TenantID, alerts []Alert, lasts time.Duration) error
	// Runs reports whether a tenant's detectors are to be evaluated.
	Runs       func(tenant seamark.TenantID) bool
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

func (o *Options) validate() error {
	if o.JS == nil || o.Source == nil || o.Parse == nil || o.Raise == nil || o.Runs == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil {
		return errors.New("detect: JS, Source, Parse, Raise, Runs, Logger, Registerer and Now are required")
	}
	return o.Limits.validate()
}

// Document is a detector as it is kept.
type Document struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Spec
}

// Health is what became of a detector's evaluations.
type Health struct {
	State    string        `json:"state"` // waiting, learning, ok, failing or disabled
	Looked   time.Time     `json:"looked,omitzero"`
	Took     time.Duration `json:"took,omitempty"`
	Fault    string        `json:"fault,omitempty"` // of the last evaluation, in words for the customer
	Series   int           `json:"series,omitempty"`
	Learning int           `json:"learning,omitempty"`
	Firing   int           `json:"firing,omitempty"`
}

// stateDoc is what a detector knows, with the spec that it knows it for.
type stateDoc struct {
	Detector Detector `json:"detector"`
	State    State    `json:"state"`
	Health   Health   `json:"health"`
}

// Kept is a detector with its health and the alerts that it raises now.
type Kept struct {
	Document
	Health Health
	Alerts []Standing
}

// Keeper keeps detectors and, where Raise lets it, evaluates them. It is safe for concurrent use.
type Keeper struct {
	opts      Options
	evaluator *Evaluator
	ids       ulid.MonotonicReader // randomness of ids, of which those of one millisecond stand in their order
	specs     *bus.Board[Document]
	states    *bus.Board[stateDoc]
	faults    prometheus.Counter
	seconds   prometheus.Histogram
	previews  chan struct{} // a place for each that may run

	mu   sync.Mutex // guards the fields below
	busy map[seamark.TenantID]bool
	due  map[string]time.Time
	last map[string]Health // of evaluations by this process, newer than what is stored
}

// Open opens the keeper's buckets, which it makes when they are missing. It knows and evaluates nothing before Run.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	k := &Keeper{
		opts: o, ids: &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}, busy: map[seamark.TenantID]bool{}, due: map[string]time.Time{}, last: map[string]Health{}, previews: make(chan struct{}, o.Limits.Workers),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "seamark_alerting_detector_faults_total", Help: "Evaluations of detectors that failed.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "seamark_alerting_detector_seconds", Help: "Time that evaluations of detectors took.", Buckets: prometheus.ExponentialBuckets(0.005, 4, 8),
		}),
	}
	var err error
	if k.evaluator, err = NewEvaluator(o.Source, o.Limits); err != nil {
		return nil, err
	}
	k.specs, err = bus.OpenBoard[Document](ctx, bus.BoardOptions{JS: o.JS, Bucket: specBucket, Description: "Seamark: detectors per tenant", Replicas: o.Replicas})
	if err != nil {
		return nil, err
	}
	k.states, err = bus.OpenBoard[stateDoc](ctx, bus.BoardOptions{JS: o.JS, Bucket: stateBucket, Description: "Seamark: where detectors' alerts stand", Replicas: o.Replicas})
	if err != nil {
		return nil, err
	}
	o.Registerer.MustRegister(k.faults, k.seconds)
	return k, nil
}

func key(tenant seamark.TenantID, id string) string { return string(tenant) + "." + id }

// List returns a tenant's detectors in the order in which they were made.
func (k *Keeper) List(tenant seamark.TenantID) []Kept {
	var list []Kept
	states := k.states.List()
	for at, p := range k.specs.List() {
		if strings.HasPrefix(at, string(tenant)+".") {
			list = append(list, k.kept(at, &p, states[at].Doc))
		}
	}
	slices.SortFunc(list, func(a, b Kept) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// kept puts together what is known of a detector.
func (k *Keeper) kept(at string, p *bus.Posted[Document], s stateDoc) Kept {
	one := Kept{Document: p.Doc, Health: s.Health}
	if s.Detector.Revision != p.Revision {
		one.Health = Health{State: "waiting"}
	} else {
		for _, alert := range s.State.Alerts {
			one.Alerts = append(one.Alerts, *alert)
		}
		slices.SortFunc(one.Alerts, func(a, b Standing) int {
			return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(keyOf(a.Labels), keyOf(b.Labels)))
		})
		k.mu.Lock()
		if h, ok := k.last[at]; ok && h.Looked.After(one.Health.Looked) {
			one.Health = h
		}
		k.mu.Unlock()
	}
	if p.Doc.Disabled {
		one.Health.State = "disabled"
	}
	return one
}

// Find returns one detector; NotFound when the tenant has none of the id.
func (k *Keeper) Find(tenant seamark.TenantID, id string) (Kept, error) {
	at := key(tenant, id)
	p, ok := k.specs.Find(at)
	if !ok {
		return Kept{}, unknown()
	}
	s, _ := k.states.Find(at)
	return k.kept(at, &p, s.Doc), nil
}

func unknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-detector-unknown", "There is no such detector.")
}

// Create keeps a new detector. Errors are of kind Invalid for a spec that cannot be evaluated, Unprocessable at the limit.
func (k *Keeper) Create(ctx context.Context, tenant seamark.TenantID, s Spec) (Kept, error) {
	if err := k.evaluator.Complete(&s, k.opts.Parse); err != nil {
		return Kept{}, err
	}
	have := k.List(tenant)
	if len(have) >= k.opts.Limits.PerTenant {
		return Kept{}, seamark.Errorf(seamark.Unprocessable, "seamark-detector-limit",
			"The tenant has %d detectors; the limit is %d. Delete some, or raise --alerting.detectors-per-tenant.", len(have), k.opts.Limits.PerTenant)
	}
	if err := nameTaken(have, "", s.Name); err != nil {
		return Kept{}, err
	}
	now := k.opts.Now().UTC()
	id, err := ulid.New(ulid.Timestamp(now), k.ids)
	if err != nil {
		return Kept{}, err
	}
	doc := Document{ID: id.String(), Created: now, Updated: now, Spec: s}
	if _, err := k.specs.Save(ctx, key(tenant, doc.ID), doc, 0); err != nil {
		return Kept{}, stored(err)
	}
	return k.Find(tenant, doc.ID)
}

// nameTaken refuses a second detector of one name: their alerts would be one.
func nameTaken(have []Kept, id, name string) error {
	if slices.ContainsFunc(have, func(other Kept) bool { return other.ID != id && other.Name == name }) {
		return seamark.Errorf(seamark.Conflict, "seamark-detector-name", "There is a detector named %.60q already; its alerts could not be told from this one's.", name)
	}
	return nil
}

// Update replaces a detector's spec. check sees the stored one first.
func (k *Keeper) Update(ctx context.Context, tenant seamark.TenantID, id string, s Spec, check func(Kept) error) (Kept, error) {
	if err := k.evaluator.Complete(&s, k.opts.Parse); err != nil {
		return Kept{}, err
	}
	at := key(tenant, id)
	p, err := k.fetch(ctx, at, check)
	if err != nil {
		return Kept{}, err
	}
	if err := nameTaken(k.List(tenant), id, s.Name); err != nil {
		return Kept{}, err
	}
	p.Doc.Spec, p.Doc.Updated = s, k.opts.Now().UTC()
	if _, err := k.specs.Save(ctx, at, p.Doc, p.Revision); err != nil {
		return Kept{}, stored(err)
	}
	return k.Find(tenant, id)
}

// Delete deletes a detector; its alerts end. check sees it first.
func (k *Keeper) Delete(ctx context.Context, tenant seamark.TenantID, id string, check func(Kept) error) error {
	at := key(tenant, id)
	p, err := k.fetch(ctx, at, check)
	if err != nil {
		return err
	}
	return stored(k.specs.Delete(ctx, at, p.Revision))
}

// fetch returns the stored detector, after check has seen it.
func (k *Keeper) fetch(ctx context.Context, at string, check func(Kept) error) (bus.Posted[Document], error) {
	var none bus.Posted[Document]
	if _, known := k.specs.Find(at); !known {
		return none, unknown()
	}
	p, err := k.specs.Fetch(ctx, at)
	if err != nil {
		return none, stored(err)
	}
	if p.Revision == 0 {
		return none, unknown()
	}
	s, _ := k.states.Find(at)
	if check != nil {
		if err := check(k.kept(at, &p, s.Doc)); err != nil {
			return none, err
		}
	}
	return p, nil
}

// stored classifies what became of a write.
func stored(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bus.ErrConflict):
		return seamark.Errorf(seamark.Conflict, "seamark-detector-conflict", "The detector was changed by somebody else at the same time; read it again.")
	}
	return seamark.Wrap(err, seamark.Unavailable, "seamark-alerting-store", "The change could not be stored and may or may not have been taken; try again.")
}

// Preview says what a detector would have said over a past range. As many previews run at a time as evaluations; together with its wait
// one has the time of an evaluation. Errors are those of Create and of Evaluator.Preview, or of kind Timeout.
func (k *Keeper) Preview(ctx context.Context, tenant seamark.TenantID, s Spec, r seamark.TimeRange) (*Preview, error) {
	if err := k.evaluator.Complete(&s, k.opts.Parse); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, k.opts.Limits.Timeout)
	defer cancel()
	var p *Preview
	var err error
	select {
	case k.previews <- struct{}{}:
		p, err = k.evaluator.Preview(within, tenant, &Detector{ID: "preview", Spec: s}, r)
		<-k.previews
	case <-within.Done():
		err = within.Err()
	}
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, seamark.Wrap(err, seamark.Timeout, "seamark-detector-timeout",
			"The preview was not done within the time that it has (--alerting.detector-timeout). Ask for a shorter range or fewer series.")
	}
	return p, err
}
