package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// backlogInterval is how often the shards are looked at, each with two small requests to the bus.
	backlogInterval = 2 * time.Second
	// mostEnds bounds what is kept of a shard that nobody stores.
	mostEnds = 256
)

// shardStream is what a backlog needs of the bus.
type shardStream interface {
	Shards() []bus.Shard
	State(ctx context.Context, shard bus.Shard) (bus.State, error)
	ShardOf(tenant seamark.TenantID, cluster seamark.ClusterID, signal seamark.Signal) (bus.Shard, error)
}

// backlog knows for how long what was acknowledged has waited to be stored. Rules wait for it: what a rule does not see yet is no
// reason to fire.
type backlog struct {
	stream      shardStream
	checkpoints *ingest.CheckpointDocs
	clusters    func(seamark.TenantID) []seamark.ClusterID
	now         func() time.Time
	log         *slog.Logger

	mu     sync.Mutex // guards shards
	shards map[bus.Shard][]streamEnd
}

// streamEnd is where a shard's stream ended at a moment: what came before it has no larger sequence.
type streamEnd struct {
	at   time.Time
	last uint64
}

// run looks at the shards until ctx ends.
func (b *backlog) run(ctx context.Context) error {
	tick := time.NewTicker(backlogInterval)
	defer tick.Stop()
	for {
		if err := b.look(ctx); err != nil && ctx.Err() == nil {
			b.log.DebugContext(ctx, "what waits to be stored is not known", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look notes where the shards of what rules read stand.
func (b *backlog) look(ctx context.Context) error {
	for _, shard := range b.stream.Shards() {
		if !ruled(shard.Signal) {
			continue
		}
		at := b.now()
		state, err := b.stream.State(ctx, shard)
		if err != nil {
			return err
		}
		doc, _, err := b.checkpoints.Find(ctx, shard.String())
		if err != nil {
			return err
		}
		if !doc.StreamCreated.Equal(state.Created) {
			doc.Sequence = 0 // that of another stream
		}
		b.note(shard, streamEnd{at, state.Last}, doc.Sequence)
	}
	return nil
}

// ruled reports whether rules read a signal.
func ruled(s seamark.Signal) bool { return s != seamark.Traces }

// note adds the end of a stream, and forgets those up to which all is stored.
func (b *backlog) note(shard bus.Shard, end streamEnd, stored uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ends := b.shards[shard]
	for len(ends) > 0 && ends[0].last <= stored {
		ends = ends[1:]
	}
	switch {
	case end.last <= stored:
		ends = nil
	case len(ends) == 0 || ends[len(ends)-1].last < end.last && len(ends) < mostEnds:
		ends = append(ends, end)
	}
	b.shards[shard] = ends
}

// behind returns for how long something of the tenant has waited to be stored, to about backlogInterval.
func (b *backlog) behind(tenant seamark.TenantID) (longest time.Duration) {
	clusters := append(b.clusters(tenant), rulesCluster)
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, signal := range seamark.Signals() {
		if !ruled(signal) {
			continue
		}
		for _, cluster := range clusters {
			shard, err := b.stream.ShardOf(tenant, cluster, signal)
			if err != nil {
				continue // a tenant that nobody has heard of has nothing that waits
			}
			if ends := b.shards[shard]; len(ends) > 0 {
				longest = max(longest, now.Sub(ends[0].at))
			}
		}
	}
	return longest
}

// watchBacklog begins to look at what waits to be stored, and returns what tells it by tenant.
func (a *App) watchBacklog(ctx context.Context) (func(seamark.TenantID) time.Duration, error) {
	checkpoints, err := a.openCheckpoints(ctx)
	if err != nil {
		return nil, err
	}
	b := &backlog{stream: a.bus, checkpoints: checkpoints, now: a.opts.Now, log: a.log, shards: map[bus.Shard][]streamEnd{}}
	b.clusters = func(id seamark.TenantID) (list []seamark.ClusterID) {
		for _, c := range a.directory.ListClusters(ctx, id) {
			list = append(list, c.ID)
		}
		return list
	}
	a.background("what waits to be stored", b.run)
	return b.behind, nil
}

// openCheckpoints opens what writers keep of how far they have come.
func (a *App) openCheckpoints(ctx context.Context) (*ingest.CheckpointDocs, error) {
	return bus.OpenDocs[ingest.Checkpoint](ctx, a.js, "seamark_writer", a.opts.NATS.Replicas)
}
