package bus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is where a shard's stream stands.
type State struct {
	Created     time.Time // identity: a stream that was made again restarts at sequence 1
	First, Last uint64    // sequences; First is Last+1 when the stream is empty
	Bytes       uint64
}

// State asks the stream for its state.
func (b *Bus) State(ctx context.Context, shard Shard) (State, error) {
	return stateOf(ctx, b.opts.JS, shard)
}

func stateOf(ctx context.Context, js jetstream.JetStream, shard Shard) (State, error) {
	s, err := js.Stream(ctx, shard.stream())
	if err != nil {
		return State{}, fmt.Errorf("look up stream %s: %w", shard.stream(), err)
	}
	info := s.CachedInfo()
	return State{Created: info.Created, First: info.State.FirstSeq, Last: info.State.LastSeq, Bytes: info.State.Bytes}, nil
}

// Message returns a message of shard, or false when the stream does not hold it.
func (b *Bus) Message(ctx context.Context, shard Shard, sequence uint64) (data []byte, ok bool, err error) {
	m, err := b.streams[shard].GetMsg(ctx, sequence)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read message %d of stream %s: %w", sequence, shard.stream(), err)
	}
	return m.Data, true, nil
}

// Settle waits until all that readers of shard have seen so far is on the disk. A server hands messages to readers as it
// writes them, and syncs them after that: those of an atomic batch together at its end. Reads of single messages are
// isolated from writes, sync included (nats-server's isolateMu), so one of a message that cannot be there waits just so long.
func (b *Bus) Settle(ctx context.Context, shard Shard) error {
	_, _, err := b.Message(ctx, shard, math.MaxUint64)
	return err
}

// Received is one message as the stream holds it.
type Received struct {
	Sequence uint64
	Data     []byte // owned by the receiver
}

// prefetchBytes is what a reader may hold that its consumer has not asked for: at least the largest message.
const prefetchBytes = 8 << 20

// Read calls fn with every message of shard from sequence from on, in order and without gaps, until ctx ends or fn
// returns an error. It waits for new messages; it survives restarts of the server.
func (b *Bus) Read(ctx context.Context, shard Shard, from uint64, fn func(Received) error) error {
	consumer, err := b.opts.JS.OrderedConsumer(ctx, shard.stream(), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
	})
	if err != nil {
		return fmt.Errorf("read stream %s: %w", shard.stream(), err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxBytes(prefetchBytes))
	if err != nil {
		return fmt.Errorf("read stream %s: %w", shard.stream(), err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("read stream %s: %w", shard.stream(), err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read stream %s: %w", shard.stream(), err)
		}
		if err := fn(Received{Sequence: meta.Sequence.Stream, Data: msg.Data()}); err != nil {
			return err
		}
	}
}

// Purge drops the messages before sequence keep. Messages the store has taken stay behind the checkpoint for a while, so
// that a power loss under ClickHouse can be replayed.
func (b *Bus) Purge(ctx context.Context, shard Shard, keep uint64) error {
	s, err := b.opts.JS.Stream(ctx, shard.stream())
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", shard.stream(), err)
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(keep)); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("purge stream %s: %w", shard.stream(), err)
	}
	return nil
}
