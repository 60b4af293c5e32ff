package app

import (
	"context"
	"errors"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logtail"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// openTails makes what shows log lines as they arrive.
func (a *App) openTails(ctx context.Context) error {
	checkpoints, err := bus.OpenDocs[ingest.Checkpoint](ctx, a.js, "seamark_writer", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	// A tail goes on where the store's lines end, to the message: it cannot begin with streams as they were a moment ago.
	history, err := logqlengine.New(logqlengine.Options{Storage: a.store, Now: a.opts.Now, MaxEntries: a.opts.Query.MaxEntries, MaxStreams: a.opts.Query.MaxSeries})
	if err != nil {
		return err
	}
	follower := bus.NewFollower(a.js, seamark.Logs, a.opts.Bus.Shards, a.directory.StoreShard)
	a.tailer, err = logtail.New(logtail.Options{
		Source: tailSource{follower, checkpoints}, Storage: a.index, History: history, MaxTails: a.opts.Query.MaxTails,
		Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.defers("tails", func(context.Context) error { a.tailer.Close(); return nil })
	return nil
}

// tailSource shows the log shards of the bus to tails. It implements logtail.Source.
type tailSource struct {
	follower    *bus.Follower
	checkpoints *ingest.CheckpointDocs
}

func (s tailSource) Shards(id seamark.TenantID) (int, error) {
	list, err := s.follower.Shards(id)
	return len(list), err
}

func (s tailSource) Position(ctx context.Context, id seamark.TenantID, shard int) (stored, last uint64, err error) {
	list, err := s.follower.Shards(id)
	if err != nil {
		return 0, 0, err
	}
	return s.position(ctx, list[shard])
}

// position takes what is stored from the writer's checkpoint, as long as it is of the stream as it stands.
func (s tailSource) position(ctx context.Context, shard bus.Shard) (stored, last uint64, err error) {
	state, err := s.follower.State(ctx, shard)
	if err != nil {
		return 0, 0, err
	}
	doc, _, err := s.checkpoints.Find(ctx, shard.String())
	if err != nil {
		return 0, 0, err
	}
	if doc.StreamCreated.Equal(state.Created) {
		stored = min(doc.Sequence, state.Last)
	}
	return stored, state.Last, nil
}

func (s tailSource) Follow(ctx context.Context, id seamark.TenantID, shard int, from uint64, fn func(uint64, []byte) error) error {
	list, err := s.follower.Shards(id)
	if err != nil {
		return err
	}
	return s.follower.Follow(ctx, list[shard], id, from, func(m bus.Received) error { return fn(m.Sequence, m.Data) })
}

// tailAPI shows tails in the API's words. It implements api.LogTailer.
type tailAPI struct{ tailer *logtail.Tailer }

func (t tailAPI) TailLogs(ctx context.Context, scope seamark.Scope, q api.LogTailQuery) (api.LogTail, error) {
	query, err := scoped.LogQuery(q.Query, scope.Only)
	if err != nil {
		return nil, err
	}
	q.Query = query
	tail, err := t.tailer.Open(ctx, scope.Tenant, logtail.Params(q))
	if err != nil {
		return nil, err
	}
	return openTail{tail}, nil
}

// openTail sends frames instead of batches.
type openTail struct{ *logtail.Tail }

// Run implements api.LogTail.
func (t openTail) Run(ctx context.Context, send func([]byte) error) error {
	err := t.Tail.Run(ctx, func(b *logtail.Batch) error {
		frame, err := b.Frame()
		if err != nil {
			return err
		}
		return send(frame)
	})
	if errors.Is(err, logtail.ErrClosing) {
		return api.ErrTailClosing
	}
	return err
}
