package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Follower reads the messages of one tenant at a time from the shards of one signal, beside the writer. It needs no Bus, so
// that a process that publishes nothing can have one. It is safe for concurrent use.
type Follower struct {
	js     jetstream.JetStream
	signal seamark.Signal
	shards int
}

// NewFollower returns a follower of a signal's shards, of which there are as many as the Bus has. It opens nothing.
func NewFollower(js jetstream.JetStream, signal seamark.Signal, shards int) *Follower {
	return &Follower{js: js, signal: signal, shards: shards}
}

// Shards lists the shards.
func (f *Follower) Shards() []Shard {
	list := make([]Shard, f.shards)
	for n := range list {
		list[n] = Shard{f.signal, n}
	}
	return list
}

// State asks a shard's stream for its state.
func (f *Follower) State(ctx context.Context, shard Shard) (State, error) {
	return stateOf(ctx, f.js, shard)
}

const (
	// followBytes is what a follower may hold that its consumer has not asked for: at least the largest message.
	followBytes = 8 << 20
	// followIdle is when the server forgets a follower whose process is gone.
	followIdle = 30 * time.Second
)

// Follow calls fn with every message of a tenant in shard from sequence from on, in order, until ctx ends or fn returns an
// error. The server leaves other tenants' messages out: they never reach this process. It waits for new messages, and
// survives restarts of the server. Messages may come that the disk does not hold yet, see Settle. What the stream has dropped
// before it is read is missing without a word: messages stay a while after they are stored.
func (f *Follower) Follow(ctx context.Context, shard Shard, tenant seamark.TenantID, from uint64, fn func(Received) error) error {
	if _, err := seamark.ParseTenantID(string(tenant)); err != nil {
		return err // an empty id, or one with a wildcard, would follow everybody
	}
	consumer, err := f.js.OrderedConsumer(ctx, shard.stream(), jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{shard.subject() + "." + string(tenant)},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1), InactiveThreshold: followIdle,
	})
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxBytes(followBytes))
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
		}
		if err := fn(Received{Sequence: meta.Sequence.Stream, Data: msg.Data()}); err != nil {
			return err
		}
	}
}
