package bus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Follower reads the messages of one tenant at a time from the shards of one signal, beside the writer. It needs no Bus, so
// that a process that publishes nothing can have one. It is safe for concurrent use.
type Follower struct {
	js      jetstream.JetStream
	signal  seamark.Signal
	shards  int
	storeOf StoreOf
}

// NewFollower returns a follower of a signal's shards. There are as many, and a tenant is in the same ones, as the Bus has it. It opens
// nothing.
func NewFollower(js jetstream.JetStream, signal seamark.Signal, shards int, storeOf StoreOf) *Follower {
	return &Follower{js: js, signal: signal, shards: shards, storeOf: storeOf}
}

// Shards lists the shards that a tenant's messages come in.
func (f *Follower) Shards(tenant seamark.TenantID) ([]Shard, error) {
	store, err := f.storeOf.find(tenant)
	if err != nil {
		return nil, err
	}
	list := make([]Shard, f.shards)
	for n := range list {
		list[n] = Shard{f.signal, store, n}
	}
	return list, nil
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
	config := jetstream.OrderedConsumerConfig{OptStartSeq: from}
	return f.follow(ctx, following{shard, tenant, config, jetstream.PullMaxBytes(followBytes)}, func(meta *jetstream.MsgMetadata, msg jetstream.Msg) error {
		return fn(Received{Sequence: meta.Sequence.Stream, Data: msg.Data()})
	})
}

// Arrival is a message of a stream without its data.
type Arrival struct {
	Sequence uint64
	Time     time.Time // when the stream took it
	// Left is how many more messages of the tenant the stream held behind this one as it was sent.
	Left uint64
}

// arrivalMessages is how many arrivals are asked for at once; they have no data.
const arrivalMessages = 256

// Arrivals is Follow without the messages' data, for who counts them.
func (f *Follower) Arrivals(ctx context.Context, shard Shard, tenant seamark.TenantID, from uint64, fn func(Arrival) error) error {
	config := jetstream.OrderedConsumerConfig{OptStartSeq: from, HeadersOnly: true}
	return f.follow(ctx, following{shard, tenant, config, jetstream.PullMaxMessages(arrivalMessages)}, func(meta *jetstream.MsgMetadata, _ jetstream.Msg) error {
		return fn(Arrival{meta.Sequence.Stream, meta.Timestamp, meta.NumPending})
	})
}

// Next returns the sequence of the first message of a tenant in shard from a sequence on, or false when the stream holds none.
func (f *Follower) Next(ctx context.Context, shard Shard, tenant seamark.TenantID, from uint64) (sequence uint64, ok bool, err error) {
	if _, err := seamark.ParseTenantID(string(tenant)); err != nil {
		return 0, false, err
	}
	s, err := f.js.Stream(ctx, shard.stream())
	if err != nil {
		return 0, false, fmt.Errorf("look up stream %s: %w", shard.stream(), err)
	}
	m, err := s.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(shard.subject()+"."+string(tenant)))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("look into stream %s: %w", shard.stream(), err)
	}
	return m.Sequence, true, nil
}

// Settle is Bus.Settle for who has no Bus.
func (f *Follower) Settle(ctx context.Context, shard Shard) error {
	s, err := f.js.Stream(ctx, shard.stream())
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", shard.stream(), err)
	}
	if _, err := s.GetMsg(ctx, math.MaxUint64); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("settle stream %s: %w", shard.stream(), err)
	}
	return nil
}

// following says which messages are read, and how.
type following struct {
	shard  Shard
	tenant seamark.TenantID
	config jetstream.OrderedConsumerConfig
	pull   jetstream.PullMessagesOpt
}

// follow reads a tenant's messages of a shard.
func (f *Follower) follow(ctx context.Context, of following, fn func(*jetstream.MsgMetadata, jetstream.Msg) error) error {
	shard, tenant, config := of.shard, of.tenant, of.config
	if _, err := seamark.ParseTenantID(string(tenant)); err != nil {
		return err // an empty id, or one with a wildcard, would follow everybody
	}
	config.FilterSubjects = []string{shard.subject() + "." + string(tenant)}
	config.DeliverPolicy, config.OptStartSeq, config.InactiveThreshold = jetstream.DeliverByStartSequencePolicy, max(config.OptStartSeq, 1), followIdle
	consumer, err := f.js.OrderedConsumer(ctx, shard.stream(), config)
	if err != nil {
		return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
	}
	messages, err := consumer.Messages(of.pull)
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
		if err := fn(meta, msg); err != nil {
			return err
		}
	}
}
