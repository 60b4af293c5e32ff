package admit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Spending is what tenants with a budget of bytes per day have read, by querier. All queriers of an installation write it.
type Spending struct {
	Nodes map[string]NodeSpending `json:"nodes"`
}

// NodeSpending is the part of one querier.
type NodeSpending struct {
	Beat  uint64                      `json:"beat"` // rises with every write, so that each is seen
	Day   int64                       `json:"day"`  // since 1970, UTC
	Bytes map[seamark.TenantID]uint64 `json:"bytes,omitempty"`
}

// SpendingDocs is a bucket of documents that are changed by compare-and-set, as *bus.Docs is. Find returns revision 0 for a document
// that is not there; Save fails when the revision has moved on.
type SpendingDocs interface {
	Find(ctx context.Context, key string) (Spending, uint64, error)
	Save(ctx context.Context, key string, doc Spending, revision uint64) (uint64, error)
}

const (
	spendingKey = "spent"
	// shareEvery is how often queriers tell each other what they have read: so much of a day's budget can be passed.
	shareEvery = 5 * time.Second
	// silentAfter is how long a querier may be silent before the others share its part of the budgets per minute.
	silentAfter = 4 * shareEvery
	// shareTries is how often a round is tried that others get in the way of.
	shareTries = 5
)

// ShareOptions configures a Share.
type ShareOptions struct {
	Node   string // of this process; the same after a restart
	Docs   SpendingDocs
	Logger *slog.Logger
	Now    func() time.Time
}

func (o *ShareOptions) validate() error {
	if o.Node == "" || o.Docs == nil || o.Logger == nil || o.Now == nil {
		return errors.New("admit: Node, Docs, Logger and Now are required")
	}
	return nil
}

// Share lets the queriers of an installation share tenants' budgets: those per day by telling each other what was read, those per
// minute by parts. It is safe for concurrent use.
type Share struct {
	opts ShareOptions

	mu    sync.Mutex // guards what follows
	beats map[string]seenBeat
	nodes int
	base  map[seamark.TenantID]uint64 // read before this process started, on its day
	day   int64
	begun bool
}

// seenBeat is what another node said last, and when this one noticed.
type seenBeat struct {
	beat uint64
	at   time.Time
}

// NewShare returns a share of a node that knows of no other yet.
func NewShare(o ShareOptions) (*Share, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Share{opts: o, beats: map[string]seenBeat{}, nodes: 1}, nil
}

// Nodes returns how many queriers are alive, this one included.
func (s *Share) Nodes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes
}

// Run shares an admission's budgets until ctx ends. While the documents cannot be reached, each querier goes on with what it knows.
func (s *Share) Run(ctx context.Context, a *Admission) error {
	ticker := time.NewTicker(shareEvery)
	defer ticker.Stop()
	for {
		if err := s.Round(ctx, a); err != nil && ctx.Err() == nil {
			s.opts.Logger.Debug("what queries have read is not shared with other queriers", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Round tells the others what was read here and learns what was read there. Run calls it; tests call it by their own clock.
func (s *Share) Round(ctx context.Context, a *Admission) error {
	ctx, cancel := context.WithTimeout(ctx, shareEvery)
	defer cancel()
	var err error
	for range shareTries {
		var doc Spending
		var revision uint64
		if doc, revision, err = s.opts.Docs.Find(ctx, spendingKey); err != nil {
			return fmt.Errorf("read what was spent: %w", err)
		}
		day := dayOf(s.opts.Now())
		elsewhere := s.learn(&doc, day)
		doc.Nodes = s.tell(doc.Nodes, a, day)
		if _, err = s.opts.Docs.Save(ctx, spendingKey, doc, revision); err == nil {
			a.Learn(day, elsewhere)
			return nil
		}
	}
	return fmt.Errorf("tell what was spent: %w", err)
}

// learn adds up what other nodes have read today, and this one before it was started anew, and notices who is alive.
func (s *Share) learn(doc *Spending, day int64) map[seamark.TenantID]uint64 {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		if own := doc.Nodes[s.opts.Node]; own.Day == day {
			s.base = own.Bytes
		}
		s.begun, s.day = true, day
	}
	if s.day != day {
		s.base, s.day = nil, day
	}
	elsewhere := maps.Clone(s.base)
	if elsewhere == nil {
		elsewhere = map[seamark.TenantID]uint64{}
	}
	alive := 1
	for name, node := range doc.Nodes {
		if name == s.opts.Node {
			continue
		}
		seen, known := s.beats[name]
		if !known || seen.beat != node.Beat {
			seen = seenBeat{node.Beat, now}
			s.beats[name] = seen
		}
		if now.Sub(seen.at) < silentAfter {
			alive++
		}
		if node.Day == day {
			for id, bytes := range node.Bytes {
				elsewhere[id] += bytes
			}
		}
	}
	s.nodes = alive
	return elsewhere
}

// tell puts this node's part into the document, and drops those of nodes that are gone and have read nothing today.
func (s *Share) tell(nodes map[string]NodeSpending, a *Admission, day int64) map[string]NodeSpending {
	now, spent := s.opts.Now(), a.Spent()
	s.mu.Lock()
	defer s.mu.Unlock()
	told := map[string]NodeSpending{}
	for name, node := range nodes {
		if node.Day == day || now.Sub(s.beats[name].at) < silentAfter {
			told[name] = node
		} else {
			delete(s.beats, name)
		}
	}
	mine := NodeSpending{Beat: nodes[s.opts.Node].Beat + 1, Day: day, Bytes: map[seamark.TenantID]uint64{}}
	for _, part := range []map[seamark.TenantID]uint64{s.base, spent} {
		for id, bytes := range part {
			if a.budgeted(id) {
				mine.Bytes[id] += bytes
			}
		}
	}
	told[s.opts.Node] = mine
	return told
}

// budgeted reports whether a tenant has a budget per day: of others, deleted ones among them, nothing is told.
func (a *Admission) budgeted(id seamark.TenantID) bool {
	limits, _ := a.opts.Limits(id)
	return limits.QueryBytesPerDay > 0
}
