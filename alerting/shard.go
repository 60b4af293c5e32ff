package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Shards is how many parts the tenants are divided into among alerting processes.
const Shards = 32

const (
	shardsBucket = "seamark_alerting_shards"
	// shardCount is how many parts the tenants are divided into, for ever: with another number a tenant would belong to two.
	shardCount = Shards
	// fencePrefix begins the keys of fences in the state's bucket; no tenant is called so.
	fencePrefix = "fence."
	// claimPause is the time between attempts to begin with shards that this process holds.
	claimPause = 250 * time.Millisecond
)

// shardOf returns the part that a tenant belongs to, with its groups, its detectors and its Alertmanager.
func shardOf(id seamark.TenantID) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % shardCount)
}

// tenure is this process's time as the holder of a shard.
type tenure struct {
	shard   int
	ctx     context.Context // ends when the work has to
	current func() bool     // no other process can hold the shard now
	release func()
	epoch   uint64 // rises with every holder of the shard
	// fences are the revisions at which this and earlier epochs began, the newest first: what stands behind the fence of an epoch and
	// names an older one came too late.
	fences []uint64
}

// holds reports whether state may still be written. A process that was stopped and goes on knows before anybody tells it.
func (t *tenure) holds() bool { return t.current() }

// acts reports whether rules may be evaluated and receivers told.
func (t *tenure) acts() bool { return t.ctx.Err() == nil && t.current() }

// openShards takes part in sharing the tenants.
func (s *Service) openShards(ctx context.Context) (err error) {
	s.shards, err = bus.OpenShards(ctx, bus.ShardsOptions{
		JS: s.opts.JS, Bucket: shardsBucket, Replicas: s.opts.Replicas, Count: shardCount, Owner: s.opts.Owner, TTL: s.opts.LeaseTTL,
		Take: s.take, Logger: s.opts.Logger,
	})
	return err
}

// Holder returns the name of the replica that a tenant's rules and Alertmanager run in, "" where none is known, and whether it is this one.
func (s *Service) Holder(id seamark.TenantID) (owner string, here bool) {
	s.mu.Lock()
	held := s.held[shardOf(id)]
	s.mu.Unlock()
	if held != nil && held.acts() {
		return s.opts.Owner, true
	}
	return s.shards.Holder(shardOf(id)), false
}

// Held returns how many parts of the tenants this process runs.
func (s *Service) Held() (held int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.held {
		if t.acts() {
			held++
		}
	}
	return held
}

// take begins with shards that this process holds from now on.
func (s *Service) take(claims []*bus.Claim) {
	list := make([]*tenure, len(claims))
	for i, c := range claims {
		list[i] = &tenure{shard: c.Shard, ctx: c.Context(), current: c.Holds, release: c.Release}
	}
	s.work.Go(func() { s.begin(list) })
}

// begin fences the shards, reads their state once for all of them, and starts their tenants. What fails is tried until the shards are
// lost: nobody else may begin with them.
func (s *Service) begin(list []*tenure) {
	begun := s.opts.Now()
	ctx, cancel := context.WithCancel(s.stopped)
	defer cancel()
	s.rules.await(ctx, func() bool { return s.rules.loaded })
	s.configs.await(ctx, func() bool { return s.configs.loaded })
	held := list[:0:0]
	for _, t := range list {
		if s.persist(t, "fence", func() error { return s.setFence(t) }) {
			held = append(held, t)
		} else {
			t.release()
		}
	}
	if len(held) == 0 {
		return
	}
	var stored map[seamark.TenantID]map[string]stateEntry
	if !s.persist(held[0], "read the state of", func() (err error) { stored, err = s.loadState(ctx, held); return err }) {
		for _, t := range held {
			t.release()
		}
		return
	}
	s.install(held, stored)
	s.metrics.takeover.Observe(s.opts.Now().Sub(begun).Seconds())
}

// persist tries until it succeeds or the shard is lost.
func (s *Service) persist(t *tenure, what string, try func() error) bool {
	for t.acts() && s.stopped.Err() == nil {
		err := try()
		if err == nil {
			return true
		}
		s.opts.Logger.Warn("a shard of tenants is not begun with; it is tried again", "act", what, "shard", t.shard, "err", err)
		pause := time.NewTimer(claimPause)
		select {
		case <-t.ctx.Done():
		case <-s.stopped.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return false
}

// install makes the shards' tenants run.
func (s *Service) install(held []*tenure, stored map[seamark.TenantID]map[string]stateEntry) {
	mine := map[int]bool{}
	s.mu.Lock()
	for _, t := range held {
		s.held[t.shard], mine[t.shard] = t, true
	}
	for id, entries := range stored {
		s.stored[id] = entries
	}
	s.metrics.countHeld(len(s.held))
	s.mu.Unlock()
	for id := range stored {
		s.touch(id)
	}
	for _, id := range append(s.rules.tenants(), s.configs.tenants()...) {
		if mine[shardOf(id)] {
			s.touch(id)
		}
	}
	for _, t := range held {
		s.work.Go(func() {
			<-t.ctx.Done()
			s.end(t)
		})
	}
}

// end waits until the shard's tenants have ended, whose context is over, and gives the shard free.
func (s *Service) end(t *tenure) {
	var running []*tenant
	s.mu.Lock()
	if s.held[t.shard] == t {
		delete(s.held, t.shard)
	}
	for id, one := range s.tenants {
		if one.tenure == t {
			running = append(running, one)
			delete(s.tenants, id)
		}
	}
	for id := range s.stored {
		if shardOf(id) == t.shard {
			delete(s.stored, id)
		}
	}
	s.metrics.countHeld(len(s.held))
	s.metrics.tenants.Set(float64(len(s.tenants)))
	s.mu.Unlock()
	for _, one := range running {
		<-one.done
	}
	t.release()
}

// follow starts tenants whose documents have changed, and has those that run take the change over, until ctx ends.
func (s *Service) follow(ctx context.Context) {
	for {
		for _, id := range s.takeDirty() {
			s.refresh(id)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
	}
}

func (s *Service) refresh(id seamark.TenantID) {
	if s.standing(id) == Gone {
		s.dismiss(id)
		return
	}
	t, err := s.tenant(id, true)
	switch {
	case err == nil:
		t.kick()
	case seamark.KindOf(err) != seamark.Unavailable: // another process's
		s.opts.Logger.Error("tenant's alerting not started", "tenant", id, "err", err)
	}
}

// fenceDoc marks in the state's bucket where a holder of a shard began.
type fenceDoc struct {
	Epoch uint64 `json:"epoch"`
	// Past are the revisions of the fences before it, the newest first, maxFences of them.
	Past []uint64 `json:"past,omitempty"`
}

// maxFences is how many epochs back a write that came too late is known for what it is exactly.
const maxFences = 100

// setFence begins a new epoch of a shard. All that an earlier holder writes comes behind the fence from now on, and is void.
func (s *Service) setFence(t *tenure) error {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	at := fmt.Sprintf("%s%d", fencePrefix, t.shard)
	var doc fenceDoc
	var revision uint64
	switch entry, err := s.state.Get(ctx, at); {
	case err == nil:
		revision = entry.Revision()
		if err := json.Unmarshal(entry.Value(), &doc); err != nil {
			return fmt.Errorf("read fence: %w", err)
		}
		doc.Past = append([]uint64{revision}, doc.Past[:min(len(doc.Past), maxFences-1)]...)
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("read fence: %w", err)
	}
	doc.Epoch++
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	if revision == 0 {
		revision, err = s.state.Create(ctx, at, body)
	} else {
		revision, err = s.state.Update(ctx, at, body, revision)
	}
	if err != nil {
		return fmt.Errorf("set fence: %w", err)
	}
	t.epoch, t.fences = doc.Epoch, append([]uint64{revision}, doc.Past...)
	return nil
}

// tooLate reports whether an entry was written after another process had begun with its shard. A silence is none the worse for it:
// somebody wants it, and Alertmanager takes the newest of two.
func (t *tenure) tooLate(rest string, epoch, revision uint64) bool {
	if kind(rest) == silenceState || epoch >= t.epoch {
		return false
	}
	next := min(t.epoch-epoch, uint64(len(t.fences))) - 1 // of the epoch after the writer's, or the oldest that is known
	return revision > t.fences[next]
}
