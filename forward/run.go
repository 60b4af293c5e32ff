package forward

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
)

// slots is how many leases the forwarders are spread over, and so how many processes can share them. A slot without
// forwarders costs nothing.
const slots = 4

func slotOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % slots)
}

var errNotRunner = errors.New("forward: Streams, Stored, Leases, Active and Owner are required to run forwarders")

// Run forwards what this process has the lease of, until ctx ends. It returns nil then.
func (s *Service) Run(ctx context.Context) error {
	o := &s.opts
	if o.Streams == nil || o.Stored == nil || o.Leases == nil || o.Active == nil || o.Owner == "" {
		return errNotRunner
	}
	var parts sync.WaitGroup
	parts.Go(func() { s.book.follow(ctx) })
	for slot := range slots {
		parts.Go(func() { s.holdSlot(ctx, slot) })
	}
	parts.Wait()
	return nil
}

// holdSlot waits for a forwarder in its slot, and then for the slot's lease.
func (s *Service) holdSlot(ctx context.Context, slot int) {
	lease := bus.NewLease(s.opts.Leases, "forward."+strconv.Itoa(slot), s.opts.Owner, s.opts.LeaseTTL, s.opts.Logger)
	for ctx.Err() == nil {
		list, changed := s.book.of(slot)
		if len(list) == 0 {
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}
		if err := lease.Hold(ctx, func(ctx context.Context) error { return s.runSlot(ctx, slot) }); err != nil && ctx.Err() == nil {
			s.opts.Logger.WarnContext(ctx, "forwarders stopped; they start again", slog.Int("slot", slot), slog.Any("error", err))
			_ = pause(ctx, time.Second)
		}
	}
}

// activeInterval is how often tenants that were suspended or deleted are looked for.
const activeInterval = 5 * time.Second

// runSlot keeps a run for each forwarder of the slot as it stands, until ctx ends or there is none.
func (s *Service) runSlot(ctx context.Context, slot int) error {
	running := map[string]*run{}
	defer func() {
		for _, r := range running {
			r.cancel()
		}
		for _, r := range running {
			<-r.done
		}
	}()
	tick := time.NewTicker(activeInterval)
	defer tick.Stop()
	for {
		list, changed := s.book.of(slot)
		if len(list) == 0 {
			return nil
		}
		wanted := map[string]*document{}
		for _, doc := range list {
			if s.opts.Active(doc.Tenant) {
				wanted[doc.key()] = doc
			}
		}
		s.settle(ctx, running, wanted)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
	}
}

// settle ends the runs that are not wanted as they are, and starts those that are missing.
func (s *Service) settle(ctx context.Context, running map[string]*run, wanted map[string]*document) {
	for key, r := range running {
		if doc := wanted[key]; doc == nil || doc.ID != r.doc.ID || doc.Definition.Revision != r.doc.Definition.Revision {
			r.cancel()
			<-r.done
			delete(running, key)
		}
	}
	for key, doc := range wanted {
		if running[key] == nil {
			running[key] = s.start(ctx, doc)
		}
	}
}

// run is one forwarder at work, under one revision of its definition.
type run struct {
	service *Service
	doc     *document
	log     *slog.Logger
	sink    sink
	secrets *safe
	cancel  context.CancelFunc
	done    chan struct{}
}

func (s *Service) start(ctx context.Context, doc *document) *run {
	ctx, cancel := context.WithCancel(ctx)
	r := &run{
		service: s, doc: doc, cancel: cancel, done: make(chan struct{}),
		log: s.opts.Logger.With(slog.String("tenant", string(doc.Tenant)), slog.String("forwarder", doc.Definition.Name)),
	}
	go func() {
		defer close(r.done)
		s.metrics.running.Inc()
		defer s.metrics.running.Dec()
		r.work(ctx)
	}()
	return r
}

// follower reads the shards of the forwarder's signal.
func (r *run) follower() *bus.Follower { return r.service.opts.Followers[r.doc.Definition.signal()] }

// work forwards all shards until ctx ends.
func (r *run) work(ctx context.Context) {
	list := []bus.Shard(nil)
	for {
		var err error
		if list, err = r.follower().Shards(r.doc.Tenant); err == nil {
			r.sink, r.secrets, err = r.service.sinkFor(ctx, r.doc)
		}
		if err == nil {
			break
		}
		r.note(ctx, err)
		if pause(ctx, r.service.opts.MaxBackoff) != nil {
			return
		}
	}
	defer r.sink.close()
	var shards sync.WaitGroup
	for _, shard := range list {
		shards.Go(func() { r.follow(ctx, shard) })
	}
	shards.Wait()
}

// note shows in the status why a forwarder cannot begin.
func (r *run) note(ctx context.Context, cause error) {
	r.log.ErrorContext(ctx, "a forwarder cannot begin; it is tried again", slog.Any("error", cause))
	list, err := r.follower().Shards(r.doc.Tenant)
	if err != nil {
		return // it is the cause
	}
	key := progressKey(r.doc.Tenant, r.doc.ID, list[0])
	p, revision, err := r.service.ledger.find(ctx, key)
	if err == nil && revision > 0 {
		p.Error, p.ErrorAt, p.Updated = publicText(cause), r.service.opts.Now().UTC(), r.service.opts.Now().UTC()
		_, err = r.service.ledger.save(ctx, key, &p, revision)
	}
	if err != nil {
		r.log.WarnContext(ctx, "the status of a forwarder is not written", slog.Any("error", err))
	}
}

// follow forwards one shard until ctx ends, and begins anew after whatever ends it.
func (r *run) follow(ctx context.Context, shard bus.Shard) {
	for ctx.Err() == nil {
		w := &shardRun{run: r, shard: shard, log: r.log.With(slog.String("shard", shard.String()))}
		err := w.work(ctx)
		if ctx.Err() != nil {
			return
		}
		w.log.WarnContext(ctx, "a forwarder's shard stopped; it starts again", slog.Any("error", err))
		_ = pause(ctx, r.service.opts.Backoff)
	}
}
