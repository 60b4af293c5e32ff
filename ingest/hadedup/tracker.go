package hadedup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Docs is a bucket of small JSON documents that are changed by compare-and-set, as *bus.Docs[Election] is. Find returns
// revision 0 for a document that is not there; Save fails when the revision has moved on.
type Docs interface {
	Find(ctx context.Context, key string) (Election, uint64, error)
	Save(ctx context.Context, key string, doc Election, revision uint64) (uint64, error)
}

// Election is a tenant's document: the elected replica of each of its Prometheus clusters.
type Election struct {
	Clusters map[string]Elected `json:"clusters"` // by the value of the sender's cluster label
}

// Elected is the replica whose samples are taken.
type Elected struct {
	Replica string `json:"replica"`
	// Beat rises while the replica sends. Nodes watch it change, each by its own clock: clocks of different machines are
	// never compared.
	Beat uint64 `json:"beat"`
}

// Options configures a Tracker.
type Options struct {
	Docs Docs
	// FailAfter is how long the elected replica may be silent before another takes over; 30 s unless told. Shorter than a
	// scrape interval and a retry, replicas would take turns, and a series would have samples of both.
	FailAfter time.Duration
	// Beat is how often the nodes tell each other that a replica sends; 5 s unless told.
	Beat time.Duration
	// Timeout is how long a request waits for the document; 500 ms unless told. Then its samples are taken.
	Timeout time.Duration
	// MaxClusters bounds the clusters of a tenant; 100 unless told. Without it a tenant whose cluster label is different in
	// every request grows its document without end.
	MaxClusters int
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
	Now         func() time.Time
}

func (o *Options) validate() error {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.FailAfter, 30 * time.Second}, {&o.Beat, 5 * time.Second}, {&o.Timeout, 500 * time.Millisecond}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if o.MaxClusters == 0 {
		o.MaxClusters = 100
	}
	switch {
	case o.Docs == nil || o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("hadedup: Docs, Logger, Registerer and Now are required")
	case o.Beat < 0 || o.Timeout < 0 || o.MaxClusters < 0:
		return errors.New("hadedup: Beat, Timeout and MaxClusters must be positive")
	case o.FailAfter < 3*o.Beat:
		return fmt.Errorf("hadedup: FailAfter is %s; it must be at least three beats of %s, or a replica that sends looks silent to other nodes", o.FailAfter, o.Beat)
	}
	return nil
}

// maxLabelBytes bounds the labels that name clusters and replicas in a document.
const maxLabelBytes = 256

// Tracker decides whose samples are taken. It is safe for concurrent use.
type Tracker struct {
	opts    Options
	metrics metrics

	mu      sync.RWMutex // guards tenants
	tenants map[seamark.TenantID]*tenant
}

// tenant is what this node knows of a tenant's elections.
type tenant struct {
	// settling is held, as the one place of the channel, by who talks to the store about this tenant. It is a channel so that
	// a request waits for it no longer than for the store.
	settling chan struct{}

	mu       sync.Mutex // guards what follows; never held while talking to the store
	clusters map[string]*cluster
	used     time.Time
}

// cluster is what this node knows of one election.
type cluster struct {
	elected Elected
	alive   time.Time // when this node last saw that the elected replica sends, here or elsewhere
	sent    bool      // it sent to this node since the last beat
}

// New returns a tracker. Run keeps it in step with the other nodes.
func New(o Options) (*Tracker, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Tracker{opts: o, metrics: newMetrics(o.Registerer), tenants: map[seamark.TenantID]*tenant{}}, nil
}

// Admit reports whether the samples of a replica of a Prometheus cluster are to be taken; those of the others are to be
// acknowledged and forgotten. cluster and replica are the values of the sender's labels. Where the elected replica is
// known and sends, which is nearly always, the answer comes from memory.
//
// When the store is slow or away, the answer is yes: duplicates can be told later, lost samples cannot. The error is of
// kind Invalid for a label that is too long, and RateLimited when the tenant has too many clusters; the store's are not
// told.
func (t *Tracker) Admit(ctx context.Context, id seamark.TenantID, clusterLabel, replica string) (accept bool, err error) {
	if len(clusterLabel) > maxLabelBytes || len(replica) > maxLabelBytes {
		return false, seamark.Errorf(seamark.Invalid, "seamark-ha-label",
			"The labels that name a pair of Prometheus servers, cluster and __replica__, have %d and %d bytes; the limit is %d each.",
			len(clusterLabel), len(replica), maxLabelBytes)
	}
	of := t.tenant(id)
	if accept, known := of.decide(clusterLabel, replica, t.opts.Now(), t.opts.FailAfter); known {
		t.metrics.count(accept)
		return accept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	select {
	case of.settling <- struct{}{}:
		defer func() { <-of.settling }()
	case <-ctx.Done():
		t.metrics.open.Inc()
		return true, nil
	}
	accept, err = t.elect(ctx, id, of, clusterLabel, replica)
	if err == nil {
		t.metrics.count(accept)
		return accept, nil
	}
	if kind := seamark.KindOf(err); kind == seamark.RateLimited {
		return false, err
	}
	t.metrics.open.Inc()
	t.opts.Logger.DebugContext(ctx, "replica taken without an election", slog.Any("error", err))
	return true, nil
}

func (t *Tracker) tenant(id seamark.TenantID) *tenant {
	t.mu.RLock()
	of := t.tenants[id]
	t.mu.RUnlock()
	if of != nil {
		return of
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if of = t.tenants[id]; of == nil {
		of = &tenant{settling: make(chan struct{}, 1), clusters: map[string]*cluster{}, used: t.opts.Now()}
		t.tenants[id] = of
	}
	return of
}

// decide answers from memory; known is false when an election is due.
func (of *tenant) decide(label, replica string, now time.Time, failAfter time.Duration) (accept, known bool) {
	of.mu.Lock()
	defer of.mu.Unlock()
	of.used = now
	c := of.clusters[label]
	if c == nil || now.Sub(c.alive) >= failAfter {
		return false, false // also for the elected one itself: another node may have replaced it
	}
	if c.elected.Replica != replica {
		return false, true
	}
	c.alive, c.sent = now, true
	return true, true
}
