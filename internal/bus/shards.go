package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ShardsOptions configures Shards. All fields but Replicas are required.
type ShardsOptions struct {
	JS       jetstream.JetStream
	Bucket   string
	Replicas int // of the bucket
	// Count is how many shards there are, the same in every process.
	Count int
	// Owner names this process among those that share the shards. One that keeps its name over a restart takes its shards again
	// without waiting; two must not have the same at once.
	Owner string
	// TTL is how long a process that has died keeps its shards.
	TTL time.Duration
	// Take is given shards that this process holds from now on. It must return at once, and Release each claim after its context
	// has ended and the last write for it is done.
	Take   func([]*Claim)
	Logger *slog.Logger
}

func (o *ShardsOptions) validate() error {
	if o.JS == nil || o.Bucket == "" || o.Owner == "" || o.Take == nil || o.Logger == nil || o.Count < 1 || o.TTL < 100*time.Millisecond {
		return errors.New("bus: JS, Bucket, Owner, Take, Logger, a Count and a TTL of at least 100 ms are required for shards")
	}
	return nil
}

// placing is a document of the bucket: a shard's, or a replica's.
type placing struct {
	Owner string `json:"owner,omitempty"` // of a shard: who holds it, "" when it was handed over. Of a replica: its name
	Life  string `json:"life,omitempty"`  // differs from one run of the owner to the next
	For   string `json:"for,omitempty"`   // whom a shard without an owner was handed to
	Term  uint64 `json:"term,omitempty"`  // of a shard: rises with every owner. Of a replica: with every beat
	State string `json:"state,omitempty"` // of a replica: "", leaving or dead
}

const (
	leavingReplica = "leaving" // it hands its shards over and takes none
	deadReplica    = "dead"    // another one has declared it dead
)

// Shards shares a fixed number of shards evenly among the processes that have the same bucket open. A shard stays where it is unless
// that is uneven or its holder is gone.
//
// Each process beats in a document of its own, by compare-and-set. Whoever has watched it unchanged for TTL on its own monotonic clock
// declares it dead by compare-and-set on that document, and takes its shards. A holder stops at two thirds of the TTL after the start of
// its last good beat, so it has stopped by then: clocks of different machines are never compared, and a beat and a declaration of death
// exclude each other in the stream. It is safe for concurrent use.
type Shards struct {
	opts     ShardsOptions
	board    *Board[placing]
	presence string // key of this process's document
	wake     chan struct{}

	until atomic.Pointer[time.Time] // when the right to what is held ends, on the monotonic clock

	beating sync.Mutex // held while beating; it comes before mu
	seen    bool       // this life has beaten

	mu     sync.Mutex // guards all fields below
	life   string
	state  string // of the next beats; deadReplica after the last
	claims map[int]*Claim
}

// Claim is a shard that this process holds.
type Claim struct {
	Shard  int
	shards *Shards
	ctx    context.Context
	stop   context.CancelFunc

	lost     atomic.Bool
	released atomic.Bool
	revision uint64 // of the shard's document; only the goroutine of Run touches it, and what follows
	term     uint64
	to       string // whom it is handed to
}

// Context ends when the work has to: the shard was lost, or is to be handed over.
func (c *Claim) Context() context.Context { return c.ctx }

// Holds reports whether no other process can hold the shard at this moment. It compares clocks: a process that was stopped and goes on
// knows before it hears of its successor. It may hold on after the context's end, for last writes.
func (c *Claim) Holds() bool {
	until := c.shards.until.Load()
	return !c.lost.Load() && until != nil && time.Now().Before(*until)
}

// Release says that all work for the shard has ended; it is handed over then. It may be called once the context has ended.
func (c *Claim) Release() {
	c.released.Store(true)
	c.shards.poke()
}

// OpenShards opens the bucket, which it makes when it is missing. Nothing is held before Run.
func OpenShards(ctx context.Context, o ShardsOptions) (*Shards, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Shards{opts: o, presence: presenceKey(o.Owner), wake: make(chan struct{}, 1), life: rand.Text(), claims: map[int]*Claim{}}
	var err error
	s.board, err = OpenBoard[placing](ctx, BoardOptions{
		JS: o.JS, Bucket: o.Bucket, Description: "Seamark: who holds which shard", Replicas: o.Replicas, Changed: func(string) { s.poke() },
	})
	return s, err
}

const (
	shardPrefix   = "shard."
	replicaPrefix = "replica."
)

// presenceKey returns a replica's key. Names may hold characters that keys may not.
func presenceKey(owner string) string { return replicaPrefix + fmt.Sprintf("%x", owner) }

func shardKey(n int) string { return shardPrefix + strconv.Itoa(n) }

func (s *Shards) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Holder returns the name of the process that holds a shard, "" where none is known.
func (s *Shards) Holder(shard int) string {
	p, _ := s.board.Find(shardKey(shard))
	return p.Doc.Owner
}

// Run takes part until ctx ends, and then hands over what it holds.
func (s *Shards) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop()
	parts.Go(func() { _ = s.board.Run(background) })
	parts.Go(func() { s.keepBeating(background) })
	tick := time.NewTicker(max(s.opts.TTL/40, 10*time.Millisecond))
	defer tick.Stop()
	for ctx.Err() == nil {
		s.round(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.wake:
		}
	}
	s.leave(tick.C)
	return nil
}

// keepBeating renews this process's right to what it holds.
func (s *Shards) keepBeating(ctx context.Context) {
	tick := time.NewTicker(s.opts.TTL / 4)
	defer tick.Stop()
	for {
		s.renew(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renew beats once. Whoever finds itself declared dead, or meets another run of itself, loses everything and begins a new life.
func (s *Shards) renew(ctx context.Context) {
	s.beating.Lock()
	defer s.beating.Unlock()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.opts.TTL/3)
	defer cancel()
	s.mu.Lock()
	doc := placing{Owner: s.opts.Owner, Life: s.life, State: s.state}
	s.mu.Unlock()
	if doc.State == deadReplica {
		return
	}
	known, err := s.board.Fetch(ctx, s.presence)
	if err != nil {
		s.opts.Logger.Warn("presence cannot be read", "bucket", s.opts.Bucket, "err", err)
		return
	}
	if s.seen && (known.Doc.Life != doc.Life || known.Doc.State == deadReplica) {
		s.seen, doc.Life = false, rand.Text()
		s.mu.Lock()
		s.life = doc.Life
		s.loseLocked("another process has declared this one dead")
		s.mu.Unlock()
	}
	doc.Term = known.Doc.Term + 1
	if _, err := s.board.Save(ctx, s.presence, doc, known.Revision); err != nil {
		s.opts.Logger.Warn("presence not renewed", "bucket", s.opts.Bucket, "err", err)
		return
	}
	s.seen = true
	until := begun.Add(s.opts.TTL * 2 / 3)
	s.until.Store(&until)
	s.poke()
}

// loseLocked ends all work at once.
func (s *Shards) loseLocked(reason string) {
	lost := 0
	for _, c := range s.claims {
		if !c.lost.Swap(true) {
			lost++
		}
		c.stop()
	}
	if lost > 0 {
		s.opts.Logger.Warn("shards lost", "bucket", s.opts.Bucket, "shards", lost, "reason", reason)
	}
}

// round brings what this process holds closer to its share.
func (s *Shards) round(ctx context.Context) {
	s.mu.Lock()
	until := s.until.Load()
	current := until != nil && time.Now().Before(*until)
	if !current {
		s.loseLocked("its right to them was not renewed in time")
	}
	life := s.life
	s.mu.Unlock()
	s.finish(ctx)
	if !current || !s.board.Loaded() {
		return
	}
	s.bury(ctx)
	v := s.look(life)
	if !v.live[s.opts.Owner] {
		return // its own beat has not come round yet
	}
	for _, m := range v.surplus(s.opts.Owner) {
		s.giveUp(m)
	}
	s.claim(ctx, v)
}

// finish writes down what has been released, and forgets it.
func (s *Shards) finish(ctx context.Context) {
	for _, c := range s.list() {
		if c.ctx.Err() == nil {
			if p, ok := s.board.Find(shardKey(c.Shard)); ok && p.Revision > c.revision { // somebody else has it
				c.lost.Store(true)
				c.stop()
			}
		}
		if !c.released.Load() {
			continue
		}
		if c.Holds() {
			_, err := s.board.Save(ctx, shardKey(c.Shard), placing{For: c.to, Term: c.term}, c.revision)
			if err != nil && !errors.Is(err, ErrConflict) {
				s.opts.Logger.Debug("shard not handed over; it is tried again", "bucket", s.opts.Bucket, "shard", c.Shard, "err", err)
				continue
			}
		}
		c.lost.Store(true) // whoever kept it holds nothing any more
		s.mu.Lock()
		delete(s.claims, c.Shard)
		s.mu.Unlock()
	}
}

func (s *Shards) list() []*Claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Claim, 0, len(s.claims))
	for _, c := range s.claims {
		list = append(list, c)
	}
	return list
}

// forgetAfter is how many times the TTL the document of a dead replica stays.
const forgetAfter = 20

// bury declares processes dead that have not beaten for the TTL. Who has beaten since wins the comparison.
func (s *Shards) bury(ctx context.Context) {
	for key, p := range s.board.List() {
		if !strings.HasPrefix(key, replicaPrefix) || key == s.presence {
			continue
		}
		silent := time.Since(p.Seen)
		var err error
		switch {
		case p.Doc.State != deadReplica && silent >= s.opts.TTL:
			p.Doc.State = deadReplica
			if _, err = s.board.Save(ctx, key, p.Doc, p.Revision); err == nil {
				s.opts.Logger.Warn("a replica is gone", "bucket", s.opts.Bucket, "replica", p.Doc.Owner)
			}
		case p.Doc.State == deadReplica && silent >= forgetAfter*s.opts.TTL:
			err = s.board.Delete(ctx, key, p.Revision)
		}
		if errors.Is(err, ErrConflict) {
			_, err = s.board.Fetch(ctx, key)
		}
		if err != nil {
			s.opts.Logger.Debug("a replica that is gone is not written down", "bucket", s.opts.Bucket, "err", err)
		}
	}
}

// giveUp begins to hand shards over.
func (s *Shards) giveUp(m move) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.claims {
		if m.count == 0 {
			return
		}
		if c.ctx.Err() == nil {
			c.to = m.to
			c.stop()
			m.count--
		}
	}
}

// claim takes shards that nobody holds, up to this process's share.
func (s *Shards) claim(ctx context.Context, v *view) {
	var taken []*Claim
	for _, n := range v.free {
		if v.counts[s.opts.Owner] >= v.most() {
			break
		}
		p, _ := s.board.Find(shardKey(n))
		if s.ownerLives(ctx, &p.Doc) {
			continue
		}
		life, term := v.life, p.Doc.Term+1
		revision, err := s.board.Save(ctx, shardKey(n), placing{Owner: s.opts.Owner, Life: life, Term: term}, p.Revision)
		if err != nil {
			if errors.Is(err, ErrConflict) {
				_, _ = s.board.Fetch(ctx, shardKey(n)) // somebody else was first: the next round sees who
			}
			continue
		}
		v.counts[s.opts.Owner]++
		c := &Claim{Shard: n, shards: s, revision: revision, term: term}
		c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
		s.mu.Lock()
		s.claims[n] = c
		if s.life != life {
			c.lost.Store(true)
			c.stop()
		}
		s.mu.Unlock()
		taken = append(taken, c)
	}
	if len(taken) > 0 {
		s.opts.Logger.Debug("shards taken", "bucket", s.opts.Bucket, "shards", len(taken))
		s.opts.Take(taken)
	}
}

// ownerLives asks the bucket about the owner of a shard that is taken for free: what the watch has not told yet counts.
func (s *Shards) ownerLives(ctx context.Context, shard *placing) bool {
	if shard.Owner == "" || shard.Owner == s.opts.Owner {
		return false
	}
	p, err := s.board.Fetch(ctx, presenceKey(shard.Owner))
	return err != nil || p.Revision != 0 && p.Doc.State != deadReplica && p.Doc.Life == shard.Life
}

// leave hands everything over and goes. What is not released by then is taken over after the TTL.
func (s *Shards) leave(tick <-chan time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), max(2*s.opts.TTL, 5*time.Second))
	defer cancel()
	s.setState(leavingReplica)
	s.renew(ctx)
	for _, c := range s.list() {
		c.stop()
	}
	for s.finish(ctx); len(s.list()) > 0 && ctx.Err() == nil; s.finish(ctx) {
		select {
		case <-ctx.Done():
		case <-tick:
		case <-s.wake:
		}
	}
	s.setState(deadReplica)
	s.beating.Lock() // no beat comes after this
	defer s.beating.Unlock()
	p, ok := s.board.Find(s.presence)
	if !ok || !s.seen {
		return
	}
	if err := s.board.Delete(ctx, s.presence, p.Revision); err != nil {
		s.opts.Logger.Debug("presence not withdrawn", "bucket", s.opts.Bucket, "err", err)
	}
}

func (s *Shards) setState(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}
